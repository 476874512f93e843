"""Writing comments, answering them, and resolving what they are about."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.steps import sent_or_found
from ringmain_core.tooling import tool
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.models import Outcome
from ringmain_gdrive.places import Place
from ringmain_gdrive.references import FileRef

_SAID = "id,content,createdTime,action,author(me)"
_COMMENT = "id,content,createdTime,author(me)"
_ADDRESS = re.compile(r"[+@]?([\w.+-]+@[\w-]+(?:\.[\w-]+)+)")
_DONE = {
    "": "Commented on",
    "reply": "Replied to a comment on",
    "resolve": "Resolved a comment on",
    "reopen": "Reopened a comment on",
}
_LOOKS_BACK = timedelta(hours=1)  # further than any clock is wrong


async def _settle(gdrive: GDrive, call: Call, note: Any) -> Outcome | None:
    return await _posted(gdrive, await gdrive.place(call, note["file"]), note)


async def _posted(gdrive: GDrive, place: Place, note: Mapping[str, Any]) -> Outcome | None:
    """What of ours with this text, or this action, has come since."""
    for said in reversed(await _own(gdrive, place, note)):
        if said["id"] not in note["before"]:
            return _done(place, note, said["id"])
    return None


async def _own(gdrive: GDrive, place: Place, note: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All of one's own that says the same: comments of late, or the replies to one."""
    common: dict[str, Any] = {"fileId": place.id, "pageSize": 100, "headers": place.headers}
    method, field = "comments.list", "comments"
    if note["reply_to"]:
        method, field = "replies.list", "replies"
        common |= {"commentId": note["reply_to"], "fields": f"nextPageToken,replies({_SAID})"}
    else:
        common |= {"startModifiedTime": note["since"], "fields": f"nextPageToken,comments({_COMMENT})"}
    found = [one async for one in gdrive.every(method, field, **common) if _is_ours(one, note)]
    return sorted(found, key=lambda one: str(one["createdTime"]))


def _is_ours(said: Mapping[str, Any], note: Mapping[str, Any]) -> bool:
    alike = str(said.get("content") or "").strip() == note["text"].strip()
    return bool(said["author"].get("me")) and alike and (said.get("action") or "") == note["action"]


def _done(place: Place, note: Mapping[str, Any], said_id: str) -> Outcome:
    what = _DONE[note["action"] or ("reply" if note["reply_to"] else "")]
    return Outcome(
        done=True,
        summary=f"{what} {place.title}.",
        id=said_id,
        url=place.file.told.get("webViewLink"),
    )


@tool(access="write", title="Add a comment", settle=_settle)
async def comment(
    gdrive: GDrive,
    call: Call,
    file: FileRef,
    text: Annotated[str, OnRecord(withheld)] = "",
    reply_to: Annotated[str | None, Field(description="Comment id.")] = None,
    resolve: Annotated[bool | None, Field(description="With reply_to; false reopens.")] = None,
    quote: Annotated[str | None, OnRecord(withheld)] = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Comment on a file, reply to a comment, resolve or reopen it."""
    place = await gdrive.place(call, file)
    _require_sense(place, text, reply_to, quote, resolve=resolve)
    action = "" if resolve is None else "resolve" if resolve else "reopen"
    body: dict[str, Any] = {"content": text} if text.strip() else {}
    body |= {"action": action} if action else {}
    body |= {"quotedFileContent": {"mimeType": "text/plain", "value": quote}} if quote else {}
    method = "replies.create" if reply_to else "comments.create"
    if dry_run:
        kind = "reply" if reply_to else "comment"
        return Outcome(
            done=False,
            summary=f"A {kind} on {place.title}, {len(text):,} characters.",
            requests=[{method: reply_to or place.id, **body}],
            warnings=[f"{one} may be notified." for one in sorted(set(_ADDRESS.findall(text)))],
        )
    await place.may_share(call, f"Comment on {place.title}")
    note: dict[str, Any] = {
        "file": place.reference,
        "text": text,
        "reply_to": reply_to,
        "action": action,
        "since": f"{datetime.now(UTC) - _LOOKS_BACK:%Y-%m-%dT%H:%M:%S}.000Z",
    }
    note["before"] = [one["id"] for one in await _own(gdrive, place, note)]
    await call.note(note)

    async def send() -> Outcome:
        told = await gdrive.send(
            method, fileId=place.id, commentId=reply_to, body=body, fields="id", headers=place.headers
        )
        return _done(place, note, str(told["id"]))

    return await sent_or_found(send, lambda: _posted(gdrive, place, note))


def _require_sense(
    place: Place, text: str, reply_to: str | None, quote: str | None, *, resolve: bool | None
) -> None:
    if place.file.is_folder:
        raise InvalidArguments("Folders take no comments.")
    if reply_to is None and resolve is not None:
        raise InvalidArguments("Say which comment is resolved or reopened: `reply_to`.")
    if reply_to is not None and quote is not None:
        raise InvalidArguments("A reply quotes nothing: leave out `quote`.")
    if not text.strip() and resolve is None:
        raise InvalidArguments("Say something: `text`.")


TOOLS = (comment,)
