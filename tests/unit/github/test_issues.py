"""What issues are changed by, and how texts about them are shown."""

from typing import Any, cast

import pytest

from ringmain_core.errors import InvalidArguments
from ringmain_github.api import GitHub
from ringmain_github.issue_steps import Change, Plan, plan
from ringmain_github.issues import excerpt, mentions_in, moment_of
from ringmain_github.repository import Repository

WIDGETS = Repository("acme", "widgets", "main", "public")
ISSUE: dict[str, Any] = {
    "number": 1,
    "title": "It wobbles",
    "body": None,
    "state": "closed",
    "state_reason": "completed",
    "labels": [{"name": "Bug"}],
    "assignees": [{"login": "Mona"}],
    "milestone": {"number": 3},
}


def planned(*, fields: dict[str, Any] | None = None, **sets: list[str]) -> Plan:
    names = ("add_labels", "remove_labels", "add_assignees", "remove_assignees")
    change = Change(fields or {}, **{name: sets.get(name, []) for name in names})
    return plan(cast("GitHub", None), WIDGETS, ISSUE, change)


def test_what_is_so_already_needs_no_request() -> None:
    same = {"title": "It wobbles", "body": "", "state": "closed", "state_reason": "completed", "milestone": 3}
    found = planned(
        fields=same,
        add_labels=["bug"],
        remove_labels=["other"],
        add_assignees=["mona"],
        remove_assignees=["hubot"],
    )
    assert found == Plan([], "", ["It has no label `other`.", "`hubot` is not assigned."])


def test_another_reason_is_sent_with_its_state() -> None:
    (step,) = planned(fields={"state": "closed", "state_reason": "duplicate"}).steps
    assert step.request == {
        "PATCH": "/repos/acme/widgets/issues/1",
        "state": "closed",
        "state_reason": "duplicate",
    }


def test_what_is_to_go_goes_by_the_names_that_github_has() -> None:
    found = planned(remove_labels=["BUG"], remove_assignees=["mONA"])
    assert [step.request for step in found.steps] == [
        {"DELETE": "/repos/acme/widgets/issues/1/labels/Bug"},
        {"DELETE": "/repos/acme/widgets/issues/1/assignees", "assignees": ["Mona"]},
    ]
    assert found.preview == "labels: Bug -> none\nassignees: Mona -> none"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("2026-01-31T12:00:00", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.5+02:00", "2026-01-31T10:00:00Z"),
    ],
)
def test_moments_are_sent_in_utc(text: str, moment: str) -> None:
    assert moment_of(text) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidArguments, match="`since`"):
        moment_of(text)


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        ("@mona, (@acme/team-a) and @mona again", ["acme/team-a, mona will be notified"]),
        ("me@example.test, `@code`, https://x.test/@path, @-no", []),
    ],
)
def test_those_whom_a_text_notifies_are_named(text: str, warnings: list[str]) -> None:
    assert mentions_in(text) == warnings


def test_a_long_text_says_how_much_of_it_is_not_shown() -> None:
    assert excerpt("x" * 2_000) == "x" * 2_000
    assert excerpt("x" * 3_234) == "x" * 2_000 + "… (and 1,234 characters more, sent as you gave them)"
