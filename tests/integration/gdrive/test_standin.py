"""The fake Drive behaves as Google's documentation says, seen through google-api-python-client."""

import http.client
import json
import ssl
from typing import Any

import pytest

from standins.gdrive.client import Clients, HttpError, error_of, media, refused
from standins.gdrive.seeded import ADA, BO, CLEO, ZOE
from standins.gdrive.state import FakeDrive


def test_about_says_whose_token_it_is(fake: FakeDrive, clients: Clients) -> None:
    said = clients(ADA).about().get(fields="user(emailAddress,me),storageQuota/limit,exportFormats").execute()
    assert said["user"] == {"emailAddress": ADA, "me": True}
    assert said["storageQuota"] == {"limit": str(15 * 2**30)}
    assert "text/markdown" in said["exportFormats"]["application/vnd.google-apps.document"]
    assert fake.asked("drive.about.*")[0].token == ADA


def test_without_fields_a_few_are_shown(fake: FakeDrive, clients: Clients) -> None:
    file = fake.named("notes.txt")
    said = clients(ADA).files().get(fileId=file.id).execute()
    assert said == {"kind": "drive#file", "id": file.id, "name": "notes.txt", "mimeType": "text/plain"}


def test_masks_choose_what_is_shown(fake: FakeDrive, clients: Clients) -> None:
    files, plan = clients(ADA).files(), fake.named("Launch plan").id
    said = files.get(fileId=plan, fields="name,owners(emailAddress),capabilities/canEdit").execute()
    assert said == {
        "name": "Launch plan",
        "owners": [{"emailAddress": ADA}],
        "capabilities": {"canEdit": True},
    }
    everything = files.get(fileId=plan, fields="*").execute()
    assert {"version", "permissions", "exportLinks", "size"} <= everything.keys()
    listed = files.list(q="name = 'Launch plan'", fields="files/owners/emailAddress").execute()
    assert listed == {"files": [{"owners": [{"emailAddress": ADA}]}]}
    one = files.get(fileId=plan, fields="exportLinks,id").execute()
    assert one.keys() == {"exportLinks", "id"}


@pytest.mark.parametrize("mask", ["nme", "files(id", "owners(emailAddress", "id/what", "a(b)c", "id,,name"])
def test_masks_that_are_wrong_are_refused(fake: FakeDrive, clients: Clients, mask: str) -> None:
    call = clients(ADA).files().get(fileId=fake.named("Diary").id, fields=mask)
    error = error_of(call)["error"]
    assert (error["code"], error["errors"][0]["reason"]) == (400, "invalidParameter")
    assert error["errors"][0]["location"] == "fields"


def test_errors_have_the_form_that_google_gives_them(clients: Clients) -> None:
    assert error_of(clients(ADA).files().get(fileId="nothing")) == {
        "error": {
            "code": 404,
            "message": "File not found: nothing.",
            "errors": [
                {
                    "message": "File not found: nothing.",
                    "domain": "global",
                    "reason": "notFound",
                    "location": "fileId",
                    "locationType": "parameter",
                }
            ],
        }
    }


@pytest.mark.parametrize("how", ["revoke", "expire"])
def test_tokens_end(fake: FakeDrive, clients: Clients, how: str) -> None:
    service = clients(ADA)
    getattr(fake, how)(fake.token(ADA))
    assert refused(service.files().list()) == (401, "authError")
    assert refused(clients.of("unknown").files().list()) == (401, "authError")
    assert refused(clients.of("").files().list()) == (401, "required")


def test_a_missing_scope_is_named(clients: Clients) -> None:
    service = clients(ADA, ["drive.metadata.readonly"])
    with pytest.raises(HttpError) as caught:
        service.files().create(body={"name": "x"}).execute()
    failed: Any = caught.value
    error = json.loads(failed.content)["error"]
    assert (error["status"], error["details"][0]["reason"]) == (
        "PERMISSION_DENIED",
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    )
    assert error["errors"][0]["reason"] == "insufficientPermissions"
    assert 'error="insufficient_scope"' in failed.resp["www-authenticate"]
    assert "https://www.googleapis.com/auth/drive.file" in failed.resp["www-authenticate"]


def test_metadata_scopes_do_not_reach_content(fake: FakeDrive, clients: Clients) -> None:
    files = clients(ADA, ["drive.metadata.readonly"]).files()
    notes = fake.named("notes.txt").id
    assert files.get(fileId=notes, fields="name").execute() == {"name": "notes.txt"}
    assert refused(files.get_media(fileId=notes)) == (403, "insufficientPermissions")
    assert refused(files.list(q="fullText contains 'first'")) == (403, "insufficientScopes")


def test_drive_file_sees_what_the_app_made(fake: FakeDrive, clients: Clients) -> None:
    mine = clients(ADA, ["drive.file"]).files()
    made = mine.create(body={"name": "mine"}).execute()["id"]
    assert [one["id"] for one in mine.list().execute()["files"]] == [made]
    assert refused(mine.get(fileId=fake.named("Diary").id)) == (404, "notFound")
    other = clients(ADA, ["drive.file"], app="another").files()
    assert other.list().execute()["files"] == []
    fake.view(fake.named("Budget"), ADA, app="another")
    assert [one["name"] for one in other.list().execute()["files"]] == ["Budget"]
    both = clients(ADA, ["drive.file", "drive.readonly"]).files()
    assert both.get(fileId=fake.named("Diary").id).execute()["name"] == "Diary"
    assert refused(both.update(fileId=fake.named("Diary").id, body={"name": "x"})) == (
        403,
        "appNotAuthorizedToFile",
    )


def test_an_app_has_a_folder_to_itself(clients: Clients) -> None:
    files = clients(ADA, ["drive.appdata"]).files()
    made = files.create(body={"name": "settings.json", "parents": ["appDataFolder"]}, fields="id,spaces")
    assert made.execute()["spaces"] == ["appDataFolder"]
    listed = files.list(spaces="appDataFolder").execute()["files"]
    assert [one["name"] for one in listed] == ["settings.json"]
    assert refused(clients(ADA).files().list(spaces="appDataFolder")) == (403, "insufficientScopes")
    assert (
        clients(ADA, ["drive.appdata"], app="other").files().list(spaces="appDataFolder").execute()["files"]
        == []
    )


def test_what_others_do_not_share_is_not_found(fake: FakeDrive, clients: Clients) -> None:
    diary, plan = fake.named("Diary").id, fake.named("Launch plan").id
    assert refused(clients(BO).files().get(fileId=diary)) == (404, "notFound")
    assert refused(clients(ZOE).files().get(fileId=plan)) == (404, "notFound")
    roles = {
        email: clients(email)
        .files()
        .get(fileId=plan, fields="capabilities(canEdit,canShare,canTrash)")
        .execute()
        for email in (ADA, BO, CLEO)
    }
    assert [tuple(one["capabilities"].values()) for one in roles.values()] == [
        (True, True, True),
        (True, True, False),
        (False, False, False),
    ]
    assert refused(clients(CLEO).files().update(fileId=plan, body={"name": "x"})) == (
        403,
        "insufficientFilePermissions",
    )


def test_files_of_shared_drives_want_a_client_that_knows_of_them(fake: FakeDrive, clients: Clients) -> None:
    files, roadmap = clients(CLEO).files(), fake.named("Roadmap").id
    assert refused(files.get(fileId=roadmap)) == (404, "notFound")
    said = files.get(fileId=roadmap, supportsAllDrives=True, fields="name,driveId,owners,ownedByMe").execute()
    assert said == {"name": "Roadmap", "driveId": fake.named("Team").id}
    assert refused(files.get(fileId=fake.named("Forecast").id, supportsAllDrives=True)) == (404, "notFound")


def test_links_with_a_resource_key_want_it(fake: FakeDrive, clients: Clients) -> None:
    brochure = fake.named("Brochure")
    assert refused(clients(ZOE).files().get(fileId=brochure.id)) == (404, "notFound")
    keys = {"X-Goog-Drive-Resource-Keys": f"{brochure.id}/{brochure.resource_key},other/0-x"}
    said = clients(ZOE, headers=keys).files().get(fileId=brochure.id, fields="name,resourceKey").execute()
    assert said == {"name": "Brochure", "resourceKey": "0-brochurekey"}
    fake.view(brochure, ZOE)
    assert clients(ZOE).files().get(fileId=brochure.id).execute()["name"] == "Brochure"


def test_what_the_vendor_does_not_publish_is_noted(fake: FakeDrive) -> None:
    connection = http.client.HTTPConnection(fake.url.removeprefix("http://"))
    headers = {"authorization": f"Bearer {fake.token(ADA)}", "content-type": "application/json"}

    def asked(verb: str, path: str, body: Any = None) -> int:
        connection.request(verb, f"/drive/v3/{path}", json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    notes = fake.named("notes.txt").id
    statuses = [
        asked("GET", "nothing"),
        asked("GET", "files?pagesize=1"),
        asked("GET", "files?pageSize=many"),
        asked("GET", "files?pageSize=0"),
        asked("GET", f"files/{notes}/export"),
        asked("PATCH", f"files/{notes}", {"colour": "red"}),
        asked("PATCH", f"files/{notes}", {"name": 1}),
        asked("PATCH", f"files/{notes}", {"md5Checksum": "x"}),
        asked("GET", f"files/{notes}/comments"),
    ]
    connection.close()
    assert statuses == [404, 400, 400, 400, 400, 400, 400, 403, 400]
    assert fake.violations == [
        "GET /drive/v3/nothing: no such method, not served",
        "drive.files.list: no parameter `pagesize`",
        "drive.files.list: pageSize=many is no integer",
        "drive.files.list: pageSize=0 is no integer",
        "drive.files.export: mimeType is missing",
        "drive.files.update: File: no field `colour`",
        "drive.files.update: File.name: 1 is no string",
        "drive.files.update: md5Checksum cannot be written",
        "drive.comments.list: `fields` is missing",
    ]
    fake.violations.clear()


def test_every_answer_is_held_against_the_schema(fake: FakeDrive, clients: Clients) -> None:
    fake.named("Diary").name = 7  # pyright: ignore[reportAttributeAccessIssue] (to be found out)
    clients(ADA).files().get(fileId=fake.named("Brochure").id, fields="*").execute()
    assert fake.violations == []
    clients(ADA).files().list(q="trashed = false", fields="files/name").execute()
    assert fake.violations == ["drive.files.list answered: FileList.files[].name: 7 is no string"]
    fake.violations.clear()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("rateLimitExceeded", (429, "rateLimitExceeded")),
        ("userRateLimitExceeded", (403, "userRateLimitExceeded")),
        ("rateLimitExceeded-403", (403, "rateLimitExceeded")),
        ("dailyLimitExceeded", (403, "dailyLimitExceeded")),
        ("domainPolicy", (403, "domainPolicy")),
        ("backendError", (500, "backendError")),
        ("503", (503, "backendError")),
        ("401", (401, "authError")),
    ],
)
def test_faults_strike_as_often_as_they_are_told(
    fake: FakeDrive, clients: Clients, kind: str, said: tuple[int, str]
) -> None:
    fake.fault("drive.files.*", kind, times=1, after=1)
    files = clients(ADA).files()
    files.list().execute()
    assert refused(files.list()) == said
    files.list().execute()
    assert [one.status for one in fake.asked("drive.files.list")] == [200, said[0], 200]
    assert fake.asked("drive.files.list")[1].reason == said[1]


def test_limits_say_when_to_come_back(fake: FakeDrive, clients: Clients) -> None:
    fake.fault("drive.about.get", "rateLimitExceeded", seconds=3)
    with pytest.raises(HttpError) as caught:
        clients(ADA).about().get(fields="user").execute()
    failed: Any = caught.value
    assert failed.resp["retry-after"] == "3"


def test_pages_of_html_come_in_the_place_of_answers(fake: FakeDrive, clients: Clients) -> None:
    fake.fault("drive.about.get", "502")
    with pytest.raises(HttpError) as caught:
        clients(ADA).about().get(fields="user").execute()
    failed: Any = caught.value
    assert (failed.resp.status, failed.content[:15]) == (502, b"<!DOCTYPE html>")


def test_work_may_be_done_though_the_connection_is_cut(fake: FakeDrive, clients: Clients) -> None:
    fake.fault("drive.files.create", "done-cut")
    fake.fault("drive.files.create", "cut", times=3)
    create = clients(ADA).files().create(body={"name": "twice?"})
    with pytest.raises((ConnectionError, http.client.HTTPException, ssl.SSLError)):
        create.execute()
    found = clients(ADA).files().list(q="name = 'twice?'").execute()["files"]
    assert len(found) == 1
    assert {one.status for one in fake.asked("drive.files.create")} == {0}


def test_connections_break_in_the_middle_of_an_answer(fake: FakeDrive) -> None:
    fake.fault("drive.files.get", "cut-body")
    connection = http.client.HTTPConnection(fake.url.removeprefix("http://"))
    path = f"/drive/v3/files/{fake.named('numbers.xlsx').id}?alt=media"
    connection.request("GET", path, headers={"authorization": f"Bearer {fake.token(ADA)}"})
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    connection.close()


def test_answers_may_be_slow(fake: FakeDrive) -> None:
    fault = fake.fault("drive.files.create", "done-slow")
    host, _, port = fake.url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=0.2)
    headers = {"authorization": f"Bearer {fake.token(ADA)}"}
    connection.request("POST", "/drive/v3/files", b'{"name": "late"}', headers)
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert (fault.times, fake.named("late").owner) == (0, ADA)


def test_errors_may_be_told_though_the_work_is_done(fake: FakeDrive, clients: Clients) -> None:
    fake.fault("drive.files.create", "done-500")
    call = clients(ADA).files().create(body={"name": "done"}, media_body=media("x", "text/plain"))
    assert refused(call) == (500, "internalError")
    assert fake.named("done").owner == ADA
