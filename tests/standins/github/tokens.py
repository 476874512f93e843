"""Whom a token stands for, and what it may do."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_PREFIXES = {
    "classic": "ghp_",
    "fine": "github_pat_",
    "oauth": "gho_",
    "user": "ghu_",
    "installation": "ghs_",
}


@dataclass
class Token:
    """A token.

    Attributes:
        kind: classic, oauth (both have scopes), fine, user (of an app's) or installation (these have
            permissions).
        permissions: Of fine-grained tokens: {"issues": "read" | "write"}; `None` allows everything.
        repositories: `owner/name` of those it reaches beside public ones; `None` for all.
        used: Requests that counted against its limit.
    """

    label: str
    login: str
    kind: str = "classic"
    scopes: tuple[str, ...] = ()
    permissions: Mapping[str, str] | None = None
    repositories: Sequence[str] | None = None
    used: int = 0
    value: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(f"{self.label} {self.login} {self.kind}".encode()).hexdigest()
        self.value = _PREFIXES[self.kind] + digest[:36]

    @property
    def scoped(self) -> bool:
        """Whether it has scopes, as opposed to permissions."""
        return self.kind in {"classic", "oauth"}

    def allows(self, permission: str, *, write: bool) -> bool:
        """Whether it has this fine-grained permission; classic ones always."""
        if self.scoped or self.permissions is None or permission in {"", "metadata"}:
            return True
        has = self.permissions.get(permission)
        return has == "write" or (has == "read" and not write)

    def reaches(self, full_name: str) -> bool:
        """Whether it sees this private repository."""
        if self.scoped and "repo" not in self.scopes:
            return False
        return self.repositories is None or full_name.lower() in {one.lower() for one in self.repositories}
