"""Commits made of exact edits, on the head that was looked at and no other."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound, UpstreamRefused
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub, Repository
from ringmain_github.edits import Edit, difference, edited
from ringmain_github.files import file_at
from ringmain_github.models import Outcome
from ringmain_github.references import RepoName, file_parts, path
from ringmain_github.writes import sent_or_found

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
    preview: str

    def summary(self) -> str:
        return f"{len(self.additions)} files written, {len(self.deletions)} deleted"


async def _settle(github: GitHub, call: Call, note: Any) -> Outcome | None:
    repository = await github.repo(call, note["repo"])
    return await _landed(github, repository, note)


async def _landed(github: GitHub, repository: Repository, note: Mapping[str, Any]) -> Outcome | None:
    """The commit with this message whose parent is the head that it was made for, if the branch has it."""
    params = {"sha": note["branch"], "per_page": 100}
    for commit in (await github.get(repository.path("commits"), params=params)).json():
        parents = [parent["sha"] for parent in commit["parents"]]
        if parents == [note["head"]] and commit["commit"]["message"] == note["message"]:
            return _done(repository, note["branch"], commit["sha"], commit["html_url"])
    return None


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
    head, is_new = await _head(github, repository, branch, head_sha, create_from)
    ready = await _worked_out(github, repository, head, changes)
    headline, _, rest = message.partition("\n")
    sent: dict[str, Any] = {
        "branch": {"repositoryNameWithOwner": repository.full_name, "branchName": branch},
        "message": {"headline": headline, "body": rest.strip("\n")},
        "expectedHeadOid": head,
        "fileChanges": {"additions": ready.additions, "deletions": ready.deletions},
    }
    where = f"{branch} of {repository.full_name}"
    warnings = [f"{branch} is the default branch"] if branch == repository.default_branch else []
    if any(change.path.startswith(".github/workflows/") for change in changes):
        warnings.append("files of workflows want the permission workflows: write")
    if dry_run:
        shown = {**sent, "fileChanges": ready.summary()}
        requests: list[dict[str, Any]] = [{"GraphQL": "createCommitOnBranch", **shown}]
        if is_new:
            requests.insert(
                0, {"POST": repository.path("git", "refs"), "ref": f"refs/heads/{branch}", "sha": head}
            )
        preview = _shortened(ready.preview, github.budget(call) // 2 - 2_000)
        return Outcome(
            done=False,
            summary=f"{ready.summary()} on {where}.",
            sha=head,
            requests=requests,
            preview=preview,
            warnings=warnings,
        )
    await call.may_share(repository.audience, f"Commit to {where}")
    if is_new:
        ref = {"ref": f"refs/heads/{branch}", "sha": head}
        await github.send("POST", repository.path("git", "refs"), ref)
    note = {
        "repo": repository.full_name,
        "branch": branch,
        "head": head,
        "message": f"{headline}\n\n{rest.strip(chr(10))}" if rest.strip("\n") else headline,
    }
    await call.note(note)

    async def send() -> Outcome:
        answer = await github.mutate(_COMMIT, repository.owner, input=sent)
        commit = answer["createCommitOnBranch"]["commit"]
        return _done(repository, branch, commit["oid"], commit["url"])

    outcome = await sent_or_found(send, lambda: _landed(github, repository, note))
    outcome.warnings += warnings
    return outcome


async def _head(
    github: GitHub, repository: Repository, branch: str, head_sha: str | None, create_from: str | None
) -> tuple[str, bool]:
    """The head to commit on, and whether the branch has to be made first.

    Raises:
        NotFound: Where there is no such branch, and none is to be made.
        UpstreamRefused: Where its head is not the one that the caller has read; nothing was done.
    """
    try:
        found = (await github.get(_ref(repository, branch))).json()
    except NotFound:
        if create_from is None:
            raise NotFound(
                f"{repository.full_name} has no branch `{branch}`; `create_from` makes one, from a ref."
            ) from None
        origin = (await github.get(repository.path("commits", create_from))).json()
        head, is_new = str(origin["sha"]), True
    else:
        head, is_new = str(found["object"]["sha"]), False
    if head_sha is not None and head_sha != head:
        raise UpstreamRefused(
            f"The head of `{branch}` is {head} now, not {head_sha[:64]}, so nothing was committed. Look at "
            "what is new, then use the new `head_sha`.",
            head_sha=head,
        )
    if head_sha is None and not is_new:
        raise InvalidArguments(
            f"Give `head_sha`, the head that your changes are made for: `{branch}` is at {head} now."
        )
    return head, is_new


def _ref(repository: Repository, branch: str) -> str:
    return repository.path("git", "ref", "heads") + path(*branch.split("/"))


async def _worked_out(github: GitHub, repository: Repository, head: str, changes: Sequence[Change]) -> _Ready:
    """What is sent, from the files as they are at this head.

    Raises:
        InvalidArguments: Where a change is none, or does not fit the file.
    """
    names = ["/".join(file_parts(change.path)) for change in changes]
    if len(set(names)) < len(names):
        raise InvalidArguments("Each path may come once: put all edits of a file together.")
    additions: list[dict[str, str]] = []
    deletions: list[dict[str, str]] = []
    previews: list[str] = []
    for name, change in zip(names, changes, strict=True):
        ways = (change.content is not None, change.edits is not None, change.delete)
        if sum(ways) != 1:
            raise InvalidArguments(f"`{name}`: give one of `content`, `edits` and `delete`.")
        before, after = await _before_and_after(github, repository, head, name, change)
        if after is None:
            deletions.append({"path": name})
        else:
            additions.append({"path": name, "contents": base64.b64encode(after.encode()).decode()})
        previews.append(difference(name, before, after or ""))
    return _Ready(additions, deletions, "\n".join(previews))


async def _before_and_after(
    github: GitHub, repository: Repository, head: str, name: str, change: Change
) -> tuple[str, str | None]:
    try:
        file = await file_at(github, repository, name, head)
    except NotFound:
        if change.content is not None:
            return "", change.content
        raise
    before = file.text if file.text is not None else ""
    if change.delete:
        return before, None
    if change.content is not None:
        return before, change.content
    if file.text is None:
        raise InvalidArguments(f"`{name}` is no text, so it cannot be edited.")
    return before, edited(name, before, change.edits or [])


def _shortened(text: str, budget: int) -> str:
    if len(text.encode()) <= budget:
        return text
    kept = text.encode()[:budget].decode(errors="ignore").rpartition("\n")[0]
    return f"{kept}\n… the diff has {len(text.splitlines()):,} lines; {len(kept.splitlines()):,} are shown"


TOOLS = (commit_files,)
