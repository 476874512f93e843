"""Files and canvases: text by pages, images as images, nothing that cannot be read."""

from typing import Any

from ringmain_core.answers import ContentItem
from ringmain_core.call import Call
from ringmain_core.errors import UpstreamRefused
from ringmain_core.parts import filled, whole
from ringmain_core.text import clean, prose, untrusted
from ringmain_core.tooling import tool
from ringmain_slack.api import Slack
from ringmain_slack.files import SharedFile, shared_file
from ringmain_slack.references import Cursor, when

_MOST_TEXT = 1024 * 1024
_MOST_IMAGE = 3 * 1024 * 1024
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_TEXTS = (
    "application/json",
    "application/xml",
    "application/javascript",
    "application/x-sh",
    "application/sql",
)


@tool(access="read", title="Read a file or canvas")
async def read_file(
    slack: Slack, call: Call, file: str, workspace: str | None = None, cursor: Cursor = None
) -> ContentItem:
    """Read a text file, image or canvas that was shared in a channel, by its id or link."""
    found = await shared_file(slack, call, file, workspace)
    facts = _facts(found)
    kind = str(found.told.get("mimetype") or "")
    if found.is_canvas:
        answer = await found.workspace.get("canvases.getContent", canvas_id=found.id)
        return await _paged(slack, call, found, facts, prose(str(answer["content"])), cursor)
    if kind in _IMAGES:
        content = await _content(call, found, _MOST_IMAGE)
        await found.saw(call)
        return ContentItem(source=found.source, facts=facts).with_image(content, kind)
    if kind.startswith("text/") or kind in _TEXTS:
        content = await _content(call, found, _MOST_TEXT)
        text = clean(content.decode(errors="replace"))
        return await _paged(slack, call, found, facts, text, cursor)
    raise UpstreamRefused(
        f"The file {found.id} is {clean(kind) or 'of an unknown kind'}: neither text nor an image, so it is "
        f"not read here. A person can open {found.link}."
    )


async def _paged(
    slack: Slack, call: Call, found: SharedFile, facts: dict[str, Any], text: str, cursor: Cursor
) -> ContentItem:
    parts = {"content": whole(text)}
    page = await filled(slack.cursors, call, found.source, facts, parts, cursor)
    await found.saw(call)
    return ContentItem.model_validate(page.model_dump() | {"source": page.source})


async def _content(call: Call, found: SharedFile, most: int) -> bytes:
    size = int(found.told.get("size") or 0)
    url = found.told.get("url_private")
    if found.told.get("is_external") or not url:
        await found.saw(call)
        address = untrusted(str(found.told.get("external_url") or "no link"), found.source)
        raise UpstreamRefused(f"The file {found.id} is kept elsewhere:\n{address}")
    content, kind = (b"", "") if size > most else await found.workspace.download(str(url), most)
    if size > most or len(content) > most:
        raise UpstreamRefused(
            f"The file {found.id} has {max(size, len(content)):,} bytes; at most {most:,} are read."
        )
    if kind == "text/html" and found.told.get("mimetype") != "text/html":
        raise UpstreamRefused("Slack shows a login page in place of the file: the token lacks files:read.")
    return content


def _facts(found: SharedFile) -> dict[str, Any]:
    told = found.told
    return {
        "id": found.id,
        "title": found.title,
        "kind": "canvas" if found.is_canvas else str(told.get("mimetype") or "unknown"),
        "bytes": int(told.get("size") or 0),
        "shared by": str(told.get("user") or ""),
        "created": when(str(told["created"])),
        "url": clean(str(told.get("permalink") or "")),
    }


TOOLS = (read_file,)
