"""Commenting on issues and pull requests."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound, UpstreamRefused
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub, Repository
from ringmain_github.issues import issue_or_pull
from ringmain_github.models import Outcome
from ringmain_github.references import Number, RepoName, login_of
from ringmain_github.threads import reply_to as reply_in_thread
from ringmain_github.threads import threads_of
from ringmain_github.writes import lately, own_login, sent_or_found

_MENTION = re.compile(r"(?<![\w`])@([A-Za-z0-9][A-Za-z0-9-]*(?:/[A-Za-z0-9._-]+)?)")


async def _settle(github: GitHub, call: Call, note: Any) -> Outcome | None:
    repository = await github.repo(call, note["repo"])
    if note["edit_id"] is not None:
        return None  # it sets a text: sent again, it does no more
    return await _commented(github, repository, note)


async def _commented(github: GitHub, repository: Repository, note: Mapping[str, Any]) -> Outcome | None:
    """The comment of ours with this text that has come since."""
    kind = "pulls" if note["is_reply"] else "issues"
    url = repository.path(kind, note["number"], "comments")
    found = (await github.get(url, params={"since": note["since"], "per_page": 100})).json()
    for comment in reversed(found):
        ours = note["login"] in (None, login_of(comment["user"]))
        if ours and comment["body"] == note["body"] and comment["id"] not in note["before"]:
            return _said(repository, note["number"], comment)
    return None


def _said(repository: Repository, number: int, comment: Mapping[str, Any]) -> Outcome:
    what = f"Commented on {repository.full_name}#{number}."
    return Outcome(done=True, summary=what, url=comment["html_url"], number=number, id=str(comment["id"]))


@tool(access="write", title="Comment", settle=_settle)
async def comment(
    github: GitHub,
    call: Call,
    repo: RepoName,
    number: Number,
    body: Annotated[str, Field(min_length=1, max_length=65_536), OnRecord(withheld)],
    reply_to: Annotated[
        int | str | None, Field(description="Review thread (`PRRT_…`) or review comment id.")
    ] = None,
    edit_id: Annotated[int | None, Field(description="Own comment to change instead.")] = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Post a comment on an issue or pull request, reply in a review thread, or edit your own comment."""
    repository = await github.repo(call, repo)
    if reply_to is not None and edit_id is not None:
        raise InvalidArguments("Give `reply_to` or `edit_id`, not both.")
    await issue_or_pull(github, repository, number)
    request, send = await _sending(github, repository, number, body, reply_to, edit_id)
    mentioned = sorted(set(_MENTION.findall(body)))
    warnings = [f"{', '.join(mentioned)} will be notified"] if mentioned else []
    if dry_run:
        what = f"A comment on {repository.full_name}#{number}, {len(body):,} characters."
        return Outcome(
            done=False, summary=what, number=number, requests=[request], preview=body, warnings=warnings
        )
    await call.may_share(repository.audience, f"Comment on {repository.full_name}#{number}")
    since = lately()
    kind = "issues" if reply_to is None else "pulls"
    url = repository.path(kind, number, "comments")
    before = (await github.get(url, params={"since": since, "per_page": 100})).json()
    note = {
        "repo": repository.full_name,
        "number": number,
        "body": body,
        "is_reply": reply_to is not None,
        "edit_id": edit_id,
        "since": since,
        "before": [each["id"] for each in before],
        "login": await own_login(github),
    }
    await call.note(note)
    if edit_id is not None:
        return await send()
    return await sent_or_found(send, lambda: _commented(github, repository, note))


async def _sending(
    github: GitHub,
    repository: Repository,
    number: int,
    body: str,
    reply_to: int | str | None,
    edit_id: int | None,
) -> tuple[dict[str, Any], Callable[[], Awaitable[Outcome]]]:
    """The request, and what sends it, once it is certain that it goes where it should."""
    if isinstance(reply_to, str) and not reply_to.isdigit():
        if reply_to not in [thread.id async for thread in threads_of(github, repository, number)]:
            raise NotFound(f"{repository.full_name}#{number} has no review thread {reply_to[:64]}.")
        thread = reply_to

        async def reply() -> Outcome:
            url = await reply_in_thread(github, repository, thread, body)
            what = f"Replied in a thread of {repository.full_name}#{number}."
            return Outcome(done=True, summary=what, url=url, number=number)

        return {"GraphQL": "addPullRequestReviewThreadReply", "thread": thread, "body": body}, reply
    if edit_id is not None:
        verb, url = "PATCH", await _own_comment(github, repository, number, edit_id)
    elif reply_to is not None:
        verb, url = "POST", repository.path("pulls", number, "comments", reply_to, "replies")
    else:
        verb, url = "POST", repository.path("issues", number, "comments")

    async def send() -> Outcome:
        reply = await github.send(verb, url, {"body": body}, idempotent=verb == "PATCH")
        return _said(repository, number, reply.json())

    return {verb: url, "body": body}, send


async def _own_comment(github: GitHub, repository: Repository, number: int, comment_id: int) -> str:
    """Where a comment of ours on this issue or pull request is.

    Raises:
        NotFound: Where there is none of that id.
        UpstreamRefused: Where it is somebody else's.
    """
    login = await own_login(github)
    for kind, belongs_to in (("issues", "issue_url"), ("pulls", "pull_request_url")):
        url = repository.path(kind, "comments", comment_id)
        try:
            found = (await github.get(url)).json()
        except NotFound:
            continue
        if str(found[belongs_to]).rpartition("/")[2] != str(number):
            continue
        if login is not None and login_of(found["user"]) != login:
            raise UpstreamRefused(
                f"Comment {comment_id} is {login_of(found['user'])}'s: only your own can be changed."
            )
        return url
    raise NotFound(f"{repository.full_name}#{number} has no comment {comment_id}.")


TOOLS = (comment,)
