"""What has changed in Drive, by its change feed: walked to the end, never skipped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringmain_core.text import clean
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.file import ROW_FIELDS, DriveFile

_FIELDS = (
    "nextPageToken,newStartPageToken,changes(changeType,time,removed,fileId,driveId,"
    f"drive(name),file({ROW_FIELDS},lastModifyingUser(emailAddress)))"
)


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        file_id: Of the file or, for a shared drive's own changes, of the drive.
        file: As it is now; `None` for shared drives, and for what is gone or not visible any more.
        drive_name: Of a shared drive that was made, changed, or that one has become a member of.
    """

    time: str
    file_id: str
    file: DriveFile | None
    drive_name: str = ""

    @property
    def is_gone(self) -> bool:
        """Whether it is not there any more, or not visible."""
        return self.file is None and not self.drive_name

    @property
    def what(self) -> str:
        """In words."""
        if self.file is None:
            return "shared drive changed" if self.drive_name else "removed or not visible any more"
        return "trashed" if self.file.told.get("trashed") else "changed"

    @property
    def by(self) -> str:
        """The address of whoever changed it last."""
        told: Mapping[str, Any] = {} if self.file is None else self.file.told.get("lastModifyingUser") or {}
        return clean(str(told.get("emailAddress") or ""))


@dataclass(frozen=True, slots=True)
class Found:
    """Some changes.

    Attributes:
        following: The token to go on with.
        is_partial: Whether there are more already.
    """

    changes: Sequence[Change]
    following: str
    is_partial: bool


async def start_of(gdrive: GDrive, drive: str | None = None) -> str:
    """The token from which on nothing has changed yet."""
    told = await gdrive.get("changes.getStartPageToken", driveId=drive, supportsAllDrives=True)
    return str(told["startPageToken"])


async def changes_since(gdrive: GDrive, token: str, drive: str | None = None) -> Found:
    """One page of what has changed since a token."""
    page = await gdrive.get(
        "changes.list",
        pageToken=token,
        driveId=drive,
        includeRemoved=True,
        includeItemsFromAllDrives=True,
        supportsAllDrives=True,
        pageSize=100,
        fields=_FIELDS,
    )
    following = page.get("nextPageToken")
    changes = [_change(told) for told in page.get("changes") or ()]
    return Found(changes, str(following or page["newStartPageToken"]), bool(following))


def _change(told: Mapping[str, Any]) -> Change:
    file = told.get("file")
    name = str(told.get("fileId") or told.get("driveId") or "")
    drive: Mapping[str, Any] = told.get("drive") or {}
    drive_name = "" if told.get("removed") else " ".join(clean(str(drive.get("name") or "")).split())
    return Change(str(told.get("time") or ""), name, None if file is None else DriveFile(file), drive_name)
