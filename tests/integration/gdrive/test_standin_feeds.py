"""The fake Drive keeps comments, revisions, changes and shared drives as Google's documentation says."""

import time
from typing import Any

import pytest

from standins.gdrive.client import Clients, media, refused
from standins.gdrive.formats import MARKDOWN
from standins.gdrive.seeded import ADA, BO, CLEO, ZOE
from standins.gdrive.state import FakeDrive

DRIVES: dict[str, Any] = {"supportsAllDrives": True, "includeItemsFromAllDrives": True}


def test_comments_are_read(fake: FakeDrive, clients: Clients) -> None:
    plan = fake.named("Launch plan").id
    shown = "comments(author(displayName,me),content,quotedFileContent/value,resolved,replies(content))"
    said = clients(CLEO).comments().list(fileId=plan, fields=shown).execute()
    assert said == {
        "comments": [
            {
                "author": {"displayName": "Bo Reyes", "me": False},
                "content": "Is Friday safe?",
                "quotedFileContent": {"value": "Friday"},
                "resolved": False,
                "replies": [{"content": "The review is on Thursday"}],
            }
        ]
    }


def test_comments_are_made_answered_and_resolved(fake: FakeDrive, clients: Clients) -> None:
    plan, service = fake.named("Launch plan").id, clients(BO)
    body = {"content": "a < b", "anchor": '{"r": "head"}', "quotedFileContent": {"value": "cache"}}
    made = service.comments().create(fileId=plan, body=body, fields="id,htmlContent,anchor").execute()
    assert (made["htmlContent"], made["anchor"]) == ("a &lt; b", '{"r": "head"}')
    where = {"fileId": plan, "commentId": made["id"]}
    replies = clients(ADA).replies()
    resolved = replies.create(**where, body={"action": "resolve"}, fields="id,action").execute()
    assert resolved["action"] == "resolve"
    assert service.comments().get(**where, fields="resolved").execute() == {"resolved": True}
    replies.create(**where, body={"action": "reopen", "content": "No"}, fields="id").execute()
    assert service.comments().get(**where, fields="resolved").execute() == {"resolved": False}
    assert refused(replies.create(**where, body={"action": "close"}, fields="id")) == (400, "badRequest")
    assert refused(replies.create(**where, body={}, fields="id")) == (400, "required")
    assert refused(service.comments().create(fileId=plan, body={}, fields="id")) == (400, "required")
    mine = replies.update(**where, replyId=resolved["id"], body={"content": "Done"}, fields="content")
    assert mine.execute() == {"content": "Done"}
    denied = (403, "insufficientFilePermissions")
    theirs = service.replies().update(**where, replyId=resolved["id"], body={"content": "x"}, fields="id")
    assert refused(theirs) == denied
    assert refused(clients(ADA).comments().delete(**where)) == denied
    assert refused(clients(CLEO).comments().create(fileId=plan, body={"content": "x"}, fields="id")) == denied


def test_deleted_comments_are_shown_to_who_asks(fake: FakeDrive, clients: Clients) -> None:
    plan, comments = fake.named("Launch plan"), clients(BO).comments()
    (number,) = plan.comments
    comments.delete(fileId=plan.id, commentId=number).execute()
    assert comments.list(fileId=plan.id, fields="comments").execute() == {"comments": []}
    assert refused(comments.get(fileId=plan.id, commentId=number, fields="id")) == (404, "notFound")
    kept = comments.list(fileId=plan.id, includeDeleted=True, fields="comments(deleted,content)").execute()
    assert kept == {"comments": [{"deleted": True}]}


def test_comments_are_walked_and_had_by_time(fake: FakeDrive, clients: Clients) -> None:
    plan, comments = fake.named("Launch plan"), clients(ADA).comments()
    for number in range(3):
        fake.comment(plan, ADA, f"say {number}", ago=3600 * (3 - number))
    request, contents = comments.list(fileId=plan.id, pageSize=2, fields="*"), list[str]()
    while request is not None:
        page = request.execute()
        contents += [one["content"] for one in page["comments"]]
        request = comments.list_next(request, page)
    assert contents == ["say 2", "say 1", "say 0", "Is Friday safe?"]
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 2.5 * 3600))
    recent = comments.list(fileId=plan.id, startModifiedTime=since, fields="comments/content").execute()
    assert [one["content"] for one in recent["comments"]] == ["say 2", "say 1"]


def test_revisions_are_kept(fake: FakeDrive, clients: Clients) -> None:
    revisions, notes = clients(ADA).revisions(), fake.named("notes.txt")
    listed = revisions.list(fileId=notes.id, fields="revisions(id,size,keepForever)").execute()["revisions"]
    assert [one["size"] for one in listed] == ["6", "13", "19"]
    first = {"fileId": notes.id, "revisionId": listed[0]["id"]}
    assert refused(revisions.get_media(**first)) == (403, "download_restricted_for_revision")
    kept = revisions.update(**first, body={"keepForever": True}, fields="keepForever").execute()
    assert kept == {"keepForever": True}
    assert revisions.get_media(**first).execute() == b"first\n"
    again = revisions.update(**first, body={"keepForever": False})
    assert refused(again) == (400, "illegalKeepForeverModification")
    for one in listed[:2]:
        revisions.delete(fileId=notes.id, revisionId=one["id"]).execute()
    last = revisions.delete(fileId=notes.id, revisionId=listed[2]["id"])
    assert refused(last) == (403, "cannotDeleteOnlyRevision")
    assert refused(revisions.get(**first)) == (404, "notFound")
    assert refused(revisions.list(fileId=fake.named("Plans").id)) == (403, "revisionsNotSupported")


def test_documents_have_revisions_too(fake: FakeDrive, clients: Clients) -> None:
    revisions, plan = clients(BO).revisions(), fake.named("Launch plan").id
    listed = revisions.list(fileId=plan, fields="revisions(id,exportLinks)").execute()["revisions"]
    assert [one["id"] for one in listed] == ["1", "2"]
    assert "revision=1" in listed[0]["exportLinks"][MARKDOWN]
    assert refused(revisions.get_media(fileId=plan, revisionId="1")) == (403, "fileNotDownloadable")
    assert refused(revisions.delete(fileId=plan, revisionId="1")) == (400, "revisionDeletionNotSupported")
    denied = (403, "insufficientFilePermissions")
    assert refused(clients(CLEO).revisions().list(fileId=plan)) == denied


def changed(service: Any, token: str, **more: Any) -> tuple[list[tuple[str, bool]], str]:
    """What changed since a token, by name or id, with whether it is gone; and the next token."""
    found: list[tuple[str, bool]] = []
    while True:
        page = service.changes().list(pageToken=token, **more).execute()
        found += [
            (one.get("file", {}).get("name") or one["fileId"], one["removed"]) for one in page["changes"]
        ]
        assert ("nextPageToken" in page) is not ("newStartPageToken" in page)
        if "newStartPageToken" in page:
            return found, page["newStartPageToken"]
        token = page["nextPageToken"]


def test_changes_are_told_since_a_token(fake: FakeDrive, clients: Clients) -> None:
    service = clients(ADA)
    token = service.changes().getStartPageToken().execute()["startPageToken"]
    assert changed(service, token) == ([], token)
    diary, notes = fake.named("Diary"), fake.named("notes.txt")
    service.files().update(fileId=diary.id, body={"name": "Journal"}).execute()
    service.files().update(fileId=notes.id, media_body=media("x", "text/plain")).execute()
    service.files().update(fileId=diary.id, body={"starred": True}).execute()
    service.files().delete(fileId=fake.named("people.csv").id).execute()
    fake.rename(fake.named("Salaries.csv"), "Wages.csv", BO)
    found, later = changed(service, token)
    assert found[:2] == [("notes.txt", False), ("Journal", False)]
    assert [gone for _, gone in found] == [False, False, True]
    assert changed(service, token, pageSize=1) == (found, later)
    assert len(changed(service, token, includeRemoved=False)[0]) == 2
    assert changed(service, later) == ([], later)
    assert (
        changed(clients(CLEO), clients(CLEO).changes().getStartPageToken().execute()["startPageToken"])[0]
        == []
    )


def test_tokens_of_changes_are_good_where_they_were_taken(fake: FakeDrive, clients: Clients) -> None:
    mine, team = clients(ADA).changes(), fake.named("Team").id
    token = mine.getStartPageToken().execute()["startPageToken"]
    assert refused(clients(BO).changes().list(pageToken=token)) == (400, "invalid")
    assert refused(mine.list(pageToken=token, driveId=team, **DRIVES)) == (400, "invalid")
    assert refused(mine.list(pageToken="soon")) == (400, "invalid")
    assert refused(mine.getStartPageToken(driveId="none", supportsAllDrives=True)) == (404, "notFound")
    assert refused(clients(BO).changes().getStartPageToken(driveId=fake.named("Finance").id)) == (
        404,
        "notFound",
    )


def test_who_loses_access_is_told(fake: FakeDrive, clients: Clients) -> None:
    service, plans = clients(CLEO), fake.named("Plans")
    token = service.changes().getStartPageToken().execute()["startPageToken"]
    fake.unshare(plans, "team@acme.example")
    found, later = changed(service, token)
    assert {gone for _, gone in found} == {True}
    assert (fake.named("Launch plan").id, True) in found
    fake.share(fake.named("Budget"), CLEO, "reader")
    assert changed(service, later)[0] == [("Budget", False)]


def test_shared_drives_have_changes_of_their_own(fake: FakeDrive, clients: Clients) -> None:
    service, team = clients(BO), fake.named("Team").id
    own = service.changes().getStartPageToken().execute()["startPageToken"]
    where = {"driveId": team, **DRIVES}
    token = (
        service.changes().getStartPageToken(driveId=team, supportsAllDrives=True).execute()["startPageToken"]
    )
    roadmap = fake.named("Roadmap")
    service.files().update(fileId=roadmap.id, body={"name": "Way"}, supportsAllDrives=True).execute()
    assert changed(service, own)[0] == []
    assert changed(service, own, **DRIVES)[0] == []
    found, later = changed(service, token, **where)
    assert found == [("Way", False)]
    fake.move(roadmap, fake.store.home(fake.people.users[ADA]))
    fake.share(roadmap, BO, "reader")
    kept = service.changes().list(pageToken=later, **where, includeCorpusRemovals=True).execute()["changes"]
    assert [(one["removed"], one["file"]["name"]) for one in kept] == [(True, "Way")]
    assert changed(service, later, **where)[0] == [(roadmap.id, True)]


def test_shared_drives_are_made_hidden_and_deleted(clients: Clients) -> None:
    service = clients(ADA)
    drives = service.drives()
    token = service.changes().getStartPageToken().execute()["startPageToken"]
    made = drives.create(requestId="1", body={"name": "New"}, fields="id,name,capabilities/canManageMembers")
    said = made.execute()
    assert said == {"id": said["id"], "name": "New", "capabilities": {"canManageMembers": True}}
    assert refused(made) == (409, "teamDriveAlreadyExists")
    body = {"name": "Newer", "restrictions": {"domainUsersOnly": True}}
    renamed = drives.update(driveId=said["id"], body=body, fields="name,restrictions/domainUsersOnly")
    assert renamed.execute() == body
    listed = [one["name"] for one in drives.list().execute()["drives"]]
    assert listed == ["Finance", "Newer", "Team"]
    assert [one["name"] for one in drives.list(q="name contains 'new'").execute()["drives"]] == ["Newer"]
    assert drives.hide(driveId=said["id"], fields="hidden").execute() == {"hidden": True}
    assert len(drives.list(q="hidden = false").execute()["drives"]) == 2
    drives.unhide(driveId=said["id"]).execute()
    feed = service.changes().list(pageToken=token, **DRIVES, fields="changes(changeType,removed,drive/name)")
    assert feed.execute()["changes"] == [
        {"changeType": "drive", "removed": False, "drive": {"name": "Newer"}}
    ]
    drives.delete(driveId=said["id"]).execute()
    assert refused(drives.get(driveId=said["id"])) == (404, "notFound")
    assert feed.execute()["changes"] == [{"changeType": "drive", "removed": True}]


def test_who_joins_a_shared_drive_and_who_leaves_is_told(fake: FakeDrive, clients: Clients) -> None:
    finance, service = fake.named("Finance"), clients(CLEO)
    shown = "newStartPageToken,changes(changeType,removed,drive/name,file/name)"

    def news(token: str) -> tuple[list[Any], str]:
        page = service.changes().list(pageToken=token, **DRIVES, fields=shown).execute()
        return page["changes"], page["newStartPageToken"]

    token = service.changes().getStartPageToken().execute()["startPageToken"]
    fake.share(finance, CLEO, "reader")
    found, later = news(token)
    assert found == [{"changeType": "drive", "removed": False, "drive": {"name": "Finance"}}]
    fake.unshare(finance, CLEO)
    assert [(one["changeType"], one["removed"]) for one in news(later)[0]] == [("drive", True)]


def test_members_and_administrators_see_shared_drives(fake: FakeDrive, clients: Clients) -> None:
    team, finance = fake.named("Team").id, fake.named("Finance").id
    assert [one["id"] for one in clients(CLEO).drives().list().execute()["drives"]] == [team]
    assert refused(clients(CLEO).drives().get(driveId=finance)) == (404, "notFound")
    assert refused(clients(BO).drives().update(driveId=team, body={"name": "x"})) == (
        403,
        "insufficientFilePermissions",
    )
    assert refused(clients(ADA).drives().delete(driveId=team)) == (403, "teamDriveNotEmpty")
    assert clients(ZOE).drives().list().execute()["drives"] == []
    admins = clients(BO).drives().list(useDomainAdminAccess=True)
    assert refused(admins) == (403, "noListTeamDrivesAdministratorPrivilege")
    fake.people.users[BO].admin = True
    assert len(admins.execute()["drives"]) == 2
    members = (
        clients(BO)
        .permissions()
        .list(
            fileId=finance,
            useDomainAdminAccess=True,
            supportsAllDrives=True,
            fields="permissions/emailAddress",
        )
    )
    assert members.execute() == {"permissions": [{"emailAddress": ADA}]}


@pytest.mark.parametrize("method", ["watch", "labels"])
def test_what_the_fake_does_not_serve_is_noted(fake: FakeDrive, clients: Clients, method: str) -> None:
    files, diary = clients(ADA).files(), fake.named("Diary").id
    call = files.listLabels(fileId=diary) if method == "labels" else files.watch(fileId=diary, body={})
    assert refused(call)[0] == 404
    assert len(fake.violations) == 1
    fake.violations.clear()
