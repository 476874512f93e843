"""Who reads a file is known well enough that nothing which was read gets to others unasked."""

import pytest

from integration.gdrive.working import ADA, ZOE, Person, call, client_of, fenced
from standins.gdrive.file import File
from standins.gdrive.state import FakeDrive

pytestmark = pytest.mark.anyio


async def asked_before_writing(fake: FakeDrive, read: str, *folders: File) -> list[str]:
    """What a person is asked where something is read, and then written into each folder."""
    person = Person()
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "read_file", file=read)
        for folder in folders:
            await call(client, "create_file", name="new.txt", folder=folder.id, content="x")
    return person.asked


async def test_folders_of_a_shared_drive_with_more_readers_are_asked_about(fake: FakeDrive) -> None:
    team = fake.named("Team")
    public, partner = (fake.folder(name, ADA, parent=team) for name in ("Public", "Partner"))
    fake.share(public, "anyone", "reader")
    fake.share(partner, ZOE, "writer")
    below = fake.folder("Below", ADA, parent=partner)
    asked = await asked_before_writing(fake, "Team/Projects/Roadmap", public, partner, below)
    assert [one.partition("?")[0] for one in asked] == [
        "Create “new.txt” in “Team/Public”",
        "Create “new.txt” in “Team/Partner”",
        "Create “new.txt” in “Team/Partner/Below”",
    ]
    assert all("(public) than may read what this agent has read before (group)" in one for one in asked)


async def test_within_one_set_of_readers_nobody_is_asked(fake: FakeDrive) -> None:
    partner = fake.folder("Partner", ADA, parent=fake.named("Team"))
    fake.share(partner, ZOE, "writer")
    fake.file("terms.txt", "x", ADA, parent=partner)
    assert await asked_before_writing(fake, "Team/Projects/Roadmap", fake.named("Projects")) == []
    assert await asked_before_writing(fake, "Team/Partner/terms.txt", partner) == []


async def test_what_is_in_a_limited_folder_does_not_go_to_the_whole_drive_unasked(fake: FakeDrive) -> None:
    limited = fake.folder("HR only", ADA, parent=fake.named("Team"))
    limited.limited = True
    fake.document("Pay", "Bo earns 5000", ADA, parent=limited)
    (asked,) = await asked_before_writing(fake, "Team/HR only/Pay", fake.named("Projects"))
    assert "Others will see it than those who may read what this agent has read before" in asked


async def test_a_shared_drive_with_a_guest_is_wider_than_the_organisation(fake: FakeDrive) -> None:
    fake.share(fake.document("Handbook", "internal", ADA), "acme.example", "reader")
    guests = fake.shared_drive("Guests", {ADA: "organizer", ZOE: "reader"})
    (asked,) = await asked_before_writing(fake, "/Handbook", guests)
    assert "More people will see it (public)" in asked


async def test_another_organisation_and_outsiders_are_the_public(fake: FakeDrive) -> None:
    fake.share(fake.document("Handbook", "internal", ADA), "acme.example", "reader")
    partner, other, own = (fake.folder(name, ADA) for name in ("Partner", "Other", "Own"))
    fake.share(partner, ZOE, "writer")
    fake.share(other, "other.example", "reader")
    fake.share(own, "acme.example", "reader")
    asked = await asked_before_writing(fake, "/Handbook", partner, other, own)
    assert [one.partition("?")[0] for one in asked] == [
        "Create “new.txt” in “My Drive/Partner”",
        "Create “new.txt” in “My Drive/Other”",
    ]
    async with client_of(fake) as client:
        _, shown = await call(client, "get_file", file="/Other")
        assert shown["facts"]["readers"] == "public"
        _, shown = await call(client, "get_file", file="/Own")
        assert shown["facts"]["readers"] == "organisation"


async def test_what_another_organisation_reads_does_not_go_to_the_own_one_unasked(fake: FakeDrive) -> None:
    fake.share(fake.document("Offer", "secret", ADA), "other.example", "reader")
    own = fake.folder("Own", ADA)
    fake.share(own, "acme.example", "reader")
    (asked,) = await asked_before_writing(fake, "/Offer", own)
    assert "(organisation) than may read what this agent has read before (group)" in asked


async def test_where_drive_does_not_say_who_reads_it_everybody_may(fake: FakeDrive) -> None:
    ideas = fake.named("Ideas")
    person = Person()
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "comment", file=ideas.id, text="Good")
        assert person.asked == []
        await call(client, "read_file", file="/Diary")
        await call(client, "comment", file=ideas.id, text="Better")
    (asked,) = person.asked
    assert "More people will see it (public)" in asked


async def test_reading_in_my_drive_asks_no_more_than_before(fake: FakeDrive) -> None:
    plan = fake.named("Launch plan")
    async with client_of(fake) as client:
        await call(client, "read_file", file=plan.id)
        asked = len(fake.requests)
        await call(client, "read_file", file=plan.id)
    assert [one.method for one in fake.requests[asked:]] == ["drive.files.get"]


async def test_without_the_gate_nobody_looks_up_readers(fake: FakeDrive) -> None:
    policy = fenced("*").replace("fence =", 'flow = "off"\nfence =')
    async with client_of(fake, policy=policy) as client:
        await call(client, "create_file", name="x.txt", folder=fake.named("Projects").id, content="x")
    assert fake.asked("drive.permissions.list") == []
