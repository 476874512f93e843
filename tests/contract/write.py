"""`make readme`: write snapshots, `server.json` and generated parts of READMEs, but nothing frozen."""

from contract.registry import registry_entries
from contract.surface import generated, is_frozen

if __name__ == "__main__":
    for path, text in (generated() | registry_entries()).items():
        if is_frozen(path) and path.exists():
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
