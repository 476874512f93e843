"""Content is changed only at the revision that was meant, and never lost without a word."""

import base64
from typing import Any

import pytest

from integration.gdrive.working import ADA, BO, Person, bench_of, call, client_of, fenced, refusal, writes
from standins.gdrive.file import File
from standins.gdrive.native import Document
from standins.gdrive.seeded import docx, xlsx
from standins.gdrive.state import FakeDrive

pytestmark = pytest.mark.anyio


def revision(file: File) -> str:
    head = file.head
    return head.id if head is not None and file.native is None else f"v{file.version}"


def change(file: File, **more: Any) -> dict[str, Any]:
    return {"file": file.id, "if_revision": revision(file), **more}


async def test_a_text_is_replaced_and_appended_to(fake: FakeDrive) -> None:
    notes = fake.named("notes.txt")
    async with client_of(fake) as client:
        said, done = await call(client, "update_file", **change(notes, content="new"))
        assert said.startswith("Replace content of “notes.txt”: done.")
        assert done["revision"] == revision(notes)
        again = {"file": notes.id, "if_revision": done["revision"], "content": "more\n", "mode": "append"}
        await call(client, "update_file", **again)
    assert (notes.text.strip(), notes.mime_type) == ("new\nmore", "text/plain")


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252"])
async def test_a_text_is_appended_in_the_charset_of_the_file(fake: FakeDrive, charset: str) -> None:
    file = fake.file("a.txt", "Grüße aus\r\nZürich".encode(charset), ADA)
    async with client_of(fake) as client:
        await call(client, "update_file", **change(file, content="Größe", mode="append"))
    assert file.content is not None
    assert file.content.data.decode(charset) == "Grüße aus\r\nZürich\nGröße"


@pytest.mark.parametrize(
    ("data", "more"), [("Zürich".encode("cp1252"), "東京"), (b"\x81\x8d", "ö")], ids=["cp1252", "unknown"]
)
async def test_what_a_file_has_no_letters_for_is_not_appended(
    fake: FakeDrive, data: bytes, more: str
) -> None:
    file = fake.file("a.txt", data, ADA)
    async with client_of(fake) as client:
        said, _ = await refusal(client, "update_file", **change(file, content=more, mode="append"))
        assert f"in which `{more[0]}` cannot be written" in said
        await call(client, "update_file", **change(file, content="plain", mode="append"))
    assert file.content is not None
    assert file.content.data == data + b"\nplain"


async def test_images_of_a_markdown_file_are_kept_behind_what_is_read(fake: FakeDrive) -> None:
    image = "[image1]: <data:image/png;base64,iVBORw0KGgo>\n"
    file = fake.file("a.md", f"![][image1]\n\n{image}", ADA)
    async with client_of(fake) as client:
        said, _ = await call(client, "read_file", file=file.id)
        assert "base64" not in said
        await call(client, "update_file", **change(file, content="More.", mode="append"))
    assert file.content is not None
    assert file.content.data.decode() == f"![][image1]\n\n{image}More."


async def test_a_document_takes_markdown(fake: FakeDrive) -> None:
    plan = fake.named("Launch plan")
    async with client_of(fake) as client:
        _, done = await call(client, "update_file", **change(plan, content="Later.", mode="append"))
        assert done["warnings"] == [
            "Formatting, images and suggestions that Markdown does not carry are lost.",
            "Open comments lose what they point at: 1.",
        ]
        await call(
            client, "update_file", **{**change(plan, content="# All new"), "if_revision": done["revision"]}
        )
    assert plan.native == Document("# All new")
    before = plan.revisions[-2].content.native
    assert isinstance(before, Document)
    assert "We ship on" in before.text
    assert before.text.endswith("\nLater.")


async def test_a_spreadsheet_takes_csv_and_says_what_goes(fake: FakeDrive) -> None:
    budget = fake.named("Budget")
    async with client_of(fake) as client:
        said, _ = await call(client, "update_file", **change(budget, content="a,b\n", dry_run=True))
        assert "all other sheets, formulas and formats are lost" in said
        said, _ = await refusal(client, "update_file", **change(budget, content="a", mode="append"))
        assert "Nothing can be appended to a spreadsheet" in said
        assert writes(fake) == []
        data = base64.b64encode(xlsx()).decode()
        _, done = await call(client, "update_file", **change(budget, content_base64=data))
    assert done["warnings"] == []
    assert "Numbers" in str(budget.native)


async def test_an_office_file_takes_its_bytes_with_a_warning(fake: FakeDrive) -> None:
    report = fake.named("report.docx")
    data = base64.b64encode(docx() + b"\0").decode()
    async with client_of(fake) as client:
        said, _ = await refusal(client, "update_file", **change(report, content="text"))
        assert "takes its bytes" in said
        said, _ = await call(client, "update_file", **change(report, content_base64=data))
    assert "Comments and tracked changes inside" in said
    assert report.content is not None
    assert report.content.data == docx() + b"\0"
    assert report.mime_type.endswith("wordprocessingml.document")


@pytest.mark.parametrize("name", ["notes.txt", "Launch plan"])
async def test_a_revision_that_has_moved_is_told(fake: FakeDrive, name: str) -> None:
    file = fake.named(name)
    meant = change(file, content="mine")
    fake.revise(file, "theirs", BO)
    async with client_of(fake) as client:
        said, error = await refusal(client, "update_file", **meant)
    assert f"it is at revision {revision(file)}, not {meant['if_revision']}" in said
    assert error["revision"] == revision(file)
    assert file.text.strip() == "theirs"
    assert writes(fake) == []


async def test_what_moves_while_it_is_being_read_is_not_overwritten(fake: FakeDrive) -> None:
    notes = fake.named("notes.txt")
    meant = change(notes, content="mine", mode="append")

    class Between:
        """Somebody writes as soon as the content was read."""

        def __init__(self) -> None:
            self.look = fake.time

        def __call__(self) -> float:
            if fake.asked("drive.comments.list") and len(notes.revisions) == 3:
                fake.time = self.look
                fake.revise(notes, "theirs", BO)
            return self.look()

    async with client_of(fake) as client:
        await call(client, "whoami")
        fake.time = Between()
        said, _ = await refusal(client, "update_file", **meant)
    assert "has changed" in said
    assert notes.text.strip() == "theirs"


async def test_a_rehearsal_changes_nothing(fake: FakeDrive) -> None:
    notes = fake.named("notes.txt")
    async with client_of(fake) as client:
        said, shown = await call(
            client,
            "update_file",
            **change(notes, content="x", mode="append", keep_revision=True, dry_run=True),
        )
    assert "Append content of “notes.txt”, 20 bytes." in said
    assert shown["requests"] == [
        {"files.update": notes.id, "media": "text/plain, 20 bytes", "keepRevisionForever": True}
    ]
    assert writes(fake) == []


async def test_a_key_changes_it_once(fake: FakeDrive) -> None:
    notes = fake.named("notes.txt")
    wanted = change(notes, content="x", mode="append", idempotency_key="k")
    async with client_of(fake) as client:
        first, _ = await call(client, "update_file", **wanted)
        assert (await call(client, "update_file", **wanted))[0] == first
    assert len(notes.revisions) == 4


@pytest.mark.parametrize("name", ["notes.txt", "Launch plan"])
@pytest.mark.parametrize("fault", ["done-cut", "done-500", "done-slow"])
async def test_a_change_without_an_answer_is_found(fake: FakeDrive, name: str, fault: str) -> None:
    file = fake.named(name)
    before = len(file.revisions)
    fake.fault("drive.files.update", fault, seconds=1.0 if fault == "done-slow" else 0.0)
    async with client_of(fake, settings={"request_timeout": 0.5}) as client:
        _, done = await call(client, "update_file", **change(file, content="mine"))
    assert done["revision"] == revision(file)
    assert len(file.revisions) == before + 1


async def test_a_change_that_got_lost_is_done_under_its_key(fake: FakeDrive) -> None:
    notes = fake.named("notes.txt")
    fake.fault("drive.files.update", "cut")
    wanted = change(notes, content="mine", idempotency_key="k")
    async with client_of(fake) as client:
        said, _ = await refusal(client, "update_file", **wanted)
        assert "not known" in said
        await call(client, "update_file", **wanted)
    assert (notes.text.strip(), len(notes.revisions)) == ("mine", 4)


async def test_others_files_and_those_outside_of_the_fence_are_left_alone(fake: FakeDrive) -> None:
    notes, ideas = fake.named("notes.txt"), fake.named("Ideas")
    async with client_of(fake) as client:
        said, _ = await refusal(client, "update_file", **change(ideas, content="x"))
        assert "more rights" in said
    async with client_of(fake, policy=fenced(fake.named("Plans").id)) as client:
        said, _ = await refusal(client, "update_file", **change(notes, content="x"))
        assert "is not there" in said
    assert notes.text.strip() == "first\nsecond\nthird"


async def test_only_what_was_made_here_is_changed_with_the_narrow_scope(fake: FakeDrive) -> None:
    notes = fake.named("notes.txt")
    async with client_of(fake, settings={"access": "app"}) as client:
        said, _ = await refusal(client, "update_file", **change(notes, content="x"))
        assert "RINGMAIN_GDRIVE_ACCESS=full" in said
        _, made = await call(client, "create_file", name="mine.txt", content="x")
        _, done = await call(
            client, "update_file", file=made["id"], if_revision=made["revision"], content="y"
        )
    assert fake.store.files[done["id"]].text.strip() == "y"


async def test_more_readers_than_of_what_was_read_are_a_persons_decision(fake: FakeDrive) -> None:
    person = Person()
    plan = fake.named("Launch plan")
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "get_file", file="/Diary")
        await call(client, "update_file", **change(plan, content="# Secrets"))
    assert len(person.asked) == 1
    assert person.asked[0].startswith("Replace content of “Launch plan”? More people will see it (group)")


async def test_a_file_of_a_shared_drive_is_changed(fake: FakeDrive) -> None:
    spec = fake.named("spec.md")
    async with client_of(fake, BO) as client:
        await call(client, "update_file", **change(spec, content="It fails.", keep_revision=True))
    assert spec.text.strip() == "It fails."
    assert spec.head is not None
    assert spec.head.keep


async def test_contents_do_not_reach_the_audit(fake: FakeDrive) -> None:
    async with bench_of(fake, ADA) as at:
        await call(at.client, "update_file", **change(fake.named("notes.txt"), content="a private word"))
    assert "a private word" not in str(at.audit.records)


async def test_all_open_comments_are_counted(fake: FakeDrive) -> None:
    plan = fake.document("Commented", "x", ADA)
    for number in range(130):
        fake.comment(plan, BO, f"question {number}")
    async with client_of(fake) as client:
        _, shown = await call(client, "get_file", file=plan.id)
        revision = shown["facts"]["revision"]
        said, _ = await call(
            client, "update_file", file=plan.id, if_revision=revision, content="y", dry_run=True
        )
    assert "Open comments lose what they point at: 130." in said
