"""Putting files in order: where they are, what they are called, and whether they are in the trash."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey
from ringmain_core.call import Call
from ringmain_core.confirmations import confirm_destructive
from ringmain_core.errors import InvalidArguments
from ringmain_core.tooling import tool
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.below import told_below
from ringmain_gdrive.exposure import Shift, shift_of
from ringmain_gdrive.file import FIELDS, SHORTCUT, DriveFile, told_briefly
from ringmain_gdrive.marks import Mark, made_by, made_once, mark_for
from ringmain_gdrive.models import Outcome
from ringmain_gdrive.places import Place
from ringmain_gdrive.references import ROOT, FileRef
from ringmain_gdrive.sharing import holder_of, require_allowed

Op = Literal["move", "rename", "copy", "shortcut", "star", "unstar", "trash", "restore"]
_FOLLOWED = frozenset({"copy", "shortcut"})  # all else is about a shortcut itself
_STATES: Mapping[Op, tuple[str, bool]] = {
    "star": ("starred", True),
    "unstar": ("starred", False),
    "trash": ("trashed", True),
    "restore": ("trashed", False),
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is about to happen.

    Attributes:
        what: It is, for a person: “Move “Plan” into My Drive/Archive”.
        request: What is sent.
        send: Does it.
        allow: Asks a person where one has to be asked.
        is_so: Whether nothing is left to do.
        warnings: What goes with it.
    """

    what: str
    request: dict[str, Any]
    send: Callable[[], Awaitable[DriveFile]]
    allow: Callable[[], Awaitable[None]]
    is_so: bool = False
    warnings: list[str] = field(default_factory=list[str])


async def _settle(gdrive: GDrive, call: Call, note: Any) -> Outcome | None:
    if note is None:
        return None  # all but making something sets a state: sent again, it does no more
    await gdrive.folder(call, note["folder"])
    found = await made_by(gdrive, Mark(**note["mark"]))
    return None if found is None else _said(note["what"], found)


def _said(what: str, file: DriveFile, warnings: list[str] | None = None) -> Outcome:
    return Outcome(
        done=True,
        summary=f"{what}: done.",
        id=file.id,
        url=file.told.get("webViewLink"),
        warnings=warnings or [],
    )


@tool(access="write", title="Organize a file", settle=_settle)
async def organize(
    gdrive: GDrive,
    call: Call,
    file: FileRef,
    op: Op,
    folder: Annotated[FileRef | None, Field(description="For move, copy, shortcut.")] = None,
    name: Annotated[str | None, Field(min_length=1, max_length=500)] = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Move, rename, copy, star or trash a file or folder, restore it, or make a shortcut to it."""
    place = await gdrive.place(call, file, follow=op in _FOLLOWED)
    _require_sense(place, op, folder, name)
    if op == "move":
        plan = await _move(gdrive, call, place, await gdrive.folder(call, folder or ROOT), name)
    elif op == "rename":
        plan = _rename(gdrive, call, place, name or "")
    elif op in _FOLLOWED:
        plan = await _make(gdrive, call, place, op, await _target(gdrive, call, place, folder), name)
    else:
        plan = await _set(gdrive, call, place, op)
    if dry_run:
        await place.saw(call)
        state = "It is so already. " if plan.is_so else ""
        return Outcome(
            done=False,
            summary=f"{state}{plan.what}.",
            id=place.id,
            requests=[] if plan.is_so else [plan.request],
            warnings=plan.warnings,
        )
    if plan.is_so:
        return _said(f"{plan.what}: it was so already", place.file)
    await plan.allow()
    done = await plan.send()
    await place.saw(call)
    return _said(plan.what, done, plan.warnings)


def _require_sense(place: Place, op: Op, folder: str | None, name: str | None) -> None:
    if folder is not None and op not in {"move", "copy", "shortcut"}:
        raise InvalidArguments(f"`folder` does not go with {op}.")
    if name is not None and op not in {"move", "rename", "copy", "shortcut"}:
        raise InvalidArguments(f"`name` does not go with {op}.")
    if op == "move" and folder is None:
        raise InvalidArguments("Say where to: `folder`.")
    if op == "rename" and name is None:
        raise InvalidArguments("Say what it shall be called: `name`.")
    if op == "copy" and place.file.is_folder:
        raise InvalidArguments(
            "Drive copies no folders: make one with `create_file`, and copy the files in it one by one."
        )


async def _target(gdrive: GDrive, call: Call, place: Place, folder: str | None) -> Place:
    """Where a copy or shortcut goes: beside the file unless something else is said."""
    beside = place.file.parents[0] if place.file.parents else ROOT
    return await gdrive.folder(call, folder or beside)


async def _move(gdrive: GDrive, call: Call, place: Place, target: Place, name: str | None) -> _Plan:
    shift = await _shift(gdrive, call, place, target, moves=True)
    as_name = f" as “{told_briefly(name)}”" if name else ""
    what = f"Move {place.title} into {target.where}{as_name}"
    body = {"name": name} if name else {}
    parents = {"addParents": target.id, "removeParents": ",".join(place.file.parents) or None}

    return _Plan(
        what,
        {"files.update": place.id, **parents, **body},
        lambda: _update(gdrive, call, place, body, **parents),
        lambda: _may_go(call, place, target, what, shift, name),
        is_so=target.id in place.file.parents and not name,
        warnings=[str(shift)],
    )


def _rename(gdrive: GDrive, call: Call, place: Place, name: str) -> _Plan:
    what = f"Rename {place.title} to “{told_briefly(name)}”"
    body = {"name": name}
    return _Plan(
        what,
        {"files.update": place.id, **body},
        lambda: _update(gdrive, call, place, body),
        lambda: place.may_share(call, what),
        is_so=place.file.told.get("name") == name,
    )


async def _make(gdrive: GDrive, call: Call, place: Place, op: Op, target: Place, name: str | None) -> _Plan:
    """A copy, or a shortcut."""
    given = name or (f"Copy of {place.file.name}" if op == "copy" else place.file.name)
    what = f"Make a {op} of {place.title} called “{told_briefly(given)}” in {target.where}"
    body: dict[str, Any] = {"name": given, "parents": [target.id]}
    method, kind = "files.copy", place.file.mime_type
    parameters: dict[str, Any] = {"fileId": place.id}
    if op == "shortcut":
        method, kind, parameters = "files.create", SHORTCUT, {}
        body |= {"mimeType": SHORTCUT, "shortcutDetails": {"targetId": place.id}}

    async def send() -> DriveFile:
        mark = await mark_for(gdrive, kind)
        await call.note({"folder": target.reference, "mark": mark.to_note(), "what": what})
        return await made_once(gdrive, method, mark, body, headers=place.headers, **parameters)

    # A shortcut lets nobody in: whoever follows it needs access of their own.
    shift = Shift() if op == "shortcut" else await _shift(gdrive, call, place, target, moves=False)
    return _Plan(
        what,
        {method: place.id, **body},
        send,
        lambda: _may_go(call, place, target, what, shift, name),
        warnings=[] if op == "shortcut" else [str(shift)],
    )


async def _shift(gdrive: GDrive, call: Call, place: Place, target: Place, *, moves: bool) -> Shift:
    """Who gains and loses access, if the operator lets all who gain it have it."""
    shift = await shift_of(gdrive, call, place, target, moves=moves)
    for one in shift.gains:
        await require_allowed(gdrive, call, holder_of(one.permission))
    return shift


async def _may_go(call: Call, place: Place, target: Place, what: str, shift: Shift, name: str | None) -> None:
    """Let a person decide where others get to see it, or a name that could tell what was read."""
    is_unasked = bool(shift.gains) and not call.grant.confirm_destructive
    if shift.gains:
        await confirm_destructive(call, "share", f"{what}? {shift}")
    if is_unasked:
        await place.saw(call)
    if is_unasked or name:
        await target.may_share(call, f"{what}. {shift} Go on")


async def _set(gdrive: GDrive, call: Call, place: Place, op: Op) -> _Plan:
    """The star, and the trash."""
    name, value = _STATES[op]
    what = f"{op.capitalize()} {place.title}"
    below = await told_below(gdrive, place) if op == "trash" else ""
    if op == "trash":
        what = f"Move {place.where} to the trash"
        what += f", with {below} in it" if below else ""
    body = {name: value}

    async def allow() -> None:
        if op == "trash":
            await confirm_destructive(call, "trash", f"{what}? Drive deletes it for good after 30 days.")

    return _Plan(
        what,
        {"files.update": place.id, **body},
        lambda: _update(gdrive, call, place, body),
        allow,
        is_so=bool(place.file.told.get(name)) is value,
    )


async def _update(
    gdrive: GDrive, call: Call, place: Place, body: Mapping[str, Any], **parameters: Any
) -> DriveFile:
    told = await gdrive.send(
        "files.update",
        fileId=place.id,
        body=body,
        idempotent=True,
        fields=FIELDS,
        supportsAllDrives=True,
        headers=place.headers,
        **parameters,
    )
    if place.file.is_folder:
        await gdrive.forget(call, place.id)
    return DriveFile(told)


TOOLS = (organize,)
