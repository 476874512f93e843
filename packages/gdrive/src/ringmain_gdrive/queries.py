"""Searches in Drive's query language, made of plain arguments: nothing that is typed becomes a part of it."""

from collections.abc import Mapping, Sequence
from typing import Literal

from ringmain_gdrive.file import DOCUMENT, FOLDER, PRESENTATION, SHORTCUT, SPREADSHEET
from ringmain_gdrive.references import moment, quoted

Kind = Literal[
    "folder", "document", "spreadsheet", "presentation", "pdf", "image", "video", "word", "excel", "text"
]

_OFFICE = "application/vnd.openxmlformats-officedocument"
_TYPES: Mapping[Kind, str] = {
    "folder": f"mimeType = '{FOLDER}'",
    "document": f"mimeType = '{DOCUMENT}'",
    "spreadsheet": f"mimeType = '{SPREADSHEET}'",
    "presentation": f"(mimeType = '{PRESENTATION}' or mimeType = '{_OFFICE}.presentationml.presentation')",
    "pdf": "mimeType = 'application/pdf'",
    "image": "mimeType contains 'image/'",
    "video": "mimeType contains 'video/'",
    "word": f"(mimeType = '{_OFFICE}.wordprocessingml.document' or mimeType = 'application/msword')",
    "excel": f"(mimeType = '{_OFFICE}.spreadsheetml.sheet' or mimeType = 'application/vnd.ms-excel')",
    "text": "mimeType contains 'text/'",
}


def query_of(
    *,
    text: str | None = None,
    name: str | None = None,
    kinds: Sequence[Kind] = (),
    owner: str | None = None,
    modified_after: str | None = None,
    raw: str | None = None,
) -> str:
    """The query that finds files with all of these properties, without what is in the trash.

    Args:
        text: Words that are in it; a `"phrase"` in double quotes stays one.
        name: Words of its name, or their beginnings.
        kinds: One of them.
        owner: E-mail address, or `me`.
        modified_after: ISO 8601.
        raw: A query of Drive's own language that has to hold, too.

    Raises:
        InvalidArguments: Where the time is none.
    """
    terms = ["trashed = false"]
    if text:
        terms.append(f"fullText contains {quoted(text)}")
    if name:
        terms.append(f"name contains {quoted(name)}")
    if kinds:
        terms.append(f"({' or '.join(_TYPES[kind] for kind in kinds)})")
    else:
        terms.append(f"mimeType != '{SHORTCUT}'")
    if owner:
        terms.append(f"{quoted(owner)} in owners")
    if modified_after:
        terms.append(f"modifiedTime > {quoted(moment(modified_after))}")
    if raw:
        terms.append(f"({raw})")
    return " and ".join(terms)
