"""Merging pull requests, with the head that was looked at and no other."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey
from ringmain_core.call import Call
from ringmain_core.errors import UpstreamRefused
from ringmain_core.steps import sent_or_found
from ringmain_core.text import clean
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.checks import checks_of
from ringmain_github.models import Outcome
from ringmain_github.pulls import pull_of, require_head
from ringmain_github.references import Number, RepoName, login_of
from ringmain_github.rehearsing import fitted
from ringmain_github.repository import Repository
from ringmain_github.settling import if_noted

Method = Literal["merge", "squash", "rebase"]
_NOT_ALLOWED, _CONFLICT = 405, 409
_ADVICE = {
    "dirty": "It conflicts with its base: solve that in its branch first.",
    "behind": "Its branch lacks what is new in base: `save_pull_request` with update_branch brings it in.",
    "blocked": "Its base wants reviews or checks: `get_pull_request` shows them, `auto` waits for them.",
}
_AUTO = """
mutation(
  $id: ID!, $head: GitObjectID!, $method: PullRequestMergeMethod!, $title: String, $body: String
) {
  enablePullRequestAutoMerge(input: {
    pullRequestId: $id, expectedHeadOid: $head, mergeMethod: $method,
    commitHeadline: $title, commitBody: $body
  }) { pullRequest { number } }
}
"""


async def _question(github: GitHub, call: Call, repo: str, number: int, head_sha: str, **_: Any) -> str:
    repository = await github.repo(call, repo)
    pull = await pull_of(github, repository, number)
    return (
        f"Merge {repository.full_name}#{number} “{clean(pull['title'])}” by {login_of(pull['user'])} "
        f"(head {head_sha[:10]}) into {clean(pull['base']['ref'])}?"
    )


async def _became(github: GitHub, repository: Repository, note: Mapping[str, Any]) -> Outcome | None:
    """What became of it, if it was merged with this head or is going to be."""
    number = note["number"]
    pull = await pull_of(github, repository, number)
    if pull["head"]["sha"] != note["head_sha"]:
        return None
    if pull["merged"]:
        return _merged(repository, pull, pull["merge_commit_sha"])
    return _waiting(repository, pull) if note["auto"] and pull["auto_merge"] else None


@if_noted
async def _settle(github: GitHub, call: Call, note: Any) -> Outcome | None:
    return await _became(github, await github.repo(call, note["repo"]), note)


def _merged(repository: Repository, pull: Mapping[str, Any], sha: str) -> Outcome:
    what = f"Merged {repository.full_name}#{pull['number']} into {clean(pull['base']['ref'])}."
    return Outcome(done=True, summary=what, url=pull["html_url"], number=pull["number"], sha=sha)


def _waiting(repository: Repository, pull: Mapping[str, Any]) -> Outcome:
    what = f"{repository.full_name}#{pull['number']} will be merged once its checks have passed."
    return Outcome(done=True, summary=what, url=pull["html_url"], number=pull["number"])


@tool(access="destructive", title="Merge a pull request", question=_question, settle=_settle)
async def merge_pull_request(
    github: GitHub,
    call: Call,
    repo: RepoName,
    number: Number,
    head_sha: Annotated[str, Field(description="The head to merge, and no newer one.")],
    method: Method = "merge",
    title: str | None = None,
    message: str | None = None,
    auto: Annotated[bool, Field(description="When all is green.")] = False,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Merge a pull request into its base, at once or automatically when all is green."""
    repository = await github.repo(call, repo)
    pull = await pull_of(github, repository, number)
    where = f"{repository.full_name}#{number}"
    if pull["merged"]:
        raise UpstreamRefused(f"{where} has been merged already.", merged=True)
    if pull["state"] == "closed":
        raise UpstreamRefused(f"{where} is closed: `save_pull_request` with state='open' opens it again.")
    require_head(pull, head_sha)
    url = repository.path("pulls", number, "merge")
    given = {"commit_title": title, "commit_message": message}
    words = {key: said for key, said in given.items() if said is not None}
    body = {"sha": head_sha, "merge_method": method, **words}
    if dry_run:
        request = {"GraphQL": "enablePullRequestAutoMerge", **body} if auto else {"PUT": url, **body}
        await call.saw(repository.audience)  # its title and checks show
        return fitted(call, await _rehearsal(github, repository, pull, request))
    if pull["draft"]:
        raise UpstreamRefused(f"{where} is a draft: `save_pull_request` with draft=false makes it ready.")
    if words:
        await call.may_share(repository.audience, f"Merge {where}")
    note = {"repo": repository.full_name, "number": number, "head_sha": head_sha, "auto": auto}
    await call.note(note)

    async def send() -> Outcome:
        if auto:
            variables = {"id": pull["node_id"], "head": head_sha, "method": method.upper()}
            await github.mutate(_AUTO, repository.owner, **variables, title=title, body=message)
            return _waiting(repository, pull)
        return _merged(repository, pull, (await github.send("PUT", url, body)).json()["sha"])

    try:
        return await sent_or_found(send, lambda: _became(github, repository, note))
    except UpstreamRefused as refused:
        raise await _explained(github, repository, number, head_sha, refused) from None


async def _explained(
    github: GitHub, repository: Repository, number: int, head_sha: str, refused: UpstreamRefused
) -> UpstreamRefused:
    """A refusal of GitHub's, with what can be done about it."""
    if "clean status" in refused.message or "unstable status" in refused.message:
        advice = "It waits for nothing: merge it without `auto`."
    elif refused.detail.get("status") in (_NOT_ALLOWED, _CONFLICT):
        pull = await pull_of(github, repository, number)
        require_head(pull, head_sha)
        advice = _ADVICE.get(pull["mergeable_state"], "`get_pull_request` shows its checks and reviews.")
    else:
        return refused
    return UpstreamRefused(f"{refused.message} Nothing was merged. {advice}", **refused.detail)


async def _rehearsal(
    github: GitHub, repository: Repository, pull: Mapping[str, Any], request: dict[str, Any]
) -> Outcome:
    checks = await checks_of(github, repository, pull["head"]["sha"])
    mergeable = {True: "It can be merged", False: "It cannot be merged"}.get(
        pull["mergeable"], "GitHub does not know yet whether it can be merged"
    )
    return Outcome(
        done=False,
        summary=f"{mergeable} ({pull['mergeable_state']}) into {pull['base']['ref']}: "
        f"{pull['commits']} commits, {pull['changed_files']} files, +{pull['additions']} "
        f"-{pull['deletions']} lines.",
        url=pull["html_url"],
        number=pull["number"],
        sha=pull["head"]["sha"],
        requests=[request],
        preview="\n".join([clean(pull["title"]), *checks.lines]),
    )


TOOLS = (merge_pull_request,)
