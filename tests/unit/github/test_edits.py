"""Exact edits hit one place or nothing, and say where they would have."""

import pytest

from ringmain_core.errors import InvalidArguments
from ringmain_github.edits import Edit, difference, edited

TEXT = "alpha = 1\nbeta = 2\nalpha = 3\n"


def test_edits_are_made_one_after_the_other() -> None:
    edits = [Edit(old="beta = 2", new="gamma = 2"), Edit(old="gamma", new="delta")]
    assert edited("a.py", TEXT, edits) == "alpha = 1\ndelta = 2\nalpha = 3\n"


@pytest.mark.parametrize(
    ("old", "said"),
    [
        ("alpha", "`old` stands there 2 times (lines 1, 3); add what is around the one meant."),
        ("  beta = 2", "`old` does not stand there; it has to be exact. Line 2 is the most alike."),
        ("alpha == 3", "`old` does not stand there; it has to be exact. Line 3 is the most alike."),
        ("no such thing", "`old` does not stand there; it has to be exact."),
    ],
)
def test_what_is_not_there_once_is_refused_with_its_lines(old: str, said: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        edited("a.py", TEXT, [Edit(old=old, new="x")])
    assert caught.value.message == f"Nothing was committed: edit 1 of `a.py`: {said}"


def test_overlapping_places_are_counted_apart() -> None:
    with pytest.raises(InvalidArguments, match=r"stands there 2 times \(lines 1, 1\)"):
        edited("a", "aXaXa", [Edit(old="aXa", new="")])


def test_carriage_returns_that_nobody_saw_are_kept() -> None:
    assert edited("a", "1\r\n2\r\n", [Edit(old="1\n2", new="1\n1.5\n2")]) == "1\r\n1.5\r\n2\r\n"


def test_the_difference_names_what_is_made_and_what_goes() -> None:
    assert difference("a", None, "x\n").splitlines()[:2] == ["--- /dev/null", "+++ b/a"]
    assert difference("a", "x\n", None).splitlines()[:2] == ["--- a/a", "+++ /dev/null"]


@pytest.mark.parametrize(
    ("old", "new", "after"),
    [
        ("c\nd\n", "c\nD\n", "a\r\nb\r\nc\nD\ne\n"),
        ("a\nb\n", "a\nB\n", "a\r\nB\r\nc\nd\ne\n"),
        ("d", "d1\nd2", "a\r\nb\r\nc\nd1\nd2\ne\n"),
        ("a", "a1\na2", "a1\r\na2\r\nb\r\nc\nd\ne\n"),
    ],
)
def test_where_lines_end_in_both_ways_an_edit_ends_them_as_its_place_does(
    old: str, new: str, after: str
) -> None:
    assert edited("f", "a\r\nb\r\nc\nd\ne\n", [Edit(old=old, new=new)]) == after
