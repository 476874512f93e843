"""Files are put in order inside the fence; nothing is deleted, and nobody gets to see more unasked."""

from typing import Any

import pytest

from integration.gdrive.working import ADA, BO, ZOE, Person, call, client_of, fenced, refusal, writes
from standins.gdrive.file import File
from standins.gdrive.state import FakeDrive

pytestmark = pytest.mark.anyio


def called(fake: FakeDrive, name: str) -> list[File]:
    return [one for one in fake.store.files.values() if one.name == name]


async def test_a_file_is_moved_renamed_and_found_there(fake: FakeDrive) -> None:
    minutes = fake.named("minutes.txt")
    async with client_of(fake) as client:
        said, _ = await call(client, "organize", file=minutes.id, op="move", folder="/Plans")
        assert "Move “minutes.txt” into “My Drive/Plans”: done." in said
        assert "Nobody gains access. Nobody loses access." in said
        await call(client, "organize", file=minutes.id, op="rename", name="first.txt")
        _, shown = await call(client, "get_file", file="/Plans/first.txt")
        assert shown["facts"]["id"] == minutes.id
        said, _ = await call(client, "organize", file=minutes.id, op="move", folder="/Plans")
    assert "it was so already" in said
    assert writes(fake) == ["files.update", "files.update"]


async def test_a_folder_that_was_moved_is_where_it_is_now(fake: FakeDrive) -> None:
    minutes = fake.named("minutes.txt")
    async with client_of(fake) as client:
        await call(client, "get_file", file=minutes.id)
        await call(client, "organize", file="/Plans/Archive", op="move", folder="root")
        _, shown = await call(client, "get_file", file=minutes.id)
    assert shown["facts"]["path"] == "My Drive/Archive/minutes.txt"


async def test_who_gains_access_is_told_and_asked_about(fake: FakeDrive) -> None:
    diary, person = fake.named("Diary"), Person()
    move = {"file": diary.id, "op": "move", "folder": "/Plans"}
    async with client_of(fake, elicitation_callback=person) as client:
        said, _ = await call(client, "organize", **move, dry_run=True)
        assert "Gain access: user bo@acme.example (writer), group team@acme.example (reader)." in said
        assert writes(fake) == []
        assert person.asked == []
        await call(client, "organize", **move)
    assert len(person.asked) == 1
    assert "Gain access: user bo@acme.example (writer)" in person.asked[0]
    assert diary.parent == fake.named("Plans").id


async def test_a_no_leaves_it_where_it_is(fake: FakeDrive) -> None:
    diary, person = fake.named("Diary"), Person(says_yes=False)
    async with client_of(fake, elicitation_callback=person) as client:
        await refusal(client, "organize", file=diary.id, op="move", folder="/Plans")
        await refusal(client, "organize", file=diary.id, op="copy", folder="/Plans")
    assert writes(fake) == []


async def test_who_loses_access_is_told(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        said, _ = await call(client, "organize", file="/Plans/Budget", op="move", folder="root")
    assert "Nobody gains access. Lose access: user bo@acme.example (writer)" in said


@pytest.mark.parametrize("name", ["notes.txt", "Launch plan"])
@pytest.mark.parametrize("fault", ["", "done-cut", "done-500"])
async def test_a_copy_is_made_once(fake: FakeDrive, name: str, fault: str) -> None:
    if fault:
        fake.fault("drive.files.copy", fault)
    wanted = {"file": fake.named(name).id, "op": "copy", "name": "twin", "idempotency_key": "k"}
    async with client_of(fake) as client:
        first, made = await call(client, "organize", **wanted)
        assert (await call(client, "organize", **wanted))[0] == first
    (twin,) = called(fake, "twin")
    assert (twin.id, twin.parent, twin.text) == (made["id"], fake.named(name).parent, fake.named(name).text)


async def test_a_copy_that_got_lost_is_made_under_its_key(fake: FakeDrive) -> None:
    fake.fault("drive.files.copy", "cut")
    wanted = {"file": fake.named("Launch plan").id, "op": "copy", "name": "twin", "idempotency_key": "k"}
    async with client_of(fake) as client:
        await refusal(client, "organize", **wanted)
        await call(client, "organize", **wanted)
    assert len(called(fake, "twin")) == 1


async def test_a_shortcut_is_made_once(fake: FakeDrive) -> None:
    fake.fault("drive.files.create", "done-cut")
    async with client_of(fake) as client:
        _, made = await call(client, "organize", file="/Plans/Budget", op="shortcut", folder="/Files")
        await call(client, "organize", file=made["id"], op="rename", name="To the budget")
    shortcut = fake.named("To the budget")
    assert (shortcut.target, shortcut.parent) == (fake.named("Budget").id, fake.named("Files").id)


async def test_stars_are_set_and_taken(fake: FakeDrive) -> None:
    budget = fake.named("Budget")
    async with client_of(fake) as client:
        await call(client, "organize", file=budget.id, op="star")
        assert budget.starred == {ADA}
        fake.fault("drive.files.update", "done-cut")
        await call(client, "organize", file=budget.id, op="unstar")
    assert budget.starred == set()


async def test_a_person_is_asked_before_a_folder_goes_to_the_trash(fake: FakeDrive) -> None:
    plans, person = fake.named("Plans"), Person()
    async with client_of(fake, elicitation_callback=person) as client:
        said, _ = await call(client, "organize", file="/Plans", op="trash", dry_run=True)
        assert "with 4 files and 1 folder in it" in said
        assert writes(fake) == []
        await call(client, "organize", file="/Plans", op="trash")
        assert plans.trashed
        said, _ = await call(client, "organize", file=plans.id, op="trash")
        assert "it was so already" in said
        await call(client, "organize", file=plans.id, op="restore")
    assert person.asked == [
        (
            "Move “My Drive/Plans” to the trash, with 4 files and 1 folder in it? "
            "Drive deletes it for good after 30 days."
        )
    ]
    assert not plans.trashed
    assert fake.asked("drive.files.delete") == fake.asked("drive.files.emptyTrash") == []


async def test_without_a_yes_nothing_goes_to_the_trash(fake: FakeDrive) -> None:
    async with client_of(fake, elicitation_callback=Person(says_yes=False)) as client:
        _, error = await refusal(client, "organize", file="/Diary", op="trash")
        assert error["code"] == "declined"
    async with client_of(fake) as client:
        _, error = await refusal(client, "organize", file="/Diary", op="trash", idempotency_key="k")
        assert error["code"] == "confirmation_needed"
    assert writes(fake) == []


async def test_source_and_target_are_inside_of_the_fence(fake: FakeDrive) -> None:
    plans, notes = fake.named("Plans"), fake.named("notes.txt")
    way_out = fake.shortcut("Way out", fake.named("Diary"), ADA, parent=plans)
    door = fake.shortcut("Door", fake.named("Files"), ADA, parent=plans)
    async with client_of(fake, policy=fenced(plans.id)) as client:
        for wanted in (
            {"file": notes.id, "op": "move", "folder": plans.id},
            {"file": notes.id, "op": "star"},
            {"file": "/Plans/Budget", "op": "move", "folder": "root"},
            {"file": "/Plans/Budget", "op": "move", "folder": door.id},
            {"file": "/Plans/Budget", "op": "copy", "folder": "/Files"},
            {"file": "/Plans/Budget", "op": "shortcut", "folder": "/Files"},
            {"file": way_out.id, "op": "copy"},
            {"file": way_out.id, "op": "shortcut"},
            {"file": "/Plans", "op": "copy"},
        ):
            await refusal(client, "organize", **wanted)
        assert writes(fake) == []
        await call(client, "organize", file=way_out.id, op="rename", name="Old way")
        await call(client, "organize", file="/Plans/Budget", op="move", folder="/Plans/Archive")
    assert way_out.name == "Old way"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"op": "move"}, "Say where to"),
        ({"op": "rename"}, "what it shall be called"),
        ({"op": "star", "folder": "/Plans"}, "does not go with star"),
        ({"op": "trash", "name": "x"}, "does not go with trash"),
        ({"op": "copy", "file": "/Plans"}, "copies no folders"),
        ({"op": "move", "folder": "/Plans/Archive", "file": "/Plans"}, "cycle"),
    ],
)
async def test_what_makes_no_sense_is_told(fake: FakeDrive, wanted: dict[str, Any], words: str) -> None:
    async with client_of(fake) as client:
        said, _ = await refusal(client, "organize", **{"file": "/Diary", **wanted})
    assert words in said


async def test_shared_drives_take_files_and_folders(fake: FakeDrive) -> None:
    spec, person = fake.named("spec.md"), Person()
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "organize", file=spec.id, op="move", folder="Team/")
        said, _ = await call(
            client, "organize", file="/Diary", op="move", folder="Team/Projects", dry_run=True
        )
        assert "Gain access: user bo@acme.example (writer), user cleo@acme.example (reader)." in said
        await call(client, "organize", file="/Diary", op="move", folder="Team/Projects")
        said, _ = await refusal(client, "organize", file="/Plans", op="move", folder="Team/")
    assert "not supported" in said
    assert spec.parent == fake.named("Team").id
    assert fake.named("Diary").drive == fake.named("Team").id
    assert len(person.asked) == 2


async def test_limits_and_missing_rights_are_told(fake: FakeDrive) -> None:
    fake.fault("drive.files.update", "userRateLimitExceeded", seconds=30)
    async with client_of(fake) as client:
        said, _ = await refusal(client, "organize", file="/Diary", op="star")
        assert "Come back in 30 s" in said
    async with client_of(fake, BO, elicitation_callback=Person()) as client:
        said, _ = await refusal(client, "organize", file=fake.named("Budget").id, op="trash")
        assert "more rights" in said
    async with client_of(fake, settings={"access": "app"}) as client:
        said, _ = await refusal(client, "organize", file="/Diary", op="rename", name="x")
        assert "RINGMAIN_GDRIVE_ACCESS=full" in said


async def test_policy_waives_the_question_as_for_destructive_tools(fake: FakeDrive) -> None:
    policy = fenced("*").replace("fence =", "confirm = []\nfence =")
    async with client_of(fake, policy=policy) as client:
        await call(client, "organize", file="/Files/notes.txt", op="trash")
    assert fake.named("notes.txt").trashed


@pytest.mark.parametrize("op", ["move", "copy"])
async def test_nothing_is_shared_by_putting_it_elsewhere(fake: FakeDrive, op: str) -> None:
    public, partner = (fake.folder(name, ADA) for name in ("Public", "Partner"))
    fake.share(public, "anyone", "reader")
    fake.share(partner, ZOE, "reader")
    async with client_of(fake, elicitation_callback=Person()) as client:
        for dry_run in (True, False):
            wanted = {"file": "/Diary", "op": op, "dry_run": dry_run}
            said, _ = await refusal(client, "organize", **wanted, folder="/Public")
            assert "RINGMAIN_GDRIVE_PUBLIC_LINKS" in said
            said, _ = await refusal(client, "organize", **wanted, folder="/Partner")
            assert "Files are shared with acme.example here, and not with other.example" in said
    assert writes(fake) == []


@pytest.mark.parametrize("op", ["move", "copy"])
async def test_a_person_decides_who_gains_access_whatever_was_read(fake: FakeDrive, op: str) -> None:
    public, person = fake.folder("Public", ADA, parent=fake.named("Team")), Person()
    fake.share(public, "anyone", "reader")
    policy = fenced("*").replace("fence =", 'flow = "off"\nfence =')
    settings = {"public_links": True}
    wanted = {"file": "Team/Projects/Roadmap", "op": op, "folder": public.id}
    async with client_of(fake, policy=policy, settings=settings, elicitation_callback=person) as client:
        await call(client, "organize", **wanted)
    async with client_of(fake, policy=policy, settings=settings) as client:
        _, error = await refusal(client, "organize", **wanted | {"file": "Team/Projects/spec.md"})
        assert error["code"] == "confirmation_needed"
    (asked,) = person.asked
    assert "Gain access: everybody who has the link (reader)." in asked


async def test_a_shortcut_lets_nobody_in(fake: FakeDrive) -> None:
    public = fake.folder("Public", ADA)
    fake.share(public, "anyone", "reader")
    async with client_of(fake) as client:
        said, _ = await call(client, "organize", file="/Diary", op="shortcut", folder="/Public")
    assert "Gain access" not in said


async def test_where_policy_waives_the_question_what_is_private_still_does_not_flow(fake: FakeDrive) -> None:
    policy, person = fenced("*").replace("fence =", "confirm = []\nfence ="), Person()
    async with client_of(fake, policy=policy, elicitation_callback=person) as client:
        await call(client, "organize", file="/Diary", op="move", folder="/Plans")
    (asked,) = person.asked
    assert "More people will see it (group) than may read what this agent has read before (self)" in asked
