"""Reading comments."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringmain_core.answers import PagedItem, beginning, size_of
from ringmain_core.call import Call
from ringmain_core.text import clean, prose
from ringmain_core.tooling import tool
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.places import Place
from ringmain_gdrive.references import Cursor, FileRef

_COMMENT_FIELDS = (
    "nextPageToken,comments(id,content,createdTime,resolved,deleted,author(displayName),"
    "quotedFileContent(value),replies(id,content,createdTime,action,deleted,author(displayName)))"
)
_FRAME = 1_000  # bytes for what stands around them


@tool(access="read", title="Read comments")
async def comments(
    gdrive: GDrive, call: Call, file: FileRef, open_only: bool = False, cursor: Cursor = None
) -> PagedItem:
    """Read the comments on a file with their replies, ids, and the text that they are about."""
    place = await gdrive.place(call, file)
    purpose = f"comments {place.id} {open_only}"
    # By the last one that was shown, not by a number: what was shown may be gone or resolved meanwhile.
    last, offset = ("", 0) if cursor is None else gdrive.cursors.open(call, purpose, cursor)
    texts = {_order(one): _comment(one) for one in await _all(gdrive, place, open_only=open_only)}
    rest = {key: texts[key] for key in sorted(texts) if key > last}
    if offset and last in texts:
        rest = {last: texts[last][offset:], **rest}
    answer = PagedItem(source=place.source, facts={} if cursor else {"file": place.file.name})
    shown = _fitting(list(rest.values()), call.room - 2 * size_of(answer.facts) - _FRAME)
    answer.parts["comments"] = "\n".join(shown) or "none"
    if shown != list(rest.values()):
        key = list(rest)[len(shown) - 1]
        is_whole = shown[-1] == rest[key]
        end = 0 if is_whole else len(texts[key]) - len(rest[key]) + len(shown[-1])
        answer.next_cursor = gdrive.cursors.seal(call, purpose, [key, end])
        answer.truncated.append("comments: call again with `next_cursor` as `cursor`.")
    await place.saw(call)
    return answer


def _fitting(texts: Sequence[str], room: int) -> list[str]:
    """As many from the beginning as fit; of one that is too large alone, its beginning."""
    shown: list[str] = []
    for text in texts:
        room -= size_of(text)
        if room < 0:
            break
        shown.append(text)
    return shown or [beginning(text, room + size_of(text)) for text in texts[:1]]


def _order(told: Mapping[str, Any]) -> str:
    return f"{told.get('createdTime')} {told['id']}"


async def _all(gdrive: GDrive, place: Place, *, open_only: bool) -> list[Mapping[str, Any]]:
    every = gdrive.every(
        "comments.list",
        "comments",
        fileId=place.id,
        fields=_COMMENT_FIELDS,
        pageSize=100,
        headers=place.headers,
    )
    return [
        told async for told in every if not told.get("deleted") and not (open_only and told.get("resolved"))
    ]


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
