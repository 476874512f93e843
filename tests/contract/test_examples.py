"""What the READMEs show of frameworks is what is tested."""

from pathlib import Path

import pytest

from contract.discover import ROOT
from contract.examples import FOLDER, example_files, example_parts
from contract.surface import with_parts

READMES = [ROOT / "README.md", ROOT / "shared" / "README.md"]
EXAMPLES = [pytest.param(path, id=path.name) for path in example_files()]


@pytest.mark.parametrize("readme", READMES, ids=["root", "shared"])
def test_an_example_in_a_readme_is_the_file_that_is_tested(readme: Path) -> None:
    parts = example_parts(readme)
    assert parts != {}
    assert readme.read_text(encoding="utf-8") == with_parts(readme, parts), "`make readme` writes it anew"


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_tested_and_found_from_the_readme(example: Path) -> None:
    name = example.stem.removeprefix("example_")
    assert f"({example.relative_to(ROOT)})" in READMES[0].read_text(encoding="utf-8")
    tests = [path.read_text(encoding="utf-8") for path in FOLDER.glob(f"test_{name}.py")]
    assert [text for text in tests if example.name in text or example.stem in text or "play_" in text]
