"""Commenting on issues and pull requests."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound, UpstreamRefused
from ringmain_core.steps import sent_or_found
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.issues import excerpt, issue_or_pull, mentions_in
from ringmain_github.models import Outcome
from ringmain_github.paging import all_of
from ringmain_github.references import Number, RepoName, is_by, login_of
from ringmain_github.repository import Repository
from ringmain_github.settling import if_noted
from ringmain_github.threads import reply_to as reply_in_thread
from ringmain_github.threads import thread_of


@dataclass(frozen=True, slots=True)
class _Post:
    """One request, and what sends it, once it is certain that it goes where it should."""

    request: dict[str, Any]
    send: Callable[[], Awaitable[Outcome]]


@if_noted
async def _settle(github: GitHub, call: Call, note: Any) -> Outcome | None:
    if "edit_id" in note:
        return None  # an edit sets a text: sent again, it does no more
    return await _commented(github, await github.repo(call, note["repo"]), note)


async def _commented(github: GitHub, repository: Repository, note: Mapping[str, Any]) -> Outcome | None:
    """The comment of ours with this text that has come since."""
    for comment in reversed(await _since(github, repository, note)):
        ours = is_by(comment["user"], note["login"])
        alike = str(comment["body"] or "").strip() == note["body"].strip()
        if ours and alike and comment["id"] not in note["before"]:
            return _said(repository, note["number"], comment)
    return None


async def _since(github: GitHub, repository: Repository, note: Mapping[str, Any]) -> list[dict[str, Any]]:
    url = repository.path(note["kind"], note["number"], "comments")
    found, _ = await all_of(github, url, params={"since": note["since"]})
    return found


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
    about = await issue_or_pull(github, call, repository, number)
    if edit_id is not None:
        post = await _edit(github, repository, number, edit_id, body)
    elif reply_to is not None:
        post = await _reply(github, repository, number, str(reply_to), body)
    else:
        post = _sending(github, repository, number, "POST", ("issues", number, "comments"), body)
    if dry_run:
        return Outcome(
            done=False,
            summary=f"A comment on {repository.full_name}#{number}, {len(body):,} characters.",
            number=number,
            requests=[{**post.request, "body": excerpt(body)}],
            preview=excerpt(body),
            warnings=mentions_in(body),
        )
    await call.may_share(repository.audience, f"Comment on {repository.full_name}#{number}")
    if edit_id is not None:
        await call.note({"edit_id": edit_id})
        return await post.send()
    note: dict[str, Any] = {
        "repo": repository.full_name,
        "number": number,
        "kind": "issues" if reply_to is None else "pulls",
        "body": body,
        "since": about["updated_at"],  # by GitHub's clock, which may not be ours
        "login": await github.own_login(repository.owner),
    }
    note["before"] = [each["id"] for each in await _since(github, repository, note)]
    await call.note(note)
    return await sent_or_found(post.send, lambda: _commented(github, repository, note))


def _sending(
    github: GitHub, repository: Repository, number: int, verb: str, parts: tuple[object, ...], body: str
) -> _Post:
    url = repository.path(*parts)

    async def send() -> Outcome:
        reply = await github.send(verb, url, {"body": body}, idempotent=verb == "PATCH")
        return _said(repository, number, reply.json())

    return _Post({verb: url}, send)


async def _reply(github: GitHub, repository: Repository, number: int, to: str, body: str) -> _Post:
    if to.isdigit():
        found = await _review_comment(github, repository, number, int(to))
        first = found.get("in_reply_to_id") or found["id"]  # GitHub takes no replies to replies
        return _sending(
            github, repository, number, "POST", ("pulls", number, "comments", first, "replies"), body
        )
    if await thread_of(github, repository, number, to) is None:
        raise NotFound(
            f"{repository.full_name}#{number} has no review thread {to[:64]}. `get_pull_request` shows those "
            "that there are."
        )

    async def reply() -> Outcome:
        url = await reply_in_thread(github, repository, to, body)
        comment_id = url.rpartition("#discussion_r")[2]
        what = f"Replied in a thread of {repository.full_name}#{number}."
        return Outcome(done=True, summary=what, url=url, number=number, id=comment_id)

    return _Post({"GraphQL": "addPullRequestReviewThreadReply", "thread": to}, reply)


async def _review_comment(
    github: GitHub, repository: Repository, number: int, comment_id: int
) -> Mapping[str, Any]:
    try:
        found = (await github.get(repository.path("pulls", "comments", comment_id))).json()
        if _is_of(found, "pull_request_url", number):
            return found
    except NotFound:
        pass
    raise NotFound(
        f"{repository.full_name}#{number} has no review comment {comment_id} to reply to. What is no review "
        "comment has no thread: leave out `reply_to`, and quote it."
    )


async def _edit(github: GitHub, repository: Repository, number: int, comment_id: int, body: str) -> _Post:
    """Change a comment of ours on this issue or pull request.

    Raises:
        NotFound: Where there is none of that id.
        UpstreamRefused: Where it is somebody else's.
    """
    for kind, belongs_to in (("issues", "issue_url"), ("pulls", "pull_request_url")):
        try:
            found = (await github.get(repository.path(kind, "comments", comment_id))).json()
        except NotFound:
            continue
        if not _is_of(found, belongs_to, number):
            continue
        login = await github.own_login(repository.owner)
        if login is None or not is_by(found["user"], login):
            raise UpstreamRefused(
                f"Comment {comment_id} is {login_of(found['user'])}'s: only your own can be changed."
            )
        return _sending(github, repository, number, "PATCH", (kind, "comments", comment_id), body)
    raise NotFound(f"{repository.full_name}#{number} has no comment {comment_id}.")


def _is_of(comment: Mapping[str, Any], belongs_to: str, number: int) -> bool:
    return str(comment[belongs_to]).rpartition("/")[2] == str(number)


TOOLS = (comment,)
