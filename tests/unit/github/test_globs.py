"""Patterns mean what they mean for git."""

import pytest

from ringmain_github.globs import fits


@pytest.mark.parametrize(
    ("path", "glob", "does"),
    [
        ("a.py", "*.py", True),
        ("src/deep/a.py", "*.py", True),
        ("src/a.py", "src/*.py", True),
        ("src/deep/a.py", "src/*.py", False),
        ("src/a.py", "src/**/*.py", True),
        ("src/deep/er/a.py", "src/**/*.py", True),
        ("a.py", "**/*.py", True),
        ("src/deep", "src/**", True),
        ("src", "src/**", False),
        ("src/a/b/c", "src/**/b/**", True),
        ("src/b", "src/**/b/**", False),
        ("src/a.py", "/src/[ab].py", True),
        ("src/A.py", "src/a.py", False),
        ("src/a.py", "**", True),
        ("src/a.py", "src", False),
        ("a/b", "a//b", False),
    ],
)
def test_a_path_fits_or_not(path: str, glob: str, does: bool) -> None:
    assert fits(path, glob) is does


def test_a_nasty_pattern_takes_no_time() -> None:
    assert not fits("a/" * 500 + "b", "**/a/" * 100 + "c")
