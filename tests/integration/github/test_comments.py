"""Comments on issues and pull requests: posted once, in the right thread, and only one's own changed."""

from dataclasses import dataclass
from typing import Any

import pytest

from integration.github.pulling import POLICY, REPO, call, client_of, refusal, writes
from integration.github.working import settings_for
from ringmain_core.testing import bench
from ringmain_github import connector
from standins.github.faults import Fault
from standins.github.models import Comment, Thread
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio

ISSUE = {**REPO, "number": 1}
PULL = {**REPO, "number": 4}
COMMENTS = "/repos/acme/widgets/issues/1/comments"
FENCED = POLICY.replace("confirm = []", 'confirm = []\nfence = { "github.repo" = ["acme/widgets"] }')


def said_on(fake: FakeGitHub, number: int = 1) -> list[Comment]:
    return fake.repositories["acme/widgets"].issues[number].comments


def thread_of(fake: FakeGitHub) -> Thread:
    return fake.repositories["acme/widgets"].pull_of(4).threads[0]


async def comment(fake: FakeGitHub, **arguments: Any) -> tuple[str, dict[str, Any]]:
    async with client_of(fake) as client:
        return await call(client, "comment", {**ISSUE, "body": "Aha.", **arguments})


async def refused(fake: FakeGitHub, **arguments: Any) -> str:
    async with client_of(fake) as client:
        return await refusal(client, "comment", {**ISSUE, "body": "Aha.", **arguments})


async def test_a_comment_is_posted_once(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        said, made = await call(client, "comment", {**ISSUE, "body": "Aha.", "idempotency_key": "k"})
        again, _ = await call(client, "comment", {**ISSUE, "body": "Aha.", "idempotency_key": "k"})
    posted = said_on(fake)[-1]
    url = f"{fake.url}/acme/widgets/issues/1#issuecomment-{posted.id}"
    assert said == again == f"Commented on acme/widgets#1.\nurl: {url}\nid: {posted.id}\nnumber: 1"
    assert (made["id"], posted.body, posted.author) == (str(posted.id), "Aha.", "octocat")
    assert writes(fake) == [("POST", COMMENTS)]


async def test_a_pull_request_is_commented_on_alike(fake: FakeGitHub) -> None:
    await comment(fake, number=f"{fake.url}/acme/widgets/pull/4")
    assert said_on(fake, 4)[-1].body == "Aha."


async def test_a_rehearsal_says_who_will_be_notified(fake: FakeGitHub) -> None:
    body = "@mona and @acme/team, see `@hubot` or me@example.test"
    said, shown = await comment(fake, body=body, dry_run=True)
    assert shown["requests"] == [{"POST": COMMENTS, "body": body}]
    assert shown["warnings"] == ["acme/team, mona will be notified"]
    assert said.startswith("Dry run, nothing was done. A comment on acme/widgets#1, 53 characters.")
    assert writes(fake) == []


async def test_a_rehearsal_of_a_long_text_fits_the_budget(fake: FakeGitHub) -> None:
    said, _ = await comment(fake, body="ö" * 60_000, dry_run=True)
    assert len(said.encode()) <= 24_000


async def test_one_whose_answer_was_lost_is_found_and_not_posted_again(fake: FakeGitHub) -> None:
    fake.repositories["acme/widgets"].comment(1, "Aha.", author="octocat")
    fake.fault(COMMENTS, "POST", "done-cut")
    _, made = await comment(fake)
    assert made["id"] == str(said_on(fake)[-1].id)
    assert writes(fake) == [("POST", COMMENTS)]


async def test_the_same_words_of_others_or_of_before_are_not_taken_for_it(fake: FakeGitHub) -> None:
    fake.repositories["acme/widgets"].comment(1, "Aha.", author="octocat")
    fake.fault(COMMENTS, "POST", "cut")
    async with client_of(fake) as client:
        wanted = {**ISSUE, "body": "Aha.", "idempotency_key": "k"}
        assert "not known" in await refusal(client, "comment", wanted)
        fake.repositories["acme/widgets"].comment(1, "Aha.", author="mona")
        _, made = await call(client, "comment", wanted)
    assert [each.author for each in said_on(fake)[-3:]] == ["octocat", "mona", "octocat"]
    assert made["id"] == str(said_on(fake)[-1].id)


async def test_the_ids_that_a_pull_request_shows_are_those_that_replies_take(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        _, read = await call(client, "get_pull_request", {**PULL, "include": ["threads"]})
        head, first, second = read["parts"]["threads"].splitlines()[:3]
        thread = head.split(" ")[0]
        ids = [int(line.split("[")[1].split("]")[0]) for line in (first, second)]
        _, one = await call(client, "comment", {**PULL, "body": "To the thread.", "reply_to": thread})
        await call(client, "comment", {**PULL, "body": "To its first.", "reply_to": ids[0]})
        _, last = await call(client, "comment", {**PULL, "body": "To a reply.", "reply_to": ids[1]})
    told = thread_of(fake).comments
    assert [each.body for each in told[2:]] == ["To the thread.", "To its first.", "To a reply."]
    assert (one["id"], last["id"]) == (str(told[2].id), str(told[4].id))
    assert writes(fake) == [
        ("POST", "/graphql"),
        ("POST", f"/repos/acme/widgets/pulls/4/comments/{ids[0]}/replies"),
        ("POST", f"/repos/acme/widgets/pulls/4/comments/{ids[0]}/replies"),
    ]


@dataclass
class _AtSecond(Fault):
    """Strikes the second request that fits: the mutation, after the query that finds the thread."""

    seen: int = 0

    def take(self, method: str, path: str) -> bool:
        self.seen += self.fits(method, path)
        return self.seen > 1 and super().take(method, path)


@pytest.mark.parametrize("by", ["thread", "comment"])
async def test_a_reply_whose_answer_was_lost_is_found(fake: FakeGitHub, by: str) -> None:
    thread = thread_of(fake)
    first = thread.comments[0].id
    if by == "thread":
        fake.faults.append(_AtSecond("/graphql", "POST", "done-cut", times=1))
    else:
        fake.fault(f"/repos/acme/widgets/pulls/4/comments/{first}/replies", "POST", "done-cut")
    _, made = await comment(fake, number=4, reply_to=thread.id if by == "thread" else first)
    assert made["id"] == str(thread.comments[-1].id)
    assert fake.faults[0].times == 0
    assert [each.body for each in thread.comments] == ["Why 361?", "It looks better.", "Aha."]


async def test_there_are_no_replies_to_what_is_no_thread_of_this_pull_request(fake: FakeGitHub) -> None:
    plain = said_on(fake, 4)[0].id
    assert await refused(fake, number=4, reply_to=plain) == (
        f"acme/widgets#4 has no review comment {plain} to reply to. What is no review comment has no thread: "
        "leave out `reply_to`, and quote it."
    )
    assert await refused(fake, number=1, reply_to=thread_of(fake).comments[0].id) == (
        f"acme/widgets#1 has no review comment {thread_of(fake).comments[0].id} to reply to. What is no "
        "review comment has no thread: leave out `reply_to`, and quote it."
    )
    assert await refused(fake, number=4, reply_to="PRRT_elsewhere") == (
        "acme/widgets#4 has no review thread PRRT_elsewhere. `get_pull_request` shows those that there are."
    )
    assert writes(fake) == []


async def test_only_an_own_comment_is_changed(fake: FakeGitHub) -> None:
    theirs, own = said_on(fake)
    of_review = thread_of(fake).comments[0]
    assert await refused(fake, edit_id=theirs.id) == (
        f"Comment {theirs.id} is hubot's: only your own can be changed."
    )
    assert await refused(fake, number=2, edit_id=own.id) == f"acme/widgets#2 has no comment {own.id}."
    assert await refused(fake, edit_id=own.id, reply_to=1) == "Give `reply_to` or `edit_id`, not both."
    assert writes(fake) == []
    await comment(fake, edit_id=own.id)
    await comment(fake, number=4, edit_id=of_review.id)
    assert (theirs.body, own.body, of_review.body) == ("Mine, too.", "Aha.", "Aha.")
    assert writes(fake) == [
        ("PATCH", f"/repos/acme/widgets/issues/comments/{own.id}"),
        ("PATCH", f"/repos/acme/widgets/pulls/comments/{of_review.id}"),
    ]


async def test_an_app_knows_its_own_comments_too(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    own, theirs = repo.comment(1, "Beep.", author="helper[bot]"), said_on(fake)[0]
    permissions = {"issues": "write", "metadata": "read", "pull_requests": "write"}
    token = fake.token("app", login="helper[bot]", kind="installation", permissions=permissions)
    async with bench(connector, settings=settings_for(fake.url, token), policy=POLICY) as at:
        await call(at.client, "comment", {**ISSUE, "body": "Boop.", "edit_id": own.id})
        said = await refusal(at.client, "comment", {**ISSUE, "body": "Boop.", "edit_id": theirs.id})
        fake.fault(COMMENTS, "POST", "done-cut")
        _, made = await call(at.client, "comment", {**ISSUE, "body": "Beep?"})
    assert own.body == "Boop."
    assert said == f"Comment {theirs.id} is hubot's: only your own can be changed."
    assert made["id"] == str(said_on(fake)[-1].id)


async def test_a_change_whose_answer_was_lost_is_sent_again(fake: FakeGitHub) -> None:
    own = said_on(fake)[1]
    fake.fault(f"/repos/acme/widgets/issues/comments/{own.id}", "PATCH", "done-cut")
    _, made = await comment(fake, edit_id=own.id)
    assert (made["id"], own.body) == (str(own.id), "Aha.")


async def test_a_locked_issue_takes_none(fake: FakeGitHub) -> None:
    fake.repositories["acme/widgets"].issues[1].locked = True
    assert await refused(fake) == (
        "GitHub does not allow this: Unable to create comment because issue is locked."
    )


async def test_nothing_is_said_outside_the_fence_or_where_an_issue_was_moved_to(fake: FakeGitHub) -> None:
    fake.repositories["acme/widgets"].moved[1] = ("acme/secret", 1)
    async with client_of(fake, FENCED) as client:
        outside = await refusal(client, "comment", {"repo": "acme/secret", "number": 1, "body": "x"})
        moved = await refusal(client, "comment", {**ISSUE, "body": "x"})
    assert "is not there, or not among those that you may use" in outside
    assert moved == "#1 of acme/widgets was moved to another repository."
    assert writes(fake) == []


async def test_texts_do_not_reach_the_audit(fake: FakeGitHub) -> None:
    async with bench(connector, settings=settings_for(fake.url, fake.token()), policy=POLICY) as at:
        await call(at.client, "comment", {**ISSUE, "body": "a private word"})
    assert "a private word" not in str(at.audit.records)
