"""What of a log belongs to a step, what a pattern finds, and that no pattern takes long."""

import time

import pytest

from ringmain_github.logs import Line, last_fitting, matcher, matching, parsed, step_range

LOG = parsed(
    "\ufeff2026-01-05T09:00:00.1000000Z ##[group]Run actions/checkout@v4\n"
    "2026-01-05T09:00:01.0000000Z fetching\n"
    "2026-01-05T09:00:02.1000000Z ##[group]Run pip install .\n"
    "2026-01-05T09:00:02.2000000Z installed\n"
    "2026-01-05T09:00:02.3000000Z ##[group]Run pytest\n"
    "2026-01-05T09:00:02.4000000Z ##[endgroup]\n"
    "2026-01-05T09:00:05.0000000Z \x1b[31mFAILED\x1b[0m test_spin\n"
    "continued without a time\n"
    "2026-01-05T09:00:06.0000000Z ##[error]Process completed with exit code 1.\n"
    "2026-01-05T09:00:06.1000000Z Post job cleanup.\n"
    "2026-01-05T09:00:07.0000000Z Cleaning up orphan processes\n"
)


def texts(lines: range | None) -> list[str]:
    assert lines is not None
    return [LOG.lines[at].text for at in lines]


def test_a_step_is_told_from_neighbours_that_wrote_in_the_same_second() -> None:
    step = {"started_at": "2026-01-05T09:00:02Z", "completed_at": "2026-01-05T09:00:06Z"}
    assert texts(step_range(LOG, step)) == [
        "##[group]Run pytest",
        "##[endgroup]",
        "FAILED test_spin",
        "continued without a time",
        "##[error]Process completed with exit code 1.",
    ]


def test_times_of_steps_may_be_in_any_zone() -> None:
    step = {"started_at": "2026-01-05T01:00:00-08:00", "completed_at": "2026-01-05T01:00:01-08:00"}
    assert texts(step_range(LOG, step)) == ["##[group]Run actions/checkout@v4", "fetching"]


@pytest.mark.parametrize(
    "step",
    [
        {"started_at": None, "completed_at": None},
        {},
        {"started_at": "2026-01-06T09:00:00Z", "completed_at": "2026-01-06T09:00:01Z"},
    ],
)
def test_a_step_that_the_log_does_not_show_is_none(step: dict[str, str | None]) -> None:
    assert step_range(LOG, step) is None


def test_times_and_colours_are_gone_and_hidden_characters_too() -> None:
    log = parsed("2026-01-05T09:00:00.1000000Z \x1b[1;32mok\x1b[0m \u202eab\U000e0041\n")
    assert log.lines == [Line("2026-01-05T09:00:00", "ok ab")]


def test_a_log_whose_beginning_is_missing_begins_with_a_whole_line() -> None:
    assert [line.text for line in parsed("lf a line\nnext\n", lacking=10).lines] == ["next"]


def test_matches_are_numbered_with_their_neighbours_and_gaps() -> None:
    lines = [Line("", text) for text in ("a", "b", "error", "d", "e", "f", "error", "error")]
    finds, _ = matcher("^err")
    assert matching(lines, finds, 1) == (
        ["2- b", "3: error", "4- d", "--", "6- f", "7: error", "8: error"],
        3,
    )
    assert matching(lines, finds, 0, skipped=10) == (["13: error", "--", "17: error", "18: error"], 3)


@pytest.mark.parametrize("pattern", ["foo(bar", r"(?=x)y", r"(a)\1", "*"])
def test_what_is_no_pattern_here_is_searched_for_as_text(pattern: str) -> None:
    finds, understood = matcher(pattern)
    assert not understood
    assert finds(f"see {pattern} there")
    assert not finds("anything else")


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){25}$", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_no_pattern_takes_long(pattern: str) -> None:
    finds, understood = matcher(pattern)
    assert understood
    began = time.process_time()
    matching([Line("", "a" * 100_000 + "!")] * 20, finds, 0)
    assert time.process_time() - began < 1.0


def test_the_end_of_lines_fits_a_budget_and_is_never_empty() -> None:
    assert last_fitting(["aaaa", "bbbb", "cccc"], 17) == ["bbbb", "cccc"]
    assert last_fitting(["aaaa", "c" * 100], 5) == ["c" * 40 + " [… cut]"]
    assert last_fitting(["aaaa", "c" * 100], 60) == ["c" * 40 + " [… cut]"]
    assert last_fitting([], 5) == []
