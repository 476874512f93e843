"""Reviews: one with all its comments, and the threads that they become."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound, OutcomeUnknown
from ringmain_core.steps import Step, sent_or_found, take
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.inline import InlineComment, require_lines
from ringmain_github.models import Outcome
from ringmain_github.paging import all_of
from ringmain_github.pulls import pull_of, require_head
from ringmain_github.references import Number, RepoName, is_by
from ringmain_github.rehearsing import fitted
from ringmain_github.repository import Repository
from ringmain_github.settling import if_noted
from ringmain_github.threads import Thread, reply_to, resolve, thread_of, threads_of

_EVENTS = {"approve": "APPROVE", "request_changes": "REQUEST_CHANGES", "comment": "COMMENT"}
_STATES = {"approve": "APPROVED", "request_changes": "CHANGES_REQUESTED", "comment": "COMMENTED"}


@if_noted
async def _settle(github: GitHub, call: Call, note: Any) -> Outcome | None:
    repository = await github.repo(call, note["repo"])
    return await _review_like(github, repository, note)


async def _review_like(github: GitHub, repository: Repository, note: Mapping[str, Any]) -> Outcome | None:
    """Our review with this state and body on this commit, unless it was there before."""
    found, _ = await all_of(github, repository.path("pulls", note["number"], "reviews"))
    wanted = (note["head_sha"], note["state"], note["body"].strip())
    for review in reversed(found):
        alike = (review["commit_id"], review["state"], (review["body"] or "").strip()) == wanted
        ours = is_by(review["user"], note["login"])
        if alike and ours and review["id"] not in note["before"]:
            return _reviewed(repository, note["number"], review)
    return None


def _reviewed(repository: Repository, number: int, review: Mapping[str, Any]) -> Outcome:
    return Outcome(
        done=True,
        summary=f"Reviewed {repository.full_name}#{number}: {review['state'].lower()}.",
        url=review["html_url"],
        number=number,
        id=str(review["id"]),
    )


@tool(access="write", title="Review a pull request", settle=_settle)
async def review_pull_request(
    github: GitHub,
    call: Call,
    repo: RepoName,
    number: Number,
    event: Literal["approve", "request_changes", "comment"],
    head_sha: Annotated[str, Field(description="The head that you have read.")],
    body: Annotated[str, OnRecord(withheld)] = "",
    comments: Annotated[list[InlineComment] | None, OnRecord(withheld)] = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Submit one review, with all its inline comments on changed lines at once."""
    repository = await github.repo(call, repo)
    given = comments or []
    if event != "approve" and not body and not (given and event == "comment"):
        raise InvalidArguments(f"A review with event={event!r} needs a `body`.")
    require_head(await pull_of(github, repository, number), head_sha)
    if given:
        await require_lines(github, repository, number, given)
    url = repository.path("pulls", number, "reviews")
    sent = {
        "commit_id": head_sha,
        "event": _EVENTS[event],
        "body": body,
        "comments": [comment.as_sent() for comment in given],
    }
    if dry_run:
        what = f"Would review {repository.full_name}#{number}: {event}, {len(given)} inline comments."
        shown = [f"{comment.path}:{comment.line}: {comment.body}" for comment in given]
        preview = "\n".join([body, *shown])
        requests = [{"POST": url, **sent}]
        return fitted(
            call, Outcome(done=False, summary=what, number=number, requests=requests, preview=preview)
        )
    await call.may_share(repository.audience, f"Review {repository.full_name}#{number}")
    before, _ = await all_of(github, url)
    note = {
        "repo": repository.full_name,
        "number": number,
        "head_sha": head_sha,
        "state": _STATES[event],
        "body": body,
        "login": await github.own_login(repository.owner),
        "before": [review["id"] for review in before],
    }
    await call.note(note)

    async def send() -> Outcome:
        return _reviewed(repository, number, (await github.send("POST", url, sent)).json())

    return await sent_or_found(send, lambda: _review_like(github, repository, note))


@if_noted
async def _settle_threads(github: GitHub, call: Call, note: Any) -> Outcome | None:
    """What became of an earlier try; a second reply is what must not happen."""
    repository = await github.repo(call, note["repo"])
    done, left = list[str](), list[str]()
    async for thread in threads_of(github, repository, note["number"]):
        if thread.id not in note["last"]:
            continue
        reply, last = note["reply"], note["last"][thread.id]
        if reply is not None:
            there = thread.reply(reply, note["login"], last) is not None
            (done if there else left).append(f"reply in {thread.id}")
        if thread.resolved is not note["resolved"]:
            left.append(f"{thread.id} {_word(note['resolved'])}")
    if left and done:
        raise OutcomeUnknown(
            f"An earlier try was cut off. Done: {'; '.join(done)}. Not done: {'; '.join(left)}. Do what is "
            "left with a new `idempotency_key`."
        )
    if left:
        return None
    what = f"{repository.full_name}#{note['number']}: the threads are {_word(note['resolved'])}."
    return Outcome(done=True, summary=what, number=note["number"])


def _word(resolved: bool) -> str:
    return "resolved" if resolved else "open"


@tool(access="write", title="Resolve review threads", settle=_settle_threads)
async def resolve_threads(
    github: GitHub,
    call: Call,
    repo: RepoName,
    number: Number,
    thread_ids: Annotated[list[str], Field(min_length=1, max_length=50, description="`PRRT_…`")],
    resolved: Annotated[bool, Field(description="False opens them again.")] = True,
    reply: Annotated[str | None, Field(description="Said in each before."), OnRecord(withheld)] = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Mark review threads of a pull request as resolved, or open them again."""
    repository = await github.repo(call, repo)
    threads = {thread.id: thread async for thread in threads_of(github, repository, number)}
    wanted = list(dict.fromkeys(thread_ids))
    strange = [name[:64] for name in wanted if name not in threads]
    if strange:
        raise NotFound(
            f"{repository.full_name}#{number} has no thread {', '.join(strange)}: nothing was done. "
            "`get_pull_request` with include=['threads'] lists them."
        )
    login = None if reply is None else await github.own_login(repository.owner)
    steps: list[Step] = []
    for thread in (threads[name] for name in wanted):
        if reply is not None:
            steps.append(_replying(github, repository, number, thread, reply, login))
        if thread.resolved is not resolved:
            steps.append(_resolving(github, repository, number, thread, resolved=resolved))
    what = "; ".join(step.what for step in steps) or f"they are {_word(resolved)} already"
    what = f"{repository.full_name}#{number}: {what}."
    if dry_run:
        requests = [step.request for step in steps]
        return fitted(
            call, Outcome(done=False, summary=what, number=number, requests=requests, preview=reply)
        )
    if reply is not None:
        await call.may_share(repository.audience, f"Reply in threads of {repository.full_name}#{number}")
    note = {
        "repo": repository.full_name,
        "number": number,
        "resolved": resolved,
        "reply": reply,
        "login": login,
        "last": {name: threads[name].last for name in wanted},
    }
    await call.note(note)
    await take(steps)
    return Outcome(done=True, summary=what, number=number)


def _replying(
    github: GitHub, repository: Repository, number: int, thread: Thread, body: str, login: str | None
) -> Step:
    async def look() -> str | None:
        now = await thread_of(github, repository, number, thread.id)
        return None if now is None else now.reply(body, login, thread.last)

    send = partial(reply_to, github, repository, thread.id, body)
    request = {"GraphQL": "addPullRequestReviewThreadReply", "thread": thread.id, "body": body}
    return Step(f"reply in {thread.id}", request, lambda: sent_or_found(send, look))


def _resolving(
    github: GitHub, repository: Repository, number: int, thread: Thread, *, resolved: bool
) -> Step:
    async def send() -> bool:
        await resolve(github, repository, thread.id, resolved=resolved)
        return True

    async def look() -> bool | None:
        now = await thread_of(github, repository, number, thread.id)
        return True if now is not None and now.resolved is resolved else None

    request = {"GraphQL": "resolveReviewThread" if resolved else "unresolveReviewThread", "thread": thread.id}
    return Step(f"{thread.id} {_word(resolved)}", request, lambda: sent_or_found(send, look))


TOOLS = (review_pull_request, resolve_threads)
