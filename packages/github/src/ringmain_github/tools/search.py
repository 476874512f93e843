"""Search, kept within the caller's fence before it is asked and after it has answered."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, cast

import anyio
from pydantic import Field

from ringmain_core.answers import Cell, Rows
from ringmain_core.call import Call
from ringmain_core.errors import OutsideFence, ToolFailure
from ringmain_core.flow import Audience
from ringmain_core.policy import Fence
from ringmain_core.text import clean
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.client import JSON
from ringmain_github.paging import page_of
from ringmain_github.references import Cursor, RepoName, author_of, headline_of, login_of, path

Kind = Literal["repos", "code", "issues", "prs", "commits", "users"]
_PLACES: Mapping[Kind, str] = {
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
_KINDS: Mapping[Kind, list[str]] = {"issues": ["is:issue"], "prs": ["is:pr"]}
_MATCHES = "application/vnd.github.text-match+json"
_PLACE = re.compile(r"(?<![\w-])-?(repo|org|user|owner):\"?([^\s\")]+)", re.IGNORECASE)
_MOST_FOUND = 1_000
_MOST_QUALIFIERS = 5


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
    qualifiers = list(_KINDS.get(kind, ()))
    named = is_fenced and await _named_inside(github, call, fence, query)
    repository = None if repo is None else await github.repo(call, repo)
    if repository is not None:
        qualifiers.append(f"repo:{repository.full_name}")
    elif is_fenced and not named:
        qualifiers += _narrowed(fence)
    words = f"({query})" if " OR " in query and kind in {"issues", "prs"} else query
    audiences: dict[str, Audience] = {}

    async def look_up(items: Sequence[Mapping[str, Any]]) -> None:
        """Find out who can read what was found; of issues GitHub tells only where they are."""
        names = {_repository_of(item, kind) for item in items} if kind in {"issues", "prs"} else set[str]()
        async with anyio.create_task_group() as group:
            for name in names:
                if fence.admits(name):
                    group.start_soon(_audience_of, github, call, name, audiences)

    def row(item: Mapping[str, Any]) -> list[Cell] | None:
        if kind == "users":
            return [login_of(item), item["type"], item["html_url"]]
        name = _repository_of(item, kind)
        if not fence.admits(name) or (repository is not None and name != repository.full_name):
            return None
        if kind not in {"issues", "prs"}:
            about = item if kind == "repos" else item["repository"]
            audiences[name] = "group" if about["private"] else "public"
        return _row(kind, name, item)

    page = await page_of(
        github,
        call,
        path("search", _PLACES[kind]),
        row,
        limit=limit,
        cursor=cursor,
        params={"q": " ".join([words, *qualifiers])},
        items="items",
        accept=_MATCHES if kind == "code" else JSON,
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
        note=_note(page.total or 0, fence if is_fenced else None, incomplete=page.incomplete),
    )


async def _audience_of(github: GitHub, call: Call, name: str, audiences: dict[str, Audience]) -> None:
    try:
        audiences[name] = (await github.repo(call, name)).audience
    except ToolFailure:  # renamed or gone meanwhile: then whoever may read it is not known
        audiences[name] = "group"


async def _named_inside(github: GitHub, call: Call, fence: Fence, query: str) -> bool:
    """Whether the query itself says where to search.

    Raises:
        OutsideFence: Where that is outside of the fence: how many results there are would tell too much, too.
    """
    found = [(kind.lower(), name) for kind, name in _PLACE.findall(query)]
    for kind, name in found:
        if kind == "repo":
            await github.repo(call, name)
        elif not fence.admits(f"{name}/*"):
            raise OutsideFence(
                f"`{kind}:{name}` is not there, or not among what you may use for this ({fence.describe()})."
            )
    return bool(found)


def _narrowed(fence: Fence) -> list[str]:
    """Qualifiers that keep a search to the fence, where its patterns can be said in them."""
    patterns = fence.patterns or ()
    said: list[str] = []
    for pattern in patterns:
        owner, _, name = pattern.partition("/")
        if any(mark in owner for mark in "*?["):
            return []
        if not name:  # such a pattern fits no repository, and GitHub would refuse the whole query
            continue
        said.append(f"user:{owner}" if any(mark in name for mark in "*?[") else f"repo:{pattern}")
    return said if len(said) <= _MOST_QUALIFIERS else []


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


def _note(total: int, fence: Fence | None, *, incomplete: bool) -> str | None:
    """What is to be known; how much there is outside of a fence is not, since it would answer guesses."""
    said: list[str] = []
    if fence is not None:
        said.append(f"Only what you may use is shown ({fence.describe()}); the rest is left out, uncounted.")
    if incomplete:
        said.append("GitHub ran out of time, so results are missing: narrow the query.")
    if total > _MOST_FOUND:
        said.append(f"GitHub gives out the first {_MOST_FOUND:,} results only: narrow the query for others.")
    return " ".join(said) or None


TOOLS = (search,)
