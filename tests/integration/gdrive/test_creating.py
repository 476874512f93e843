"""Files are made once, where they should be, in the form that is asked for."""

import base64

import pytest

from integration.gdrive.working import ADA, BO, Person, bench_of, call, client_of, fenced, refusal, writes
from standins.gdrive.file import File
from standins.gdrive.native import DOCUMENT, SPREADSHEET, Document, Spreadsheet
from standins.gdrive.seeded import docx
from standins.gdrive.state import FakeDrive

pytestmark = pytest.mark.anyio

NATIVE = pytest.mark.parametrize("kind", ["file", "document"])


def called(fake: FakeDrive, name: str) -> list[File]:
    return [one for one in fake.store.files.values() if one.name == name]


async def test_a_text_becomes_a_file_of_the_type_that_its_name_says(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        said, made = await call(client, "create_file", name="a.md", folder="/Plans", content="# Hello\n")
    file = fake.store.files[made["id"]]
    assert said.startswith("Made the markdown “a.md”.\nurl: ")
    assert (file.parent, file.mime_type, file.text.strip()) == (
        fake.named("Plans").id,
        "text/markdown",
        "# Hello",
    )
    assert made["revision"] == file.revisions[-1].id


@pytest.mark.parametrize(
    "name", ["Report.docx", "Paper.pdf", "picture.png", "Old.xls", "all.zip", "tool.exe"]
)
async def test_a_text_becomes_no_file_that_is_none_inside(fake: FakeDrive, name: str) -> None:
    async with client_of(fake) as client:
        said, _ = await refusal(client, "create_file", name=name, content="# Hello")
        assert "is not text inside: give its bytes (`content_base64`); or `kind=document`" in said
        said, _ = await refusal(client, "create_file", name="a", mime_type="application/pdf", content="x")
        assert "A pdf is not text inside" in said
        assert writes(fake) == []
        _, made = await call(client, "create_file", name=name, kind="document", content="# Hello")
    assert fake.store.files[made["id"]].native == Document("# Hello")


@pytest.mark.parametrize("name", ["plan", "main.ts", "a.svg", "notes 2.1", "letter.rtf", "x.ipynb", "run.sh"])
async def test_a_text_may_have_any_name_of_a_text(fake: FakeDrive, name: str) -> None:
    async with client_of(fake) as client:
        _, made = await call(client, "create_file", name=name, content="x")
    content = fake.store.files[made["id"]].content
    assert content is not None
    assert content.data == b"x"


@pytest.mark.parametrize("what", ["folder", "document", "shortcut"])
async def test_googles_own_types_are_made_by_kind_only(fake: FakeDrive, what: str) -> None:
    wanted = {"name": "odd", "mime_type": f"application/vnd.google-apps.{what}"}
    async with client_of(fake) as client:
        for content in ({"content": "x"}, {"content_base64": "eA=="}):
            said, _ = await refusal(client, "create_file", **wanted, **content)
            assert "are made by `kind`, not by `mime_type`" in said
    assert writes(fake) == []


async def test_text_and_tables_become_googles_own_formats(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        _, one = await call(client, "create_file", name="Doc", kind="document", content="# Hello\n\nThere.")
        _, two = await call(client, "create_file", name="Table", kind="spreadsheet", content="a,b\n1,2\n")
        office = base64.b64encode(docx()).decode()
        _, three = await call(client, "create_file", name="Old.docx", kind="document", content_base64=office)
        _, four = await call(client, "create_file", name="Empty", kind="document")
    document, table, old = (fake.store.files[one["id"]] for one in (one, two, three))
    assert (document.mime_type, document.native) == (DOCUMENT, Document("# Hello\n\nThere."))
    assert table.mime_type == SPREADSHEET
    assert isinstance(table.native, Spreadsheet)
    assert table.native.tabs[0].rows == (("a", "b"), ("1", "2"))
    assert "Sales went up" in old.text
    assert four["revision"].startswith("v")


async def test_folders_are_made_and_filled(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        _, folder = await call(client, "create_file", name="New", kind="folder", folder="Team/Projects")
        await call(client, "create_file", name="x.txt", folder="Team/Projects/New", content="x")
        said, _ = await refusal(client, "create_file", name="New", kind="folder", content="x")
    assert said == "A folder has no content."
    assert fake.named("x.txt").parent == folder["id"]
    assert fake.named("x.txt").drive == fake.named("Team").id


async def test_a_rehearsal_makes_nothing(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        said, shown = await call(client, "create_file", name="a.txt", content="abc", dry_run=True)
    assert "A new text “a.txt” in My Drive, 3 bytes of text/plain." in said
    assert shown["requests"][0]["files.create"]["name"] == "a.txt"
    assert writes(fake) == []
    assert fake.asked("drive.files.generateIds") == []


@NATIVE
async def test_a_key_makes_one_file(fake: FakeDrive, kind: str) -> None:
    wanted = {"name": "once", "kind": kind, "content": "x", "idempotency_key": "k"}
    async with client_of(fake) as client:
        first, _ = await call(client, "create_file", **wanted)
        assert (await call(client, "create_file", **wanted))[0] == first
        said, _ = await refusal(client, "create_file", **{**wanted, "content": "y"})
    assert "new key" in said
    assert len(called(fake, "once")) == 1


@NATIVE
@pytest.mark.parametrize("fault", ["done-cut", "done-500"])
async def test_what_was_made_without_an_answer_is_found(fake: FakeDrive, kind: str, fault: str) -> None:
    fake.fault("drive.files.create", fault)
    async with client_of(fake) as client:
        _, made = await call(client, "create_file", name="once", kind=kind, content="x")
    assert [one.id for one in called(fake, "once")] == [made["id"]]


@NATIVE
async def test_a_slow_answer_is_not_taken_for_none(fake: FakeDrive, kind: str) -> None:
    fake.fault("drive.files.create", "done-slow", seconds=1.0)
    async with client_of(fake, settings={"request_timeout": 0.4}) as client:
        _, made = await call(client, "create_file", name="once", kind=kind, content="x")
    assert [one.id for one in called(fake, "once")] == [made["id"]]


async def test_what_did_not_happen_is_done_under_its_key(fake: FakeDrive) -> None:
    fake.fault("drive.files.create", "cut", times=1)
    wanted = {"name": "once", "kind": "document", "content": "x", "idempotency_key": "k"}
    async with client_of(fake) as client:
        said, _ = await refusal(client, "create_file", **wanted)
        assert "not known" in said
        _, made = await call(client, "create_file", **wanted)
    assert [one.id for one in called(fake, "once")] == [made["id"]]


async def test_a_key_finds_what_was_made_before_the_connection_went(fake: FakeDrive) -> None:
    fake.fault("drive.files.create", "done-cut")
    fake.fault("drive.files.list", "cut", times=None)
    wanted = {"name": "once", "kind": "document", "content": "x", "idempotency_key": "k"}
    async with client_of(fake) as client:
        await refusal(client, "create_file", **wanted)
        fake.faults.clear()
        _, made = await call(client, "create_file", **wanted)
    assert [one.id for one in called(fake, "once")] == [made["id"]]


async def test_limits_are_waited_for_or_told(fake: FakeDrive) -> None:
    fake.fault("drive.files.create", "rateLimitExceeded-403", seconds=30)
    async with client_of(fake) as client:
        said, _ = await refusal(client, "create_file", name="a.txt", content="x")
        assert "Come back in 30 s" in said
        fake.user(ADA, "Ada Moss").quota = 1
        said, _ = await refusal(client, "create_file", name="a.txt", content="xxx")
    assert called(fake, "a.txt") == []


async def test_a_large_file_goes_up_in_pieces(fake: FakeDrive) -> None:
    content = base64.b64encode(b"\x01" * (9 * 2**20)).decode()
    async with client_of(fake) as client:
        _, made = await call(client, "create_file", name="big.bin", content_base64=content)
    head = fake.store.files[made["id"]].content
    assert head is not None
    assert head.size == 9 * 2**20


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"content": "a", "content_base64": "YQ=="}, "one of them"),
        ({}, "one of them"),
        ({"content_base64": "§"}, "no base64"),
        ({"content": "x" * 2000}, "at most 1,024"),
        ({"kind": "presentation", "content": "a"}, "bytes of a .pptx"),
        ({"content": "a", "folder": "/Files/notes.txt"}, "is no folder"),
    ],
)
async def test_what_makes_no_sense_is_told(fake: FakeDrive, wanted: dict[str, str], words: str) -> None:
    async with client_of(fake, settings={"most_bytes": 1024}) as client:
        said, _ = await refusal(client, "create_file", **{"name": "a", **wanted})
    assert words in said
    assert writes(fake) == []


async def test_nothing_is_made_outside_of_the_fence(fake: FakeDrive) -> None:
    async with client_of(fake, policy=fenced(fake.named("Plans").id)) as client:
        for folder in ("root", "/Files", fake.named("Projects").id):
            await refusal(client, "create_file", name="a.txt", content="x", folder=folder)
        await call(client, "create_file", name="b.txt", content="x", folder="/Plans/Archive")
    assert called(fake, "a.txt") == []
    assert len(called(fake, "b.txt")) == 1


async def test_what_was_read_alone_is_not_told_to_many_unasked(fake: FakeDrive) -> None:
    person = Person(says_yes=False)
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "get_file", file="/Diary")
        await call(client, "create_file", name="a.txt", content="x")
        said, _ = await refusal(client, "create_file", name="b.txt", content="x", folder="/Plans")
    assert "said no" in said
    assert len(person.asked) == 1
    assert "Create “b.txt” in “My Drive/Plans”? More people will see it (group)" in person.asked[0]
    assert called(fake, "b.txt") == []


async def test_without_the_right_to_write_the_refusal_says_so(fake: FakeDrive) -> None:
    async with client_of(fake, BO) as client:
        said, _ = await refusal(
            client, "create_file", name="a.txt", content="x", folder=fake.named("Finance").id
        )
        assert "is not there" in said
    async with client_of(fake, settings={"access": "read"}) as client:
        said, _ = await refusal(client, "create_file", name="a.txt", content="x")
    assert "RINGMAIN_GDRIVE_ACCESS" in said


async def test_contents_do_not_reach_the_audit(fake: FakeDrive) -> None:
    async with bench_of(fake) as at:
        await call(at.client, "create_file", name="a.txt", content="a private word")
        hidden = base64.b64encode(b"a private word").decode()
        await call(at.client, "create_file", name="b.txt", content_base64=hidden)
    assert "a private word" not in str(at.audit.records)
    assert hidden not in str(at.audit.records)
