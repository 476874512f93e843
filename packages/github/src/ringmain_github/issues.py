"""Issues as tools need them: found, and held against the labels, people and milestones that there are."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound
from ringmain_core.text import clean
from ringmain_github.api import GitHub
from ringmain_github.paging import all_of
from ringmain_github.repository import Repository
from ringmain_github.said import one_line

_MENTION = re.compile(r"(?<![\w`/])@([A-Za-z0-9][A-Za-z0-9-]*(?:/[A-Za-z0-9._-]+)?)")
_NOTICE = 60  # characters that saying so takes
_MOST_SHOWN = 2_000  # characters of a text that a rehearsal repeats: the caller has it


async def issue_of(github: GitHub, call: Call, repository: Repository, number: int) -> Mapping[str, Any]:
    """An issue by its number.

    Raises:
        NotFound: Where there is none of that number; a pull request is none.
    """
    issue = await issue_or_pull(github, call, repository, number)
    if "pull_request" in issue:
        raise NotFound(f"#{number} of {repository.full_name} is a pull request: use `get_pull_request`.")
    return issue


async def issue_or_pull(github: GitHub, call: Call, repository: Repository, number: int) -> Mapping[str, Any]:
    """What has this number, as an issue: pull requests are issues, too.

    Raises:
        NotFound: Where there is nothing of that number here; GitHub itself leads to issues that were moved,
            whatever repository they are in now.
    """
    try:
        issue = (await github.get(repository.path("issues", number))).json()
    except NotFound:
        raise NotFound(
            f"{repository.full_name} has no issue or pull request #{number}, has its issues switched off, or "
            "this token may not read them."
        ) from None
    place = place_of(issue)
    if place.lower() not in await _names_of(github, call, repository, place):
        now = (
            f" `{place}`, as #{issue['number']}"
            if call.fence("repo").admits(place)
            else " another repository"
        )
        raise NotFound(f"#{number} of {repository.full_name} was moved to{now}.")
    return issue


async def _names_of(github: GitHub, call: Call, repository: Repository, place: str) -> set[str]:
    """What a repository is called: another name than before, where it was renamed meanwhile."""
    known = repository.full_name.lower()
    if place.lower() == known:
        return {known}
    return {known, (await github.repo(call, repository.full_name)).full_name.lower()}


def place_of(issue: Mapping[str, Any]) -> str:
    """The repository of an issue, as `owner/name`."""
    return "/".join(str(issue["repository_url"]).rsplit("/", 2)[1:])


def reference(call: Call, here: Repository, place: str, number: int, title: str) -> str:
    """An issue that another one mentions; what is elsewhere has a title for its own readers only."""
    if place.lower() == here.full_name.lower():
        return f"#{number} {one_line(title)}"
    if call.fence("repo").admits(place):
        return f"{place}#{number}"
    return "one in a repository that you may not use"


async def known_labels(github: GitHub, repository: Repository, names: Sequence[str]) -> list[str]:
    """The labels as they are spelled.

    Raises:
        InvalidArguments: Naming those that are not there, which GitHub would create.
    """
    spelled, unknown = await look_up_labels(github, repository, names)
    if unknown:
        raise InvalidArguments(f"Nothing was done: {unknown} An existing one has to be taken.")
    return spelled


async def look_up_labels(
    github: GitHub, repository: Repository, names: Sequence[str]
) -> tuple[list[str], str]:
    """The labels that there are, as they are spelled, and words about those that there are not."""
    spelled: list[str] = []
    missing: list[str] = []
    for name in names:
        try:
            label = (await github.get(repository.path("labels", name))).json()
            spelled.append(str(label["name"]))
        except NotFound:
            missing.append(name)
    if not missing:
        return spelled, ""
    found, _ = await all_of(github, repository.path("labels"))
    known = [str(label["name"]) for label in found]
    return spelled, " ".join(_unknown("label", name, known) for name in missing)


async def require_assignable(github: GitHub, repository: Repository, logins: Sequence[str]) -> None:
    """Let people pass whom issues can be assigned to; GitHub itself passes over the others in silence.

    Raises:
        InvalidArguments: Naming those who are not.
    """
    refused: list[str] = []
    for login in logins:
        try:
            await github.get(repository.path("assignees", login))
        except NotFound:
            refused.append(f"`{login[:64]}`")
    if refused:
        raise InvalidArguments(
            f"Nothing was done: {', '.join(refused)} cannot be assigned in {repository.full_name}."
        )


async def milestone_number(github: GitHub, repository: Repository, title: str) -> int | None:
    """The number of an open milestone, by its title or number; `none` stands for none.

    Raises:
        InvalidArguments: Where there is none of that name.
    """
    found, _ = await all_of(github, repository.path("milestones"))
    for milestone in found:
        if title in (milestone["title"], str(milestone["number"])):
            return milestone["number"]
    if title == "none":
        return None
    known = [str(each["title"]) for each in found]
    raise InvalidArguments(f"Nothing was done: {_unknown('open milestone', title, known)}")


def moment_of(text: str, argument: str = "since") -> str:
    """A moment as GitHub takes it, from a date or time in ISO 8601.

    Raises:
        InvalidArguments: Where it is none.
    """
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidArguments(f"`{argument}`: write it like 2026-01-31 or 2026-01-31T12:00:00Z.") from None
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def mentions_in(text: str) -> list[str]:
    """A warning that names whom a text notifies, if anybody."""
    found = sorted(set(_MENTION.findall(text)))
    return [f"{', '.join(found)} will be notified"] if found else []


def excerpt(text: str, most: int = _MOST_SHOWN) -> str:
    """A text as a rehearsal repeats it."""
    left = len(text) - most
    return (
        text if left <= _NOTICE else f"{text[:most]}… (and {left:,} characters more, sent as you gave them)"
    )


def _unknown(what: str, name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name.lower(), [each.lower() for each in known], n=3)
    alike = [f"`{clean(each)}`" for each in known if each.lower() in close]
    hint = f"did you mean {' or '.join(alike)}?" if alike else "none is alike."
    return f"there is no {what} `{name[:64]}`; {hint}"
