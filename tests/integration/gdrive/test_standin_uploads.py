"""The fake Drive takes files, and changes them, as Google's documentation says."""

import hashlib
import http.client
import json
from typing import Any

import pytest

from standins.gdrive import office
from standins.gdrive.client import Clients, media, refused
from standins.gdrive.formats import CSV, DOCX, HTML, MARKDOWN, PDF, PLAIN, PPTX, XLSX
from standins.gdrive.native import DOCUMENT, FOLDER, PRESENTATION, SHORTCUT, SPREADSHEET
from standins.gdrive.seeded import ADA, BO, CLEO, ZOE, xlsx
from standins.gdrive.state import FakeDrive

CHUNK = 262_144


def test_content_and_metadata_come_together(fake: FakeDrive, clients: Clients) -> None:
    data = bytes(range(256)) + b"\r\n--x\r\n\n"
    body = {"name": "data.bin", "parents": [fake.named("Files").id], "description": "Bytes"}
    wanted = "size,md5Checksum,sha256Checksum,mimeType,parents,version,headRevisionId,originalFilename"
    upload = media(data, "application/x-data")
    made = clients(ADA).files().create(body=body, media_body=upload, fields=wanted).execute()
    assert made == {
        "mimeType": "application/x-data",
        "parents": [fake.named("Files").id],
        "version": "1",
        "originalFilename": "data.bin",
        "md5Checksum": hashlib.md5(data).hexdigest(),  # noqa: S324 (what Drive tells)
        "sha256Checksum": hashlib.sha256(data).hexdigest(),
        "size": str(len(data)),
        "headRevisionId": made["headRevisionId"],
    }
    content = fake.named("data.bin").content
    assert content is not None
    assert content.data == data


def test_content_comes_alone(fake: FakeDrive, clients: Clients) -> None:
    files = clients(ADA).files()
    made = files.create(media_body=media("x", "text/plain"), fields="id,name,mimeType").execute()
    assert (made["name"], made["mimeType"]) == ("Untitled", "text/plain")
    notes = fake.named("notes.txt")
    before = notes.version
    said = files.update(
        fileId=notes.id, media_body=media("new", "text/plain"), fields="size,version,lastModifyingUser(me)"
    ).execute()
    assert said == {"version": str(before + 1), "size": "3", "lastModifyingUser": {"me": True}}
    assert len(notes.revisions) == 4


def test_files_come_in_chunks(fake: FakeDrive, clients: Clients) -> None:
    data = b"x" * (CHUNK * 2 + 1000)
    upload = media(data, "application/x-data", resumable=True, chunksize=CHUNK)
    request = clients(ADA).files().create(body={"name": "big"}, media_body=upload, fields="size")
    progress: list[float] = []
    answer = None
    while answer is None:
        status, answer = request.next_chunk()
        progress.append(status.resumable_progress if status else -1)
    assert (progress, answer) == ([CHUNK, CHUNK * 2, -1], {"size": str(len(data))})
    assert [one.status for one in fake.asked("drive.files.create")] == [200, 308, 308, 200]


def test_an_upload_that_failed_goes_on(fake: FakeDrive, clients: Clients) -> None:
    data = bytes(range(256)) * 3000
    fake.fault("drive.files.create", "done-500", after=2)
    fake.fault("drive.files.create", "503", after=3)
    upload = media(data, "application/x-data", resumable=True, chunksize=CHUNK)
    request = clients(ADA).files().create(body={"name": "big"}, media_body=upload, fields="md5Checksum")
    request.next_chunk()
    assert refused(Chunk(request)) == (500, "internalError")
    assert refused(Chunk(request)) == (503, "backendError")
    assert request.next_chunk()[1] == {"md5Checksum": hashlib.md5(data).hexdigest()}  # noqa: S324 (what Drive tells)
    ranges = [one.headers.get("content-range") for one in fake.asked("drive.files.create")]
    assert ranges == [
        None,
        "bytes 0-262143/768000",
        "bytes 262144-524287/768000",
        "bytes */768000",
        "bytes */768000",
        "bytes 524288-767999/768000",
    ]


def test_a_session_that_is_complete_tells_so_again(fake: FakeDrive, clients: Clients) -> None:
    upload = media("x" * 1000, PLAIN, resumable=True)
    request = clients(ADA).files().create(body={"name": "whole"}, media_body=upload)
    made = request.execute()
    connection = http.client.HTTPConnection(fake.url.removeprefix("http://"))
    status = {"content-range": "bytes */1000", "content-length": "0"}
    connection.request("PUT", request.resumable_uri, headers=status)
    assert json.loads(connection.getresponse().read()) == made
    connection.request("DELETE", request.resumable_uri)
    assert connection.getresponse().status == 499
    connection.close()
    assert fake.sessions == {}


def test_a_chunk_may_be_kept_in_part(fake: FakeDrive, clients: Clients) -> None:
    data = bytes(range(256)) * 2048
    fake.fault("drive.files.create", "short", after=1, size=1000)
    upload = media(data, "application/x-data", resumable=True)
    request = clients(ADA).files().create(body={"name": "short"}, media_body=upload, fields="md5Checksum")
    status, answer = request.next_chunk()
    assert (status.resumable_progress, answer) == (1000, None)
    _, answer = request.next_chunk()
    assert answer == {"md5Checksum": hashlib.md5(data).hexdigest()}  # noqa: S324 (what Drive tells)


def test_sessions_end(fake: FakeDrive, clients: Clients) -> None:
    upload = media(b"x" * CHUNK * 2, "text/plain", resumable=True, chunksize=CHUNK)
    request = clients(ADA).files().create(body={"name": "lost"}, media_body=upload)
    request.next_chunk()
    fake.sessions.clear()
    assert refused(Chunk(request)) == (404, "notFound")
    upload = media(b"x" * 500, "text/plain", resumable=True, chunksize=100)
    request = clients(ADA).files().create(body={"name": "odd"}, media_body=upload)
    assert refused(Chunk(request)) == (400, "badRequest")


class Chunk:
    """The next chunk of an upload, as a call."""

    def __init__(self, request: Any) -> None:
        self._request = request

    def execute(self) -> Any:
        return self._request.next_chunk()


def test_ids_that_were_generated_are_used_once(fake: FakeDrive, clients: Clients) -> None:
    files = clients(ADA).files()
    said = files.generateIds(count=2).execute()
    assert (len(said["ids"]), said["space"]) == (2, "drive")
    first = said["ids"][0]
    assert files.create(body={"id": first, "name": "once"}).execute()["id"] == first
    assert refused(files.create(body={"id": first, "name": "twice"})) == (409, "fileIdInUse")
    assert refused(files.create(body={"id": "self-made", "name": "x"})) == (400, "invalid")
    copied = files.copy(fileId=first, body={"id": said["ids"][1]}).execute()
    assert (copied["id"], copied["name"]) == (said["ids"][1], "Copy of once")
    assert fake.named("once").id == first


@pytest.mark.parametrize(
    ("data", "kind", "wanted", "text"),
    [
        ("# Title\n\nText\n", MARKDOWN, DOCUMENT, "# Title\n\nText\n"),
        ("plain", PLAIN, DOCUMENT, "plain"),
        (
            "<h2>Head</h2><p>A <b>bold</b> one</p><ul><li>x</li></ul>",
            HTML,
            DOCUMENT,
            "## Head\n\nA bold one\n\n- x\n",
        ),
        ('a,b\r\n1,"x,y"\r\n', CSV, SPREADSHEET, "a\nb\n1\nx,y"),
    ],
)
def test_texts_become_googles_own(
    fake: FakeDrive, clients: Clients, data: str, kind: str, wanted: str, text: str
) -> None:
    body = {"name": "Made", "mimeType": wanted}
    made = clients(ADA).files().create(body=body, media_body=media(data, kind), fields="mimeType,md5Checksum")
    assert made.execute() == {"mimeType": wanted}
    native = fake.named("Made").native
    assert native is not None
    assert native.text == text


def test_office_files_become_googles_own(fake: FakeDrive, clients: Clients) -> None:
    files = clients(ADA).files()
    docx = office.docx("# Title\n\nText\n\n- one\n")
    files.create(body={"name": "D", "mimeType": DOCUMENT}, media_body=media(docx, DOCX)).execute()
    assert fake.named("D").text == "# Title\n\nText\n\n- one\n"
    files.create(body={"name": "S", "mimeType": SPREADSHEET}, media_body=media(xlsx(), XLSX)).execute()
    book = files.export(fileId=fake.named("S").id, mimeType=XLSX).execute()
    assert [one.title for one in office.read_xlsx(book).tabs] == ["Numbers", "More"]
    deck = files.copy(fileId=fake.named("deck.pptx").id, body={"name": "P", "mimeType": PRESENTATION})
    assert deck.execute()["mimeType"] == PRESENTATION
    slides = office.read_pptx(files.export(fileId=fake.named("P").id, mimeType=PPTX).execute()).slides
    assert slides[0].notes == "Thank the team"
    odd = files.create(body={"name": "X", "mimeType": SPREADSHEET}, media_body=media(b"%PDF", PDF))
    assert refused(odd) == (400, "badRequest")


def test_an_upload_replaces_what_a_document_says(fake: FakeDrive, clients: Clients) -> None:
    ideas = fake.named("Ideas")
    clients(BO).files().update(fileId=ideas.id, media_body=media("# New\n", MARKDOWN)).execute()
    assert (ideas.text, ideas.mime_type, len(ideas.revisions)) == ("# New\n", DOCUMENT, 2)


def test_a_full_drive_takes_no_more(fake: FakeDrive, clients: Clients) -> None:
    ada = fake.people.users[ADA]
    ada.quota = ada.used + 100
    files = clients(ADA).files()
    made = files.create(body={"name": "a"}, media_body=media(b"x" * 60, PLAIN)).execute()["id"]
    assert refused(files.create(body={"name": "b"}, media_body=media(b"x" * 60, PLAIN))) == (
        403,
        "storageQuotaExceeded",
    )
    quota = clients(ADA).about().get(fields="storageQuota").execute()["storageQuota"]
    assert int(quota["limit"]) - int(quota["usage"]) == 40
    files.delete(fileId=made).execute()
    files.create(body={"name": "b"}, media_body=media(b"x" * 60, PLAIN)).execute()


def test_bytes_weigh_on_who_owns_them(fake: FakeDrive, clients: Clients) -> None:
    def usage(email: str) -> int:
        return int(clients(email).about().get(fields="storageQuota/usage").execute()["storageQuota"]["usage"])

    files, notes = clients(ADA).files(), fake.named("notes.txt")
    before, theirs = usage(ADA), usage(BO)
    size = len(notes.text.strip()) + 1
    give = {"type": "user", "role": "owner", "emailAddress": BO}
    clients(ADA).permissions().create(fileId=notes.id, body=give, transferOwnership=True).execute()
    assert (usage(ADA), usage(BO)) == (before - size, theirs + size)
    into = {"addParents": fake.named("Team").id, "removeParents": notes.parent, "supportsAllDrives": True}
    files.update(fileId=notes.id, **into).execute()
    assert (usage(ADA), usage(BO)) == (before - size, theirs)


def test_revisions_may_be_kept_from_the_start(fake: FakeDrive, clients: Clients) -> None:
    files, notes = clients(ADA).files(), fake.named("notes.txt")
    files.update(fileId=notes.id, media_body=media("x", PLAIN), keepRevisionForever=True).execute()
    assert [one.keep for one in notes.revisions] == [False, False, False, True]


def test_files_are_changed(fake: FakeDrive, clients: Clients) -> None:
    files, budget = clients(ADA).files(), fake.named("Budget")
    body = {
        "name": "Budget 2",
        "description": "New",
        "starred": True,
        "properties": {"a": "1", "b": "2"},
        "modifiedTime": "2024-05-01T10:00:00+02:00",
    }
    shown = "name,description,starred,properties,modifiedTime"
    said = files.update(fileId=budget.id, body=body, fields=shown).execute()
    assert said == body | {"modifiedTime": "2024-05-01T08:00:00.000Z"}
    files.update(fileId=budget.id, body={"properties": {"a": None}}).execute()
    assert budget.properties == {"b": "2"}
    assert not clients(BO).files().get(fileId=budget.id, fields="starred").execute()["starred"]
    assert refused(files.update(fileId=budget.id, body={"properties": {"k": "v" * 200}})) == (
        400,
        "propertyTooLarge",
    )
    assert refused(files.update(fileId=budget.id, body={"parents": ["root"]})) == (403, "fieldNotWritable")
    assert refused(files.update(fileId=budget.id, body={"mimeType": PLAIN})) == (400, "badRequest")


def test_readers_star_for_themselves(fake: FakeDrive, clients: Clients) -> None:
    files, plan = clients(CLEO).files(), fake.named("Launch plan")
    files.update(fileId=plan.id, body={"starred": True}).execute()
    assert plan.starred == {CLEO}
    assert refused(files.update(fileId=plan.id, body={"name": "x"}, media_body=media("x", PLAIN))) == (
        403,
        "insufficientFilePermissions",
    )


def test_files_are_moved(fake: FakeDrive, clients: Clients) -> None:
    files = clients(ADA).files()
    plans, archive, budget = (fake.named(name).id for name in ("Plans", "Archive", "Budget"))
    assert refused(files.update(fileId=budget, addParents=archive)) == (403, "cannotAddParent")
    moved = files.update(fileId=budget, addParents=archive, removeParents=plans, fields="parents").execute()
    assert moved == {"parents": [archive]}
    root = fake.people.users[ADA].root
    circle = files.update(fileId=plans, addParents=archive, removeParents="root")
    assert refused(circle) == (400, "badRequest")
    assert refused(files.update(fileId=plans, addParents=plans, removeParents=root)) == (400, "badRequest")
    assert refused(files.update(fileId=root, addParents=plans)) == (403, "cannotAddParent")
    into = files.update(fileId=budget, addParents=fake.named("Diary").id, removeParents=archive)
    assert refused(into) == (403, "parentNotAFolder")
    assert refused(files.create(body={"name": "x", "parents": [plans, archive]})) == (403, "cannotAddParent")
    assert refused(files.create(body={"name": "x", "parents": ["none"]})) == (404, "notFound")
    theirs = clients(CLEO).files().create(body={"name": "x", "parents": [plans]})
    assert refused(theirs) == (403, "insufficientParentPermissions")


def test_files_are_moved_between_drives(fake: FakeDrive, clients: Clients) -> None:
    files, projects = clients(ADA).files(), fake.named("Projects")
    diary, root = fake.named("Diary"), fake.people.users[ADA].root
    move = {"fileId": diary.id, "addParents": projects.id, "removeParents": root}
    assert refused(files.update(**move)) == (404, "notFound")
    fake.share(fake.document("Spec of Zoe", "", ZOE), ADA, "writer")
    moved = files.update(**move, supportsAllDrives=True, fields="driveId,owners").execute()
    assert moved == {"driveId": fake.named("Team").id}

    def moved_in(name: str) -> Any:
        return files.update(fileId=fake.named(name).id, addParents=projects.id, supportsAllDrives=True)

    assert refused(moved_in("Spec of Zoe")) == (403, "fileOwnerNotMemberOfTeamDrive")
    folder = files.update(
        fileId=fake.named("Files").id, addParents=projects.id, removeParents=root, supportsAllDrives=True
    )
    assert refused(folder) == (403, "teamDrivesFolderMoveInNotSupported")
    assert refused(moved_in("Ideas")) == (403, "insufficientFilePermissions")
    fake.share(fake.named("Ideas"), ADA, "writer")
    moved_in("Ideas").execute()
    assert fake.named("Ideas").drive == projects.drive
    again = files.update(fileId=diary.id, addParents=fake.named("Team").id, supportsAllDrives=True)
    assert refused(again) == (403, "teamDrivesParentLimit")


def test_trash_takes_what_is_inside(fake: FakeDrive, clients: Clients) -> None:
    files, plans, budget = clients(ADA).files(), fake.named("Plans").id, fake.named("Budget").id
    assert refused(clients(BO).files().update(fileId=plans, body={"trashed": True})) == (
        403,
        "insufficientFilePermissions",
    )
    files.update(fileId=plans, body={"trashed": True}).execute()
    both = [files.get(fileId=one, fields="trashed,explicitlyTrashed").execute() for one in (plans, budget)]
    assert both == [
        {"trashed": True, "explicitlyTrashed": True},
        {"trashed": True, "explicitlyTrashed": False},
    ]
    files.update(fileId=plans, body={"trashed": False}).execute()
    assert not files.get(fileId=budget, fields="trashed").execute()["trashed"]
    files.update(fileId=plans, body={"trashed": True}).execute()
    files.emptyTrash().execute()
    assert refused(files.get(fileId=budget)) == (404, "notFound")
    assert "Old draft" not in {one.name for one in fake.store.files.values()}


def test_files_are_deleted_by_their_owner(fake: FakeDrive, clients: Clients) -> None:
    plans, minutes = fake.named("Plans").id, fake.named("minutes.txt").id
    assert refused(clients(BO).files().delete(fileId=plans)) == (403, "insufficientFilePermissions")
    assert clients(ADA).files().delete(fileId=plans).execute() == ""
    assert refused(clients(ADA).files().get(fileId=minutes)) == (404, "notFound")
    spec = fake.named("spec.md").id
    theirs = clients(BO).files().delete(fileId=spec, supportsAllDrives=True)
    assert refused(theirs) == (403, "insufficientFilePermissions")


def test_folders_and_shortcuts_are_made(fake: FakeDrive, clients: Clients) -> None:
    files, plan = clients(ADA).files(), fake.named("Launch plan")
    folder = files.create(body={"name": "New", "mimeType": FOLDER}, fields="id,mimeType").execute()
    body = {"name": "Link", "mimeType": SHORTCUT, "parents": [folder["id"]]}
    target = {"shortcutDetails": {"targetId": plan.id}}
    made = files.create(body=body | target, fields="shortcutDetails,size").execute()
    assert made == {"shortcutDetails": {"targetId": plan.id, "targetMimeType": DOCUMENT}}
    odd = files.create(body=body | {"shortcutDetails": {"targetId": "none"}})
    assert refused(odd) == (403, "shortcutTargetInvalid")
    fixed = files.update(fileId=fake.named("Link").id, body=target)
    assert refused(fixed) == (403, "fieldNotWritable")


def test_locked_files_are_not_changed(fake: FakeDrive, clients: Clients) -> None:
    files, budget = clients(ADA).files(), fake.named("Budget").id
    lock = {"contentRestrictions": [{"readOnly": True, "reason": "Done", "ownerRestricted": True}]}
    shown = "contentRestrictions(readOnly,reason),capabilities(canEdit,canModifyContent,canRename)"
    assert files.update(fileId=budget, body=lock, fields=shown).execute() == {
        "contentRestrictions": [{"readOnly": True, "reason": "Done"}],
        "capabilities": {"canEdit": False, "canModifyContent": False, "canRename": False},
    }
    denied = (403, "insufficientFilePermissions")
    assert refused(files.update(fileId=budget, body={"name": "x"})) == denied
    assert refused(files.update(fileId=budget, media_body=media("a", CSV))) == denied
    said = clients(ADA).comments().create(fileId=budget, body={"content": "x"}, fields="id")
    assert refused(said) == denied
    unlock = {"contentRestrictions": [{"readOnly": False}]}
    assert refused(clients(BO).files().update(fileId=budget, body=unlock)) == denied
    files.update(fileId=budget, body=unlock).execute()
    files.update(fileId=budget, body={"name": "x"}).execute()
