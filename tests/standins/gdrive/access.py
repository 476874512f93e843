"""Who may do what: permissions as they come down through folders, and the roles that people have by them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from standins.gdrive.file import File
from standins.gdrive.models import RANK, Permission
from standins.gdrive.people import People
from standins.gdrive.tree import Tree

_LIMITED = {"owner", "organizer"}
_BY_NAME = ("user:", "group:")


@dataclass(frozen=True)
class Held:
    """A permission as it counts for some file.

    Attributes:
        role: It may be less than what was given: who owns a folder may edit what others put there.
        source: The file it was given on.
    """

    permission: Permission
    role: str
    source: str


class Access:
    """What counts for each file; told of changes by `forget`."""

    def __init__(self, tree: Tree, people: People, time: Callable[[], float]) -> None:
        self._tree, self._people, self._time = tree, people, time
        self._down: dict[str, list[Held]] = {}

    def forget(self) -> None:
        self._down.clear()

    def held(self, file: File) -> list[Held]:
        """All permissions that count for a file: its own, then those from above."""
        own = [Held(one, one.role, file.id) for one in self._own(file) if self._lasts(one)]
        return own + [one for one in self._from_above(file) if self._lasts(one.permission)]

    def best(self, file: File) -> list[Held]:
        """Of each who holds a permission, the one of the best role."""
        found: dict[str, Held] = {}
        for one in self.held(file):
            known = found.get(one.permission.id)
            if known is None or RANK[one.role] > RANK[known.role]:
                found[one.permission.id] = one
        return list(found.values())

    def rank(self, file: File, email: str) -> tuple[int, bool]:
        """The best of a person's roles, and whether any of them names the person or a group of theirs."""
        if file.owner == email:
            return RANK["owner"], True
        best, by_name = 0, False
        principals = self._people.principals(email)
        for one in self._from_above(file):
            principal = one.permission.principal
            if principal in principals and self._lasts(one.permission):
                best = max(best, RANK[one.role])
                by_name = by_name or principal.startswith(_BY_NAME)
        for given in file.permissions.values():
            if given.principal in principals and self._lasts(given):
                best = max(best, RANK[given.role])
                by_name = by_name or given.principal.startswith(_BY_NAME)
        return best, by_name

    def viewers(self, file: File) -> frozenset[str]:
        """The people in whose listings it is."""
        return frozenset(one for one in self._people.users if self.lists(file, one))

    def lists(self, file: File, email: str) -> bool:
        """Whether it is among a person's files: theirs, shared with them by name, or opened by its link."""
        rank, by_name = self.rank(file, email)
        return rank > 0 and (by_name or email in file.viewed)

    def discoverable(self, file: File, email: str) -> bool:
        """Whether the domain's search finds it."""
        principals = self._people.principals(email)
        return any(
            one.permission.discoverable and one.permission.principal in principals for one in self.held(file)
        )

    def _lasts(self, permission: Permission) -> bool:
        return not permission.expires or permission.expires > self._time()

    def _own(self, file: File) -> Iterator[Permission]:
        if file.owner:
            yield self.owning(file)
        yield from file.permissions.values()

    def owning(self, file: File) -> Permission:
        user = self._people.users[file.owner]
        return Permission(user.id, "user", "owner", user.email)

    def _from_above(self, file: File) -> list[Held]:
        if not file.parent:
            return []
        found = self._passed_on(file.parent)
        if file.limited:
            return [one for one in found if one.role in _LIMITED]
        return found

    def _passed_on(self, folder: str) -> list[Held]:
        known = self._down.get(folder)
        if known is not None:
            return known
        at = self._tree.files.get(folder)
        if at is None:
            return []
        made = [Held(one, "writer" if one.role == "owner" else one.role, at.id) for one in self._own(at)]
        made += self._from_above(at)
        self._down[folder] = made
        return made
