"""Repositories: what they are, their files, and what is in a file."""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from ringmain_core.answers import Cell, PagedItem, Rows, fitting
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound
from ringmain_core.parts import Part, chosen, filled, whole
from ringmain_core.policy import Fence
from ringmain_core.text import clean, prose, untrusted
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.files import LINK, file_at, lines_of
from ringmain_github.globs import fits
from ringmain_github.links import linked
from ringmain_github.paging import listed
from ringmain_github.references import Cursor, RepoName, file_parts
from ringmain_github.repository import Repository
from ringmain_github.said import one_line

_FRAME = 1_000
Include = Literal["readme", "languages", "branches", "tags", "releases"]
Ref = Annotated[str | None, Field(description="Branch, tag or sha.")]


@tool(access="read", title="Get a repository")
async def get_repo(
    github: GitHub,
    call: Call,
    repo: RepoName,
    include: list[Include] | None = None,
    cursor: Cursor = None,
) -> PagedItem:
    """Overview of one repository; its readme, languages, branches, tags and releases where you ask."""
    repository = await github.repo(call, repo)
    about = (await github.get(repository.path())).json()
    known: dict[Include, Callable[[], Part]] = {
        "readme": lambda: _readme(github, repository),
        "languages": lambda: _languages(github, repository),
        "branches": lambda: listed(github, repository.path("branches"), _branch),
        "tags": lambda: listed(github, repository.path("tags"), _tag),
        "releases": lambda: listed(github, repository.path("releases"), _release),
    }
    facts = _facts(about, call.fence("repo"))
    answer = await filled(github.cursors, call, repository.full_name, facts, chosen(known, include), cursor)
    await call.saw(repository.audience)
    return answer


def _facts(about: Mapping[str, Any], fence: Fence) -> dict[str, Any]:
    permissions = cast("Mapping[str, bool]", about.get("permissions") or {})
    licence = cast("Mapping[str, Any]", about.get("license") or {})
    parent = cast("Mapping[str, str]", about.get("parent") or {}).get("full_name")
    return {
        "repository": about["full_name"],
        "description": clean(about["description"] or ""),
        "visibility": about.get("visibility"),
        "default_branch": clean(about["default_branch"]),
        "language": about["language"],
        "topics": about.get("topics") or [],
        "license": licence.get("spdx_id"),
        "archived": about["archived"] or None,
        "fork_of": parent if parent and fence.admits(parent) else None,
        "stars": about["stargazers_count"],
        "open_issues_and_prs": about["open_issues_count"],
        "pushed": about["pushed_at"],
        "you_may": [name for name, has in permissions.items() if has],
        "url": about["html_url"],
    }


def _readme(github: GitHub, repository: Repository) -> Part:
    async def pieces(begin: int) -> AsyncGenerator[str]:
        try:
            found = (await github.get(repository.path("readme"))).json()
        except NotFound:
            return
        file = await file_at(github, repository, found["path"], None)
        async for piece in whole(prose(file.text or ""))(begin):
            yield piece

    return pieces


def _languages(github: GitHub, repository: Repository) -> Part:
    async def pieces(begin: int) -> AsyncGenerator[str]:
        found = (await github.get(repository.path("languages"))).json()
        total = sum(found.values()) or 1
        for name, size in list(found.items())[begin:]:
            yield f"{name} {100 * size / total:.1f} %"

    return pieces


def _branch(branch: Mapping[str, Any]) -> str:
    protected = ", protected" if branch["protected"] else ""
    return f"{one_line(branch['name'])} {branch['commit']['sha'][:10]}{protected}"


def _tag(tag: Mapping[str, Any]) -> str:
    return f"{one_line(tag['name'])} {tag['commit']['sha'][:10]}"


def _release(release: Mapping[str, Any]) -> str:
    kind = "draft" if release["draft"] else "prerelease" if release["prerelease"] else "release"
    at = release["published_at"] or release["created_at"]
    return f"{one_line(release['tag_name'])} “{one_line(release['name'] or '')}” {kind} {at}"


@tool(access="read", title="List files")
async def list_files(
    github: GitHub,
    call: Call,
    repo: RepoName,
    path: Annotated[str, Field(description="Folder.")] = "",
    ref: Ref = None,
    depth: Annotated[int, Field(ge=1, le=20)] = 1,
    glob: Annotated[str | None, Field(description="Pattern of names, at any depth.")] = None,
    cursor: Cursor = None,
) -> Rows:
    """List the files and folders of the tree, with sizes; `glob` looks at the whole tree."""
    repository = await github.repo(call, repo)
    root = "/".join(file_parts(path))
    at = ref or repository.default_branch
    purpose = f"list_files {repository.full_name} {root} {at} {depth} {glob}"
    name, offset = f"{at}:{root}" if root else at, 0
    if cursor is not None:  # the same tree, whatever has become of the branch
        name, offset = github.cursors.open(call, purpose, cursor)
    deepest = depth if glob is None else 1_000
    url = repository.path("git", "trees", name)
    try:
        tree = (await github.get(url, params={"recursive": "1" if deepest > 1 else None})).json()
    except NotFound:
        raise NotFound(f"{repository.full_name} has no folder `{root or '/'}` at `{at}`.") from None
    prefix = f"{root}/" if root else ""
    found: list[list[Cell]] = [
        [clean(prefix + entry["path"]), _kind(entry), entry.get("size")]
        for entry in tree["tree"]
        if entry["path"].count("/") < deepest
        and (glob is None or fits(entry["path"], glob) or fits(prefix + entry["path"], glob))
    ]
    rows = fitting(found[offset:], call.room)
    end = offset + len(rows)
    following = github.cursors.seal(call, purpose, [tree["sha"], end]) if end < len(found) else None
    note = None
    if tree["truncated"]:
        note = "GitHub has cut this tree, so entries are missing: list its folders one by one, with depth=1."
    await call.saw(repository.audience)
    return Rows(
        source=repository.full_name,
        columns=["path", "kind", "bytes"],
        rows=rows,
        total=None if tree["truncated"] else len(found),
        next_cursor=following,
        note=note,
    )


def _kind(entry: Mapping[str, Any]) -> str:
    if entry["type"] == "blob":
        return "link" if entry["mode"] == LINK else "file"
    return "folder" if entry["type"] == "tree" else "submodule"


@tool(access="read", title="Read a file")
async def read_file(
    github: GitHub,
    call: Call,
    repo: RepoName,
    path: Annotated[str, Field(description="Or a link to the file, with its lines.")],
    ref: Ref = None,
    start: Annotated[int, Field(ge=1, description="First line.")] = 1,
    lines: Annotated[int | None, Field(ge=1)] = None,
) -> str:
    """Read a file's text, whole or from line `start`."""
    repository = await github.repo(call, repo)
    if "://" in path:
        link = await linked(github, repository, path)
        path, ref = link.path, ref or link.ref
        start, lines = link.start or start, link.lines or lines
    file = await file_at(github, repository, path, ref)
    await call.saw(repository.audience)
    where = f"{repository.full_name}/{file.path}"
    if file.text is None:
        return f"{where} is no text: {file.size:,} bytes, blob {file.sha}."
    every = lines_of(file.text)
    if not every:
        return f"{where} is empty; blob {file.sha}."
    if start > len(every):
        raise InvalidArguments(f"`start`: the file has {len(every):,} lines.")
    wanted = every[start - 1 : None if lines is None else start - 1 + lines]
    seen = [clean(line) for line in wanted]
    shown = _within(seen, call.room - _FRAME)
    last = start - 1 + len(shown)
    said = [f"Lines {start:,} to {last:,} of {len(every):,}; blob {file.sha}."]
    if len(shown) < len(seen):
        said.append(f"Truncated to what fits: go on with start={last + 1}.")
    if shown and shown[-1] != seen[len(shown) - 1]:
        said.append(f"Line {last:,} has {len(seen[len(shown) - 1]):,} characters and is cut.")
    if seen != wanted:
        said.append("Invisible characters are left out here: an exact edit must not span them.")
    return "\n".join([untrusted("\n".join(shown), where), " ".join(said)])


def _within(lines: list[str], budget: int) -> list[str]:
    """Whole lines that fit; of a single line that is too long, what fits."""
    used, kept = 0, list[str]()
    for line in lines:
        used += len(line.encode(errors="replace")) + 1
        if used > budget:
            break
        kept.append(line)
    if not kept and lines:
        return [lines[0].encode(errors="replace")[:budget].decode(errors="ignore")]
    return kept


TOOLS = (get_repo, list_files, read_file)
