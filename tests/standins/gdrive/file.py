"""`File`: a file, a folder or a shortcut as it is kept, with its revisions."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from standins.gdrive.models import Comment, Permission, Proposal
from standins.gdrive.native import FOLDER, SHORTCUT, Native

_NO_DETAILS = 1  # bytes an empty native file counts


@dataclass
class Content:
    """What a file holds: bytes, or what one of Google's editors keeps."""

    data: bytes = b""
    native: Native | None = None

    @cached_property
    def md5(self) -> str:
        return hashlib.md5(self.data, usedforsecurity=False).hexdigest()

    @cached_property
    def sha1(self) -> str:
        return hashlib.sha1(self.data, usedforsecurity=False).hexdigest()

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def size(self) -> int:
        return len(self.data) if self.native is None else max(len(self.native.text), _NO_DETAILS)


@dataclass
class Revision:
    id: str
    content: Content
    mime_type: str
    modified: float
    author: str
    keep: bool = False
    name: str = ""
    published: dict[str, bool] = field(default_factory=dict[str, bool])


@dataclass(slots=True)
class File:
    """A file, folder or shortcut.

    Attributes:
        owner: Their email address; empty for what is in a shared drive.
        parent: Empty for the top of a drive, and for what was orphaned.
        drive: The shared drive that it is in; empty for My Drive.
        space: drive, appDataFolder.
        permissions: Those given on this very file, by id; the owner's is not among them.
        viewed: When people opened it, by email address; also those whom its link was shown.
        apps: The apps that made or opened it: what `drive.file` sees.
        app_properties: By app.
        restriction: `contentRestrictions` of it, with `readOnly`.
        readers_download: Whether readers may download it (`copyRequiresWriterPermission` is the contrary).
        downloadable: False refuses everybody but lets them look (`downloadRestrictions`).
        resource_key: Asked for of those who have only the link.
        abusive: Downloaded only with `acknowledgeAbuse`, by its owner.
        limited: `inheritedPermissionsDisabled`: what is given above does not count here.
        indexable: `contentHints.indexableText`.
        fixed: The top of a drive: cannot be moved, renamed, trashed.
    """

    id: str
    name: str
    mime_type: str
    owner: str
    parent: str
    created: float
    modified: float
    author: str
    drive: str = ""
    space: str = "drive"
    version: int = 1
    description: str = ""
    revisions: list[Revision] = field(default_factory=list[Revision])
    permissions: dict[str, Permission] = field(default_factory=dict[str, Permission])
    properties: dict[str, str] = field(default_factory=dict[str, str])
    app_properties: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    starred: set[str] = field(default_factory=set[str])
    viewed: dict[str, float] = field(default_factory=dict[str, float])
    modified_by: dict[str, float] = field(default_factory=dict[str, float])
    shared_with: dict[str, tuple[float, str]] = field(default_factory=dict[str, tuple[float, str]])
    apps: set[str] = field(default_factory=set[str])
    comments: dict[str, Comment] = field(default_factory=dict[str, Comment])
    proposals: dict[str, Proposal] = field(default_factory=dict[str, Proposal])
    trashed: bool = False
    trashed_at: float = 0.0
    trashed_by: str = ""
    restriction: dict[str, Any] = field(default_factory=dict[str, Any])
    readers_download: bool = True
    downloadable: bool = True
    writers_share: bool = True
    limited: bool = False
    target: str = ""
    resource_key: str = ""
    abusive: bool = False
    color: str = ""
    original_name: str = ""
    indexable: str = ""
    fixed: bool = False

    @property
    def is_folder(self) -> bool:
        return self.mime_type == FOLDER

    @property
    def is_shortcut(self) -> bool:
        return self.mime_type == SHORTCUT

    @property
    def head(self) -> Revision | None:
        return self.revisions[-1] if self.revisions else None

    @property
    def content(self) -> Content | None:
        return self.revisions[-1].content if self.revisions else None

    @property
    def native(self) -> Native | None:
        return self.revisions[-1].content.native if self.revisions else None

    @property
    def is_blob(self) -> bool:
        return bool(self.revisions) and self.native is None

    @property
    def text(self) -> str:
        """What full-text search knows of its content."""
        content = self.content
        if content is None:
            return self.indexable
        if content.native is not None:
            return content.native.text
        is_text = self.mime_type.startswith("text/") or self.mime_type == "application/json"
        return f"{self.indexable} {content.data.decode(errors='replace')}" if is_text else self.indexable
