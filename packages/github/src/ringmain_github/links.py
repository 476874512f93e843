"""Links to files, as copied from a browser: which part is the branch, only the repository can tell."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ringmain_core.errors import InvalidArguments
from ringmain_github.api import GitHub
from ringmain_github.references import is_sha, parse_repo
from ringmain_github.repository import Repository

_FILE = re.compile(r"/[^/]+/[^/]+/(?:blob|tree|raw|blame|edit)/(.+)")
_LINES = re.compile(r"L(\d+)(?:C\d+)?(?:-L(\d+)(?:C\d+)?)?")


@dataclass(frozen=True, slots=True)
class Link:
    """A file, and where the link says so its lines: the first one, and how many."""

    path: str
    ref: str
    start: int | None
    lines: int | None


async def linked(github: GitHub, repository: Repository, link: str) -> Link:
    """What a link to a file of this repository means.

    Raises:
        InvalidArguments: Where it leads to no file, or into another repository.
    """
    parts = urlsplit(link)
    found = _FILE.fullmatch(parts.path)
    if found is None:
        raise InvalidArguments(
            "`path`: a link has to be one to a file, like https://github.com/o/r/blob/main/a.py."
        )
    if "/".join(parse_repo(link)).lower() != repository.full_name.lower():
        raise InvalidArguments(f"`path` links to another repository than `repo`, {repository.full_name}.")
    rest = unquote(found[1])
    ref = await _ref_in(github, repository, rest)
    span = _LINES.fullmatch(parts.fragment)
    if span is None:
        return Link(rest[len(ref) + 1 :], ref, None, None)
    first, last = int(span[1]), int(span[2] or span[1])
    return Link(rest[len(ref) + 1 :], ref, first, max(last - first, 0) + 1)


async def _ref_in(github: GitHub, repository: Repository, rest: str) -> str:
    """The branch or tag that `branch/path` begins with; its name may have slashes."""
    first = rest.partition("/")[0]
    if is_sha(first) or first == repository.default_branch:
        return first
    for kind in ("heads", "tags"):
        answer = await github.get(repository.path("git", "matching-refs", kind, first))
        names = [str(each["ref"]).removeprefix(f"refs/{kind}/") for each in answer.json()]
        for name in names:
            if rest.startswith(f"{name}/"):
                return name
    return first
