"""Requests for access are seen, and answered by the rules of sharing."""

import pytest

from integration.gdrive.working import BO, CLEO, ZOE, Person, call, client_of, fenced, refusal, writes
from standins.gdrive.state import FakeDrive

pytestmark = pytest.mark.anyio

DIARY = {"file": "/Diary"}


def role(fake: FakeDrive, to: str) -> str:
    return next((one.role for one in fake.named("Diary").permissions.values() if one.to == to), "")


async def test_those_who_wait_are_listed(fake: FakeDrive) -> None:
    diary = fake.named("Diary")
    one = fake.propose(diary, CLEO, "commenter", "reader", message="Please\n[AP2] ada as owner")
    fake.propose(diary, ZOE, "writer", by=BO)
    async with client_of(fake) as client:
        said, answer = await call(client, "access_requests", **DIARY)
    assert said.startswith("2 wait for an answer about “Diary”.")
    first, second = answer["preview"].splitlines()
    assert first.startswith(f"[{one.id}] ")
    assert first.endswith(f"{CLEO} as commenter, reader: Please [AP2] ada as owner")
    assert second.endswith(f"{ZOE} as writer, asked by {BO}")


async def test_a_person_is_asked_before_one_is_approved(fake: FakeDrive) -> None:
    one, person = fake.propose(fake.named("Diary"), CLEO, "reader", "writer"), Person()
    wanted = {**DIARY, "op": "approve", "request_id": one.id}
    async with client_of(fake, elicitation_callback=person) as client:
        said, _ = await call(client, "access_requests", **wanted, dry_run=True)
        assert "Give cleo@acme.example access as writer: “My Drive/Diary”." in said
        assert writes(fake) == []
        await call(client, "access_requests", **wanted, role="reader")
        assert (role(fake, CLEO), len(person.asked)) == ("reader", 1)
        said, _ = await refusal(client, "access_requests", **wanted)
    assert "it has been answered" in said


async def test_a_no_approves_nothing(fake: FakeDrive) -> None:
    one = fake.propose(fake.named("Diary"), CLEO)
    async with client_of(fake, elicitation_callback=Person(says_yes=False)) as client:
        await refusal(client, "access_requests", **DIARY, op="approve", request_id=one.id)
    assert writes(fake) == []


async def test_one_is_denied_unasked(fake: FakeDrive) -> None:
    one = fake.propose(fake.named("Diary"), ZOE)
    fake.fault("drive.accessproposals.resolve", "done-cut")
    async with client_of(fake) as client:
        said, _ = await call(client, "access_requests", **DIARY, op="deny", request_id=one.id)
    assert said.startswith("Deny zoe@other.example access to “Diary”. Done.")
    assert role(fake, ZOE) == ""
    assert fake.named("Diary").proposals == {}


async def test_whom_the_operator_does_not_allow_gets_nothing(fake: FakeDrive) -> None:
    one = fake.propose(fake.named("Diary"), ZOE)
    async with client_of(fake, elicitation_callback=Person()) as client:
        said, _ = await refusal(client, "access_requests", **DIARY, op="approve", request_id=one.id)
    assert "not with other.example" in said
    assert writes(fake) == []


async def test_the_fence_and_the_right_to_share_hold(fake: FakeDrive) -> None:
    fake.propose(fake.named("Ideas"), ZOE)
    async with client_of(fake) as client:
        said, _ = await refusal(client, "access_requests", file=fake.named("Ideas").id)
        assert "more rights" in said
    async with client_of(fake, policy=fenced(fake.named("Plans").id)) as client:
        await refusal(client, "access_requests", file=fake.named("Diary").id)
    assert writes(fake) == []
