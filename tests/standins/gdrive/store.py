"""`Store`: the files of everybody, and all that happens to them; told of by its log of changes."""

import itertools
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

from standins.gdrive.access import Access
from standins.gdrive.file import Content, File, Revision
from standins.gdrive.index import Index
from standins.gdrive.models import Change, Permission, SharedDrive, User, secret
from standins.gdrive.native import FOLDER
from standins.gdrive.people import People
from standins.gdrive.tree import Tree


class Store:
    """What there is, whoever asks.

    Attributes:
        issued: Ids that were given out beforehand, each with what it is for: `files`, `shortcuts`.
        epoch: Counts whatever happens.
    """

    def __init__(self, time: Callable[[], float]) -> None:
        self.time = time
        self.people = People()
        self.tree = Tree()
        self.access = Access(self.tree, self.people, time)
        self.index = Index()
        self.drives: dict[str, SharedDrive] = {}
        self.log: list[Change] = []
        self.issued: dict[str, str] = {}
        self.epoch = 0
        self._numbers = itertools.count(1)

    @property
    def files(self) -> dict[str, File]:
        return self.tree.files

    def new_id(self, prefix: str = "1", size: int = 33) -> str:
        return prefix + secret("file", next(self._numbers), size=64)[: size - len(prefix)]

    def next_number(self) -> int:
        return next(self._numbers)

    def add(self, file: File) -> File:
        """Keep a file that is made."""
        self.tree.add(file)
        self._count(file)
        self.access.forget()
        self.index.put(file)
        self._note(file, frozenset(), file.drive)
        return file

    def fill(self, files: Iterable[File]) -> None:
        """Keep many at once, as if they had always been there."""
        for file in files:
            self.tree.add(file)
            self._count(file)
            self.index.put(file)
        self.access.forget()
        self.epoch += 1

    def touch(self, file: File, by: str = "") -> None:
        """Something about it changed; by whom, if it counts as a modification."""
        file.version += 1
        if by:
            now = self.time()
            file.modified = now
            file.modified_by[by] = now
            file.author = by
        self.index.put(file)
        self._note(file, frozenset(), file.drive)

    def revise(self, file: File, content: Content, by: str, *, keep: bool = False) -> Revision:
        """Give it new content."""
        now, blob = self.time(), content.native is None
        number = (
            f"0B{secret(file.id, len(file.revisions), now, size=32)}"
            if blob
            else str(len(file.revisions) + 1)
        )
        made = Revision(number, content, file.mime_type, now, by, keep, file.name)
        before = file.content.size if file.content else 0
        file.revisions.append(made)
        owner = self.people.find(file.owner)
        if owner is not None and file.id in self.files:
            owner.used += content.size - before
        return made

    @contextmanager
    def losing(self, *files: File) -> Generator[None]:
        """Note of these and what lies in them who does not see them any more after what is done inside."""
        every = [one for file in files for one in self.tree.below(file)]
        before = {one.id: self.access.viewers(one) for one in every}
        drives = {one.id: one.drive for one in every}
        yield
        self.access.forget()
        for one in every:
            there = one.id in self.files
            after = self.access.viewers(one) if there else frozenset[str]()
            left = before[one.id] - after
            if one.id in self.drives:
                self.note_drive(self.drives[one.id], left)
                continue
            if one.drive != drives[one.id]:
                self._note(one, left, drives[one.id])
            self._note(one, left, one.drive)

    def give(self, file: File, permission: Permission, by: str) -> None:
        """Give a permission; it is then among what was shared with whom it names."""
        with self.losing(file):
            file.permissions[permission.id] = permission
            file.version += 1
        named = {"user": (permission.to,), "group": self.people.groups.get(permission.to, ())}
        for email in named.get(permission.type, ()):
            file.shared_with[email] = (self.time(), by)

    def take(self, file: File, permission: str) -> None:
        with self.losing(file):
            del file.permissions[permission]
            file.version += 1

    def move(self, file: File, parent: File) -> None:
        """Put it into another folder, of another drive perhaps."""
        with self.losing(file):
            self.tree.place(file, parent.id)
            for one in self.tree.below(file):
                if one.drive != parent.drive:
                    one.drive = parent.drive
                    self.hand_over(one, "" if parent.drive else parent.owner)
            file.version += 1

    def hand_over(self, file: File, owner: str) -> None:
        """Give it another owner, or none, and its bytes with it."""
        self._count(file, sign=-1)
        file.owner = owner
        self._count(file)

    def drop_revision(self, file: File, revision: Revision) -> None:
        self._count(file, sign=-1)
        file.revisions.remove(revision)
        self._count(file)

    def trash(self, file: File, by: str, *, to: bool = True) -> None:
        self.tree.trash(file, to=to)
        file.trashed_at, file.trashed_by = (self.time(), by) if to else (0.0, "")
        for one in list(self.tree.below(file)):
            self.touch(one)

    def remove(self, file: File) -> None:
        """Delete it, and what lies in it, for good."""
        with self.losing(file):
            for one in reversed(list(self.tree.below(file))):
                self._count(one, sign=-1)
                self.tree.remove(one)
                self.index.drop(one.id)

    def note_drive(self, drive: SharedDrive, left: frozenset[str] = frozenset()) -> None:
        self.epoch += 1
        self.log.append(Change(len(self.log), self.time(), drive.id, drive.id, "drive", left))

    def members(self, drive: SharedDrive) -> frozenset[str]:
        top = self.files.get(drive.id)
        return self.access.viewers(top) if top is not None else frozenset()

    def app_data(self, user: User, app: str) -> str:
        """The id of the folder that an app has to itself in a person's drive."""
        number = f"appData{user.id}{app}"
        if number not in self.files:
            now, space = self.time(), "appDataFolder"
            made = File(number, space, FOLDER, user.email, "", now, now, user.email, space=space, fixed=True)
            made.apps.add(app)
            self.fill([made])
        return number

    def home(self, user: User) -> File:
        return self.files[user.root]

    def _note(self, file: File, left: frozenset[str], drive: str) -> None:
        self.epoch += 1
        self.log.append(Change(len(self.log), self.time(), file.id, drive, "file", left))

    def _count(self, file: File, sign: int = 1) -> None:
        owner = self.people.find(file.owner)
        if owner is not None and file.content is not None:
            owner.used += sign * file.content.size
