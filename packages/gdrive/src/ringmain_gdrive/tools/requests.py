"""Requests for access: who asks, and what is decided."""

from collections.abc import Mapping
from typing import Any, Literal

from ringmain_core.arguments import DryRun, IdempotencyKey
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound
from ringmain_core.steps import sent_or_found
from ringmain_core.text import clean
from ringmain_core.tooling import tool
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.models import Outcome
from ringmain_gdrive.places import Place
from ringmain_gdrive.references import FileRef
from ringmain_gdrive.sharing import Offer, Role, ask_to_share, recipient_of, require_allowed, told

_WIDEST_FIRST: tuple[Role, ...] = ("writer", "commenter", "reader")


@tool(access="write", title="Requests for access")
async def access_requests(
    gdrive: GDrive,
    call: Call,
    file: FileRef,
    op: Literal["list", "approve", "deny"] = "list",
    request_id: str | None = None,
    role: Role | None = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """List who asks for access to a file, and approve (as `role`, or as asked) or deny a request."""
    place = await gdrive.place(call, file)
    waiting = await _waiting(gdrive, place)
    if op == "list":
        await place.saw(call)
        return Outcome(
            done=True,
            summary=f"{len(waiting)} wait for an answer about {place.title}.",
            id=place.id,
            preview="\n".join(_line(one) for one in waiting) or None,
        )
    one = next((one for one in waiting if one["proposalId"] == request_id), None)
    if one is None:
        raise NotFound("There is no such request, or it has been answered: op=list shows what waits.")
    recipient = recipient_of(str(one["recipientEmailAddress"]))
    body: dict[str, Any] = {"action": "DENY"}
    what = f"Deny {recipient.who} access to {place.title}."
    if op == "approve":
        await require_allowed(gdrive, call, recipient)
        offer = Offer(place, recipient, role or _asked(one))
        body = {"action": "ACCEPT", "role": [offer.role]}
        what = await told(gdrive, call, offer)
        if not dry_run:
            await ask_to_share(gdrive, call, offer)
    if not dry_run:
        await _answer(gdrive, place, str(request_id), body)
    return Outcome(
        done=not dry_run,
        summary=what if dry_run else f"{what} Done.",
        id=place.id,
        requests=[{"accessproposals.resolve": request_id, **body}] if dry_run else None,
    )


async def _answer(gdrive: GDrive, place: Place, request_id: str, body: Mapping[str, Any]) -> None:
    async def send() -> bool:
        await gdrive.send(
            "accessproposals.resolve",
            fileId=place.id,
            proposalId=request_id,
            body=body,
            headers=place.headers,
        )
        return True

    async def look() -> bool | None:
        waiting = await _waiting(gdrive, place)
        return None if request_id in {one["proposalId"] for one in waiting} else True

    await sent_or_found(send, look)


async def _waiting(gdrive: GDrive, place: Place) -> list[Mapping[str, Any]]:
    every = gdrive.every(
        "accessproposals.list", "accessProposals", fileId=place.id, pageSize=100, headers=place.headers
    )
    return [one async for one in every]


def _asked(one: Mapping[str, Any]) -> Role:
    """The widest role that was asked for."""
    roles = {str(wanted.get("role")) for wanted in one.get("rolesAndViews") or ()}
    for role in _WIDEST_FIRST:
        if role in roles:
            return role
    raise InvalidArguments("The request names no role: say which one to give, `role`.")


def _line(one: Mapping[str, Any]) -> str:
    roles = ", ".join(str(wanted.get("role")) for wanted in one.get("rolesAndViews") or ())
    to, by = str(one["recipientEmailAddress"]), str(one.get("requesterEmailAddress") or "")
    asked_by = f", asked by {by}" if by and by != to else ""
    message = " ".join(clean(str(one.get("requestMessage") or "")).split())
    when = str(one.get("createTime") or "")[:16]
    return f"[{one['proposalId']}] {when} {to} as {roles}{asked_by}{f': {message}' if message else ''}"


TOOLS = (access_requests,)
