"""The bytes of files by URI, for clients that take them without the model."""

import base64
from typing import Any
from urllib.parse import quote

from ringmain_core.call import Call
from ringmain_core.text import clean
from ringmain_core.tooling import resource
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.contents import bytes_of
from ringmain_gdrive.places import Place
from ringmain_gdrive.readable import content_kind

_SECONDS = 120.0


def content_uri(place: Place) -> str:
    """Where `content` has a file; what a resource key opens is named by a link with it."""
    name = place.id
    if place.resource_key:
        name = f"https://drive.google.com/open?id={place.id}&resourcekey={place.resource_key}"
    return f"gdrive://file/{quote(name, safe='')}/content"


@resource(
    "gdrive://file/{file}/content",
    title="Content",
    mime_type="application/octet-stream",
    timeout=_SECONDS,
)
async def content(gdrive: GDrive, call: Call, file: str) -> dict[str, Any]:
    """A file as it is; Google's own as Markdown, xlsx, pptx or png."""
    place = await gdrive.place(call, file)
    wanted = content_kind(place.file)
    found = await bytes_of(gdrive, call, place, wanted)
    await place.saw(call)
    about = {"uri": content_uri(place), "mimeType": wanted.kind or "application/octet-stream"}
    text = _harmless_text(found) if wanted.form in {"markdown", "html", "csv", "text"} else None
    if text is not None:
        return {"contents": [about | {"text": text}]}
    return {"contents": [about | {"blob": base64.b64encode(found).decode()}]}


def _harmless_text(found: bytes) -> str | None:
    """The bytes as text where that is all of them, and nothing in it is hidden from people."""
    try:
        text = found.decode()
    except UnicodeDecodeError:
        return None
    return text if clean(text) == text else None


CONTENT_RESOURCES = (content,)
