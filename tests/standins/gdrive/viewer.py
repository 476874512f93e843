"""`View`: what one token lets one person see and do."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from standins.gdrive.errors import Refusal, no_permission, not_found
from standins.gdrive.file import File
from standins.gdrive.models import RANK, User
from standins.gdrive.store import Store

APP_DATA = "appDataFolder"
_WIDE = {"drive", "drive.readonly", "drive.metadata", "drive.metadata.readonly"}
CONTENT = frozenset({"drive", "drive.readonly", "drive.file", "drive.appdata"})


@dataclass(frozen=True)
class View:
    """What is seen.

    Attributes:
        url: Where the fake listens.
        keys: The resource keys that came with the request, by file.
    """

    store: Store
    url: str
    user: User
    app: str
    scopes: frozenset[str]
    keys: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def email(self) -> str:
        return self.user.email

    def rank(self, file: File) -> int:
        return self.store.access.rank(file, self.user.email)[0]

    def is_at_least(self, file: File, role: str) -> bool:
        return self.rank(file) >= RANK[role]

    def sees(self, file: File) -> bool:
        """Whether the person may read it, and the app may know of it."""
        rank, by_name = self.store.access.rank(file, self.user.email)
        if not rank or not self.knows(file):
            return False
        if by_name or not file.resource_key or self.user.email in file.viewed:
            return True
        return self.keys.get(file.id) == file.resource_key

    def knows(self, file: File) -> bool:
        """Whether the app may know of it, whoever the person is."""
        if file.space == APP_DATA:
            return "drive.appdata" in self.scopes and self.app in file.apps
        return not self.scopes.isdisjoint(_WIDE) or ("drive.file" in self.scopes and self.app in file.apps)

    def allows(self, file: File, scopes: frozenset[str]) -> bool:
        """Whether one of the token's scopes that are among these reaches this file."""
        for scope in self.scopes & scopes:
            if scope == "drive.appdata":
                fits = file.space == APP_DATA and self.app in file.apps
            elif scope == "drive.file":
                fits = self.app in file.apps
            else:
                fits = file.space != APP_DATA
            if fits:
                return True
        return False

    def alias(self, file_id: str) -> str:
        """What `root` and `appDataFolder` mean to this person."""
        if file_id == "root":
            return self.user.root
        return self.store.app_data(self.user, self.app) if file_id == APP_DATA else file_id

    def find(
        self, file_id: str, scopes: frozenset[str], *, drives: bool = True, writes: bool = False
    ) -> File:
        """A file that is there for this person.

        Args:
            file_id: Or an alias.
            scopes: Of which one has to reach the file.
            drives: Whether the request knows of shared drives.
            writes: Only to say in the refusal what was wanted.

        Raises:
            Refusal: `notFound`; `appNotAuthorizedToFile` where the person may see it, but not by this app.
        """
        file = self.store.files.get(self.alias(file_id))
        if file is None or not self.sees(file) or (file.drive and not drives):
            raise not_found(file_id)
        if not self.allows(file, scopes):
            verb = "write" if writes else "read"
            message = f"The user has not granted the app {self.app} {verb} access to the file {file_id}."
            raise Refusal(403, "appNotAuthorizedToFile", message)
        return file

    def require(self, file: File, role: str) -> None:
        """Refuse who has less than this role."""
        if not self.is_at_least(file, role):
            raise no_permission(file.id)
