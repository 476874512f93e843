"""Permissions, as the API shows them."""

from typing import Any

from standins.gdrive.access import Held
from standins.gdrive.file import File
from standins.gdrive.viewer import View
from standins.gdrive.web import stamp


def permission(view: View, of: File, held: Held) -> dict[str, Any]:
    """A permission as it counts for a file; in shared drives with where it comes from."""
    given = held.permission
    made: dict[str, Any] = {
        "kind": "drive#permission",
        "id": given.id,
        "type": given.type,
        "role": held.role,
        "allowFileDiscovery": given.discoverable if given.type in {"anyone", "domain"} else None,
        "expirationTime": stamp(given.expires) if given.expires else None,
    }
    if given.type in {"user", "group"}:
        person = view.store.people.find(given.to)
        made |= {
            "emailAddress": given.to,
            "displayName": person.name if person is not None else given.to,
            "deleted": False,
            "pendingOwner": False,
        }
    if given.type == "domain":
        made |= {"domain": given.to, "displayName": given.to}
    made["permissionDetails"] = _details(view, of, held)
    if of.drive:
        made["teamDrivePermissionDetails"] = [
            {
                "teamDrivePermissionType": one["permissionType"],
                **{name: value for name, value in one.items() if name != "permissionType"},
            }
            for one in made["permissionDetails"]
        ]
    return {name: value for name, value in made.items() if value is not None}


def _details(view: View, of: File, held: Held) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in view.store.access.held(of):
        if one.permission.id == held.permission.id and (held.role != "owner" or one.role == "owner"):
            above = one.source != of.id
            made = {
                "permissionType": "member" if one.source == of.drive else "file",
                "role": one.role,
                "inherited": above,
            }
            found.append({**made, "inheritedFrom": one.source} if above else made)
    return found
