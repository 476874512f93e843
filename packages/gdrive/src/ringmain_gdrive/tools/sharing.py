"""Sharing: who may reach a file, given, changed and taken away."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, OutsideFence, UpstreamRefused
from ringmain_core.steps import sent_or_found
from ringmain_core.tooling import tool
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.exposure import Permission, permissions_of, rank, report
from ringmain_gdrive.granting import Wish, request_of
from ringmain_gdrive.models import Outcome
from ringmain_gdrive.own import Own
from ringmain_gdrive.references import FileRef
from ringmain_gdrive.sharing import (
    Recipient,
    Role,
    ask_to_share,
    expiry_of,
    is_outside,
    recipient_of,
    require_allowed,
    require_short,
    told,
)

_NO_MAIL = "No mail is sent: Drive sends one only with access that is new."


async def _settle(gdrive: GDrive, call: Call, note: Any) -> Outcome | None:
    wish = Wish(
        await gdrive.place(call, note["file"]),
        recipient_of(note["to"]),
        note["role"],
        note["expires"],
        remove=note["remove"],
    )
    return await _became(gdrive, wish)


async def _became(gdrive: GDrive, wish: Wish) -> Outcome | None:
    held = _held(await permissions_of(gdrive, wish.place), wish.to)
    taken = wish.remove and held is not None and not held.own_role
    return _said(wish) if taken or wish.is_met(held) else None


def _held(every: Sequence[Permission], by: Recipient) -> Permission | None:
    return next((one for one in every if by.holds(one)), None)


def _said(wish: Wish, warnings: Sequence[str] = (), *, already: bool = False) -> Outcome:
    name = wish.place.file.name
    if wish.remove:
        what = f"“{name}” is not shared with {wish.to.who}"
    else:
        until = f" until {wish.expires[:16]}" if wish.expires else ""
        what = f"“{name}” is shared with {wish.to.who} as {wish.role}{until}"
    return Outcome(
        done=True,
        summary=f"{what}{', as it was already' if already else ''}.",
        id=wish.place.id,
        url=wish.place.file.told.get("webViewLink"),
        warnings=list(warnings),
    )


@tool(access="write", title="Share a file", settle=_settle)
async def share(
    gdrive: GDrive,
    call: Call,
    file: FileRef,
    to: Annotated[str, Field(description="E-mail address, domain, or `anyone`.")],
    role: Role = "reader",
    expires: Annotated[str | None, Field(description="ISO 8601, within a year.")] = None,
    notify: Annotated[bool, Field(description="By mail.")] = False,
    message: Annotated[str | None, OnRecord(withheld)] = None,
    remove: Annotated[bool, Field(description="Take access away instead.")] = False,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Give or change access to a file or folder, after asking a person; or take it away."""
    place = await gdrive.place(call, file)
    recipient = recipient_of(to)
    if message is not None and not notify:
        raise InvalidArguments("`message` goes with notify=true.")
    require_short(message or "")
    if remove and (expires or notify):
        raise InvalidArguments("`expires` and `notify` do not go with `remove`.")
    if notify and recipient.kind != "address":
        raise InvalidArguments("Only people and groups get mail: leave out `notify`.")
    until = expiry_of(recipient, expires) if expires else ""
    every = await permissions_of(gdrive, place)
    held = _held(every, recipient)
    _require_not_owner(held)
    is_new = held is None or not held.own_role
    wish = Wish(place, recipient, role, until, notify and is_new, message, remove)
    unsaid = [_NO_MAIL] if notify and (not is_new or wish.is_met(held)) else []
    if wish.is_met(held):
        return _said(wish, unsaid, already=True)
    if remove:
        await _require_own(gdrive, call, held)
    if wish.widens(held):
        await require_allowed(gdrive, call, recipient)
    own = await gdrive.own(call)
    request = request_of(gdrive, wish, held)
    warnings = unsaid + _warnings(wish, held, own)
    if dry_run:
        await place.saw(call)
        what = f"Take from {recipient.who} their access to {place.title}."
        if not remove:
            what = await told(gdrive, call, wish)
        return Outcome(
            done=False,
            summary=what,
            id=place.id,
            requests=[request.told],
            warnings=warnings,
            preview=_before(every, held, own),
        )
    if wish.widens(held):
        await ask_to_share(gdrive, call, wish)
    note = {"file": place.reference, "to": to, "role": role, "expires": until, "remove": remove}
    await call.note(note)
    await sent_or_found(request.send, lambda: _became(gdrive, wish))
    return _said(wish, warnings)


def _require_not_owner(held: Permission | None) -> None:
    if held is not None and held.role == "owner":
        raise UpstreamRefused(f"{held.address} owns it: that is changed by people only, in Drive.")


async def _require_own(gdrive: GDrive, call: Call, held: Permission | None) -> None:
    """See that a permission was given on the file itself.

    Raises:
        UpstreamRefused: Where it comes from above; it says from where.
    """
    if held is None or held.own_role:
        return
    where = "a folder above"
    if held.inherited_from:
        try:
            above = await gdrive.place(call, held.inherited_from)
            where = f"{above.title} ({above.id})"
        except OutsideFence:
            where = "a folder above that you may not use"
    raise UpstreamRefused(f"This access comes from {where}: take it away there, for all that is below.")


def _warnings(wish: Wish, held: Permission | None, own: Own) -> list[str]:
    found: list[str] = []
    if not wish.remove and is_outside(wish.to, own):
        found.append(f"{wish.to.who} is outside of {own.name}.")
    if (
        held is not None
        and held.inherited_role
        and (wish.remove or rank(held.inherited_role) > rank(wish.role))
    ):
        found.append(f"They stay {held.inherited_role} by what a folder above gives.")
    return found


def _before(every: Sequence[Permission], held: Permission | None, own: Own) -> str:
    """Who has access now."""
    has = "none" if held is None else f"{held.role}{', inherited' if held.is_inherited else ''}"
    lines = [f"Access of theirs so far: {has}."]
    lines += [f"{one.who}: {one.role}{', inherited' if one.is_inherited else ''}" for one in every]
    return "\n".join([*lines, report(every, own)])


TOOLS = (share,)
