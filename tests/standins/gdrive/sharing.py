"""Permissions that are given, and the rules of that: what may be given to whom, and what a domain forbids."""

from typing import Any

from standins.gdrive.errors import Refusal, bad_request, invalid_value
from standins.gdrive.file import File
from standins.gdrive.models import RANK, ROLES, Permission, SharedDrive, User
from standins.gdrive.people import People, account_number

ANYONE = "anyone"
_TYPES = {"user", "group", "domain", ANYONE}
_YEAR = 366 * 86_400.0


def permission_id(kind: str, to: str, *, discoverable: bool = False) -> str:
    """The id of a permission: of the account, of the domain, or what anyone is called."""
    if kind == ANYONE:
        return ANYONE if discoverable else "anyoneWithLink"
    if kind == "domain":
        return f"{account_number(to)[:19]}k"
    return account_number(to)


def permission_to(
    people: People, to: str, role: str, *, discoverable: bool = False, **more: Any
) -> Permission:
    """A permission for whoever is meant: an email address, a domain, `anyone`."""
    named = "group" if to in people.groups else "user"
    kind = ANYONE if to == ANYONE else named if "@" in to else "domain"
    number = permission_id(kind, to, discoverable=discoverable)
    return Permission(number, kind, role, "" if kind == ANYONE else to, discoverable=discoverable, **more)


def asked_for(body: dict[str, Any]) -> Permission:
    """The permission that a body describes.

    Raises:
        Refusal: `invalid` for a type or role that is none, `badRequest` where nobody is named.
    """
    kind, role = body.get("type", ""), body.get("role", "")
    if kind not in _TYPES:
        raise invalid_value("permission.type", "The specified permission type is invalid.")
    known_role(role)
    name = {"user": "emailAddress", "group": "emailAddress", "domain": "domain"}.get(kind, "")
    to = body.get(name, "")
    if name and not to:
        raise bad_request(f"The {name} field is required for permissions of the type {kind}.")
    discoverable = body.get("allowFileDiscovery", False)
    return Permission(
        permission_id(kind, to, discoverable=discoverable), kind, role, to, discoverable=discoverable
    )


def allow_type(people: People, given: Permission) -> None:
    """See that a group is given as a group, and nobody else is; who has no account at all is told later.

    Raises:
        Refusal: `invalid`.
    """
    is_group = given.to in people.groups
    if (given.type == "user" and is_group) or (given.type == "group" and not is_group):
        message = "The specified emailAddress is invalid or not applicable for the given permission type."
        raise invalid_value("permission.emailAddress", message)


def known_role(role: str) -> None:
    if role not in ROLES:
        raise invalid_value("permission.role", "The specified permission role is invalid.")


def allow(people: People, drive: SharedDrive | None, file: File, given: Permission, giver: User) -> None:
    """See that this may be given.

    Raises:
        Refusal: With the reason that Google publishes for it.
    """
    _allow_role(file, given)
    if file.fixed and given.type in {"domain", ANYONE}:
        raise _refused(
            "cannotShareTeamDriveTopFolderWithAnyoneOrDomains",
            "A shared drive's top folder cannot be shared with anyone or domains.",
        )
    _allow_domain(people, file, given, giver)
    if drive is not None:
        _allow_drive(people, drive, file, given)


def _allow_role(file: File, given: Permission) -> None:
    role = given.role
    if role == "owner" and file.drive:
        raise _refused("ownerOnTeamDriveItemNotSupported", "Shared drive items have no owners.")
    if role == "organizer" and not file.drive:
        raise _refused("organizerOnNonTeamDriveNotSupported", "Organizers are of shared drives only.")
    if role == "organizer" and not file.fixed:
        message = "Organizers are of a shared drive, not of the items in it."
        raise _refused("organizerOnNonTeamDriveItemNotSupported", message)
    if role == "fileOrganizer" and not file.drive:
        raise _refused(
            "fileOrganizerOnNonTeamDriveNotSupported", "File organizers are of shared drives only."
        )
    if role == "fileOrganizer" and not file.is_folder:
        raise _refused("fileOrganizerOnFoldersInSharedDriveOnly", "File organizers are of folders only.")
    if given.type in {"domain", ANYONE} and RANK[role] > RANK["writer"]:
        raise bad_request("The specified role cannot be given to this type.")


def _allow_domain(people: People, file: File, given: Permission, giver: User) -> None:
    home = people.domain((file.owner or giver.email).partition("@")[2])
    if given.type == ANYONE and not home.publish_out:
        message = "You cannot publish content outside your domain, or with everybody who has the link."
        raise _refused("publishOutNotPermitted", message)
    there = given.to if given.type == "domain" else given.to.partition("@")[2]
    if given.type != ANYONE and there != home.name and not home.share_out:
        message = "The domain administrators have disabled sharing with people outside the organization."
        raise _refused("shareOutNotPermitted", message)


def _allow_drive(people: People, drive: SharedDrive, file: File, given: Permission) -> None:
    limits = drive.restrictions
    there = given.to if given.type == "domain" else given.to.partition("@")[2]
    if limits.get("domainUsersOnly") and there != drive.domain:
        message = "Sharing outside the domain is restricted by the shared drive."
        raise _refused("teamDriveDomainUsersOnlyRestriction", message)
    if limits.get("driveMembersOnly") and not file.fixed:
        message = "Items are shared with the members of the shared drive only."
        raise _refused("teamDriveTeamMembersOnlyRestriction", message)
    if given.type == "user" and people.find(given.to) is None:
        message = "Shared drives are shared with Google accounts only."
        raise _refused("cannotShareTeamDriveWithNonGoogleAccounts", message)


def allow_expiry(file: File, given: Permission, now: float) -> None:
    """See that a permission may end when it shall.

    Raises:
        Refusal: `cannotSetExpiration` and its like.
    """
    if not given.expires:
        return
    if given.type in {"domain", ANYONE}:
        message = "Expiration dates cannot be set on anyone or domains."
        raise _refused("cannotSetExpirationOnAnyoneOrDomain", message)
    if file.fixed:
        message = "Expiration dates are not allowed for members of shared drives."
        raise _refused("expirationDateNotAllowedForSharedDriveMembers", message)
    if given.expires <= now:
        raise _refused("expirationDatesMustBeInTheFuture", "Expiration dates must be in the future.")
    if given.expires > now + _YEAR or RANK[given.role] > RANK["writer"]:
        raise _refused("cannotSetExpiration", "The expiration date cannot be set.")


def _refused(reason: str, message: str) -> Refusal:
    return Refusal(403, reason, message)
