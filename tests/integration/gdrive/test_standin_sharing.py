"""The fake Drive shares files, and refuses to, as Google's documentation says."""

import time
from typing import Any

import pytest

from standins.gdrive.client import Clients, error_of, refused
from standins.gdrive.seeded import ADA, BO, CLEO, TEAM, ZOE
from standins.gdrive.state import FakeDrive


def stamp(days: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86_400))


def person(email: str, role: str = "reader", **more: Any) -> dict[str, Any]:
    return {"type": "user", "emailAddress": email, "role": role, **more}


def test_permissions_are_given_changed_and_taken(fake: FakeDrive, clients: Clients) -> None:
    permissions, diary = clients(ADA).permissions(), fake.named("Diary").id
    shown = "id,type,role,emailAddress,displayName"
    given = permissions.create(fileId=diary, body=person(ZOE, "commenter"), fields=shown).execute()
    zoe = fake.people.users[ZOE]
    assert given == {
        "id": zoe.id,
        "type": "user",
        "role": "commenter",
        "emailAddress": ZOE,
        "displayName": "Zoe Park",
    }
    files = clients(ZOE).files()
    said = files.get(fileId=diary, fields="name,sharedWithMeTime,sharingUser(emailAddress),parents").execute()
    assert (said["name"], said["sharingUser"]) == ("Diary", {"emailAddress": ADA})
    assert "sharedWithMeTime" in said
    assert "parents" not in said
    assert [(one.to, one.file) for one in fake.mails] == [(ZOE, diary)]
    changed = permissions.update(fileId=diary, permissionId=zoe.id, body={"role": "writer"}).execute()
    assert changed["role"] == "writer"
    assert files.update(fileId=diary, body={"name": "Ours"}).execute()["name"] == "Ours"
    assert permissions.delete(fileId=diary, permissionId=zoe.id).execute() == ""
    assert refused(files.get(fileId=diary)) == (404, "notFound")
    assert refused(permissions.get(fileId=diary, permissionId=zoe.id)) == (404, "notFound")


def test_folders_pass_on_what_is_given(fake: FakeDrive, clients: Clients) -> None:
    permissions, plan = clients(ADA).permissions(), fake.named("Launch plan")
    shown = "permissions(type,role,emailAddress,permissionDetails(inherited,inheritedFrom))"
    listed = permissions.list(fileId=plan.id, fields=shown).execute()["permissions"]
    plans = fake.named("Plans").id
    above = [{"inherited": True, "inheritedFrom": plans}]
    assert listed == [
        {"type": "user", "role": "owner", "emailAddress": ADA, "permissionDetails": [{"inherited": False}]},
        {"type": "user", "role": "writer", "emailAddress": BO, "permissionDetails": above},
        {"type": "group", "role": "reader", "emailAddress": TEAM, "permissionDetails": above},
    ]
    bo = fake.people.users[BO].id
    fixed = (403, "cannotModifyInheritedPermission")
    assert refused(permissions.delete(fileId=plan.id, permissionId=bo)) == fixed
    assert refused(permissions.update(fileId=plan.id, permissionId=bo, body={"role": "reader"})) == fixed
    made = clients(BO).files().create(body={"name": "Bo's", "parents": [plans]}).execute()["id"]
    seen = clients(ADA).files().get(fileId=made, fields="ownedByMe,capabilities(canEdit,canDelete)").execute()
    assert seen == {"ownedByMe": False, "capabilities": {"canEdit": True, "canDelete": False}}


def test_a_folder_may_keep_to_itself(fake: FakeDrive, clients: Clients) -> None:
    archive, minutes = fake.named("Archive").id, fake.named("minutes.txt").id
    clients(ADA).files().update(fileId=archive, body={"inheritedPermissionsDisabled": True}).execute()
    assert refused(clients(BO).files().get(fileId=minutes)) == (404, "notFound")
    assert clients(ADA).files().get(fileId=minutes).execute()["name"] == "minutes.txt"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"type": "user", "role": "reader"}, (400, "badRequest")),
        ({"type": "domain", "role": "reader"}, (400, "badRequest")),
        ({"type": "people", "role": "reader"}, (400, "invalid")),
        (person(BO, "editor"), (400, "invalid")),
        ({"type": "anyone", "role": "owner"}, (403, "forbidden")),
        (person(BO, "owner"), (403, "forbidden")),
        (person(BO, "organizer"), (403, "organizerOnNonTeamDriveNotSupported")),
        (person(BO, "fileOrganizer"), (403, "fileOrganizerOnNonTeamDriveNotSupported")),
        (person(BO, expirationTime=stamp(-1)), (403, "expirationDatesMustBeInTheFuture")),
        (person(BO, expirationTime=stamp(400)), (403, "cannotSetExpiration")),
        (
            {"type": "anyone", "role": "reader", "expirationTime": stamp(1)},
            (403, "cannotSetExpirationOnAnyoneOrDomain"),
        ),
    ],
)
def test_what_cannot_be_given_is_refused(
    fake: FakeDrive, clients: Clients, body: dict[str, Any], said: tuple[int, str]
) -> None:
    assert refused(clients(ADA).permissions().create(fileId=fake.named("Diary").id, body=body)) == said


def test_who_may_not_share_is_refused(fake: FakeDrive, clients: Clients) -> None:
    plan = fake.named("Launch plan")
    denied = (403, "insufficientFilePermissions")
    assert refused(clients(CLEO).permissions().create(fileId=plan.id, body=person(ZOE))) == denied
    assert refused(clients(CLEO).permissions().list(fileId=plan.id)) == denied
    clients(BO).permissions().create(fileId=plan.id, body=person(ZOE)).execute()
    clients(ADA).files().update(fileId=plan.id, body={"writersCanShare": False}).execute()
    assert refused(clients(BO).permissions().create(fileId=plan.id, body=person(ZOE, "writer"))) == denied


def test_permissions_end_in_time(fake: FakeDrive, clients: Clients) -> None:
    diary, permissions = fake.named("Diary").id, clients(ADA).permissions()
    body = person(ZOE, expirationTime=stamp(1))
    given = permissions.create(fileId=diary, body=body, fields="id,expirationTime").execute()
    assert given["expirationTime"] == body["expirationTime"].replace("Z", ".000Z")
    clients(ZOE).files().get(fileId=diary).execute()
    now = time.time
    token = fake.token(ZOE)
    fake.tokens[token].expires += 3 * 86_400
    fake.time = lambda: now() + 2 * 86_400
    assert refused(clients(ZOE).files().get(fileId=diary)) == (404, "notFound")
    fake.time = now
    kept = permissions.update(
        fileId=diary, permissionId=given["id"], removeExpiration=True, body={"role": "reader"}, fields="*"
    )
    assert "expirationTime" not in kept.execute()


def test_links_are_shared(fake: FakeDrive, clients: Clients) -> None:
    diary = fake.named("Diary").id
    body = {"type": "anyone", "role": "reader"}
    given = clients(ADA).permissions().create(fileId=diary, body=body).execute()
    assert given == {
        "kind": "drive#permission",
        "id": "anyoneWithLink",
        "type": "anyone",
        "role": "reader",
        "allowFileDiscovery": False,
    }
    files = clients(ZOE).files()
    assert files.get(fileId=diary).execute()["name"] == "Diary"
    assert files.list(q="name = 'Diary'").execute()["files"] == []
    fake.view(fake.named("Diary"), ZOE)
    assert len(files.list(q="name = 'Diary'").execute()["files"]) == 1


def test_a_domain_may_forbid_to_share_outside(fake: FakeDrive, clients: Clients) -> None:
    fake.domain("acme.example", share_out=False, publish_out=False)
    permissions, diary = clients(ADA).permissions(), fake.named("Diary").id
    assert refused(permissions.create(fileId=diary, body=person(ZOE))) == (403, "shareOutNotPermitted")
    outside = {"type": "domain", "domain": "other.example", "role": "reader"}
    assert refused(permissions.create(fileId=diary, body=outside)) == (403, "shareOutNotPermitted")
    anyone = {"type": "anyone", "role": "reader"}
    assert refused(permissions.create(fileId=diary, body=anyone)) == (403, "publishOutNotPermitted")
    permissions.create(fileId=diary, body=person(CLEO)).execute()


def test_strangers_are_invited_by_mail_only(fake: FakeDrive, clients: Clients) -> None:
    permissions, diary = clients(ADA).permissions(), fake.named("Diary").id
    stranger = person("new@elsewhere.example")
    silent = permissions.create(fileId=diary, body=stranger, sendNotificationEmail=False)
    error = error_of(silent)["error"]
    assert (error["code"], error["errors"][0]["reason"]) == (400, "invalidSharingRequest")
    assert "You are trying to invite new@elsewhere.example." in error["message"]
    permissions.create(fileId=diary, body=stranger, emailMessage="Look").execute()
    assert fake.mails[0].message == "Look"
    anyone = permissions.create(
        fileId=diary, body={"type": "anyone", "role": "reader"}, sendNotificationEmail=True
    )
    assert refused(anyone) == (400, "badRequest")
    permissions.create(fileId=diary, body=person(CLEO), sendNotificationEmail=False).execute()
    assert len(fake.mails) == 1


def test_sharing_is_limited(fake: FakeDrive, clients: Clients) -> None:
    fake.sharing_left = 1
    permissions, diary = clients(ADA).permissions(), fake.named("Diary").id
    permissions.create(fileId=diary, body=person(BO)).execute()
    assert refused(permissions.create(fileId=diary, body=person(CLEO))) == (403, "sharingRateLimitExceeded")


def test_ownership_is_transferred_on_purpose(fake: FakeDrive, clients: Clients) -> None:
    permissions, diary = clients(ADA).permissions(), fake.named("Diary")
    silent = permissions.create(
        fileId=diary.id, body=person(BO, "owner"), transferOwnership=True, sendNotificationEmail=False
    )
    assert refused(silent) == (403, "forbidden")
    outside = permissions.create(fileId=diary.id, body=person(ZOE, "owner"), transferOwnership=True)
    assert refused(outside) == (403, "ownershipChangeAcrossDomainNotPermitted")
    given = permissions.create(
        fileId=diary.id, body=person(BO, "owner"), transferOwnership=True, moveToNewOwnersRoot=True
    )
    assert given.execute()["role"] == "owner"
    assert (diary.owner, diary.parent) == (BO, fake.people.users[BO].root)
    seen = clients(ADA).files().get(fileId=diary.id, fields="capabilities(canEdit,canDelete)").execute()
    assert seen["capabilities"] == {"canEdit": True, "canDelete": False}
    bo = fake.people.users[BO].id
    last = clients(BO).permissions().delete(fileId=diary.id, permissionId=bo)
    assert refused(last) == (403, "cannotRemoveOwner")


def test_shared_drives_have_rules_of_their_own(fake: FakeDrive, clients: Clients) -> None:
    team, projects, spec = (fake.named(name).id for name in ("Team", "Projects", "spec.md"))
    permissions = clients(ADA).permissions()

    def give(file: str, body: dict[str, Any]) -> Any:
        return permissions.create(fileId=file, body=body, supportsAllDrives=True, fields="role")

    anyone = {"type": "anyone", "role": "reader"}
    top = "cannotShareTeamDriveTopFolderWithAnyoneOrDomains"
    assert refused(give(team, anyone)) == (403, top)
    assert refused(give(team, {"type": "domain", "domain": "acme.example", "role": "reader"})) == (403, top)
    assert refused(give(spec, person(BO, "owner"))) == (403, "ownerOnTeamDriveItemNotSupported")
    assert refused(give(spec, person(BO, "organizer"))) == (403, "organizerOnNonTeamDriveItemNotSupported")
    odd = "fileOrganizerOnFoldersInSharedDriveOnly"
    assert refused(give(spec, person(BO, "fileOrganizer"))) == (403, odd)
    assert refused(give(spec, person("no@where.example"))) == (
        403,
        "cannotShareTeamDriveWithNonGoogleAccounts",
    )
    late = person(ZOE, expirationTime=stamp(1))
    assert refused(give(team, late)) == (403, "expirationDateNotAllowedForSharedDriveMembers")
    assert give(projects, person(ZOE, "fileOrganizer")).execute() == {"role": "fileOrganizer"}
    give(spec, anyone).execute()
    fake.store.drives[team].restrictions["driveMembersOnly"] = True
    assert refused(give(spec, person(ZOE))) == (403, "teamDriveTeamMembersOnlyRestriction")
    fake.store.drives[team].restrictions["domainUsersOnly"] = True
    assert refused(give(team, person(ZOE))) == (403, "teamDriveDomainUsersOnlyRestriction")
    ada = fake.people.users[ADA].id
    last = permissions.delete(fileId=team, permissionId=ada, supportsAllDrives=True)
    assert refused(last) == (403, "cannotDeletePermission")
    assert refused(permissions.list(fileId=team)) == (404, "notFound")


def test_permissions_of_shared_drives_come_in_pages(fake: FakeDrive, clients: Clients) -> None:
    team, permissions = fake.named("Team").id, clients(ADA).permissions()
    request = permissions.list(fileId=team, supportsAllDrives=True, pageSize=2)
    first = request.execute()
    second = permissions.list_next(request, first).execute()
    assert [one["role"] for one in first["permissions"] + second["permissions"]] == [
        "organizer",
        "writer",
        "reader",
    ]
    shown = "permissionDetails(permissionType,inherited)"
    spec = fake.named("spec.md").id
    cleo = permissions.get(
        fileId=spec, permissionId=fake.people.users[CLEO].id, supportsAllDrives=True, fields=shown
    ).execute()
    assert cleo == {"permissionDetails": [{"permissionType": "member", "inherited": True}]}
