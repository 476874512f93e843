"""`accessproposals.*`: who asks for access to a file, and what those who may share it decide."""

from typing import Any

from standins.gdrive import sharing
from standins.gdrive.capabilities import can_share
from standins.gdrive.errors import Refusal, bad_request, no_permission
from standins.gdrive.file import File
from standins.gdrive.models import RANK, Mail, Proposal
from standins.gdrive.web import Asked, Routes, stamp

routes = Routes()

_ROLES = {"reader", "commenter", "writer"}


def _file(asked: Asked) -> File:
    """The file, for those who may decide about it; shared drives need no parameter here."""
    file = asked.file()
    if not can_share(file, asked.view.rank(file)):
        raise no_permission(file.id)
    return file


def _found(asked: Asked, file: File) -> Proposal:
    number = asked.text("proposalId")
    if number not in file.proposals:
        raise Refusal(404, "notFound", f"Access proposal not found: {number}.", location="proposalId")
    return file.proposals[number]


def _shown(file: File, of: Proposal) -> dict[str, Any]:
    made: dict[str, Any] = {
        "fileId": file.id,
        "proposalId": of.id,
        "requesterEmailAddress": of.by,
        "recipientEmailAddress": of.to,
        "rolesAndViews": [{"role": role} for role in of.roles],
        "createTime": stamp(of.created),
    }
    return made | ({"requestMessage": of.message} if of.message else {})


@routes.on("drive.accessproposals.list")
def listed(asked: Asked) -> dict[str, Any]:
    file = _file(asked)
    page, following = asked.page(file.id, lambda: list(file.proposals.values()))
    shown = [_shown(file, one) for one in page]
    return asked.mask.made({"nextPageToken": following, "accessProposals": shown})


@routes.on("drive.accessproposals.get")
def get(asked: Asked) -> dict[str, Any]:
    file = _file(asked)
    return asked.mask.shown(_shown(file, _found(asked, file)))


def _roles(body: dict[str, Any]) -> list[str]:
    return body.get("role", [])


@routes.on("drive.accessproposals.resolve")
def resolve(asked: Asked) -> None:
    file = _file(asked)
    found, body = _found(asked, file), asked.body
    action, roles = body.get("action"), _roles(body)
    if action not in {"ACCEPT", "DENY"}:
        raise bad_request("The action is ACCEPT or DENY.", "action")
    if action == "ACCEPT":
        if not roles or not _ROLES.issuperset(roles):
            raise bad_request("An access proposal is accepted with a role.", "role")
        best = max(roles, key=RANK.__getitem__)
        given = sharing.permission_to(asked.store.people, found.to, best)
        sharing.allow(asked.store.people, asked.store.drives.get(file.drive), file, given, asked.view.user)
        asked.fake.spend_share(file.name)
        asked.store.give(file, given, asked.me)
    del file.proposals[found.id]
    if body.get("sendNotification"):
        asked.fake.mails.append(Mail(found.by, file.id, ""))
