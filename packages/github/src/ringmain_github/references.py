"""Names of things on GitHub as agents give them: bare, or as a link copied from a browser."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import BeforeValidator, Field

from ringmain_core.errors import InvalidArguments
from ringmain_core.text import clean
from ringmain_github.said import one_line

_REPO = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9_-]{0,38}))/([A-Za-z0-9._-]{1,100})")
_NUMBERED = re.compile(r"/(?:issues|pull|pulls|discussions)/(\d{1,10})(?:[/?#]|$)|^#?(\d{1,10})$")
_RUN = re.compile(r"/actions/runs/(\d{1,18})")
_SHA = re.compile(r"[0-9a-f]{7,64}")
_LINKING = ("number", "run_id", "sha", "range")
_LINKED_REPO = re.compile(r"(?:/api/v3)?(?:/repos)?/([^/]+/[^/]+)(?:/|$)")


def _number(value: object) -> object:
    found = _NUMBERED.search(value) if isinstance(value, str) else None
    return int(found[1] or found[2]) if found else value


def _run_id(value: object) -> object:
    found = _RUN.search(value) if isinstance(value, str) else None
    return int(found[1]) if found else value


RepoName = str
"""`owner/name` or a link into it; the connector's instructions say so once, not every tool again."""

Number = Annotated[int, Field(ge=1), BeforeValidator(_number)]
"""Of an issue or pull request; a link to it does as well."""

RunId = Annotated[int, Field(ge=1, description="Or its link."), BeforeValidator(_run_id)]
Cursor = str | None
"""`next_cursor` of the page before; it belongs to the same arguments."""


def parse_repo(text: str) -> tuple[str, str]:
    """Owner and name of a repository, from `owner/name` or a link.

    Raises:
        InvalidArguments: Where it is neither.
    """
    path = urlsplit(text).path if "://" in text else text
    parts = [unquote(part) for part in path.strip("/").split("/")]
    named = "/".join(parts[:2] if "://" in text else parts).removesuffix(".git")
    found = _REPO.fullmatch(named)
    if found is None or found[2] in {".", ".."}:
        raise InvalidArguments("`repo`: write it as `owner/name`, like `octocat/hello-world`.")
    return found[1], found[2]


def path(*parts: object) -> str:
    """A path of GitHub's API: each part is encoded, so that none can become another path.

    Raises:
        InvalidArguments: Where a part is empty or leads elsewhere.
    """
    texts = [str(part) for part in parts]
    if any(text in {"", ".", ".."} for text in texts):
        raise InvalidArguments("A name or path has an empty part, or one that is `.` or `..`; leave it out.")
    return "/" + "/".join(quote(text, safe="") for text in texts)


def repository_in(url: str) -> tuple[str, str] | None:
    """Owner and name of the repository that a path of the API is about, if it says so."""
    parts = url.split("/")
    return (unquote(parts[2]), unquote(parts[3])) if len(parts) > 3 and parts[1] == "repos" else None


def owner_in(url: str) -> str | None:
    """The owner of that repository."""
    place = repository_in(url)
    return None if place is None else place[0]


def require_here(arguments: Mapping[str, Any], *names: str) -> None:
    """Let the arguments of a call pass that link into a repository by one of these names, or nowhere.

    Raises:
        InvalidArguments: Where one leads into another repository: its number means something else here.
    """
    here = {name.lower() for name in names}
    for argument in _LINKING:
        value = arguments.get(argument)
        if isinstance(value, str) and "://" in value:
            found = _LINKED_REPO.match(urlsplit(value).path)
            if found is None or unquote(found[1]).removesuffix(".git").lower() not in here:
                raise InvalidArguments(f"`{argument}` links to another repository than `repo`, {names[-1]}.")


def file_parts(text: str) -> list[str]:
    """The parts of a file's path inside a repository; none for its root."""
    return [part for part in text.strip("/").split("/") if part]


def is_sha(text: str) -> bool:
    """Whether something can be (the beginning of) a commit's id, and no branch by the looks of it."""
    return _SHA.fullmatch(text) is not None


def login_of(user: Mapping[str, Any] | None) -> str:
    """Whom GitHub names; `ghost` stands for accounts that are gone."""
    return "ghost" if user is None else clean(str(user["login"]))


def author_of(commit: Mapping[str, Any]) -> str:
    """Who has written a commit: the login where GitHub knows one, else the name that git has."""
    user = commit.get("author")
    return login_of(user) if user else one_line(commit["commit"]["author"]["name"])


def headline_of(commit: Mapping[str, Any]) -> str:
    """The first line of a commit's message, which may be empty."""
    return "".join(clean(commit["commit"]["message"]).splitlines()[:1])


def is_by(user: Mapping[str, Any] | None, login: str | None) -> bool:
    """Whether a user is, or may be, the one called so: GraphQL leaves out that a bot is one."""
    return login is None or login_of(user).removesuffix("[bot]") == login.removesuffix("[bot]")
