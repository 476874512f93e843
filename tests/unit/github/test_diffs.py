"""Diffs are told within lines and bytes, and go on where they stopped, until nothing is left."""

from typing import Any

import pytest

from ringmain_github.diffs import chosen, shown, stat_of


def file(name: str, lines: int, **more: Any) -> dict[str, Any]:
    patch = "\n".join(f"+{name} {line}" for line in range(lines))
    return {
        "filename": name, "status": "added", "additions": lines, "deletions": 0, "patch": patch, **more
    }  # fmt: skip


FILES = [file("a", 5), file("b", 40), file("c", 1)]


@pytest.mark.parametrize(("max_lines", "budget"), [(10, 100_000), (41, 100_000), (5_000, 200), (5_000, 320)])
def test_all_parts_together_are_the_whole(max_lines: int, budget: int) -> None:
    place, lines = (0, 0), list[str]()
    for _ in range(100):
        part = shown(FILES, place, max_lines, budget)
        told = [line for patch in part.patches for line in patch.split("\n")]
        assert len([line for line in told if line.startswith("+")]) <= max_lines
        assert sum(len(line) + 1 for line in [*part.stat, *told]) <= budget
        lines += [line for line in told if line.startswith("+")]
        if part.following is None:
            break
        place = part.following
    assert lines == [line for each in FILES for line in each["patch"].split("\n")]


def test_a_patch_is_not_torn_where_it_fits_the_next_page() -> None:
    part = shown(FILES, (0, 0), 42, 100_000)
    assert [patch.split("\n")[0] for patch in part.patches] == ["--- a"]
    assert part.following == (1, 0)


def test_the_stat_is_told_at_the_beginning_only_and_says_what_it_leaves_out() -> None:
    many = [file(f"name-{number}", 1) for number in range(100)]
    assert shown(many, (0, 0), 5_000, 900).stat[-1] == "… and 85 more files"
    assert shown(many, (5, 0), 5_000, 900).stat == []


def test_a_line_that_never_fits_is_cut_and_says_so() -> None:
    part = shown([file("a", 1, patch="x" * 1_000)], (0, 0), 100, 400)
    assert part.patches[0].endswith("x [… the line has 1,000 characters; `read_file` may show more]")
    assert part.following is None


def test_files_without_patch_and_renamed_ones_are_told() -> None:
    renamed = file("new", 0, status="renamed", patch=None, previous_filename="old")
    assert stat_of(renamed) == "renamed new (was old) +0 -0"
    assert shown([renamed], (0, 0), 100, 1_000).patches == ["--- new\n(only its name has changed)"]
    assert chosen([renamed, *FILES], ["old", "b"]) == [renamed, FILES[1]]


def test_nothing_is_told_of_no_files() -> None:
    assert (shown([], (0, 0), 100, 1_000).patches, chosen([], ["x"])) == ([], [])
