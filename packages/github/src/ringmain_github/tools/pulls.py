"""Pull requests: one of them whole, and creating or changing it."""

from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from ringmain_core.answers import PagedItem
from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, OutcomeUnknown, ToolFailure, UpstreamRefused
from ringmain_core.parts import Part, chosen, filled, whole
from ringmain_core.steps import Step, sent_or_found, take
from ringmain_core.text import prose
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.checks import checks_of
from ringmain_github.diffs import stat_of
from ringmain_github.models import Outcome
from ringmain_github.paging import listed
from ringmain_github.pull_view import beyond, commit_line, facts_of, review_line
from ringmain_github.pulls import (
    created,
    drafting,
    pull_of,
    require_head,
    require_inside,
    reviewers,
    setting,
    updated_from,
    updating,
)
from ringmain_github.references import Cursor, Number, RepoName
from ringmain_github.rehearsing import fitted
from ringmain_github.repository import Repository
from ringmain_github.settling import if_noted
from ringmain_github.threads import threads_of

Include = Literal["body", "files", "commits", "reviews", "threads", "checks"]


@tool(access="read", title="Read a pull request")
async def get_pull_request(
    github: GitHub,
    call: Call,
    repo: RepoName,
    number: Number,
    include: Annotated[list[Include] | None, Field(description="Default: only its state.")] = None,
    cursor: Cursor = None,
) -> PagedItem:
    """Read one pull request: its state, head sha, reviewers, whether it can be merged; threads with ids."""
    repository = await github.repo(call, repo)
    pull = await pull_of(github, repository, number)
    sha = pull["head"]["sha"]
    at = partial(repository.path, "pulls", number)
    known: dict[Include, Callable[[], Part]] = {
        "body": lambda: whole(prose(pull["body"] or "")),
        "files": lambda: listed(github, at("files"), stat_of),
        "commits": lambda: listed(github, at("commits"), commit_line),
        "reviews": lambda: listed(github, at("reviews"), review_line),
        "threads": lambda: _threads(github, repository, number),
        "checks": lambda: _checks(github, repository, sha),
    }
    source = f"{repository.full_name}#{number}"
    answer = await filled(github.cursors, call, source, facts_of(pull), chosen(known, include), cursor)
    answer.truncated += beyond(pull, [*answer.parts])
    await call.saw(repository.audience)
    return answer


def _threads(github: GitHub, repository: Repository, number: int) -> Part:
    async def pieces(begin: int) -> AsyncGenerator[str]:
        at = 0
        async for thread in threads_of(github, repository, number):
            if at >= begin:
                yield thread.said
            at += 1

    return pieces


def _checks(github: GitHub, repository: Repository, sha: str) -> Part:
    async def pieces(begin: int) -> AsyncGenerator[str]:
        for line in (await checks_of(github, repository, sha)).lines[begin:]:
            yield line

    return pieces


@if_noted
async def _settle(github: GitHub, call: Call, note: Any) -> Outcome | None:
    repository = await github.repo(call, note["repo"])
    if "number" in note:
        return await _changed(github, repository, note)
    outcome = await created(github, repository, note["head"], note["base"])
    if outcome is not None and note["reviewers"]:
        outcome.warnings.append("Its reviewers may not have been asked: `add_reviewers` asks them.")
    return outcome


async def _changed(github: GitHub, repository: Repository, note: Mapping[str, Any]) -> Outcome | None:
    """What became of changes: all but one set a state, and taken again do no more."""
    number, before = note["number"], note["updated_from"]
    now = None if before is None else await updated_from(github, repository, number, before)
    if now is None:
        return None
    what = f"{repository.full_name}#{number}: base was brought into its branch"
    if note["steps"] > 1:
        raise OutcomeUnknown(
            f"An earlier try was cut off. {what}, so its head is {now} now. Do what is left with that "
            "`head_sha`, without `update_branch`, and with a new `idempotency_key`."
        )
    return Outcome(done=True, summary=f"{what}.", number=number, sha=now)


@tool(access="write", title="Open or change a pull request", settle=_settle)
async def save_pull_request(
    github: GitHub,
    call: Call,
    repo: RepoName,
    number: Annotated[Number | None, Field(description="Leave out to open a new one.")] = None,
    title: str | None = None,
    body: Annotated[str | None, OnRecord(withheld)] = None,
    head: Annotated[str | None, Field(description="Branch, or `owner:branch`.")] = None,
    base: str | None = None,
    draft: bool | None = None,
    state: Literal["open", "closed"] | None = None,
    add_reviewers: Annotated[list[str] | None, Field(description="Logins, or `org/team`.")] = None,
    remove_reviewers: list[str] | None = None,
    update_branch: Annotated[bool, Field(description="Bring base into it; needs `head_sha`.")] = False,
    head_sha: str | None = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Open a pull request from a branch, or change one: text, base, draft, state, reviewers."""
    repository = await github.repo(call, repo)
    asked = {"title": title, "body": body, "base": base, "state": state}
    changes = {name: value for name, value in asked.items() if value is not None}
    if number is None:
        if not title or not head:
            raise InvalidArguments(
                "A new pull request needs `title` and `head`; to change one, give its `number`."
            )
        if state is not None or remove_reviewers or update_branch:
            raise InvalidArguments("`state`, `remove_reviewers` and `update_branch` need a `number`.")
        wanted = {"base": repository.default_branch, **changes, "head": head, "draft": bool(draft)}
        return await _open(github, call, repository, wanted, add_reviewers or [], dry_run=dry_run)
    if head is not None:
        raise InvalidArguments("The head of a pull request cannot be changed: open another one.")
    pull = await pull_of(github, repository, number)
    if head_sha is not None or update_branch:
        require_head(pull, head_sha)
    steps: list[Step] = []  # those that GitHub is likely to refuse come first
    if update_branch:
        steps.append(updating(github, repository, pull))
    if add_reviewers:
        steps.append(reviewers(github, repository, number, add_reviewers, verb="POST"))
    if remove_reviewers:
        steps.append(reviewers(github, repository, number, remove_reviewers, verb="DELETE"))
    if changes:
        steps.append(setting(github, repository, number, changes))
    if draft is not None and draft is not pull["draft"]:
        steps.append(drafting(github, repository, pull, draft=draft))
    if not steps:
        raise InvalidArguments("There is nothing to change: say what, like `title` or `add_reviewers`.")
    what = f"{repository.full_name}#{number}: {'; '.join(step.what for step in steps)}"
    shown = Outcome(done=False, summary=what, url=pull["html_url"], number=number)
    if dry_run:
        requests = [step.request for step in steps]
        return fitted(call, shown.model_copy(update={"requests": requests, "preview": body}))
    if title is not None or body is not None:
        await call.may_share(repository.audience, f"Change {repository.full_name}#{number}")
    note = {
        "repo": repository.full_name,
        "number": number,
        "updated_from": pull["head"]["sha"] if update_branch else None,
        "steps": len(steps),
    }
    await call.note(note)
    await take(steps)
    return shown.model_copy(update={"done": True})


async def _open(
    github: GitHub,
    call: Call,
    repository: Repository,
    wanted: dict[str, Any],
    add_reviewers: list[str],
    *,
    dry_run: bool,
) -> Outcome:
    head, base = wanted["head"], wanted["base"]
    await require_inside(github, call, repository, head)
    await _require_none(github, repository, head, base)
    url = repository.path("pulls")
    asking = [reviewers(github, repository, 0, add_reviewers, verb="POST")] if add_reviewers else []
    what = f"{repository.full_name}: pull request “{wanted['title']}”, {head} into {base}"
    if dry_run:
        requests = [{"POST": url, **wanted}, *(step.request for step in asking)]
        shown = Outcome(done=False, summary=what, requests=requests, preview=wanted.get("body"))
        return fitted(call, shown)
    await call.may_share(repository.audience, f"Open a pull request in {repository.full_name}")
    note = {"repo": repository.full_name, "head": head, "base": base, "reviewers": add_reviewers}
    await call.note(note)

    async def send() -> Outcome:
        try:
            made = cast("Mapping[str, Any]", (await github.send("POST", url, wanted)).json())
        except UpstreamRefused:
            await _require_none(github, repository, head, base)  # somebody was faster
            raise
        return Outcome(
            done=True,
            summary=f"Opened {what}.",
            url=made["html_url"],
            number=made["number"],
            sha=made["head"]["sha"],
        )

    outcome = await sent_or_found(send, lambda: created(github, repository, head, base))
    if add_reviewers and outcome.number is not None:
        step = reviewers(github, repository, outcome.number, add_reviewers, verb="POST")
        try:
            await step.send()
        except ToolFailure as error:  # it is open: a failure would have it opened again
            outcome.warnings.append(f"The reviewers were not asked: {error.message}")
    return outcome


async def _require_none(github: GitHub, repository: Repository, head: str, base: str) -> None:
    """Go on only if there is no open pull request from and into these branches.

    Raises:
        UpstreamRefused: Naming the one that there is.
    """
    there = await created(github, repository, head, base)
    if there is not None:
        raise UpstreamRefused(
            f"#{there.number} is open for {head} into {base} already: give its `number` to change it.",
            number=there.number,
        )


TOOLS = (get_pull_request, save_pull_request)
