"""`changes.*`: what happened since a token, for one person or in one shared drive."""

from binascii import crc32
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from standins.gdrive import drive_shapes, shapes
from standins.gdrive.errors import Refusal, bad_request, invalid_value
from standins.gdrive.fields import Mask, Part
from standins.gdrive.file import File
from standins.gdrive.models import Change
from standins.gdrive.web import Asked, Routes, stamp

routes = Routes()


@dataclass(frozen=True)
class _Seen:
    """A change as a person sees it.

    Attributes:
        file: As it is now; `None` where it is gone for them, or was not asked for.
        removed: From this log, if not for them.
    """

    change: Change
    file: File | None
    removed: bool = False


@routes.on("drive.changes.getStartPageToken")
def start(asked: Asked) -> dict[str, Any]:
    _drive(asked)
    token = _token(asked, len(asked.store.log))
    return asked.mask.made({"kind": "drive#startPageToken", "startPageToken": token})


def _drive(asked: Asked) -> str:
    """The shared drive that it is about; empty for the person's own log.

    Raises:
        Refusal: `notFound`, `badRequest` without `supportsAllDrives`.
    """
    number = asked.text("driveId")
    if not number:
        return ""
    found = asked.store.drives.get(number)
    if found is None or asked.me not in asked.store.members(found):
        raise Refusal(404, "notFound", f"Shared drive not found: {number}", location="driveId")
    if not asked.knows_drives:
        raise bad_request("The driveId parameter requires supportsAllDrives.", "driveId")
    return number


def _base(asked: Asked) -> int:
    """Where the numbers of a log begin: no two have the same tokens."""
    return 1000 * (crc32(f"{asked.me} {asked.text('driveId')}".encode()) % 900_000_000 + 1)


def _token(asked: Asked, position: int) -> str:
    return str(_base(asked) + position)


def _position(asked: Asked) -> int:
    text = asked.text("pageToken")
    position = int(text) - _base(asked) if text.isdigit() else -1
    if not 0 <= position <= len(asked.store.log):
        raise invalid_value("pageToken")
    return position


@routes.on("drive.changes.list")
def listed(asked: Asked) -> dict[str, Any]:
    drive = _drive(asked)
    if asked.flag("includeItemsFromAllDrives") and not asked.knows_drives:
        message = "The includeItemsFromAllDrives parameter requires supportsAllDrives."
        raise bad_request(message, "includeItemsFromAllDrives")
    position, size = _position(asked), asked.values["pageSize"]
    log, feed = asked.store.log, _Feed(asked, drive, asked.store.log[position:])
    page: list[_Seen] = []
    while position < len(log) and len(page) < size:
        page += feed.of(log[position])
        position += 1
    ended = position >= len(log)
    token = _token(asked, position)
    return asked.mask.made(
        {
            "kind": "drive#changeList",
            "newStartPageToken": token if ended else None,
            "nextPageToken": None if ended else token,
            "changes": lambda mask: [_shown(asked, one, mask) for one in page],
        }
    )


class _Feed:
    """What of a log somebody sees: of each file its last change, or the one by which it was lost."""

    def __init__(self, asked: Asked, drive: str, log: Sequence[Change]) -> None:
        self._asked, self._drive = asked, drive
        self._includes = bool(drive) or asked.flag("includeItemsFromAllDrives")
        some = [one for one in log if self._belongs(one)]
        self._last = {one.id: one.number for one in some}
        self._lost = {one.id: one.number for one in some if asked.me in one.left}

    def _belongs(self, change: Change) -> bool:
        """A person's log need not tell what happens in a shared drive: here it never does."""
        if self._drive:
            return change.drive == self._drive
        return not change.drive or (change.kind == "drive" and self._includes)

    def of(self, change: Change) -> Iterator[_Seen]:
        """The change, if it is one for this person and this request."""
        asked, drive = self._asked, self._drive
        last = self._last.get(change.id) == change.number
        lost = self._lost.get(change.id) == change.number
        if change.kind == "drive":
            found = asked.store.drives.get(change.id)
            member = found is not None and asked.me in asked.store.members(found)
            if (last and member) or (lost and asked.flag("includeRemoved")):
                yield _Seen(change, None)
            return
        file = asked.store.files.get(change.id)
        there = file is not None and self._lists(file)
        if file is not None and there and (not drive or file.drive == drive):
            if last and self._wanted(file):
                yield _Seen(change, file)
        elif asked.flag("includeRemoved") and (lost or (last and there)):
            shown = file if there and asked.flag("includeCorpusRemovals") else None
            yield _Seen(change, shown, removed=True)

    def _lists(self, file: File) -> bool:
        view = self._asked.view
        if file.fixed or not view.knows(file):
            return False
        return view.rank(file) > 0 if file.drive else view.store.access.lists(file, view.email)

    def _wanted(self, file: File) -> bool:
        asked = self._asked
        if file.space not in asked.text("spaces").split(","):
            return False
        return not asked.flag("restrictToMyDrive") or asked.store.tree.top(file).id == asked.view.user.root


def _shown(asked: Asked, seen: _Seen, mask: Mask) -> dict[str, Any]:
    change = seen.change
    parts: dict[str, Part] = {
        "kind": "drive#change",
        "changeType": change.kind,
        "type": change.kind,
        "time": stamp(change.time),
    }
    if change.kind == "drive":
        found = asked.store.drives.get(change.id)
        gone = found is None or asked.me in change.left
        parts |= {"removed": gone, "driveId": change.id, "teamDriveId": change.id}
        if found is not None and not gone:
            parts["drive"] = drive_shapes.drive(asked.view, found)
        return mask.made(parts)
    file = seen.file
    parts |= {"fileId": change.id, "removed": seen.removed}
    if change.drive and asked.text("driveId"):
        parts |= {"driveId": change.drive, "teamDriveId": change.drive}
    if file is not None:
        parts["file"] = lambda below: shapes.file(asked.view, file, below)
    return mask.made(parts)
