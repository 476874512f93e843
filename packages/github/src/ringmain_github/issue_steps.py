"""Changes of an issue as steps: what is so already needs none, and labels and people are never replaced."""

import difflib
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringmain_core.errors import NotFound
from ringmain_core.steps import Step
from ringmain_core.text import prose
from ringmain_github.api import GitHub
from ringmain_github.issues import excerpt
from ringmain_github.references import login_of
from ringmain_github.repository import Repository


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of an issue.

    Attributes:
        fields: New values by GitHub's names; `milestone` is a number, or `None` for none.
        add_labels: As they are spelled.
    """

    fields: Mapping[str, Any]
    add_labels: Sequence[str]
    remove_labels: Sequence[str]
    add_assignees: Sequence[str]
    remove_assignees: Sequence[str]

    @property
    def is_empty(self) -> bool:
        sets = (self.add_labels, self.remove_labels, self.add_assignees, self.remove_assignees)
        return not (self.fields or any(sets))


@dataclass(frozen=True, slots=True)
class Plan:
    """How to change an issue.

    Attributes:
        steps: In order: its own fields first, for these may be refused.
        preview: Before and after, harmless.
        idle: What was asked for and is not there to be changed.
    """

    steps: list[Step]
    preview: str
    idle: list[str]


def plan(github: GitHub, repository: Repository, issue: Mapping[str, Any], change: Change) -> Plan:
    """Work out the requests that lead from an issue as it is to what is wanted."""
    url = repository.path("issues", issue["number"])
    labels = {str(label["name"]).lower(): str(label["name"]) for label in issue["labels"]}
    people = {login_of(user).lower(): login_of(user) for user in issue["assignees"] or ()}
    fields = _differing(issue, change.fields)
    steps: list[Step] = []

    def add(what: str, verb: str, path: str, body: Mapping[str, Any] | None = None) -> None:
        def send() -> Awaitable[Any]:
            return github.send(verb, path, body, idempotent=True)

        shown = {name: excerpt(value) if name == "body" else value for name, value in (body or {}).items()}
        steps.append(Step(what, {verb: path, **shown}, send if body else lambda: _gone(send)))

    if fields:
        add(", ".join(_said(name, value) for name, value in fields.items()), "PATCH", url, fields)
    new_labels = [name for name in change.add_labels if name.lower() not in labels]
    if new_labels:
        add(f"labels added: {', '.join(new_labels)}", "POST", f"{url}/labels", {"labels": new_labels})
    old_labels = [labels[name.lower()] for name in change.remove_labels if name.lower() in labels]
    for name in old_labels:
        add(f"label removed: {name}", "DELETE", repository.path("issues", issue["number"], "labels", name))
    new_people = [login for login in change.add_assignees if login.lower() not in people]
    if new_people:
        add(f"assigned: {', '.join(new_people)}", "POST", f"{url}/assignees", {"assignees": new_people})
    old_people = [people[login.lower()] for login in change.remove_assignees if login.lower() in people]
    if old_people:
        add(f"unassigned: {', '.join(old_people)}", "DELETE", f"{url}/assignees", {"assignees": old_people})
    shown = [_preview(issue, name, value) for name, value in fields.items()]
    if new_labels or old_labels:
        shown.append(_sets("labels", list(labels.values()), new_labels, old_labels))
    if new_people or old_people:
        shown.append(_sets("assignees", list(people.values()), new_people, old_people))
    idle = [f"It has no label `{name}`." for name in change.remove_labels if name.lower() not in labels]
    idle += [
        f"`{login}` is not assigned." for login in change.remove_assignees if login.lower() not in people
    ]
    return Plan(steps, prose("\n".join(shown)), idle)


async def _gone(send: Any) -> None:
    """Take a label away; one that is gone by now is what was wanted."""
    try:
        await send()
    except NotFound:
        return


def _differing(issue: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in wanted.items() if _value(issue, name) != value}
    if "state_reason" in fields:
        fields["state"] = wanted["state"]  # without it GitHub passes over the reason
    return fields


def _value(issue: Mapping[str, Any], name: str) -> Any:
    value = issue.get(name)
    if name == "milestone":
        return None if value is None else value["number"]
    return value or "" if name == "body" else value


def _said(name: str, value: Any) -> str:
    if name in {"title", "body"}:
        return f"{name} changed"
    if name == "milestone":
        return "milestone removed" if value is None else f"milestone {value} set"
    return f"{name.replace('state_', '')} set to {value}"


def _preview(issue: Mapping[str, Any], name: str, value: Any) -> str:
    if name != "body":
        return f"{name}: {_value(issue, name)} -> {value}"
    lines = difflib.unified_diff(_lines(issue["body"]), _lines(value), "body before", "body after", "", "", 1)
    return excerpt("\n".join(line.rstrip("\n") for line in lines))


def _lines(text: str | None) -> list[str]:
    return (text or "").splitlines()


def _sets(what: str, before: list[str], new: list[str], old: list[str]) -> str:
    after = [each for each in [*before, *new] if each not in old]
    return f"{what}: {', '.join(before) or 'none'} -> {', '.join(after) or 'none'}"
