"""Files are shared once, from what is given inline, and only through addresses of Slack."""

import base64
from typing import Any

import pytest

from integration.slack.talking import bench_of, call, client_of, named, refusal
from integration.slack.writing import Person, argument, fenced, writes
from ringmain_slack.client import Client, NotSlack
from ringmain_slack.settings import SlackSettings
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio

FILE = {"channel": "#general", "filename": "report.csv", "content": "a,b\n1,2\n"}
STEPS = ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"]


async def test_a_text_is_shared_with_its_comment(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        said, made = await call(
            client, "upload_file", **FILE, title="Report", comment="**New** <!channel> @ada"
        )
    general = named(fake, "general")
    message, file = general.everything()[-1], fake.team.files[made["id"]]
    assert (file.content, file.title, file.channels) == (b"a,b\n1,2\n", "Report", [general.id])
    assert message.files == [file.id]
    (block,) = message.blocks
    assert block["elements"][0]["elements"] == [
        {"type": "text", "text": "New", "style": {"bold": True}},
        {"type": "text", "text": " <!channel> "},
        {"type": "user", "user_id": fake.team.known_user("ada").id},
    ]
    assert argument(fake, "files.completeUploadExternal", "initial_comment") == [None]
    assert said.startswith(f"Shared {file.id} in #general.")
    assert writes(fake) == STEPS


async def test_bytes_go_to_a_thread(fake: FakeSlack) -> None:
    general = named(fake, "general")
    root = next(one for one in general.timeline() if "deploy" in one.text)
    data = bytes(range(256))
    wanted = {"channel": "general", "filename": "x.bin", "content_base64": base64.b64encode(data).decode()}
    async with client_of(fake) as client:
        _, made = await call(client, "upload_file", **wanted, thread_ts=general.replies(root.ts)[0].ts)
    assert fake.team.files[made["id"]].content == data
    assert general.replies(root.ts)[-1].files == [made["id"]]


async def test_a_rehearsal_uploads_nothing(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        _, shown = await call(client, "upload_file", **FILE, comment="Hi @ada", dry_run=True)
    assert shown["summary"] == "report.csv, 8 bytes, in #general."
    assert [next(iter(request)) for request in shown["requests"]] == [STEPS[0], STEPS[2]]
    assert shown["warnings"] == ["@ada will be notified"]
    assert writes(fake) == []


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ({"filename": "../../etc/passwd"}, "`filename` is a plain name"),
        ({"filename": "a\\b"}, "`filename` is a plain name"),
        ({"filename": "a\nb"}, "`filename` is a plain name"),
        ({"filename": "invoice\u202efdp.exe"}, "`filename` is a plain name"),
        ({"filename": ".."}, "`filename` is a plain name"),
        ({"content": None}, "Give `content`, or `content_base64`"),
        ({"content_base64": "AAAA"}, "Give `content`, or `content_base64`"),
        ({"content": None, "content_base64": "no base64!"}, "`content_base64` is no base64."),
        ({"content": ""}, "The file is empty"),
        ({"content": "x" * 1_000_001}, "The file has 1,000,001 bytes; at most 1,000,000 are taken."),
        ({"content": None, "content_base64": "A" * 6_666_672}, "at most 5,000,000 are taken."),
        ({"comment": "word " * 5_000}, "`comment` has to fit one message"),
        ({"channel": "old"}, "#old is archived"),
        ({"channel": "random"}, "You are not in #random"),
        ({"thread_ts": "1700000000.000100"}, "There is no such thread"),
    ],
)
async def test_what_cannot_be_shared_is_refused_before_anything_is_sent(
    fake: FakeSlack, arguments: dict[str, Any], advice: str
) -> None:
    async with client_of(fake) as client:
        said, _ = await refusal(client, "upload_file", **{**FILE, **arguments})
    assert advice in said
    assert writes(fake) == []


@pytest.mark.parametrize("key", [None, "k"])
async def test_a_file_whose_answer_was_lost_is_found(fake: FakeSlack, key: str | None) -> None:
    fake.fault("files.completeUploadExternal", "done-cut")
    wanted = {**FILE, **({"idempotency_key": key} if key else {})}
    async with client_of(fake) as client:
        _, made = await call(client, "upload_file", **wanted)
        if key:
            await call(client, "upload_file", **wanted)
    assert named(fake, "general").everything()[-1].files == [made["id"]]
    assert writes(fake) == STEPS


async def test_a_file_that_was_not_shared_is_shared_by_its_key(fake: FakeSlack) -> None:
    fake.fault("files.completeUploadExternal", "cut")
    async with client_of(fake) as client:
        _, error = await refusal(client, "upload_file", **FILE, idempotency_key="k")
        assert error["code"] == "outcome_unknown"
        _, made = await call(client, "upload_file", **FILE, idempotency_key="k")
    assert [one.files for one in named(fake, "general").everything() if made["id"] in one.files] == [
        [made["id"]]
    ]


@pytest.mark.parametrize("fault", ["cut", "500"])
async def test_a_file_that_does_not_get_there_is_plainly_not_shared(fake: FakeSlack, fault: str) -> None:
    fake.fault("upload", fault, times=3)
    async with client_of(fake) as client:
        said, error = await refusal(client, "upload_file", **FILE)
    assert said.startswith(
        ("The file did not get to Slack, so nothing is shared", "Slack does not take the file")
    )
    assert error["code"] in ("upstream_unavailable", "upstream_refused")
    assert "files.completeUploadExternal" not in writes(fake)


async def test_nothing_is_shared_outside_the_fence_or_with_more_people_unasked(fake: FakeSlack) -> None:
    person = Person(says=False)
    async with client_of(
        fake, policy=fenced("#general", "private:ops"), elicitation_callback=person
    ) as client:
        _, error = await refusal(client, "upload_file", **{**FILE, "channel": "@ada"})
        assert error["code"] == "outside_fence"
        await call(client, "read_channel", channel="ops")
        await refusal(client, "upload_file", **FILE)
    assert person.asked[0].startswith("Share report.csv in #general? More people will see it")
    assert writes(fake) == []


async def test_contents_do_not_reach_the_audit(fake: FakeSlack) -> None:
    async with bench_of(fake) as at:
        await call(
            at.client, "upload_file", **{**FILE, "content": "a private word"}, comment="another secret"
        )
    assert "a private word" not in str(at.audit.records)
    assert "another secret" not in str(at.audit.records)


@pytest.mark.parametrize(
    "url",
    [
        "http://files.slack.com/upload",
        "https://slack.com.evil.example/",
        "https://evil.example/",
        "file:///etc",
    ],
)
async def test_bytes_go_to_hosts_of_slack_only(url: str) -> None:
    client = Client(SlackSettings())
    with pytest.raises(NotSlack):
        await client.upload(url, b"x")


async def test_what_stays_text_in_the_comment_is_said(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        _, made = await call(client, "upload_file", **FILE, comment="@nobody")
    (warning,) = made["warnings"]
    assert warning.startswith("these stay text: @nobody (")
