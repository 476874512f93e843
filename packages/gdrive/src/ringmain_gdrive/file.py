"""A file or folder, as Drive describes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringmain_core.flow import Audience
from ringmain_core.text import clean

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"
DOCUMENT = "application/vnd.google-apps.document"
SPREADSHEET = "application/vnd.google-apps.spreadsheet"
PRESENTATION = "application/vnd.google-apps.presentation"
_NATIVE = "application/vnd.google-apps."

FIELDS = (
    "id,name,mimeType,parents,driveId,trashed,starred,shared,ownedByMe,modifiedTime,createdTime,version,size,"
    "md5Checksum,headRevisionId,webViewLink,resourceKey,owners(emailAddress,displayName),"
    "lastModifyingUser(emailAddress,displayName),shortcutDetails,capabilities,hasAugmentedPermissions,"
    "inheritedPermissionsDisabled,permissions(id,type,role,domain,emailAddress,deleted)"
)
"""What is asked of a file; `permissions` comes only in My Drive, for those who may share it."""

ROW_FIELDS = (
    "id,name,mimeType,parents,driveId,trashed,shared,ownedByMe,modifiedTime,version,size,headRevisionId,"
    "resourceKey,owners(emailAddress,displayName),shortcutDetails,hasAugmentedPermissions,"
    "inheritedPermissionsDisabled"
)
"""What is asked of each file of a list."""

_KINDS = {
    FOLDER: "folder",
    SHORTCUT: "shortcut",
    DOCUMENT: "document",
    SPREADSHEET: "spreadsheet",
    PRESENTATION: "presentation",
    f"{_NATIVE}drawing": "drawing",
    f"{_NATIVE}form": "form",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "markdown",
    "text/plain": "text",
}

_QUOTES = str.maketrans(
    dict.fromkeys('"\u00ab\u00bb\u2039\u203a\u201c\u201d\u201e\u201f\u301d\u301e\u301f\uff02', "'")
)
_MOST_TOLD = 80
_BEGINNING = 30


@dataclass(frozen=True, slots=True)
class DriveFile:
    """A file or folder.

    Attributes:
        told: As Drive describes it, with what was asked of `FIELDS`.
    """

    told: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.told["id"])

    @property
    def name(self) -> str:
        return " ".join(clean(str(self.told.get("name") or "untitled")).split())

    @property
    def mime_type(self) -> str:
        return str(self.told.get("mimeType") or "")

    @property
    def kind(self) -> str:
        """In a word: `folder`, `document`, `pdf`, or the media type where there is no word."""
        return _KINDS.get(self.mime_type, self.mime_type or "file")

    @property
    def is_folder(self) -> bool:
        return self.mime_type == FOLDER

    @property
    def is_native(self) -> bool:
        """Whether it is in a format of Google's own, which is exported instead of downloaded."""
        return self.mime_type.startswith(_NATIVE) and self.mime_type not in (FOLDER, SHORTCUT)

    @property
    def parents(self) -> Sequence[str]:
        return self.told.get("parents") or ()

    @property
    def drive(self) -> str:
        """Id of the shared drive that it is in; empty for My Drive."""
        return str(self.told.get("driveId") or "")

    @property
    def size(self) -> int:
        """Bytes; 0 for Google's own formats."""
        return int(self.told.get("size") or 0)

    @property
    def revision(self) -> str:
        """Changes with the content: of the head revision, or Drive's version for Google's own formats."""
        return str(self.told.get("headRevisionId") or f"v{self.told.get('version', '')}")

    @property
    def target(self) -> str:
        """Id of what a shortcut leads to; empty for what is none."""
        details: Mapping[str, Any] = self.told.get("shortcutDetails") or {}
        return str(details.get("targetId") or "")

    @property
    def target_key(self) -> str:
        """The resource key for that."""
        details: Mapping[str, Any] = self.told.get("shortcutDetails") or {}
        return str(details.get("targetResourceKey") or "")

    @property
    def owner(self) -> str:
        """The owner's address; empty in shared drives."""
        owners: Sequence[Mapping[str, Any]] = self.told.get("owners") or ()
        return clean(str(owners[0].get("emailAddress") or "")) if owners else ""

    @property
    def audience(self) -> Audience:
        """Who can read it, as far as Drive says with its description: `readers` knows more."""
        permissions: Sequence[Mapping[str, Any]] = self.told.get("permissions") or ()
        kinds = {str(one.get("type")) for one in permissions}
        if "anyone" in kinds:
            return "public"
        if "domain" in kinds:
            return "organisation"
        return "self" if self.told.get("ownedByMe") and not self.told.get("shared") else "group"

    @property
    def has_own_readers(self) -> bool:
        """Whether, in a shared drive, others read it than what is around it."""
        told = self.told
        return bool(told.get("hasAugmentedPermissions") or told.get("inheritedPermissionsDisabled"))

    def can(self, what: str) -> bool:
        """Whether one may: `canEdit`, for example."""
        capabilities: Mapping[str, Any] = self.told.get("capabilities") or {}
        return bool(capabilities.get(what))


def told_whole(text: str) -> str:
    """A text of anybody's as a part of a question: one line, and nothing that ends the quotes around it."""
    return " ".join(clean(text).translate(_QUOTES).split())


def told_briefly(text: str) -> str:
    """The same of a name or path, shortened in its middle."""
    text = told_whole(text)
    if len(text) <= _MOST_TOLD:
        return text
    return f"{text[:_BEGINNING]} … {text[_BEGINNING + 3 - _MOST_TOLD :]}"
