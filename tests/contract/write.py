"""`make readme`: write the snapshots and the generated parts of the READMEs."""

from contract.surface import generated

if __name__ == "__main__":
    for path, text in generated().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
