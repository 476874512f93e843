"""The change feed: nothing between two looks is lost, and fences hold for it, too."""

from collections.abc import Generator
from contextlib import contextmanager

import anyio
import pytest

from integration.gdrive.working import ADA, BO, call, client_of, fenced, settings_for
from ringmain_core.call import Call, current_call
from ringmain_core.cursors import Cursors
from ringmain_core.errors import InvalidArguments, NotFound, OutsideFence
from ringmain_core.policy import Grant
from ringmain_core.principal import Principal
from ringmain_core.services import Services
from ringmain_gdrive import feed as feed_module
from ringmain_gdrive.api import connect
from ringmain_gdrive.watch import WATCHES
from standins.gdrive.state import FakeDrive
from unit.core.accounts.desk import ANN, call_of

pytestmark = pytest.mark.anyio

SERVICES = Services(Cursors(b"0" * 32))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "PAUSES", (0.02, 0.05))


async def test_a_cursor_hears_everything_that_came_after_it(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        _, answer = await call(client, "changes")
        cursor = answer["next_cursor"]
        fake.revise(fake.named("notes.txt"), "new", BO)
        fake.trash(fake.named("Diary"))
        fake.delete(fake.named("people.csv"))
        _, answer = await call(client, "changes", cursor=cursor)
        found = {(row[1], row[3]) for row in answer["rows"]}
        assert {("changed", "notes.txt"), ("trashed", "Diary")} <= found
        assert "removed or not visible any more" in {what for what, _ in found}
        said, answer = await call(client, "changes", cursor=answer["next_cursor"])
        assert answer["rows"] == []
        assert "These are all so far" in said


async def test_changes_outside_of_the_fence_are_not_told(fake: FakeDrive) -> None:
    async with client_of(fake, policy=fenced(fake.named("Plans").id)) as client:
        _, answer = await call(client, "changes")
        cursor = answer["next_cursor"]
        fake.revise(fake.named("notes.txt"), "new", ADA)
        fake.revise(fake.named("Launch plan"), "# New", ADA)
        fake.delete(fake.named("people.csv"))
        _, answer = await call(client, "changes", cursor=cursor)
        assert {row[3] for row in answer["rows"]} == {"Launch plan"}


async def test_a_feed_of_many_pages_is_walked_to_its_end(fake: FakeDrive) -> None:
    async with connect(settings_for(fake), SERVICES) as gdrive:
        number = await gdrive.feed.begin()
        for index in range(250):
            fake.file(f"new {index}", "x", ADA)
        fake.fault("drive.changes.list", "503", after=1)
        seen, found = await gdrive.feed.after(number)
        assert found is not None
        names = {change.file.name for change in found if change.file is not None}
        assert {f"new {index}" for index in range(250)} <= names
        assert seen == number + len(found)


async def test_all_who_wait_share_one_look(fake: FakeDrive) -> None:
    async with connect(settings_for(fake), SERVICES) as gdrive:
        number = await gdrive.feed.begin()
        heard: list[int] = []

        async def listen() -> None:
            _, found = await gdrive.feed.after(number)
            heard.append(len(found or ()))

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(listen)
            await anyio.sleep(0.2)
            fake.revise(fake.named("notes.txt"), "new", ADA)
    assert len(heard) == 20
    assert len(fake.asked("drive.changes.list")) < 40


@pytest.mark.parametrize("name", ["file", "folder", "saved_search"])
async def test_what_is_followed_is_told(fake: FakeDrive, name: str) -> None:
    notes, files = fake.named("notes.txt"), fake.named("Files")
    variables = {"file": notes.id} if name == "file" else {"folder": files.id}
    if name == "saved_search":
        variables = {"search": "notes"}
    settings = settings_for(fake, searches={"notes": "name contains 'notes'"})
    async with connect(settings, SERVICES) as gdrive:
        changes = WATCHES[name].changes(gdrive, variables)
        await anext(changes)
        with anyio.move_on_after(0.3) as quiet:
            if name != "saved_search":
                fake.revise(fake.named("Launch plan"), "# Other", ADA)
            await anext(changes)
        assert quiet.cancelled_caught
        changes = WATCHES[name].changes(gdrive, variables)
        await anext(changes)
        fake.revise(notes, "new", ADA)
        with anyio.fail_after(5):
            await anext(changes)
        await changes.aclose()


async def test_fences_hold_for_who_listens(fake: FakeDrive) -> None:
    notes, files = fake.named("notes.txt"), fake.named("Files")
    async with connect(settings_for(fake), SERVICES) as gdrive:
        inside = Grant(allowed=True, because="", fences=({"gdrive.folder": [files.id]},))
        outside = Grant(allowed=True, because="", fences=({"gdrive.folder": ["elsewhere"]},))
        watch = WATCHES["file"]
        variables = {"file": notes.id}
        assert not watch.permits(gdrive, inside, variables)  # not placed yet
        caller = call_of(ANN)
        caller.connector = "gdrive"
        await watch.check(gdrive, caller, variables)
        assert watch.permits(gdrive, inside, variables)
        assert not watch.permits(gdrive, outside, variables)
        caller.grant = outside
        with pytest.raises(OutsideFence):
            await watch.check(gdrive, caller, variables)
        fake.move(notes, fake.named("Plans"))
        await gdrive.follow(notes.id)
        assert not watch.permits(gdrive, inside, variables)


@contextmanager
def current(call: Call) -> Generator[None]:
    token = current_call.set(call)
    yield
    current_call.reset(token)


def caller() -> Call:
    call = call_of(ANN)
    call.connector = "gdrive"
    return call


async def test_what_is_in_a_shared_drive_is_followed_in_its_own_log(fake: FakeDrive) -> None:
    spec, projects = fake.named("spec.md"), fake.named("Projects")
    settings = settings_for(fake, searches={"specs": "name contains 'spec'"})
    async with connect(settings, SERVICES) as gdrive:
        for name, variables in (
            ("file", {"file": spec.id}),
            ("folder", {"folder": projects.id}),
            ("saved_search", {"search": "specs"}),
        ):
            changes = WATCHES[name].changes(gdrive, variables)
            await anext(changes)
            fake.revise(spec, "newer", BO)
            with anyio.fail_after(5):
                await anext(changes)
            await changes.aclose()


async def test_a_file_is_followed_into_a_shared_drive_and_its_loss_is_told(fake: FakeDrive) -> None:
    notes, team = fake.named("notes.txt"), fake.named("Team")
    async with connect(settings_for(fake), SERVICES) as gdrive:
        changes = WATCHES["file"].changes(gdrive, {"file": notes.id})
        await anext(changes)
        for act in (
            lambda: fake.move(notes, fake.named("Projects")),
            lambda: fake.revise(notes, "new", BO),
            lambda: fake.unshare(team, ADA),
        ):
            act()
            with anyio.fail_after(5):
                await anext(changes)
        assert notes.id not in gdrive.last_seen
        await changes.aclose()


async def test_logs_that_nobody_waits_for_are_left(fake: FakeDrive) -> None:
    team, now = fake.named("Team").id, [0.0]
    async with connect(settings_for(fake), SERVICES) as gdrive:
        feed = feed_module.Feed(gdrive, lambda: now[0])
        number = await feed.begin(team)
        for later in (0.0, 1_000.0, 2_000.0):
            now[0] = later
            fake.revise(fake.named("notes.txt"), f"at {later}", ADA)
            number, _ = await feed.after(number)
    drives = [one.parameters.get("driveId") for one in fake.asked("drive.changes.list")]
    assert drives.count(team) == 1


async def test_only_what_can_be_heard_of_is_followed(fake: FakeDrive) -> None:
    notes, salaries = fake.named("notes.txt"), fake.named("Salaries.csv")
    settings = settings_for(fake, subject_claim="email", subject_domains="acme.example")
    async with connect(settings, SERVICES) as gdrive:
        for name, text in (
            ("folder", "root"),
            ("folder", "/Files"),
            ("file", "/Files/notes.txt"),
            ("file", f"https://drive.google.com/file/d/{notes.id}/view"),
        ):
            call = caller()
            call.principal = Principal("ada", "jwt", {"email": ADA})
            with current(call), pytest.raises(InvalidArguments, match="name it by its id"):
                await WATCHES[name].check(gdrive, call, {name: text})
        call = caller()
        call.principal = Principal("bo", "jwt", {"email": BO})
        with current(call), pytest.raises(NotFound, match="Its changes cannot be followed"):
            await WATCHES["file"].check(gdrive, call, {"file": salaries.id})


async def test_shared_drives_that_are_new_or_renamed_are_not_told_as_removed(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        said, answer = await call(client, "changes")
        assert "Shared drives have logs of their own" in said
        new = fake.shared_drive("Brand new", {ADA: "organizer"})
        fake.unshare(fake.named("Finance"), ADA)
        _, answer = await call(client, "changes", cursor=answer["next_cursor"])
    assert [row[1:4] for row in answer["rows"]] == [
        ["shared drive changed", new.id, "Brand new"],
        ["removed or not visible any more", fake.named("Finance").id, ""],
    ]


async def test_a_shared_drives_changes_are_all_told_where_it_is_named(fake: FakeDrive) -> None:
    team = fake.named("Team").id
    async with client_of(fake) as client:
        said, answer = await call(client, "changes", drive=team)
        assert "logs of their own" not in said
        fake.revise(fake.named("spec.md"), "new", BO)
        _, answer = await call(client, "changes", drive=team, cursor=answer["next_cursor"])
    assert [row[1:4] for row in answer["rows"]] == [["changed", fake.named("spec.md").id, "spec.md"]]
