"""Access is given to whom the operator allows and a person says, changed, taken away, and told."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration.gdrive.working import (
    ADA,
    BO,
    CLEO,
    ZOE,
    Person,
    bench_of,
    call,
    client_of,
    fenced,
    refusal,
    writes,
)
from ringmain_gdrive.permissions import LEAST
from standins.gdrive.file import File
from standins.gdrive.models import Permission
from standins.gdrive.seeded import TEAM
from standins.gdrive.state import FakeDrive

pytestmark = pytest.mark.anyio


def given(file: File, to: str) -> Permission | None:
    return next((one for one in file.permissions.values() if one.to == to), None)


def role(file: File, to: str) -> str:
    found = given(file, to)
    return found.role if found is not None else ""


async def test_a_person_is_asked_and_access_is_given(fake: FakeDrive) -> None:
    diary, person = fake.named("Diary"), Person()
    async with client_of(fake, elicitation_callback=person) as client:
        said, _ = await call(client, "share", file="/Diary", to=BO, role="commenter")
    assert said.startswith("“Diary” is shared with bo@acme.example as commenter.")
    assert person.asked == ["Give bo@acme.example access as commenter: “My Drive/Diary”. Do you want that?"]
    assert role(diary, BO) == "commenter"
    assert fake.mails == []


async def test_a_no_gives_nothing(fake: FakeDrive) -> None:
    async with client_of(fake, elicitation_callback=Person(says_yes=False)) as client:
        _, error = await refusal(client, "share", file="/Diary", to=BO)
        assert error["code"] == "declined"
    async with client_of(fake) as client:
        _, error = await refusal(client, "share", file="/Diary", to=BO)
        assert error["code"] == "confirmation_needed"
    assert writes(fake) == []


async def test_a_rehearsal_tells_how_far_it_goes(fake: FakeDrive) -> None:
    settings = {"share_domains": "acme.example,other.example"}
    async with client_of(fake, settings=settings) as client:
        said, shown = await call(client, "share", file="/Plans", to=ZOE, role="writer", dry_run=True)
    assert "Give zoe@other.example access as writer: “My Drive/Plans” and all that is below, 4 files" in said
    assert "and 1 folder. That is outside of acme.example." in said
    assert "user bo@acme.example: writer" in said
    assert "Nobody outside of acme.example is let in." in said
    assert shown["requests"] == [
        {"permissions.create": {"type": "user", "emailAddress": ZOE, "role": "writer"}}
    ]
    assert writes(fake) == []


@pytest.mark.parametrize(
    ("to", "words"),
    [
        (ZOE, "Files are shared with acme.example here, and not with other.example."),
        ("other.example", "not with other.example"),
        ("anyone", "RINGMAIN_GDRIVE_PUBLIC_LINKS"),
        ("bo@acme.example.evil.example", "not with acme.example.evil.example"),
        ("nonsense", "is an e-mail address"),
        ("a@b@acme.example", "is an e-mail address"),
    ],
)
async def test_the_operator_says_with_whom(fake: FakeDrive, to: str, words: str) -> None:
    async with client_of(fake, elicitation_callback=Person()) as client:
        said, _ = await refusal(client, "share", file="/Diary", to=to)
    assert words in said
    assert writes(fake) == []


async def test_nobody_is_made_an_owner(fake: FakeDrive) -> None:
    async with client_of(fake, elicitation_callback=Person()) as client:
        await refusal(client, "share", file="/Diary", to=BO, role="owner")
        said, _ = await refusal(client, "share", file="/Diary", to=ADA, role="reader")
        assert "owns it" in said
        said, _ = await refusal(client, "share", file="/Diary", to=ADA, remove=True)
        assert "owns it" in said
    assert writes(fake) == []


async def test_public_links_are_given_where_they_are_allowed(fake: FakeDrive) -> None:
    diary, person = fake.named("Diary"), Person()
    async with client_of(fake, settings={"public_links": True}, elicitation_callback=person) as client:
        await call(client, "share", file="/Diary", to="anyone")
        assert [one.type for one in diary.permissions.values()] == ["anyone"]
        assert "Give everybody who has the link access as reader: “My Drive/Diary”." in person.asked[0]
        assert "That is outside of acme.example." in person.asked[0]
        await call(client, "share", file="/Diary", to="anyone", remove=True)
    assert diary.permissions == {}
    assert len(person.asked) == 1


async def test_after_private_reading_the_way_out_is_asked_about_twice(fake: FakeDrive) -> None:
    person = Person()
    async with client_of(fake, settings={"public_links": True}, elicitation_callback=person) as client:
        await call(client, "get_file", file="/Diary")
        await call(client, "share", file="/Files/notes.txt", to="anyone")
    assert len(person.asked) == 2
    assert "More people will see it (public)" in person.asked[1]


async def test_a_group_and_a_domain_are_given_access(fake: FakeDrive) -> None:
    diary = fake.named("Diary")
    async with client_of(fake, elicitation_callback=Person()) as client:
        await call(client, "share", file="/Diary", to=TEAM)
        await call(client, "share", file="/Diary", to="acme.example")
    assert sorted(one.type for one in diary.permissions.values()) == ["domain", "group"]


async def test_an_address_that_nobody_has_is_told(fake: FakeDrive) -> None:
    wanted = {"file": "/Diary", "to": "nobody@acme.example"}
    async with client_of(fake, elicitation_callback=Person()) as client:
        said, _ = await refusal(client, "share", **wanted)
        assert "there is no account of that name; notify=true invites it" in said
        await call(client, "share", **wanted, notify=True, message="Have a look")
    assert [(mail.to, mail.message) for mail in fake.mails] == [("nobody@acme.example", "Have a look")]


async def test_what_is_so_already_is_done_unasked(fake: FakeDrive) -> None:
    person = Person()
    async with client_of(fake, elicitation_callback=person) as client:
        said, _ = await call(client, "share", file="/Plans", to=BO, role="writer")
        assert "as it was already" in said
        said, _ = await call(client, "share", file="/Plans/Budget", to=BO, role="reader")
        assert "as it was already" in said
        await call(client, "share", file="/Diary", to=BO, remove=True)
    assert person.asked == []
    assert writes(fake) == []


async def test_roles_and_ends_are_changed_and_only_more_is_asked_about(fake: FakeDrive) -> None:
    diary, person = fake.named("Diary"), Person()
    fake.share(diary, BO, "commenter")
    soon = datetime.now(UTC) + timedelta(days=3)
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "share", file="/Diary", to=BO, role="reader")
        assert (role(diary, BO), person.asked) == ("reader", [])
        await call(client, "share", file="/Diary", to=BO, role="reader", expires=soon.isoformat())
        held = given(diary, BO)
        assert held is not None
        assert abs(held.expires - soon.timestamp()) < 2
        assert person.asked == []
        await call(client, "share", file="/Diary", to=BO, role="writer")
    held = given(diary, BO)
    assert held is not None
    assert (held.role, held.expires, len(person.asked)) == ("writer", 0.0, 1)
    assert writes(fake) == ["permissions.update"] * 3


async def test_strangers_can_be_given_less_but_not_more(fake: FakeDrive) -> None:
    diary = fake.named("Diary")
    fake.share(diary, ZOE, "commenter")
    async with client_of(fake, elicitation_callback=Person()) as client:
        await refusal(client, "share", file="/Diary", to=ZOE, role="writer")
        await call(client, "share", file="/Diary", to=ZOE, role="reader")
        assert role(diary, ZOE) == "reader"
        await call(client, "share", file="/Diary", to=ZOE, remove=True)
    assert role(diary, ZOE) == ""


async def test_a_public_mail_provider_is_no_organisation(fake: FakeDrive) -> None:
    fake.user("ann@gmail.com")
    fake.file("mine.txt", "x", "ann@gmail.com")
    fake.user("bob@gmail.com")
    info = fake.service_account("other@project.example", delegated=["ann@gmail.com"], scopes=LEAST)
    settings = {"service_account_key": json.dumps(info)}
    async with client_of(fake, "ann@gmail.com", settings=settings, elicitation_callback=Person()) as client:
        said, _ = await refusal(client, "share", file="/mine.txt", to="bob@gmail.com")
    assert "Files are shared with nobody here, and not with gmail.com" in said


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"expires": "2020-01-01"}, "lies in the future"),
        ({"expires": "2999-01-01"}, "at most a year"),
        ({"expires": "soon"}, "is no time"),
        ({"to": "acme.example", "expires": "2999-01-01"}, "people and groups"),
        ({"to": "acme.example", "notify": True}, "people and groups"),
        ({"message": "Hello"}, "notify=true"),
        ({"remove": True, "notify": True}, "do not go with `remove`"),
    ],
)
async def test_what_google_would_not_take_is_told_before(
    fake: FakeDrive, wanted: dict[str, Any], words: str
) -> None:
    async with client_of(fake, elicitation_callback=Person()) as client:
        said, _ = await refusal(client, "share", **{"file": "/Diary", "to": BO, **wanted})
    assert words in said
    assert writes(fake) == []


async def test_access_is_taken_away_unasked_where_it_was_given(fake: FakeDrive) -> None:
    plans, person = fake.named("Plans"), Person()
    async with client_of(fake, elicitation_callback=person) as client:
        said, _ = await refusal(client, "share", file="/Plans/Budget", to=BO, remove=True)
        assert f"This access comes from “Plans” ({plans.id})" in said
        said, _ = await call(client, "share", file="/Plans", to=BO, remove=True)
    assert said.startswith("“Plans” is not shared with bo@acme.example.")
    assert role(plans, BO) == ""
    assert person.asked == []


@pytest.mark.parametrize("fault", ["done-cut", "done-500", "done-slow", "cut"])
@pytest.mark.parametrize("notify", [True, False])
async def test_access_is_given_once(fake: FakeDrive, fault: str, *, notify: bool) -> None:
    fake.fault("drive.permissions.create", fault, seconds=1.0 if fault == "done-slow" else 0.0)
    wanted = {"file": "/Diary", "to": BO, "notify": notify, "idempotency_key": "k"}
    settings = {"request_timeout": 0.4}
    async with client_of(fake, settings=settings, elicitation_callback=Person()) as client:
        if fault == "cut" and notify:  # what cannot be known is not sent again by itself
            await refusal(client, "share", **wanted)
        first, _ = await call(client, "share", **wanted)
        assert (await call(client, "share", **wanted))[0] == first
    assert role(fake.named("Diary"), BO) == "reader"
    assert len(fake.mails) == notify


async def test_limits_and_policies_are_told_in_words(fake: FakeDrive) -> None:
    settings = {"share_domains": "other.example,acme.example", "limit_patience": 1.0}
    async with client_of(fake, settings=settings, elicitation_callback=Person()) as client:
        fake.sharing_left = 0
        said, _ = await refusal(client, "share", file="/Diary", to=BO)
        assert "sharingRateLimitExceeded" in said
        fake.sharing_left = None
        fake.domain("acme.example", share_out=False)
        said, _ = await refusal(client, "share", file="/Diary", to=ZOE)
        assert "The organisation does not allow sharing outside." in said
        said, _ = await refusal(client, "share", file=fake.named("Team").id, to="acme.example")
    assert "A whole shared drive cannot be shared that way." in said


async def test_shared_drives_say_where_access_comes_from(fake: FakeDrive) -> None:
    roadmap = fake.named("Roadmap")
    async with client_of(fake, elicitation_callback=Person()) as client:
        said, _ = await refusal(client, "share", file=roadmap.id, to=CLEO, remove=True)
        assert "This access comes from “Team”" in said
        await call(client, "share", file=roadmap.id, to=CLEO, role="writer")
        assert role(roadmap, CLEO) == "writer"
        said, _ = await call(client, "share", file=roadmap.id, to=CLEO, remove=True)
    assert "They stay reader by what a folder above gives." in said


async def test_nothing_is_shared_outside_of_the_fence(fake: FakeDrive) -> None:
    async with client_of(
        fake, policy=fenced(fake.named("Plans").id), elicitation_callback=Person()
    ) as client:
        await refusal(client, "share", file=fake.named("Diary").id, to=BO)
    assert writes(fake) == []


async def test_messages_do_not_reach_the_audit(fake: FakeDrive) -> None:
    async with bench_of(fake, elicitation_callback=Person()) as at:
        await call(at.client, "share", file="/Diary", to=BO, notify=True, message="a private word")
    assert "a private word" not in str(at.audit.records)


async def test_what_is_mailed_is_shown_before(fake: FakeDrive) -> None:
    person, wanted = Person(), {"file": "/Diary", "to": BO, "notify": True, "message": "Bo,\nperuse “this”"}
    async with client_of(fake) as client:
        said, shown = await call(client, "share", **wanted, dry_run=True)
        assert "They get a mail: “Bo, peruse 'this'”." in said
        (request,) = shown["requests"]
        assert request["sendNotificationEmail"] is True
        assert request["emailMessage"] == "Bo,\nperuse “this”"
        said, _ = await refusal(client, "share", **wanted | {"message": "x" * 1_001})
        assert "at most 1,000 characters" in said
    async with bench_of(fake, elicitation_callback=person) as at:
        await call(at.client, "share", **wanted)
    (asked,) = person.asked
    assert "They get a mail: “Bo, peruse 'this'”." in asked
    assert "peruse" not in str(at.audit.records)


async def test_that_no_mail_is_sent_is_said(fake: FakeDrive) -> None:
    fake.share(fake.named("Diary"), BO, "reader")
    wanted = {"file": "/Diary", "to": BO, "notify": True, "message": "Hello"}
    async with client_of(fake, elicitation_callback=Person()) as client:
        for role in ("reader", "writer"):
            said, _ = await call(client, "share", **wanted, role=role)
            assert "No mail is sent" in said
    assert fake.mails == []


async def test_no_name_can_forge_the_question(fake: FakeDrive) -> None:
    name = f"Budget” with bo@acme.example as reader. Do you want that?{'.' * 1_500}“x"
    person = Person()
    made = fake.document(name, "secret", ADA)
    settings = {"share_domains": "acme.example,other.example"}
    async with client_of(fake, settings=settings, elicitation_callback=person) as client:
        await call(client, "share", file=made.id, to=ZOE, role="writer")
        await call(client, "organize", file=made.id, op="trash")
    shared, trashed = person.asked
    assert shared.startswith("Give zoe@other.example access as writer: “My Drive/Budget' with bo@acme")
    assert shared.endswith("'x”. That is outside of acme.example. Do you want that?")
    for asked in person.asked:
        assert (asked.count("“"), asked.count("”")) == (1, 1)
        assert len(asked) < 200
    assert "to the trash" in trashed


async def test_what_is_above_the_fence_is_not_named(fake: FakeDrive) -> None:
    async with client_of(fake, policy=fenced(fake.named("Archive").id)) as client:
        said, _ = await refusal(client, "share", file=fake.named("Archive").id, to=BO, remove=True)
    assert "This access comes from a folder above that you may not use" in said
    assert "Plans" not in said


async def test_only_a_workspace_is_an_organisation(fake: FakeDrive) -> None:
    robot = fake.service_account("robot@private.example")
    fake.share(fake.named("Diary"), "robot@private.example", "writer")
    fake.user("ann@private.example")
    settings: dict[str, Any] = {"service_account_key": json.dumps(robot), "subject": None}
    diary = {"file": fake.named("Diary").id}
    async with client_of(fake, settings=settings, elicitation_callback=Person()) as client:
        said, _ = await refusal(client, "share", **diary, to="ann@private.example")
        assert "Files are shared with nobody here, and not with private.example" in said
        said, _ = await call(client, "list_permissions", **diary)
        assert "Let in from outside of robot@private.example: user ada@acme.example (owner)." in said
    settings["share_domains"] = "private.example"
    async with client_of(fake, settings=settings, elicitation_callback=Person()) as client:
        await call(client, "share", **diary, to="ann@private.example")
