"""Content that is on its way to Drive: read from the arguments of a call, with its type."""

import base64
import binascii
import mimetypes
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from ringmain_core.arguments import OnRecord, withheld
from ringmain_core.errors import InvalidArguments
from ringmain_gdrive.client import Upload
from ringmain_gdrive.file import DOCUMENT, FOLDER, PRESENTATION, SPREADSHEET, DriveFile
from ringmain_gdrive.readable import content_kind

Content = Annotated[str | None, OnRecord(withheld), Field(description="Text.")]
ContentBase64 = Annotated[str | None, OnRecord(withheld), Field(description="Bytes.")]
Kind = Literal["file", "folder", "document", "spreadsheet", "presentation"]

NATIVE: Mapping[Kind, str] = {
    "folder": FOLDER,
    "document": DOCUMENT,
    "spreadsheet": SPREADSHEET,
    "presentation": PRESENTATION,
}
"""Media types of what is none of its own bytes."""

_OFFICE = "application/vnd.openxmlformats-officedocument."
OFFICE: Mapping[str, str] = {
    DOCUMENT: f"{_OFFICE}wordprocessingml.document",
    SPREADSHEET: f"{_OFFICE}spreadsheetml.sheet",
    PRESENTATION: f"{_OFFICE}presentationml.presentation",
}
"""What Google's own formats are exchanged as without losing more than they must."""

TEXT: Mapping[str, str] = {DOCUMENT: "text/markdown", SPREADSHEET: "text/csv"}
"""What a text is that becomes one of Google's own formats."""

_GOOGLES = "application/vnd.google-apps."
_ALSO_TEXT = frozenset({"application/postscript", "application/rtf", "message/rfc822"})
"""What is written as text, and read by other programs only."""

_TEXTUAL = frozenset({"text", "markdown", "csv", "html"})
_KNOWN: Mapping[str, str] = {  # not on every system are these among `mimetypes`
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".ts": "text/x-typescript",
    ".json": "application/json",
    ".docx": OFFICE[DOCUMENT],
    ".xlsx": OFFICE[SPREADSHEET],
    ".pptx": OFFICE[PRESENTATION],
}


def data_of(content: str | None, content_base64: str | None, most: int) -> bytes:
    """The bytes that were given, one way or the other.

    Raises:
        InvalidArguments: Where there are none, or two of them, or too many.
    """
    if (content is None) == (content_base64 is None):
        raise InvalidArguments("Give `content` (text) or `content_base64` (bytes), one of them.")
    if content_base64 is not None:
        try:
            data = base64.b64decode("".join(content_base64.split()), validate=True)
        except (binascii.Error, ValueError):
            raise InvalidArguments("`content_base64` is no base64.") from None
    else:
        data = (content or "").encode(errors="replace")
    if len(data) > most:
        raise InvalidArguments(f"These are {len(data):,} bytes; at most {most:,} may be written.")
    return data


def type_of_new(name: str, wanted: str, said: str | None, *, is_text: bool) -> str:
    """The media type of what a new file is made from.

    Args:
        name: Of the file; its ending tells.
        wanted: What Drive shall make of it; empty for nothing else.
        said: What the caller says that it is.
        is_text: Whether it came as text.

    Raises:
        InvalidArguments: For a text that cannot become or be that, and for what has no bytes.
    """
    if said and said.lower().startswith(_GOOGLES):
        raise InvalidArguments("Folders and Google's own formats are made by `kind`, not by `mime_type`.")
    found = said or _type_by_name(name, wanted, is_text=is_text)
    if is_text:
        _require_textual("" if wanted else name, found)
    return found


def _type_by_name(name: str, wanted: str, *, is_text: bool) -> str:
    ending = f".{name.rpartition('.')[2].lower()}" if "." in name else ""
    known = _KNOWN.get(ending) or mimetypes.guess_type(name)[0]
    if not wanted:
        return known or ("text/plain" if is_text else "application/octet-stream")
    return _text_for(wanted) if is_text else known or OFFICE[wanted]


def _require_textual(name: str, kind: str) -> None:
    """Raises InvalidArguments: Where a file of that name and type is not text inside."""
    file = DriveFile({"name": name, "mimeType": kind})
    if kind not in _ALSO_TEXT and not is_textual(file):
        raise InvalidArguments(
            f"A {file.kind} is not text inside: give its bytes (`content_base64`); or `kind=document` or "
            "`spreadsheet`, which are made of Markdown and CSV; or a name and `mime_type` of a text."
        )


def upload_for(file: DriveFile, data: bytes, *, is_text: bool) -> Upload:
    """New content for a file that is there.

    Raises:
        InvalidArguments: Where it does not go with what the file is.
    """
    if file.mime_type in OFFICE:
        return Upload(data, _text_for(file.mime_type) if is_text else OFFICE[file.mime_type])
    if file.is_native or file.is_folder or file.target:
        raise InvalidArguments(f"A {file.kind} takes no content.")
    if is_text and not is_textual(file):
        raise InvalidArguments(f"A {file.kind} takes its bytes (`content_base64`), not a text.")
    return Upload(data, file.mime_type)


def is_textual(file: DriveFile) -> bool:
    """Whether a file is text as it is kept."""
    return not file.is_native and content_kind(file).form in _TEXTUAL


def _text_for(wanted: str) -> str:
    if wanted not in TEXT:
        raise InvalidArguments("A presentation is made of the bytes of a .pptx: `content_base64`.")
    return TEXT[wanted]
