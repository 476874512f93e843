"""Files and folders as agents give them: ids, links from a browser, or paths."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import BeforeValidator

from ringmain_core.errors import InvalidArguments

_ID = re.compile(r"[A-Za-z0-9_-]{10,120}")
_KEY = re.compile(r"[A-Za-z0-9_-]{0,120}")
_LINK = re.compile(r"/(?:d|folders|drives)/([A-Za-z0-9_-]{10,120})(?:/|$)")
_MOST_PARTS = 30


def _named(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


PartName = Annotated[str, BeforeValidator(_named)]
"""Of a sheet or page; clients make numbers of names like `2026`."""

FileRef = str
"""A file's or folder's id, link or path; the connector's instructions say so once."""

Cursor = str | None
"""`next_cursor` of the page before; it belongs to the same arguments."""

ROOT = "root"
"""What Drive calls somebody's own top folder."""

MY_DRIVE = "My Drive"
"""What people call it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a file is said to be.

    Attributes:
        id: Of it; empty where there is a path.
        resource_key: That a link carries along.
        path: Names from the top: of My Drive, or a shared drive's name first.
        is_mine: Whether the path begins at My Drive.
    """

    id: str = ""
    resource_key: str = ""
    path: tuple[str, ...] = ()
    is_mine: bool = False


def parse_reference(text: str) -> Reference:
    """A file or folder, from whatever names it.

    Raises:
        InvalidArguments: Where the text can be none.
    """
    text = text.strip()
    if "://" in text:
        parts = urlsplit(text)
        query = parse_qs(parts.query)
        found = _LINK.search(parts.path)
        name = found[1] if found else query.get("id", [""])[0]
        key = query.get("resourcekey", [""])[0]
        if not _ID.fullmatch(name) or not _KEY.fullmatch(key):
            raise _unreadable()
        return Reference(name, key)
    if text == ROOT:
        return Reference(ROOT)
    if "/" in text:
        names = tuple(part for part in text.split("/") if part)
        if not names:
            return Reference(ROOT)
        if len(names) > _MOST_PARTS or any(name in {".", ".."} for name in names):
            raise _unreadable()
        # Others name their shared drives as they like: what begins with a slash never leads there.
        is_mine = text.startswith("/") or names[0] == MY_DRIVE
        names = names[1:] if names[0] == MY_DRIVE else names
        return Reference(path=names, is_mine=is_mine) if names else Reference(ROOT)
    if _ID.fullmatch(text):
        return Reference(text)
    raise _unreadable()


def _unreadable() -> InvalidArguments:
    return InvalidArguments(
        "Name a file or folder by its id, its link, or its path: `/Plans/Budget` in My Drive, `Team/Plans` "
        "in the shared drive Team."
    )


def quoted(text: str) -> str:
    """A text as a value in Drive's query language."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def moment(text: str) -> str:
    """A time as Drive wants it (RFC 3339, UTC), from ISO 8601.

    Raises:
        InvalidArguments: Where it is none.
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArguments(f"`{text[:40]}` is no time: write 2026-11-27 or 2026-11-27T14:30.") from None
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S")
