"""Search, kept within the caller's fence before it is asked and after it has answered."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, cast

import anyio
from pydantic import Field

from ringmain_core.call import Call
from ringmain_core.errors import ToolFailure
from ringmain_core.flow import Audience
from ringmain_core.policy import Fence
from ringmain_core.text import clean
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.client import JSON
from ringmain_github.models import Cell, Rows
from ringmain_github.paging import page_of
from ringmain_github.references import Cursor, RepoName, login_of, path

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
    qualifiers = _KINDS.get(kind, [])
    if repo is not None:
        repository = await github.repo(call, repo)
        qualifiers = [*qualifiers, f"repo:{repository.full_name}"]
    elif kind != "users":
        qualifiers = [*qualifiers, *_narrowed(fence)]
    audiences: dict[str, Audience] = {}
    left_out = 0

    async def look_up(items: Sequence[Mapping[str, Any]]) -> None:
        """Find out who can read what was found; of issues GitHub tells only where they are."""
        names = {_repository_of(item, kind) for item in items} if kind in {"issues", "prs"} else set[str]()
        async with anyio.create_task_group() as group:
            for name in names:
                if fence.admits(name):
                    group.start_soon(_audience_of, github, call, name, audiences)

    def row(item: Mapping[str, Any]) -> list[Cell] | None:
        nonlocal left_out
        if kind == "users":
            return [login_of(item), item["type"], item["html_url"]]
        name = _repository_of(item, kind)
        if not fence.admits(name):
            left_out += 1
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
        params={"q": " ".join([query, *qualifiers])},
        items="items",
        accept=_MATCHES if kind == "code" else JSON,
        prepare=look_up,
    )
    for audience in set(audiences.values()):
        await call.saw(audience)
    is_fenced = fence.patterns is not None and kind != "users"
    return Rows(
        source=f"search {kind}",
        columns=_COLUMNS[kind],
        rows=page.rows,
        total=None if is_fenced else page.total,
        next_cursor=page.next_cursor,
        note=_note(page.total or 0, left_out, incomplete=page.incomplete),
    )


async def _audience_of(github: GitHub, call: Call, name: str, audiences: dict[str, Audience]) -> None:
    try:
        audiences[name] = (await github.repo(call, name)).audience
    except ToolFailure:  # renamed or gone meanwhile: then whoever may read it is not known
        audiences[name] = "group"


def _narrowed(fence: Fence) -> list[str]:
    """Qualifiers that keep a search to the fence, where its patterns can be said in them."""
    patterns = fence.patterns or ()
    said: list[str] = []
    for pattern in patterns:
        owner, _, name = pattern.partition("/")
        if any(mark in owner for mark in "*?["):
            return []
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
            about = item["commit"]
            author = login_of(item["author"]) if item.get("author") else clean(about["author"]["name"])
            message = clean(about["message"]).split("\n")[0][:200]
            return [name, item["sha"], author, about["author"]["date"], message]
        case _:
            pull = cast("Mapping[str, Any]", item.get("pull_request") or {})
            state = "merged" if pull.get("merged_at") else item["state"]
            title, author = clean(item["title"]), login_of(item["user"])
            return [name, item["number"], title, state, author, item["updated_at"]]


def _note(total: int, left_out: int, *, incomplete: bool) -> str | None:
    said: list[str] = []
    if left_out:
        said.append(f"{left_out} results of this page are left out: not among the repositories you may use.")
    if incomplete:
        said.append("GitHub ran out of time, so results are missing: narrow the query.")
    if total > _MOST_FOUND:
        said.append(f"GitHub gives out the first {_MOST_FOUND:,} results only: narrow the query for others.")
    return " ".join(said) or None


TOOLS = (search,)
