"""Issues as writes need them: found, and held against the labels, people and milestones that there are."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast

from ringmain_core.errors import InvalidArguments, NotFound
from ringmain_core.text import clean
from ringmain_github.api import GitHub, Repository
from ringmain_github.paging import all_of


async def issue_of(github: GitHub, repository: Repository, number: int) -> Mapping[str, Any]:
    """An issue by its number.

    Raises:
        NotFound: Where there is none of that number; a pull request is none.
    """
    issue = await issue_or_pull(github, repository, number)
    if "pull_request" in issue:
        raise NotFound(f"#{number} of {repository.full_name} is a pull request: use `get_pull_request`.")
    return issue


async def issue_or_pull(github: GitHub, repository: Repository, number: int) -> Mapping[str, Any]:
    """What has this number, as an issue: pull requests are issues, too.

    Raises:
        NotFound: Where there is nothing of that number.
    """
    try:
        return (await github.get(repository.path("issues", number))).json()
    except NotFound:
        raise NotFound(f"{repository.full_name} has no issue #{number}.") from None


async def known_labels(github: GitHub, repository: Repository, names: Sequence[str]) -> list[str]:
    """The labels as they are spelled.

    Raises:
        InvalidArguments: Naming those that are not there, which GitHub would create.
    """
    found, _ = await all_of(github, repository.path("labels"))
    spelled = {str(label["name"]).lower(): str(label["name"]) for label in found}
    missing = [name for name in names if name.lower() not in spelled]
    if missing:
        raise InvalidArguments(
            "Nothing was done: "
            + " ".join(_unknown("label", name, list(spelled.values())) for name in missing)
            + " An existing one has to be taken."
        )
    return [spelled[name.lower()] for name in names]


async def require_assignable(github: GitHub, repository: Repository, logins: Sequence[str]) -> None:
    """Let people pass whom issues can be assigned to; GitHub itself passes over the others in silence.

    Raises:
        InvalidArguments: Naming those who are not.
    """
    for login in logins:
        try:
            await github.get(repository.path("assignees", login))
        except NotFound:
            raise InvalidArguments(
                f"Nothing was done: `{login[:64]}` cannot be assigned in {repository.full_name}."
            ) from None


async def milestone_number(github: GitHub, repository: Repository, title: str) -> int:
    """The number of an open milestone, by its title or number.

    Raises:
        InvalidArguments: Where there is none.
    """
    found, _ = await all_of(github, repository.path("milestones"))
    for milestone in found:
        if title in (milestone["title"], str(milestone["number"])):
            return cast("int", milestone["number"])
    raise InvalidArguments(
        f"Nothing was done: {_unknown('open milestone', title, [str(each['title']) for each in found])}"
    )


def _unknown(what: str, name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name.lower(), [each.lower() for each in known], n=3)
    alike = [clean(each) for each in known if each.lower() in close]
    hint = f"did you mean {', '.join(f'`{each}`' for each in alike)}?" if alike else "none is alike."
    return f"there is no {what} `{name[:64]}`; {hint}"
