"""Comments are posted once, answered, resolved and reopened, and go to nobody unasked."""

from typing import Any

import pytest

from integration.gdrive.working import ADA, BO, Person, bench_of, call, client_of, fenced, refusal, writes
from standins.gdrive.models import Comment
from standins.gdrive.state import FakeDrive

pytestmark = pytest.mark.anyio

PLAN = {"file": "/Plans/Launch plan"}


def comments(fake: FakeDrive) -> list[Comment]:
    return list(fake.named("Launch plan").comments.values())


async def test_a_comment_is_posted_once(fake: FakeDrive) -> None:
    wanted = {**PLAN, "text": "Is it so?", "quote": "Friday", "idempotency_key": "k"}
    async with client_of(fake) as client:
        first, made = await call(client, "comment", **wanted)
        assert (await call(client, "comment", **wanted))[0] == first
    posted = comments(fake)[-1]
    assert first.startswith("Commented on “Launch plan”.")
    assert (posted.id, posted.author, posted.content) == (made["id"], ADA, "Is it so?")
    assert posted.quoted == {"mimeType": "text/plain", "value": "Friday"}
    assert writes(fake) == ["comments.create"]


async def test_a_comment_is_answered_resolved_and_reopened(fake: FakeDrive) -> None:
    (asked,) = comments(fake)
    async with client_of(fake) as client:
        said, _ = await call(client, "comment", **PLAN, reply_to=asked.id, text="Yes")
        assert said.startswith("Replied to a comment on")
        said, _ = await call(client, "comment", **PLAN, reply_to=asked.id, resolve=True)
        assert said.startswith("Resolved a comment on")
        assert asked.resolved
        await call(client, "comment", **PLAN, reply_to=asked.id, resolve=False, text="Or not")
    assert not asked.resolved
    assert [(one.content, one.action) for one in asked.replies[1:]] == [
        ("Yes", ""),
        ("", "resolve"),
        ("Or not", "reopen"),
    ]


async def test_a_rehearsal_posts_nothing_and_says_who_may_be_notified(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        said, shown = await call(client, "comment", **PLAN, text="Ask +bo@acme.example", dry_run=True)
    assert "A comment on “Launch plan”, 20 characters." in said
    assert shown["warnings"] == ["bo@acme.example may be notified."]
    assert writes(fake) == []


@pytest.mark.parametrize("fault", ["done-cut", "done-500", "done-slow"])
@pytest.mark.parametrize("replies", [True, False])
async def test_one_without_an_answer_is_found(fake: FakeDrive, fault: str, *, replies: bool) -> None:
    (asked,) = comments(fake)
    fake.comment(fake.named("Launch plan"), ADA, "Yes")
    fake.comment(fake.named("Launch plan"), BO, "Yes")
    method = "drive.replies.create" if replies else "drive.comments.create"
    fake.fault(method, fault, seconds=1.0 if fault == "done-slow" else 0.0)
    more = {"reply_to": asked.id} if replies else {}
    async with client_of(fake, settings={"request_timeout": 0.4}) as client:
        _, made = await call(client, "comment", **PLAN, text="Yes", **more)
    last = asked.replies[-1] if replies else comments(fake)[-1]
    assert (last.id, last.author) == (made["id"], ADA)
    assert len(comments(fake)) == (3 if replies else 4)
    assert len(asked.replies) == (2 if replies else 1)


async def test_one_that_got_lost_is_posted_under_its_key(fake: FakeDrive) -> None:
    fake.comment(fake.named("Launch plan"), ADA, "Yes")
    fake.fault("drive.comments.create", "cut")
    wanted = {**PLAN, "text": "Yes", "idempotency_key": "k"}
    async with client_of(fake) as client:
        said, _ = await refusal(client, "comment", **wanted)
        assert "not known" in said
        _, made = await call(client, "comment", **wanted)
    assert comments(fake)[-1].id == made["id"]
    assert len(comments(fake)) == 3


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "Say something"),
        ({"text": " "}, "Say something"),
        ({"resolve": True}, "`reply_to`"),
        ({"text": "a", "reply_to": "AAAAAAAA", "quote": "b"}, "leave out `quote`"),
        ({"text": "a", "file": "/Plans"}, "Folders take no comments"),
        ({"text": "a", "reply_to": "AAAAAAAA"}, "There is no such"),
    ],
)
async def test_what_makes_no_sense_is_told(fake: FakeDrive, wanted: dict[str, Any], words: str) -> None:
    async with client_of(fake) as client:
        said, _ = await refusal(client, "comment", **{**PLAN, **wanted})
    assert words in said
    assert writes(fake) == []


async def test_limits_fences_and_scopes_are_told(fake: FakeDrive) -> None:
    fake.fault("drive.comments.create", "rateLimitExceeded", seconds=30)
    async with client_of(fake) as client:
        said, _ = await refusal(client, "comment", **PLAN, text="a")
        assert "Come back in 30 s" in said
    async with client_of(fake, policy=fenced(fake.named("Files").id)) as client:
        said, _ = await refusal(client, "comment", file=fake.named("Launch plan").id, text="a")
        assert "is not there" in said
    async with client_of(fake, settings={"access": "app"}) as client:
        said, _ = await refusal(client, "comment", **PLAN, text="a")
        assert "RINGMAIN_GDRIVE_ACCESS=full" in said
    assert len(comments(fake)) == 1


async def test_files_of_shared_drives_are_commented_on(fake: FakeDrive) -> None:
    async with client_of(fake, BO) as client:
        await call(client, "comment", file="Team/Projects/Roadmap", text="When?")
    assert [one.content for one in fake.named("Roadmap").comments.values()] == ["When?"]


async def test_what_was_read_alone_is_not_told_to_others_unasked(fake: FakeDrive) -> None:
    person = Person(says_yes=False)
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "get_file", file="/Diary")
        await refusal(client, "comment", **PLAN, text="a")
    assert len(person.asked) == 1
    assert len(comments(fake)) == 1


async def test_texts_do_not_reach_the_audit(fake: FakeDrive) -> None:
    async with bench_of(fake) as at:
        await call(at.client, "comment", **PLAN, text="a private word", quote="another hidden one")
    assert "a private word" not in str(at.audit.records)
    assert "another hidden one" not in str(at.audit.records)
