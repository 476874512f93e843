"""Older contents come back, or are kept, and what that costs is told."""

import pytest

from integration.gdrive.working import ADA, BO, call, client_of, fenced, refusal, writes
from standins.gdrive.native import Document
from standins.gdrive.state import FakeDrive

pytestmark = pytest.mark.anyio


async def test_a_file_gets_an_older_content_which_is_kept_from_then_on(fake: FakeDrive) -> None:
    notes = fake.named("notes.txt")
    first = notes.revisions[0]
    wanted = {"file": notes.id, "revision_id": first.id}
    async with client_of(fake) as client:
        said, shown = await call(client, "restore_revision", **wanted, dry_run=True)
        assert "Drive keeps that revision for ever from then on" in said
        assert shown["requests"][0] == {"revisions.update": first.id, "keepForever": True}
        assert writes(fake) == []
        said, done = await call(client, "restore_revision", **wanted)
        assert "Restore revision" in said
        said, _ = await refusal(client, "restore_revision", file=notes.id, revision_id=done["revision"])
    assert said == "That is the current revision."
    assert (notes.text.strip(), len(notes.revisions), first.keep) == ("first", 4, True)
    assert writes(fake) == ["revisions.update", "files.update"]


async def test_a_document_gets_an_older_content_with_a_word_about_comments(fake: FakeDrive) -> None:
    plan = fake.named("Launch plan")
    async with client_of(fake) as client:
        said, _ = await call(client, "restore_revision", file=plan.id, revision_id="1", dry_run=True)
        assert "Open comments lose what they point at: 1." in said
        assert writes(fake) == []
        await call(client, "restore_revision", file=plan.id, revision_id="1")
    assert isinstance(plan.native, Document)
    assert "To be written." in plan.native.text
    assert len(plan.revisions) == 3


async def test_a_revision_is_only_kept(fake: FakeDrive) -> None:
    notes = fake.named("notes.txt")
    wanted = {"file": notes.id, "revision_id": notes.revisions[1].id, "pin": True}
    async with client_of(fake) as client:
        await call(client, "restore_revision", **wanted, dry_run=True)
        assert writes(fake) == []
        fake.fault("drive.revisions.update", "done-cut")
        said, _ = await call(client, "restore_revision", **wanted)
        assert "is kept for ever" in said
        said, _ = await refusal(
            client, "restore_revision", file=fake.named("Launch plan").id, revision_id="1", pin=True
        )
    assert "none can be pinned" in said
    assert [one.keep for one in notes.revisions] == [False, True, False]


@pytest.mark.parametrize("name", ["notes.txt", "Launch plan"])
@pytest.mark.parametrize("fault", ["done-cut", "done-500", "cut"])
async def test_it_is_done_once(fake: FakeDrive, name: str, fault: str) -> None:
    file = fake.named(name)
    before = len(file.revisions)
    fake.fault("drive.files.update", fault)
    wanted = {"file": file.id, "revision_id": file.revisions[0].id, "idempotency_key": "k"}
    async with client_of(fake) as client:
        if fault == "cut":
            await refusal(client, "restore_revision", **wanted)
        first, _ = await call(client, "restore_revision", **wanted)
        assert (await call(client, "restore_revision", **wanted))[0] == first
    assert len(file.revisions) == before + 1


async def test_refusals_are_told(fake: FakeDrive) -> None:
    notes = fake.named("notes.txt")
    async with client_of(fake) as client:
        said, _ = await refusal(client, "restore_revision", file=notes.id, revision_id="nothing")
        assert "There is no such" in said
        said, _ = await refusal(client, "restore_revision", file="/Plans", revision_id="1")
        assert "is a folder" in said
    async with client_of(fake, policy=fenced(fake.named("Plans").id)) as client:
        await refusal(client, "restore_revision", file=notes.id, revision_id=notes.revisions[0].id)
    async with client_of(fake, settings={"access": "app"}) as client:
        said, _ = await refusal(client, "restore_revision", file=notes.id, revision_id=notes.revisions[0].id)
        assert "RINGMAIN_GDRIVE_ACCESS=full" in said
    assert len(notes.revisions) == 3


async def test_files_of_shared_drives_have_older_contents_too(fake: FakeDrive) -> None:
    spec = fake.named("spec.md")
    fake.revise(spec, "All gone", BO)
    async with client_of(fake, ADA) as client:
        await call(client, "restore_revision", file=spec.id, revision_id=spec.revisions[0].id)
    assert spec.text.strip().startswith("# Spec")
