"""Reading comments."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from ringmain_core.answers import PagedItem
from ringmain_core.call import Call
from ringmain_core.parts import Part, filled
from ringmain_core.text import clean, prose
from ringmain_core.tooling import tool
from ringmain_gdrive.api import GDrive, Place
from ringmain_gdrive.references import Cursor, FileRef

_COMMENT_FIELDS = (
    "nextPageToken,comments(id,content,createdTime,resolved,deleted,author(displayName),"
    "quotedFileContent(value),replies(id,content,createdTime,action,deleted,author(displayName)))"
)


@tool(access="read", title="Read comments")
async def comments(
    gdrive: GDrive, call: Call, file: FileRef, open_only: bool = False, cursor: Cursor = None
) -> PagedItem:
    """Read the comments on a file with their replies, ids, and the text that they are about."""
    place = await gdrive.place(call, file)
    facts = {"file": place.file.name}
    parts = {"comments": _comments(gdrive, place, open_only=open_only)}
    answer = await filled(gdrive.cursors, call, f"{place.source} comments", facts, parts, cursor)
    await place.saw(call)
    return answer


def _comments(gdrive: GDrive, place: Place, *, open_only: bool) -> Part:
    async def pieces(begin: int) -> AsyncGenerator[str]:
        token: str | None = None
        number = 0
        while True:
            page = await gdrive.get(
                "comments.list", fileId=place.id, fields=_COMMENT_FIELDS, pageSize=100, pageToken=token
            )
            for told in page.get("comments") or ():
                if told.get("deleted") or (open_only and told.get("resolved")):
                    continue
                number += 1
                if number > begin:
                    yield _comment(told)
            token = page.get("nextPageToken")
            if not token:
                return

    return pieces


def _comment(told: Mapping[str, Any]) -> str:
    quoted: Mapping[str, Any] = told.get("quotedFileContent") or {}
    about = f" on “{' '.join(prose(str(quoted['value'])).split())[:200]}”" if quoted.get("value") else ""
    state = ", resolved" if told.get("resolved") else ""
    lines = [f"[{told['id']}] {_said(told)}{about}{state}: {_indented(str(told.get('content') or ''))}"]
    for reply in told.get("replies") or ():
        if not reply.get("deleted"):
            action = f" ({reply['action']})" if reply.get("action") else ""
            lines.append(
                f"  [{reply['id']}] {_said(reply)}{action}: {_indented(str(reply.get('content') or ''))}"
            )
    return "\n".join(lines)


def _said(told: Mapping[str, Any]) -> str:
    author: Mapping[str, Any] = told.get("author") or {}
    return f"{clean(str(author.get('displayName') or 'somebody'))}, {str(told.get('createdTime') or '')[:16]}"


def _indented(text: str) -> str:
    """So that no text can pass for the next comment, of somebody else."""
    return prose(text).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\n    ")


TOOLS = (comments,)
