"""The examples in the READMEs: each is a file that is tested, word by word."""

import re
from pathlib import Path

from contract.discover import ROOT

FOLDER = ROOT / "tests" / "e2e" / "frameworks"
_LANGUAGES = {".py": "python", ".ts": "typescript"}


def example_files() -> list[Path]:
    """Every example that there is."""
    return sorted(path for path in FOLDER.glob("example_*") if path.suffix in _LANGUAGES)


def shown_in(readme: Path) -> list[str]:
    """The names of the examples that a README shows, between `<!-- example_x.py -->` and its end."""
    return re.findall(r"^<!-- (example_\w+\.\w+) -->$", readme.read_text(encoding="utf-8"), re.MULTILINE)


def example_parts(readme: Path) -> dict[str, str]:
    """The parts of a README that show examples, as they should be."""
    return {name: _block(FOLDER / name) for name in shown_in(readme)}


def _block(path: Path) -> str:
    return f"```{_LANGUAGES[path.suffix]}\n{path.read_text(encoding='utf-8')}```\n"
