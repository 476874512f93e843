"""History: commits as rows, and what has changed between two of them."""

from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import Field

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound
from ringmain_core.text import clean, untrusted
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub, Repository
from ringmain_github.diffs import chosen, shown
from ringmain_github.models import Cell, Rows
from ringmain_github.paging import all_of, page_of
from ringmain_github.references import Cursor, Number, RepoName, login_of

_MOST_FILES = 3_000
_FRAME = 1_200


@tool(access="read", title="List commits")
async def list_commits(
    github: GitHub,
    call: Call,
    repo: RepoName,
    ref: Annotated[str | None, Field(description="Branch, tag or sha to begin at.")] = None,
    path: Annotated[str | None, Field(description="Only those that touched it.")] = None,
    author: str | None = None,
    since: Annotated[str | None, Field(description="ISO 8601.")] = None,
    until: Annotated[str | None, Field(description="ISO 8601.")] = None,
    limit: Annotated[int, Field(ge=1, le=100)] = 30,
    cursor: Cursor = None,
) -> Rows:
    """List the history of commits, newest first."""
    repository = await github.repo(call, repo)
    params = {"sha": ref, "path": path, "author": author, "since": since, "until": until}
    try:
        page = await page_of(
            github, call, repository.path("commits"), _row, limit=limit, cursor=cursor, params=params
        )
    except NotFound:
        raise NotFound(f"{repository.full_name} has no branch, tag or commit `{ref}`.") from None
    await call.saw(repository.audience)
    return Rows(
        source=repository.full_name,
        columns=["sha", "author", "date", "message"],
        rows=page.rows,
        next_cursor=page.next_cursor,
    )


def _row(commit: Mapping[str, Any]) -> list[Cell]:
    about = commit["commit"]
    author = login_of(commit["author"]) if commit.get("author") else clean(about["author"]["name"])
    return [commit["sha"], author, about["author"]["date"], clean(about["message"]).split("\n")[0][:200]]


@tool(access="read", title="Get a diff")
async def get_diff(
    github: GitHub,
    call: Call,
    repo: RepoName,
    number: Annotated[Number | None, Field(description="Of a pull request; or")] = None,
    sha: Annotated[str | None, Field(description="of a commit; or")] = None,
    range: Annotated[str | None, Field(description="`base..head`.")] = None,  # noqa: A002 (git's word for it)
    paths: Annotated[list[str] | None, Field(description="Globs like `src/*.py`.")] = None,
    max_lines: Annotated[int, Field(ge=10, le=5_000)] = 800,
    cursor: Cursor = None,
) -> str:
    """Show the diff of a pull request, a commit or between two refs: all files as a stat, then patches."""
    repository = await github.repo(call, repo)
    if sum(each is not None for each in (number, sha, range)) != 1:
        raise InvalidArguments("Give one of `number`, `sha` and `range`.")
    what, files, note = await _files(github, repository, number, sha, range)
    await call.saw(repository.audience)
    files = chosen(files, paths or [])
    purpose = f"get_diff {repository.full_name} {what} {paths}"
    first = 0 if cursor is None else github.cursors.open(call, purpose, cursor)
    part = shown(files, first, max_lines, github.budget(call) - _FRAME)
    text = "\n".join([*part.stat, "", *part.patches]) if part.stat else "\n".join(part.patches)
    said = [untrusted(text, f"{repository.full_name} {what}"), f"{len(files):,} files."]
    said += [note] if note else []
    said += [f"Truncated: {cut}" for cut in part.cut]
    if part.next_file is not None:
        following = github.cursors.seal(call, purpose, part.next_file)
        said.append(f"Truncated: files from {part.next_file + 1:,} on. next_cursor={following}")
    return "\n".join(said)


async def _files(
    github: GitHub, repository: Repository, number: int | None, sha: str | None, span: str | None
) -> tuple[str, list[dict[str, Any]], str]:
    """Names the diff, its files to the last one, and what GitHub keeps back."""
    if number is not None:
        files, more = await all_of(github, repository.path("pulls", number, "files"), most=_MOST_FILES)
        return f"#{number}", files, _kept_back(more=more)
    if sha is not None:
        files, more = await _of_pages(github, repository.path("commits", sha))
        return sha, files, _kept_back(more=more)
    base, dots, head = cast("str", span).replace("...", "..").partition("..")
    if not dots or not base or not head:
        raise InvalidArguments("`range`: write it as `base..head`, like `v1.0..main`.")
    url = repository.path("compare", f"{base}...{head}")
    try:
        files, _ = await _of_pages(github, url)
    except NotFound:
        raise NotFound(f"{repository.full_name} has no `{base}`, or no `{head}`.") from None
    return f"{base}..{head}", files, _kept_back(more=len(files) >= 300)


async def _of_pages(github: GitHub, url: str) -> tuple[list[dict[str, Any]], bool]:
    """The files of a commit or comparison, which stand in an object on each of its pages."""
    files: dict[str, dict[str, Any]] = {}
    page: int | None = 1
    while page is not None and len(files) < _MOST_FILES:
        reply = await github.get(url, params={"per_page": 100, "page": page})
        files |= {file["filename"]: file for file in reply.json().get("files") or ()}
        page = reply.next_page
    return list(files.values()), page is not None


def _kept_back(*, more: bool) -> str:
    return "GitHub does not show further files of this diff: compare smaller ranges." if more else ""


TOOLS = (list_commits, get_diff)
