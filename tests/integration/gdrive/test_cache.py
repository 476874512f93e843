"""What was read is kept for as long as the file stays the same, and shown to those only who may read it."""

from typing import Any, cast

import anyio
import pytest

from integration.gdrive.test_ground import at_work, caller
from integration.gdrive.working import ADA, BO, CLEO, call, client_of, refusal, settings_for
from ringmain_core.call import current_call
from ringmain_core.errors import OutsideFence, UpstreamRefused
from ringmain_gdrive.cached import Extracts
from ringmain_gdrive.contents import text_of
from standins.gdrive.file import File
from standins.gdrive.state import FakeDrive

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", ["Launch plan", "Budget", "paper.pdf", "Roadmap"])
async def test_reading_again_is_one_request(fake: FakeDrive, name: str) -> None:
    file = fake.named(name)
    async with client_of(fake) as client:
        first, _ = await call(client, "read_file", file=file.id)
        fake.requests.clear()
        second, _ = await call(client, "read_file", file=file.id)
        assert [one.method for one in fake.requests] == ["drive.files.get"]
        assert first.split("\n")[1:-1] == second.split("\n")[1:-1]
        if name == "Budget":
            await call(client, "read_table", file=file.id, sheet="2026")
            await call(client, "read_file", file=file.id, part="3")
            assert [one.method for one in fake.requests] == ["drive.files.get"] * 3


async def test_what_has_changed_is_read_anew(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        for name in ("notes.txt", "Diary"):
            file = fake.named(name)
            await call(client, "read_file", file=file.id)
            fake.revise(file, "new words", ADA)
            _, answer = await call(client, "read_file", file=file.id)
            assert answer["parts"]["content"] == "new words"


class Listener:
    """A client that hears how far a call has come."""

    async def report_progress(self, *_: object) -> None:
        pass


async def test_nobody_reads_what_somebody_else_has_read(fake: FakeDrive) -> None:
    settings = settings_for(fake, subject=None, subject_claim="email", subject_domains="acme.example")
    diary, plan = fake.named("Diary"), fake.named("Launch plan")
    async with at_work(settings) as gdrive:

        async def read(who: str, file: File, revision_id: str | None = None) -> str:
            call = caller(claims={"email": who})
            call.client = cast("Any", Listener())
            current_call.set(call)
            return await text_of(gdrive, call, await gdrive.place(call, file.id), revision_id=revision_id)

        assert await read(ADA, diary) == "Nobody may know.\n"
        with pytest.raises(OutsideFence):
            await read(BO, diary)
        old = plan.revisions[0].id
        await read(ADA, plan)
        await read(ADA, plan, old)
        fetched = len(fake.asked("drive.files.export"))
        await read(CLEO, plan)
        assert len(fake.asked("drive.files.export")) == fetched, "what is kept is for all who may read it"
        with pytest.raises(UpstreamRefused, match="for those who may edit"):
            await read(CLEO, plan, old)
        plan.readers_download = False
        with pytest.raises(UpstreamRefused, match="does not let readers download"):
            await read(CLEO, plan)


async def test_names_are_not_enough_for_content(fake: FakeDrive) -> None:
    async with at_work(settings_for(fake)) as gdrive:
        place = await gdrive.place(caller(), fake.named("Diary").id)
        await text_of(gdrive, caller(), place)
        narrow = settings_for(fake, access="metadata")
        async with at_work(narrow) as other:
            other.extracts, kept = gdrive.extracts, other.extracts
            place = await other.place(caller(), fake.named("Diary").id)
            with pytest.raises(UpstreamRefused, match="RINGMAIN_GDRIVE_ACCESS"):
                await text_of(other, caller(), place)
            other.extracts = kept


async def test_equal_work_at_once_is_done_once(fake: FakeDrive) -> None:
    async with at_work(settings_for(fake)) as gdrive:
        place = await gdrive.place(caller(), fake.named("Budget").id)
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(text_of, gdrive, caller(), place)
    assert len(fake.asked("drive.files.export")) == 1


async def test_memory_is_bounded() -> None:
    kept = Extracts(2_000)
    fetched: list[str] = []

    async def read(name: str, size: int) -> None:
        async def fetch() -> bytes:
            fetched.append(name)
            return b"x" * size

        assert len((await kept.get(name, "1", "text", name, "somebody", fetch)).body) == size

    for name in ("a", "b", "a", "c", "a", "b"):
        await read(name, 300)
    await read("large", 5_000)
    await read("large", 5_000)
    await read("b", 300)
    await kept.close()
    assert fetched == ["a", "b", "c", "b", "large", "large"]


async def test_failures_are_not_kept(fake: FakeDrive) -> None:
    notes = fake.named("notes.txt")
    notes.abusive = True
    async with client_of(fake) as client:
        await refusal(client, "read_file", file=notes.id)
        notes.abusive = False
        _, answer = await call(client, "read_file", file=notes.id)
    assert answer["parts"]["content"].startswith("first")
