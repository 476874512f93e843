"""`make readme`: write the snapshots and the generated parts of the READMEs, but nothing that is frozen."""

from contract.surface import generated, is_frozen

if __name__ == "__main__":
    for path, text in generated().items():
        if is_frozen(path) and path.exists():
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
