"""Commits made of exact edits, on the head that was looked at and no other."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound, ToolFailure, UpstreamRefused
from ringmain_core.steps import sent_or_found
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.branches import make_branch, require_head, target_of
from ringmain_github.edits import Edit, difference, edited
from ringmain_github.files import files_at, links_at
from ringmain_github.models import Outcome
from ringmain_github.references import RepoName, file_parts
from ringmain_github.repository import Repository
from ringmain_github.settling import if_noted

_COMMIT = """
mutation($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid url } }
}
"""
_MOST_FILES = 100


class Change(BaseModel):
    """One file: its whole `content`, or `edits` of it, or `delete`."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(min_length=1)
    content: str | None = None
    edits: list[Edit] | None = None
    delete: bool = False


@dataclass(frozen=True, slots=True)
class _Ready:
    """Changes worked out against a head: what is sent, and what it does."""

    additions: list[dict[str, str]]
    deletions: list[dict[str, str]]
    previews: list[str]

    def summary(self) -> str:
        return f"{len(self.additions)} files written, {len(self.deletions)} deleted"

    def blobs(self) -> dict[str, str | None]:
        written = {each["path"]: _blob(each["contents"]) for each in self.additions}
        return {**written, **{each["path"]: None for each in self.deletions}}


@if_noted
async def _settle(github: GitHub, call: Call, note: Any) -> Outcome | None:
    repository = await github.repo(call, note["repo"])
    return await _landed(github, repository, note)


async def _landed(github: GitHub, repository: Repository, note: Mapping[str, Any]) -> Outcome | None:
    """The commit of these files with this message on the head that it was made for, if the branch has it."""
    params = {"sha": note["branch"], "per_page": 100}
    try:
        commits = (await github.get(repository.path("commits"), params=params)).json()
    except NotFound:  # the branch that was to be made for it is not there
        return None
    for commit in commits:
        parents = [parent["sha"] for parent in commit["parents"]]
        alike = parents == [note["head"]] and commit["commit"]["message"].strip() == note["message"]
        if alike and await _blobs_of(github, repository, commit["sha"]) == note["files"]:
            return _done(repository, note["branch"], commit["sha"], commit["html_url"])
    return None


async def _blobs_of(github: GitHub, repository: Repository, sha: str) -> dict[str, str | None]:
    """The files that a commit has written, and those that it has deleted, without a blob."""
    commit = (await github.get(repository.path("commits", sha))).json()
    blobs: dict[str, str | None] = {}
    for file in commit["files"]:
        if "previous_filename" in file:
            blobs[file["previous_filename"]] = None
        blobs[file["filename"]] = None if file["status"] == "removed" else file["sha"]
    return blobs


def _blob(content: str) -> str:
    """What git calls a file."""
    written = base64.b64decode(content)
    return hashlib.sha1(b"blob %d\0" % len(written) + written, usedforsecurity=False).hexdigest()


def _done(repository: Repository, branch: str, sha: str, url: str) -> Outcome:
    return Outcome(done=True, summary=f"Committed to {branch} of {repository.full_name}.", url=url, sha=sha)


@tool(access="write", title="Commit files", settle=_settle)
async def commit_files(
    github: GitHub,
    call: Call,
    repo: RepoName,
    branch: str,
    message: str,
    changes: Annotated[
        list[Change],
        Field(
            min_length=1, max_length=_MOST_FILES, description="For each path content, exact edits, or delete."
        ),
        OnRecord(withheld),
    ],
    head_sha: Annotated[str | None, Field(description="The branch's head that you have read.")] = None,
    create_from: Annotated[str | None, Field(description="Ref to create the branch from.")] = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Commit changes of several files to a branch at once, as exact edits; dry_run shows the diff."""
    repository = await github.repo(call, repo)
    target = await target_of(github, repository, branch, head_sha, create_from)
    ready = await _worked_out(github, repository, target.head, changes)
    headline, _, rest = message.strip().partition("\n")
    sent: dict[str, Any] = {
        "branch": {"repositoryNameWithOwner": repository.full_name, "branchName": branch},
        "message": {"headline": headline, "body": rest.strip("\n")},
        "expectedHeadOid": target.head,
        "fileChanges": {"additions": ready.additions, "deletions": ready.deletions},
    }
    reference = {"ref": f"refs/heads/{branch}", "sha": target.head}
    where = f"{branch} of {repository.full_name}"
    warnings = [f"{branch} is {what}." for what in target.kinds]
    if any(each["path"].startswith(".github/workflows/") for each in [*ready.additions, *ready.deletions]):
        warnings.append("For files in .github/workflows the token needs the permission workflows: write.")
    if dry_run:
        await call.saw(repository.audience)  # the diff shows what was there
        shown = {**sent, "fileChanges": ready.summary()}
        requests: list[dict[str, Any]] = [{"GraphQL": "createCommitOnBranch", **shown}]
        if target.is_new:
            requests.insert(0, {"POST": repository.path("git", "refs"), **reference})
        return Outcome(
            done=False,
            summary=f"{ready.summary()} on {where}.",
            sha=target.head,
            requests=requests,
            preview=_shortened("\n".join(ready.previews), call.room // 2 - 2_000),
            warnings=warnings,
        )
    await call.may_share(repository.audience, f"Commit to {where}")
    body = sent["message"]["body"]
    note = {
        "repo": repository.full_name,
        "branch": branch,
        "head": target.head,
        "message": f"{headline}\n\n{body}".strip(),
        "files": ready.blobs(),
    }
    await call.note(note)
    if target.is_new:
        await make_branch(github, repository, branch, reference)

    async def look() -> Outcome | None:
        return await _landed(github, repository, note)

    async def send() -> Outcome:
        try:
            answer = await github.mutate(_COMMIT, repository.owner, input=sent)
        except UpstreamRefused:  # perhaps because GitHub has tried twice, and done it the first time
            with suppress(ToolFailure):
                if (found := await look()) is not None:
                    return found
            raise
        commit = answer["createCommitOnBranch"]["commit"]
        return _done(repository, branch, commit["oid"], commit["url"])

    try:
        outcome = await sent_or_found(send, look)
    except ToolFailure as failure:
        if isinstance(failure, UpstreamRefused):
            await require_head(github, repository, branch, target.head)
        if target.is_new:
            failure.message += f" The branch `{branch}` was made before, at {target.head}: use or delete it."
        raise
    outcome.warnings += warnings
    return outcome


async def _worked_out(github: GitHub, repository: Repository, head: str, changes: Sequence[Change]) -> _Ready:
    """What is sent, from the files as they are at this head.

    Raises:
        InvalidArguments: Where a change is none, or does not fit the file.
        NotFound: Where the file is not there.
    """
    names = ["/".join(file_parts(change.path)) for change in changes]
    if len(set(names)) < len(names):
        raise InvalidArguments("Each path may come once: put all edits of a file together.")
    for name, change in zip(names, changes, strict=True):
        if sum((change.content is not None, bool(change.edits), change.delete)) != 1:
            raise InvalidArguments(f"`{name}`: give one of `content`, `edits` and `delete`.")
    files = await files_at(github, repository, names, head)
    edits = [name for name, change, file in zip(names, changes, files, strict=True) if change.edits and file]
    for link in sorted(await links_at(github, repository, edits, head)):
        raise InvalidArguments(f"`{link}` is a link: edit the file that it leads to; nothing was committed.")
    ready = _Ready([], [], [])
    for name, change, file in zip(names, changes, files, strict=True):
        if file is None and change.content is None:
            raise NotFound(f"{repository.full_name} has no file `{name}` at {head}; nothing was committed.")
        before = None if file is None else file.text
        if change.delete:
            ready.deletions.append({"path": name})
            ready.previews.append(difference(name, before, None))
            continue
        if before is None and change.edits:
            raise InvalidArguments(f"`{name}` is no text, so it cannot be edited; nothing was committed.")
        after = edited(name, before or "", change.edits or []) if change.content is None else change.content
        if after != before:
            ready.additions.append({"path": name, "contents": base64.b64encode(after.encode()).decode()})
            ready.previews.append(difference(name, before, after))
    if not ready.additions and not ready.deletions:
        raise InvalidArguments(f"Nothing was committed: the files are like that already at {head}.")
    return ready


def _shortened(text: str, budget: int) -> str:
    if len(text.encode()) <= budget:
        return text
    kept = text.encode()[:budget].decode(errors="ignore").rpartition("\n")[0]
    return f"{kept}\n… the diff has {len(text.splitlines()):,} lines; {len(kept.splitlines()):,} are shown"


TOOLS = (commit_files,)
