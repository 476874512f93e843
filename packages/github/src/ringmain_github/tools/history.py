"""History: commits as rows, and what has changed between two of them."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast
from urllib.parse import unquote

from pydantic import Field

from ringmain_core.answers import Cell, Rows
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound
from ringmain_core.text import untrusted
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.diffs import chosen, shown
from ringmain_github.issues import moment_of
from ringmain_github.paging import all_of, page_of
from ringmain_github.references import Cursor, Number, RepoName, author_of, headline_of
from ringmain_github.repository import Repository

_MOST_FILES, _MOST_COMPARED = 3_000, 300  # of a pull request or commit, and of a comparison
_SHOWN_ONLY = "GitHub shows the first {:,} files of it only."
_COMMIT_LINK = re.compile(r"://.*/commits?/([0-9a-f]{7,64})(?:[/?#]|$)")
_COMPARE_LINK = re.compile(r"://.*/compare/([^?#]+)")
_FRAME = 1_200


@tool(access="read", title="List commits")
async def list_commits(
    github: GitHub,
    call: Call,
    repo: RepoName,
    ref: Annotated[str | None, Field(description="To begin at.")] = None,
    path: Annotated[str | None, Field(description="Only those that touched it.")] = None,
    author: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: Annotated[int, Field(ge=1, le=100)] = 30,
    cursor: Cursor = None,
) -> Rows:
    """List the history of commits, newest first."""
    repository = await github.repo(call, repo)
    params = {
        "sha": ref,
        "path": path,
        "author": author,
        "since": since and moment_of(since),
        "until": until and moment_of(until, "until"),
    }
    try:
        page = await page_of(
            github, call, repository.path("commits"), _row, limit=limit, cursor=cursor, params=params
        )
    except NotFound:
        at = ref or repository.default_branch
        raise NotFound(f"{repository.full_name} has no branch, tag or commit `{at}`.") from None
    await call.saw(repository.audience)
    return Rows(
        source=repository.full_name,
        columns=["sha", "author", "date", "message"],
        rows=page.rows,
        next_cursor=page.next_cursor,
    )


def _row(commit: Mapping[str, Any]) -> list[Cell]:
    date = commit["commit"]["author"]["date"]
    return [commit["sha"], author_of(commit), date, headline_of(commit)[:200]]


@tool(access="read", title="Get a diff")
async def get_diff(
    github: GitHub,
    call: Call,
    repo: RepoName,
    number: Annotated[Number | None, Field(description="Of a pull request; or")] = None,
    sha: Annotated[str | None, Field(description="of a commit; or")] = None,
    range: Annotated[str | None, Field(description="`base..head`.")] = None,  # noqa: A002 (git's word for it)
    paths: Annotated[list[str] | None, Field(description="Only files that fit these globs.")] = None,
    max_lines: Annotated[int, Field(ge=10, le=5_000)] = 800,
    cursor: Cursor = None,
) -> str:
    """Show the diff of a pull request, a commit or between two refs: all files as a stat, then patches."""
    repository = await github.repo(call, repo)
    if sum(each is not None for each in (number, sha, range)) != 1:
        raise InvalidArguments("Give one of `number`, `sha` and `range`.")
    what, every, note = await _files(github, repository, number, sha, range)
    await call.saw(repository.audience)
    files = chosen(every, paths or [])
    purpose = f"get_diff {repository.full_name} {what} {paths}"
    now = _fingerprint(every)
    file, line, known = (0, 0, now) if cursor is None else github.cursors.open(call, purpose, cursor)
    if known != now:
        file, line = 0, 0
        note = f"It is another diff than on the page before, so it begins anew. {note}".strip()
    part = shown(files, (file, line), max_lines, call.room - _FRAME)
    text = "\n".join([*part.stat, *([""] if part.stat else []), *part.patches])
    said = [untrusted(text, f"{repository.full_name} {what}")]
    said.append(
        f"{len(files):,} files." if len(files) == len(every) else f"{len(files):,} of {len(every):,} files."
    )
    said += [note] if note else []
    if part.following is not None:
        following = github.cursors.seal(call, purpose, [*part.following, now])
        at, skipped = part.following
        where = f"line {skipped + 1:,} of the patch of file {at + 1:,}" if skipped else f"file {at + 1:,}"
        said.append(f"Truncated: it goes on with {where}. next_cursor={following}")
    return "\n".join(said)


async def _files(
    github: GitHub, repository: Repository, number: int | None, sha: str | None, span: str | None
) -> tuple[str, list[dict[str, Any]], str]:
    """Names the diff, its files to the last one that GitHub shows, and what is to be known about them."""
    if number is not None:
        files, _ = await all_of(github, repository.path("pulls", number, "files"), most=_MOST_FILES)
        if len(files) < _MOST_FILES:
            return f"#{number}", files, ""
        count = (await github.get(repository.path("pulls", number))).json()["changed_files"]
        return f"#{number}", files, _SHOWN_ONLY.format(_MOST_FILES) if count > _MOST_FILES else ""
    if sha is not None:
        found = _COMMIT_LINK.search(sha)
        name = found[1] if found else sha
        files = await _of_commit(github, repository.path("commits", name))
        return name, files, _SHOWN_ONLY.format(_MOST_FILES) if len(files) >= _MOST_FILES else ""
    base, head = _ends(cast("str", span))
    url = repository.path("compare", f"{base}...{head}")
    try:  # its pages are pages of commits, and the files are all on the first one
        reply = await github.get(url, params={"per_page": 1, "page": 1})
    except NotFound:
        raise NotFound(
            f"{repository.full_name} has no `{base}`, or no `{head}`, or they have nothing in common."
        ) from None
    files = cast("list[dict[str, Any]]", reply.json().get("files") or [])
    note = f"What `{head}` has changed since it left `{base}`."
    if len(files) >= _MOST_COMPARED:
        note += f" {_SHOWN_ONLY.format(_MOST_COMPARED)}"
    return f"{base}..{head}", files, note


def _fingerprint(files: Sequence[Mapping[str, Any]]) -> str:
    """Tells a diff from what it is after a push."""
    seen = hashlib.sha256()
    for file in files:
        seen.update(f"{file['filename']}\0{file['sha']}\0{file.get('patch')}\0".encode(errors="replace"))
    return seen.hexdigest()[:16]


def _ends(span: str) -> tuple[str, str]:
    """Both ends of `base..head`, or of a link to a comparison.

    Raises:
        InvalidArguments: Where it is neither, or leads into another repository, which no fence would see.
    """
    found = _COMPARE_LINK.search(span)
    text = unquote(found[1]) if found else span
    base, _, head = text.replace("...", "..").partition("..")
    if not base or not head or ".." in head:
        raise InvalidArguments("`range`: write it as `base..head`, like `v1.0..main`.")
    if ":" in text:
        raise InvalidArguments(
            "`range`: both ends have to be in this repository; for a fork give a `number`."
        )
    return base, head


async def _of_commit(github: GitHub, url: str) -> list[dict[str, Any]]:
    """The files of a commit, which stand in an object on each of its pages."""
    files: list[dict[str, Any]] = []
    page: int | None = 1
    while page is not None and len(files) < _MOST_FILES:
        reply = await github.get(url, params={"per_page": 100, "page": page})
        files += reply.json().get("files") or []
        page = reply.next_page
    return files


TOOLS = (list_commits, get_diff)
