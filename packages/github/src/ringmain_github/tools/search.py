"""Search, kept within the caller's fence before it is asked and after it has answered."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from ringmain_core.answers import Cell, Rows
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound, OutsideFence, UpstreamRefused
from ringmain_core.flow import Audience
from ringmain_core.policy import Fence
from ringmain_core.text import clean
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.client import JSON, MATCHES
from ringmain_github.paging import Page, page_of, page_of_admitted
from ringmain_github.references import Cursor, RepoName, author_of, headline_of, login_of, path
from ringmain_github.repository import Repository

Kind = Literal["repos", "code", "issues", "prs", "commits", "users"]
_PATHS: Mapping[Kind, str] = {
    "repos": "repositories",
    "code": "code",
    "issues": "issues",
    "prs": "issues",
    "commits": "commits",
    "users": "users",
}
_COLUMNS: Mapping[Kind, list[str]] = {
    "repos": ["repository", "description", "language", "stars", "pushed"],
    "code": ["repository", "path", "fragments"],
    "issues": ["repository", "number", "title", "state", "author", "updated"],
    "prs": ["repository", "number", "title", "state", "author", "updated"],
    "commits": ["repository", "sha", "author", "date", "message"],
    "users": ["login", "kind", "url"],
}
_ISSUES: Mapping[Kind, str] = {"issues": "is:issue", "prs": "is:pr"}
_PLACE = re.compile(r"(?<!\w)(repo|org|user|owner):\"?([^\s\")]+)", re.IGNORECASE)
_NAMES_PLACE = re.compile(r"(?:(?<![\w-])|--)(?:repo|org|user|owner):", re.IGNORECASE)
_OPERATOR = re.compile(r"\b(?:AND|OR|NOT)\b")
_QUOTED = re.compile(r'"[^"]*"')
_WILD = frozenset("*?[")
_MOST_FOUND = 1_000
_MOST_OPERATORS = 5


@tool(access="read", title="Search GitHub")
async def search(
    github: GitHub,
    call: Call,
    kind: Kind,
    query: Annotated[str, Field(min_length=1, max_length=256, description="Words and GitHub's qualifiers.")],
    repo: RepoName | None = None,
    limit: Annotated[int, Field(ge=1, le=100)] = 20,
    cursor: Cursor = None,
) -> Rows:
    """Search everywhere (or in `repo`) for code, repositories, issues, PRs, commits or users by words."""
    fence = call.fence("repo")
    is_fenced = fence.patterns is not None and kind != "users"
    if is_fenced:
        await _require_inside(github, call, fence, query)
    repository = None if repo is None else await github.repo(call, repo)
    places = _places(fence, repository) if is_fenced or repository is not None else _Places()
    asked = _asked(kind, query, places)
    audiences: dict[str, Audience] = {}

    async def look_up(items: Sequence[Mapping[str, Any]]) -> None:
        """Find out who can read what was found; of issues GitHub tells only where they are."""
        names = {_repository_of(item, kind) for item in items} if kind in _ISSUES else set[str]()
        await github.for_each(
            filter(fence.admits, names), lambda name: _audience_of(github, call, name, audiences)
        )

    def row(item: Mapping[str, Any]) -> list[Cell] | None:
        if kind == "users":
            return [login_of(item), item["type"], item["html_url"]]
        name = _repository_of(item, kind)
        if not fence.admits(name) or (repository is not None and name != repository.full_name):
            return None
        if kind not in _ISSUES:
            about = item if kind == "repos" else item["repository"]
            audiences[name] = "group" if about["private"] else "public"
        return _row(kind, name, item)

    find = page_of if asked.is_inside or not is_fenced else page_of_admitted
    page = await find(
        github,
        call,
        path("search", _PATHS[kind]),
        row,
        limit=limit,
        cursor=cursor,
        params={"q": asked.query},
        items="items",
        accept=MATCHES if kind == "code" else JSON,
        owner=repository.owner if repository is not None else _single_owner(fence),
        prepare=look_up,
    )
    for audience in set(audiences.values()):
        await call.saw(audience)
    return Rows(
        source=f"search {kind}",
        columns=_COLUMNS[kind],
        rows=page.rows,
        total=None if is_fenced else page.total,
        next_cursor=page.next_cursor,
        note=_note(page, fence if is_fenced else None),
    )


async def _audience_of(github: GitHub, call: Call, name: str, audiences: dict[str, Audience]) -> None:
    try:
        audiences[name] = (await github.repo(call, name)).audience
    except (NotFound, OutsideFence, UpstreamRefused):  # renamed or gone: who may read it is not known
        audiences[name] = "group"


async def _require_inside(github: GitHub, call: Call, fence: Fence, query: str) -> None:
    """Let a query pass that names no place outside of the fence, and cannot reach beyond what is put to it.

    Raises:
        OutsideFence: Where it does: how many results there are would tell too much, too.
        InvalidArguments: Where it may do.
    """
    for kind, name in _PLACE.findall(query):
        if kind.lower() == "repo":
            await github.repo(call, name)
        elif not fence.admits(f"{name}/*"):
            raise OutsideFence(
                f"`{kind.lower()}:{name}` is not there, or not among what you may use for this "
                f"({fence.describe()})."
            )
    # What GitHub makes of a parenthesis in quotes is its own matter: so both readings have to be in order.
    readings = (query, _QUOTED.sub("", query))
    if '\\"' in query or query.count('"') % 2 or not all(map(_is_paired, readings)):
        raise InvalidArguments("`query`: quotes and parentheses have to come in pairs.")


def _is_paired(text: str) -> bool:
    depth = 0
    for mark in text:
        depth += (mark == "(") - (mark == ")")
        if depth < 0:
            return False
    return depth == 0


@dataclass(frozen=True, slots=True)
class _Places:
    """Qualifiers that keep a search to where it may look.

    Attributes:
        exact: Whether they leave out all that is elsewhere.
        given: Whether the caller wants them, whatever the query names besides.
    """

    said: Sequence[str] = ()
    exact: bool = False
    given: bool = False


def _places(fence: Fence, repository: Repository | None) -> _Places:
    if repository is not None:
        return _Places([f"repo:{repository.full_name}"], exact=True, given=True)
    said: list[str] = []
    exact = True
    for pattern in fence.patterns or ():
        owner, _, name = pattern.partition("/")
        if any(mark in owner for mark in _WILD):
            return _Places()
        if not name:  # such a pattern fits no repository, and GitHub would refuse the whole query
            continue
        is_wild = any(mark in name for mark in _WILD)
        said.append(f"user:{owner}" if is_wild else f"repo:{pattern}")
        exact = exact and (name == "*" or not is_wild)
    return _Places(said, exact=exact and bool(said))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What GitHub is asked; `is_inside` says whether all that it can find is where the search may look."""

    query: str
    is_inside: bool


def _asked(kind: Kind, query: str, places: _Places) -> _Asked:
    operators = len(_OPERATOR.findall(query))
    if kind in _ISSUES:  # there a space stands for AND, also between places
        said = f"({' OR '.join(places.said)})" if len(places.said) > 1 else "".join(places.said)
        fits = len(places.said) - 1 + operators <= _MOST_OPERATORS
        parts = [f"({query})", _ISSUES[kind], said if fits else ""]
        return _Asked(" ".join(filter(None, parts)), is_inside=fits and places.exact)
    # Elsewhere places add up: those that the query names itself are inside, and others would widen it.
    names = _NAMES_PLACE.search(query) is not None
    fits = (places.given or not names) and len(places.said) <= _MOST_OPERATORS
    exact = fits and places.exact and not names
    return _Asked(" ".join([query, *(places.said if fits else ())]), is_inside=exact)


def _single_owner(fence: Fence) -> str | None:
    """The owner of everything inside of a fence, where there is one."""
    owners = {pattern.partition("/")[0] for pattern in fence.patterns or ()}
    owner = owners.pop() if len(owners) == 1 else ""
    return None if not owner or any(mark in owner for mark in _WILD) else owner


def _repository_of(item: Mapping[str, Any], kind: Kind) -> str:
    if kind == "repos":
        return str(item["full_name"])
    if kind in {"code", "commits"}:
        return str(item["repository"]["full_name"])
    return "/".join(str(item["repository_url"]).rsplit("/", 2)[-2:])


def _row(kind: Kind, name: str, item: Mapping[str, Any]) -> list[Cell]:
    match kind:
        case "repos":
            about = clean(item["description"] or "")[:200]
            return [name, about, item["language"], item["stargazers_count"], item["pushed_at"]]
        case "code":
            matches = cast("list[Mapping[str, Any]]", item.get("text_matches") or [])
            fragments = [clean(match["fragment"])[:300] for match in matches if match.get("fragment")]
            return [name, clean(item["path"]), fragments[:3]]
        case "commits":
            date = item["commit"]["author"]["date"]
            return [name, item["sha"], author_of(item), date, headline_of(item)[:200]]
        case _:
            pull = cast("Mapping[str, Any]", item.get("pull_request") or {})
            state = "merged" if pull.get("merged_at") else item["state"]
            title, author = clean(item["title"]), login_of(item["user"])
            return [name, item["number"], title, state, author, item["updated_at"]]


def _note(page: Page[Any], fence: Fence | None) -> str | None:
    """What is to be known; how much there is outside of a fence is not, since it would answer guesses."""
    said: list[str] = []
    if fence is not None:
        said.append(f"Only what you may use is shown ({fence.describe()}); the rest is left out, uncounted.")
    if page.incomplete:
        said.append("GitHub ran out of time, so results are missing: narrow the query.")
    if page.total is None or page.total > _MOST_FOUND:
        said.append(f"GitHub gives out the first {_MOST_FOUND:,} results only: narrow the query for others.")
    return " ".join(said) or None


TOOLS = (search,)
