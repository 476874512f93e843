"""The fake Drive finds files as Google's documentation says."""

import time
from typing import Any

import pytest

from standins.gdrive.client import Clients, error_of, refused
from standins.gdrive.seeded import ADA, BO, CLEO, TEAM, ZOE
from standins.gdrive.state import FakeDrive

DRIVES: dict[str, Any] = {"supportsAllDrives": True, "includeItemsFromAllDrives": True}


def found(clients: Clients, q: str, email: str = ADA, **more: Any) -> list[str]:
    """The names of what is found, in order."""
    return [one["name"] for one in clients(email).files().list(q=q, **more).execute()["files"]]


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("name = 'launch PLAN'", ["Launch plan"]),
        ("name contains 'lau'", ["Launch plan"]),
        ("name contains 'plan'", ["Launch plan", "Plans", "To the plan"]),
        ("name contains 'aunch'", []),
        ("name contains 'num' and not mimeType contains 'text/'", ["numbers.xlsx"]),
        ("fullText contains 'friday'", ["Ideas", "Kickoff", "Launch plan"]),
        ("fullText contains 'ship friday'", ["Ideas", "Launch plan"]),
        ("fullText contains '\"ship on Friday\"'", ["Ideas", "Launch plan"]),
        ("fullText contains '\"Friday ship\"'", []),
        ("fullText contains 'frida'", []),
        ("mimeType = 'application/vnd.google-apps.folder'", ["Archive", "Files", "Plans"]),
        ("mimeType contains 'application/vnd.google-apps.s'", ["Budget", "To the plan"]),
        ("trashed = true", ["Old draft"]),
        ("trashed != false", ["Old draft"]),
        ("starred = true", ["Kickoff"]),
        ("sharedWithMe", ["Ideas"]),
        ("sharedWithMe = true and trashed = false", ["Ideas"]),
        ("'bo@acme.example' in owners", ["Ideas"]),
        ("'bo@acme.example' in writers and trashed = false and name contains 'l'", ["Launch plan"]),
        (f"'{TEAM}' in readers and name contains 'min'", ["minutes.txt"]),
        ("not 'me' in owners", ["Ideas"]),
        ("visibility = 'anyoneWithLink'", ["Brochure"]),
        ("visibility != 'limited'", ["Brochure"]),
        ("name = 'Diary' or name = 'Budget' and trashed = true", ["Diary"]),
        ("(name = 'Diary' or name = 'Budget') and trashed = false", ["Budget", "Diary"]),
        ("name='Diary'", ["Diary"]),
    ],
)
def test_queries_are_understood(clients: Clients, q: str, names: list[str]) -> None:
    assert sorted(found(clients, q)) == names


def test_queries_look_into_folders(fake: FakeDrive, clients: Clients) -> None:
    assert found(clients, f"'{fake.named('Archive').id}' in parents") == ["minutes.txt"]
    assert sorted(found(clients, "'root' in parents and trashed = false")) == [
        "Brochure",
        "Diary",
        "Files",
        "Plans",
        "To the plan",
    ]
    shortcut = f"shortcutDetails.targetId = '{fake.named('Launch plan').id}'"
    assert found(clients, shortcut) == ["To the plan"]
    files = clients(BO).files()
    assert refused(files.list(q=f"'{fake.named('Files').id}' in parents")) == (404, "notFound")


def test_queries_compare_times(clients: Clients) -> None:
    def day(ago: float, zone: str = "") -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - ago * 86_400)) + zone

    assert found(clients, f"modifiedTime > '{day(3.5)}'") == ["Launch plan", "Diary", "notes.txt"]
    assert found(clients, f"createdTime < '{day(28.5, 'Z')}'") == ["Plans"]
    both = f"modifiedTime >= '{day(9.5, '+00:00')}' and viewedByMeTime <= '{day(8.5)}'"
    assert sorted(found(clients, both)) == ["Kickoff", "Launch plan", "page.html"]


def test_quotes_and_backslashes_are_escaped(fake: FakeDrive, clients: Clients) -> None:
    fake.file("Ada's \\ notes.txt", "", ADA)
    assert found(clients, r"name = 'Ada\'s \\ notes.txt'") == ["Ada's \\ notes.txt"]


def test_queries_know_properties(clients: Clients) -> None:
    files = clients(ADA).files()
    files.create(body={"name": "a", "properties": {"x": "1"}, "appProperties": {"job": "7"}}).execute()
    assert found(clients, "properties has { key='x' and value='1' }") == ["a"]
    assert found(clients, "properties has { key='x' and value='2' }") == []
    assert found(clients, "appProperties has { key='job' and value='7' }") == ["a"]
    other = clients(ADA, app="another").files()
    assert other.list(q="appProperties has { key='job' and value='7' }").execute()["files"] == []


@pytest.mark.parametrize(
    "q",
    [
        "plan",
        "name",
        "name = plan",
        "name = 'a",
        "name = 'it's'",
        "name like 'a'",
        "name < 'a'",
        "fullText = 'a'",
        "title = 'a'",
        "trashed = 'true'",
        "modifiedTime > 'yesterday'",
        "'a' in names",
        "(name = 'a'",
        "name = 'a' name = 'b'",
        "name = 'a' and",
        "properties has { key='x' }",
        "visibility = 'all'",
        "name = 'a'; trashed = true",
    ],
)
def test_queries_that_are_wrong_are_refused(clients: Clients, q: str) -> None:
    error = error_of(clients(ADA).files().list(q=q))["error"]
    assert error["errors"] == [
        {
            "message": "Invalid Value",
            "domain": "global",
            "reason": "invalid",
            "location": "q",
            "locationType": "parameter",
        }
    ]


def test_queries_may_be_very_long(fake: FakeDrive, clients: Clients) -> None:
    q = " or ".join(f"name = 'number {number} of many'" for number in range(200)) + " or name = 'Diary'"
    assert found(clients, q) == ["Diary"]
    assert fake.asked("drive.files.list")[0].headers["x-http-method-override"] == "GET"


def test_lists_are_ordered(fake: FakeDrive, clients: Clients) -> None:
    for name in ("part 10", "part 9", "part 1"):
        fake.file(name, "x" * len(name), ADA)
    parts = "name contains 'part'"
    assert found(clients, parts, orderBy="name") == ["part 1", "part 10", "part 9"]
    assert found(clients, parts, orderBy="name_natural desc") == ["part 10", "part 9", "part 1"]
    assert found(clients, parts, orderBy="quotaBytesUsed desc,name desc")[0] == "part 10"
    assert found(clients, "'root' in parents and trashed = false", orderBy="folder,name")[:3] == [
        "Files",
        "Plans",
        "Brochure",
    ]
    assert found(clients, "trashed = false", orderBy="modifiedTime desc")[3] == "Launch plan"
    files = clients(ADA).files()
    assert error_of(files.list(orderBy="size"))["error"]["errors"][0]["location"] == "orderBy"
    assert refused(files.list(orderBy="name asc")) == (400, "invalid")
    assert refused(files.list(q="fullText contains 'a'", orderBy="name")) == (400, "badRequest")


def test_lists_are_walked_with_tokens(fake: FakeDrive, clients: Clients) -> None:
    files = clients(ADA).files()
    request, names = files.list(q="trashed = false", pageSize=4, orderBy="name"), list[str]()
    while request is not None:
        page = request.execute()
        names += [one["name"] for one in page["files"]]
        request = files.list_next(request, page)
    assert names == found(clients, "trashed = false", orderBy="name")
    token = files.list(pageSize=1).execute()["nextPageToken"]
    assert refused(files.list(pageToken="made up")) == (400, "invalid")
    assert refused(files.list(pageToken=token, q="trashed = true")) == (400, "invalid")
    assert refused(clients(BO).files().list(pageToken=token)) == (400, "invalid")
    fake.expire_page_tokens()
    assert error_of(files.list(pageToken=token))["error"]["errors"][0]["location"] == "pageToken"


def test_big_pages_are_made_smaller(fake: FakeDrive, clients: Clients) -> None:
    fake.crowd(files=1200)
    assert len(found(clients, "trashed = false", pageSize=5000)) == 1000
    assert len(found(clients, "trashed = false")) == 100


def test_a_corpus_is_chosen(fake: FakeDrive, clients: Clients) -> None:
    team = fake.named("Team").id
    assert found(clients, "name = 'Roadmap'") == []
    assert found(clients, "name = 'Roadmap'", **DRIVES) == ["Roadmap"]
    assert found(clients, "name = 'Roadmap'", CLEO, **DRIVES) == []  # never opened it
    assert found(clients, "name = 'Roadmap'", CLEO, corpora="allDrives", **DRIVES) == ["Roadmap"]
    assert sorted(found(clients, "", CLEO, corpora="drive", driveId=team, **DRIVES)) == [
        "Projects",
        "Roadmap",
        "spec.md",
    ]
    assert found(clients, f"'{team}' in parents", CLEO, **DRIVES) == ["Projects"]
    files = clients(CLEO).files()
    assert refused(files.list(corpora="drive", **DRIVES)) == (400, "badRequest")
    assert refused(files.list(driveId=team, **DRIVES)) == (400, "badRequest")
    assert refused(files.list(corpora="everything")) == (400, "invalid")
    assert refused(files.list(corpora="allDrives")) == (400, "badRequest")
    assert refused(files.list(includeItemsFromAllDrives=True)) == (400, "badRequest")
    assert refused(files.list(corpora="drive", driveId="none", **DRIVES)) == (404, "notFound")


def test_what_was_shared_with_a_group_was_shared_with_its_members(clients: Clients) -> None:
    assert found(clients, "sharedWithMe", CLEO) == ["Plans"]
    assert found(clients, "sharedWithMe", BO) == ["Plans"]


def test_what_the_domain_can_find_is_found(fake: FakeDrive, clients: Clients) -> None:
    fake.share(fake.named("Diary"), "acme.example", "reader", discoverable=True)
    assert found(clients, "name = 'Diary'", CLEO) == []
    assert found(clients, "name = 'Diary'", CLEO, corpora="domain") == ["Diary"]
    assert found(clients, "name = 'Diary'", ZOE, corpora="domain") == []
    assert found(clients, "visibility = 'domainCanFind'") == ["Diary"]


def test_a_search_may_be_incomplete(fake: FakeDrive, clients: Clients) -> None:
    fake.incomplete_search = True
    files = clients(ADA).files()
    assert files.list(corpora="allDrives", **DRIVES).execute()["incompleteSearch"]
    assert not files.list().execute()["incompleteSearch"]


def test_a_crowd_is_searched(fake: FakeDrive, clients: Clients) -> None:
    fake.crowd(files=50_000)
    assert found(clients, "name contains 'crowd-49999'") == ["crowd-49999 survey hanoi.txt"]
    assert len(found(clients, "fullText contains 'budget lisbon'", pageSize=1000)) == 893
    assert len(found(clients, "'crowdfolder0042' in parents", pageSize=1000)) == 500
    assert found(clients, "mimeType = 'text/plain'", pageSize=1) == ["crowd-0 budget berlin.txt"]
    assert found(clients, "name contains 'nothing like this'") == []
