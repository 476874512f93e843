"""The change feed: nothing between two looks is lost, and fences hold for it, too."""

import anyio
import pytest

from integration.gdrive.working import ADA, BO, call, client_of, fenced, settings_for
from ringmain_core.cursors import Cursors
from ringmain_core.errors import OutsideFence
from ringmain_core.policy import Grant
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
        _, answer = await call(client, "changes", cursor=answer["next_cursor"])
        assert answer["rows"] == []


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
        await gdrive.look_again(notes.id)
        assert not watch.permits(gdrive, inside, variables)
