"""What this project says of itself: pages for the vector connector to take in."""

import shutil
from pathlib import Path

GENERAL = ("README.md", "shared/README.md")
OF_CONNECTORS = ("packages/*/README.md",)

_ROOT = Path(__file__).parents[2]


def copy_documentation(folder: Path, *patterns: str) -> int:
    """Copy the pages that fit into a folder, and say how many there are."""
    pages = [page for pattern in patterns for page in sorted(_ROOT.glob(pattern))]
    for page in pages:
        copy = folder / page.relative_to(_ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, copy)
    return len(pages)
