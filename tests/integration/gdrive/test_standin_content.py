"""The fake Drive gives out contents and exports as Google's documentation says."""

import http.client
from collections.abc import Mapping
from importlib import import_module
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from standins.gdrive.client import Clients, bytes_of, refused
from standins.gdrive.formats import CSV, DOCX, HTML, MARKDOWN, PDF, PLAIN, PNG, PPTX, SVG, TSV, XLSX
from standins.gdrive.native import DRAWING, Drawing
from standins.gdrive.seeded import ADA, BO, CLEO, PEOPLE_CSV, PLAN, ZOE
from standins.gdrive.state import FakeDrive

_PdfReader: Any = import_module("pypdf").PdfReader  # libraries that have no types
_docx: Any = import_module("docx").Document
_pptx: Any = import_module("pptx").Presentation
_load_workbook: Any = import_module("openpyxl").load_workbook


def fetched(
    url: str, token: str = "", headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    """What a link leads to."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    given = {"authorization": f"Bearer {token}", **(headers or {})} if token else {}
    connection.request("GET", f"{parts.path}?{parts.query}", headers=given)
    answer = connection.getresponse()
    made = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return made


def test_files_are_downloaded(fake: FakeDrive, clients: Clients) -> None:
    files, people = clients(ADA).files(), fake.named("people.csv").id
    assert files.get_media(fileId=people).execute() == PEOPLE_CSV.encode()
    assert bytes_of(files.get_media(fileId=people)) == PEOPLE_CSV.encode()
    empty = fake.file("empty", b"", ADA)
    assert bytes_of(files.get_media(fileId=empty.id)) == b""
    assert refused(files.get_media(fileId=fake.named("Diary").id)) == (403, "fileNotDownloadable")
    assert refused(files.get_media(fileId=fake.named("Files").id)) == (403, "fileNotDownloadable")


def test_parts_of_files_are_downloaded(fake: FakeDrive) -> None:
    token, number = fake.token(ADA), fake.named("people.csv").id
    url = f"{fake.url}/drive/v3/files/{number}?alt=media"

    def part(wanted: str) -> tuple[int, str, bytes]:
        status, headers, data = fetched(url, token, {"range": wanted})
        return status, headers.get("content-range", ""), data

    assert part("bytes=5-8") == (206, "bytes 5-8/28", b"city")
    assert part("bytes=20-") == (206, "bytes 20-27/28", PEOPLE_CSV[20:].encode())
    assert part("bytes=-3") == (206, "bytes 25-27/28", b"to\n")
    assert part("bytes=20-99")[1] == "bytes 20-27/28"
    assert part("bytes=28-") == (416, "bytes */28", b"")
    assert part("lines=1")[0] == 200


def test_malware_is_downloaded_by_its_owner_who_knows(fake: FakeDrive, clients: Clients) -> None:
    notes = fake.named("notes.txt")
    notes.abusive = True
    fake.share(notes, BO, "writer")
    files = clients(ADA).files()
    assert refused(files.get_media(fileId=notes.id)) == (403, "cannotDownloadAbusiveFile")
    assert files.get_media(fileId=notes.id, acknowledgeAbuse=True).execute().startswith(b"first")
    theirs = clients(BO).files().get_media(fileId=notes.id, acknowledgeAbuse=True)
    assert refused(theirs) == (403, "cannotDownloadAbusiveFile")


def test_readers_may_be_kept_from_downloading(fake: FakeDrive, clients: Clients) -> None:
    plan, minutes = fake.named("Launch plan"), fake.named("minutes.txt")
    clients(ADA).files().update(fileId=minutes.id, body={"copyRequiresWriterPermission": True}).execute()
    plan.readers_download = False
    files = clients(CLEO).files()
    said = files.get(fileId=minutes.id, fields="capabilities(canDownload,canCopy)").execute()
    assert said["capabilities"] == {"canDownload": False, "canCopy": False}
    assert refused(files.get_media(fileId=minutes.id)) == (403, "cannotDownloadFile")
    assert refused(files.export(fileId=plan.id, mimeType=PLAIN)) == (403, "cannotExportFile")
    assert refused(files.copy(fileId=minutes.id, body={})) == (403, "cannotCopyFile")
    assert clients(BO).files().get_media(fileId=minutes.id).execute().startswith(b"Minutes")


def test_documents_are_exported(fake: FakeDrive, clients: Clients) -> None:
    files, plan = clients(CLEO).files(), fake.named("Launch plan").id

    def export(kind: str) -> bytes:
        return files.export(fileId=plan, mimeType=kind).execute()

    assert export(MARKDOWN).decode() == PLAN
    assert bytes_of(files.export_media(fileId=plan, mimeType=MARKDOWN)).decode() == PLAN
    assert export(PLAIN).decode("utf-8-sig").splitlines()[:3] == [
        "Launch plan",
        "We ship on Friday, after the review.",
        "Risks",
    ]
    assert b"<h1>Launch plan</h1><p>We ship on Friday" in export(HTML)
    document = _docx(BytesIO(export(DOCX)))
    assert [one.style.name for one in document.paragraphs][:3] == ["Heading 1", "Normal", "Heading 2"]
    assert [cell.text for cell in document.tables[0].rows[1].cells] == ["Server", "Ada"]
    assert "We ship on Friday" in _PdfReader(BytesIO(export(PDF))).pages[0].extract_text()
    assert refused(files.export(fileId=plan, mimeType=XLSX)) == (400, "badRequest")
    assert refused(files.export(fileId=plan, mimeType="none")) == (400, "badRequest")


def test_spreadsheets_are_exported(fake: FakeDrive, clients: Clients) -> None:
    files, budget = clients(ADA).files(), fake.named("Budget").id
    assert files.export(fileId=budget, mimeType=CSV).execute() == (
        b"Item,Cost\r\nServers,1200\r\nCoffee,80.5"
    )
    assert files.export(fileId=budget, mimeType=TSV).execute().startswith(b"Item\tCost\r\n")
    book = _load_workbook(BytesIO(files.export(fileId=budget, mimeType=XLSX).execute()))
    assert book.sheetnames == ["2025", "2026", "Notes"]
    assert [[cell.value for cell in row] for row in book["2026"]][1] == ["Servers", 1500]


def test_slides_and_drawings_are_exported(fake: FakeDrive, clients: Clients) -> None:
    files, kickoff = clients(ADA).files(), fake.named("Kickoff").id
    slides = _pptx(BytesIO(files.export(fileId=kickoff, mimeType=PPTX).execute())).slides
    assert [one.shapes.title.text for one in slides] == ["Welcome", "Dates", "Questions"]
    assert slides[0].notes_slide.notes_text_frame.text == "Say hello to everybody"
    text = files.export(fileId=kickoff, mimeType=PLAIN).execute().decode("utf-8-sig")
    assert text.startswith("Welcome\r\nWhy we are here")
    drawing = files.create(body={"name": "Sketch", "mimeType": DRAWING}).execute()["id"]
    fake.revise(fake.named("Sketch"), Drawing("boxes & arrows"), ADA)
    assert b"boxes &amp; arrows" in files.export(fileId=drawing, mimeType=SVG).execute()
    assert files.export(fileId=drawing, mimeType=PNG).execute().startswith(b"\x89PNG")


def test_big_exports_are_refused_and_had_otherwise(fake: FakeDrive, clients: Clients) -> None:
    text = "All work and no play.\n\n" * 500_000
    plan = fake.document("Long", text, ADA)
    files, token = clients(ADA).files(), fake.token(ADA)
    assert refused(files.export(fileId=plan.id, mimeType=MARKDOWN)) == (403, "exportSizeLimitExceeded")
    links = files.get(fileId=plan.id, fields="exportLinks").execute()["exportLinks"]
    assert fetched(links[MARKDOWN], token)[2].decode() == text
    assert fetched(links[MARKDOWN])[0] == 401
    assert fetched(links[MARKDOWN], fake.token(BO))[0] == 404


def test_what_is_not_googles_own_is_not_exported(fake: FakeDrive, clients: Clients) -> None:
    call = clients(ADA).files().export(fileId=fake.named("report.docx").id, mimeType=PDF)
    assert refused(call) == (403, "fileNotExportable")


def test_operations_of_downloads_are_polled(fake: FakeDrive, clients: Clients) -> None:
    service, plan = clients(ADA), fake.named("Launch plan")
    fake.polls = 2
    begun = service.files().download(fileId=plan.id, mimeType=DOCX).execute()
    assert begun["done"] is False
    states = [service.operations().get(name=begun["name"]).execute() for _ in range(3)]
    assert [one["done"] for one in states] == [False, False, True]
    response = states[2]["response"]
    assert response["partialDownloadAllowed"] is False
    assert fetched(response["downloadUri"], fake.token(ADA))[2].startswith(b"PK")
    assert refused(clients(BO).operations().get(name=begun["name"])) == (404, "notFound")
    assert refused(service.operations().get(name="none")) == (404, "notFound")


def test_operations_reach_old_revisions_and_files_with_bytes(fake: FakeDrive, clients: Clients) -> None:
    service, plan, notes = clients(ADA), fake.named("Launch plan"), fake.named("notes.txt")
    fake.polls = 0

    def content(**wanted: str) -> bytes:
        begun = service.files().download(**wanted).execute()
        done = service.operations().get(name=begun["name"]).execute()
        return fetched(done["response"]["downloadUri"], fake.token(ADA))[2]

    assert b"To be written" in content(fileId=plan.id, mimeType=MARKDOWN, revisionId=plan.revisions[0].id)
    assert content(fileId=notes.id) == b"first\nsecond\nthird\n"
    notes.revisions[0].keep = True
    assert content(fileId=notes.id, revisionId=notes.revisions[0].id) == b"first\n"
    files = service.files()
    lost = files.download(fileId=notes.id, revisionId=notes.revisions[1].id)
    assert refused(lost) == (403, "download_restricted_for_revision")
    assert refused(files.download(fileId=notes.id, mimeType=PDF)) == (400, "badRequest")
    assert refused(files.download(fileId=plan.id, revisionId="99")) == (404, "notFound")


def test_links_lead_to_content(fake: FakeDrive, clients: Clients) -> None:
    files, people = clients(ADA).files(), fake.named("people.csv").id
    link = files.get(fileId=people, fields="webContentLink").execute()["webContentLink"]
    assert fetched(link, fake.token(ADA))[2] == PEOPLE_CSV.encode()
    assert fetched(link, fake.token(ZOE))[0] == 404
    assert [one.status for one in fake.asked("content.*")] == [200, 404]
