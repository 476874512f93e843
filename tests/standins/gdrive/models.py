"""What a Drive is made of: people, shared drives, permissions, comments, tokens. Files are in `file.py`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ROLES = ("reader", "commenter", "writer", "fileOrganizer", "organizer", "owner")
RANK = {name: rank for rank, name in enumerate(ROLES, 1)}


def secret(*of: object, size: int = 32) -> str:
    """The same letters for the same words."""
    return hashlib.sha256(" ".join(str(one) for one in of).encode()).hexdigest()[:size]


@dataclass
class User:
    """A person or a service account.

    Attributes:
        quota: Bytes they may keep; `None` for no limit.
        root: The id of their My Drive.
        robot: A service account.
        admin: Administers the domain.
    """

    email: str
    name: str
    id: str
    root: str
    quota: int | None = 15 * 2**30
    used: int = 0
    robot: bool = False
    admin: bool = False

    @property
    def domain(self) -> str:
        return self.email.partition("@")[2]


@dataclass
class Domain:
    """A Workspace domain and what its administrators allow.

    Attributes:
        share_out: To people of other domains.
        publish_out: With everybody who has the link.
    """

    name: str
    share_out: bool = True
    publish_out: bool = True


@dataclass
class Permission:
    """Who may do what with a file, as it was given on that file.

    Attributes:
        type: user, group, domain, anyone.
        to: The email address or the domain; empty for anyone.
        expires: When it ends; 0 for never.
    """

    id: str
    type: str
    role: str
    to: str = ""
    expires: float = 0.0
    discoverable: bool = False

    @property
    def principal(self) -> str:
        """What is compared with what a person is: `user:ada@acme.example`, `anyone:`."""
        return f"{self.type}:{self.to}"


@dataclass
class SharedDrive:
    """A shared drive; its members are the permissions of its top folder, which has the same id.

    Attributes:
        hidden: By the users of these ids.
        request: The `requestId` it was made with.
    """

    id: str
    name: str
    created: float
    domain: str
    hidden: set[str] = field(default_factory=set[str])
    restrictions: dict[str, Any] = field(default_factory=dict[str, Any])
    theme: str = "abacus"
    color: str = "#0f9d58"
    request: str = ""


@dataclass
class Reply:
    id: str
    author: str
    content: str
    created: float
    modified: float
    action: str = ""
    deleted: bool = False


@dataclass
class Comment:
    """Attributes: quoted: `quotedFileContent` as it was given."""

    id: str
    author: str
    content: str
    created: float
    modified: float
    anchor: str = ""
    quoted: dict[str, str] = field(default_factory=dict[str, str])
    replies: list[Reply] = field(default_factory=list[Reply])
    resolved: bool = False
    deleted: bool = False


@dataclass(frozen=True)
class Proposal:
    """Somebody asks for access to a file.

    Attributes:
        to: Who is to get it.
        by: Who asks.
        roles: Any of these would do.
    """

    id: str
    to: str
    by: str
    roles: tuple[str, ...]
    message: str
    created: float


@dataclass(frozen=True)
class Change:
    """An entry of the log.

    Attributes:
        drive: The shared drive it belongs to; empty for My Drive.
        kind: file, drive.
        left: The people who saw it before, and do not any more.
    """

    number: int
    time: float
    id: str
    drive: str = ""
    kind: str = "file"
    left: frozenset[str] = frozenset()


@dataclass
class Token:
    """An access token.

    Attributes:
        app: The client it was given to: whose files `drive.file` sees.
        scopes: Without `https://www.googleapis.com/auth/`.
        expires: When it ends.
    """

    label: str
    value: str
    user: str
    app: str
    scopes: tuple[str, ...]
    expires: float
    revoked: bool = False


@dataclass
class Grant:
    """What a person granted an app: its refresh tokens renew access until it is revoked."""

    user: str
    app: str
    scopes: tuple[str, ...]
    refresh: str
    revoked: bool = False


@dataclass(frozen=True)
class Mail:
    """A notification that sharing sent."""

    to: str
    file: str
    message: str


@dataclass(frozen=True)
class Recorded:
    """A request that came.

    Attributes:
        method: As the vendor names it (`drive.files.list`), or `oauth.token`, `content.download`, ….
        parameters: Of path and query.
        body: The JSON of it; `None` without.
        token: The label of the token; empty for none or an unknown one.
        status: Of the answer; 0 where there was none.
        reason: Of the answer, where it was a refusal.
    """

    method: str
    parameters: Mapping[str, Any]
    body: Any
    token: str
    status: int
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
