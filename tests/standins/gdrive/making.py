"""`Making`: the part of `FakeDrive` by which tests make people and files, and change them behind the API."""

import mimetypes
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from standins.gdrive.file import Content, File
from standins.gdrive.models import Comment, Permission, Proposal, Reply, SharedDrive, User
from standins.gdrive.native import (
    DOCUMENT,
    FOLDER,
    PRESENTATION,
    SHORTCUT,
    SPREADSHEET,
    Cell,
    Document,
    Native,
    presentation,
    spreadsheet,
)
from standins.gdrive.people import People, account_number
from standins.gdrive.sharing import permission_to
from standins.gdrive.store import Store


class Making:
    """What there is.

    Attributes:
        time: What time it is; a test may put another clock here.
        store: The files themselves.
    """

    def __init__(self) -> None:
        self.time: Callable[[], float] = time.time
        self.store = Store(self.now)

    def now(self) -> float:
        return self.time()

    @property
    def people(self) -> People:
        return self.store.people

    def user(self, email: str, name: str = "", **more: Any) -> User:
        number = account_number(email)
        made = User(
            email, name or email.partition("@")[0].title(), number, self.store.new_id("0A", 19), **more
        )
        self.people.add(made)
        now = self.store.time()
        self.store.add(File(made.root, "My Drive", FOLDER, email, "", now, now, email, fixed=True))
        return made

    def group(self, email: str, members: Sequence[str]) -> None:
        self.people.group(email, members)

    def shared_drive(self, name: str, members: Mapping[str, str]) -> File:
        """A shared drive with its members' roles; given is its top folder."""
        now = self.store.time()
        first = next(iter(members))
        drive = SharedDrive(self.store.new_id("0A", 19), name, now, first.partition("@")[2])
        self.store.drives[drive.id] = drive
        top = File(drive.id, name, FOLDER, "", "", now, now, first, drive=drive.id, fixed=True)
        for email, role in members.items():
            given = permission_to(self.people, email, role)
            top.permissions[given.id] = given
        self.store.add(top)
        self.store.note_drive(drive)
        return top

    def named(self, name: str) -> File:
        """The one file, folder or shared drive's top of this name."""
        (found,) = (one for one in self.store.files.values() if one.name == name)
        return found

    def folder(self, name: str, owner: str, **more: Any) -> File:
        return self._add(name, FOLDER, None, owner, **more)

    def file(self, name: str, content: bytes | str, owner: str, *, mime_type: str = "", **more: Any) -> File:
        """A file with bytes in it; `parent`, `ago` (seconds), and any attribute of `File`."""
        kind = mime_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        data = content.encode() if isinstance(content, str) else content
        return self._add(name, kind, Content(data), owner, original_name=name, **more)

    def document(self, name: str, markdown: str, owner: str, **more: Any) -> File:
        return self._add(name, DOCUMENT, Content(native=Document(markdown)), owner, **more)

    def sheet(self, name: str, tabs: Mapping[str, Iterable[Sequence[Cell]]], owner: str, **more: Any) -> File:
        return self._add(name, SPREADSHEET, Content(native=spreadsheet(tabs)), owner, **more)

    def slides(self, name: str, slides: Iterable[Sequence[str]], owner: str, **more: Any) -> File:
        return self._add(name, PRESENTATION, Content(native=presentation(slides)), owner, **more)

    def shortcut(self, name: str, target: File, owner: str, **more: Any) -> File:
        return self._add(name, SHORTCUT, None, owner, target=target.id, **more)

    def _add(
        self,
        name: str,
        kind: str,
        content: Content | None,
        owner: str,
        *,
        parent: File | None = None,
        ago: float = 0.0,
        **more: Any,
    ) -> File:
        folder = parent or self.store.home(self.people.users[owner])
        then = self.store.time() - ago
        blob = content is not None and content.native is None
        number = self.store.new_id("1", 33 if blob else 44)
        made = File(
            number,
            name,
            kind,
            "" if folder.drive else owner,
            folder.id,
            then,
            then,
            owner,
            folder.drive,
            **more,
        )
        made.modified_by[owner] = then
        made.viewed[owner] = then
        if content is not None:
            self.store.revise(made, content, owner).modified = then
        return self.store.add(made)

    def share(self, file: File, to: str, role: str, *, discoverable: bool = False, **more: Any) -> Permission:
        """Give a permission on a file to a person, a group, a domain, or `anyone`."""
        made = permission_to(self.people, to, role, discoverable=discoverable, **more)
        self.store.give(file, made, file.owner or file.author)
        return made

    def unshare(self, file: File, to: str) -> None:
        self.store.take(file, permission_to(self.people, to, "reader").id)

    def revise(self, file: File, content: bytes | str | Native, by: str, *, ago: float = 0.0) -> None:
        """Give a file new content: bytes or text; of one of Google's own, what its editor keeps."""
        if isinstance(content, str):
            content = Document(content) if file.mime_type == DOCUMENT else content.encode()
        made = Content(content) if isinstance(content, bytes) else Content(native=content)
        then = self.store.time() - ago
        self.store.revise(file, made, by).modified = then
        self.store.touch(file, by)
        file.modified = then

    def rename(self, file: File, name: str, by: str) -> None:
        file.name = name
        self.store.touch(file, by)

    def trash(self, file: File, by: str = "") -> None:
        self.store.trash(file, by or file.owner or file.author)

    def delete(self, file: File) -> None:
        self.store.remove(file)

    def move(self, file: File, parent: File) -> None:
        self.store.move(file, parent)

    def view(self, file: File, by: str, *, app: str = "", ago: float = 0.0) -> None:
        """A person opens a file, with an app perhaps: it is then among theirs, and what `drive.file` sees."""
        file.viewed[by] = self.store.time() - ago
        if app:
            file.apps.add(app)
        self.store.touch(file)

    def comment(
        self,
        file: File,
        author: str,
        content: str,
        *,
        quoted: str = "",
        anchor: str = "",
        replies: Iterable[Sequence[str]] = (),
        ago: float = 0.0,
    ) -> Comment:
        """A comment with its replies: (author, content, action)."""
        then = self.store.time() - ago
        made = Comment(self._mark(), author, content, then, then, anchor)
        if quoted:
            made.quoted = {"mimeType": "text/html", "value": quoted}
        for by, said, *action in replies:
            made.replies.append(Reply(self._mark(), by, said, then, then, "".join(action)))
            made.resolved = made.replies[-1].action == "resolve" or (
                made.resolved and made.replies[-1].action != "reopen"
            )
        file.comments[made.id] = made
        self.store.touch(file)
        return made

    def propose(self, file: File, to: str, *roles: str, message: str = "", by: str = "") -> Proposal:
        """Somebody asks for access: for themselves, unless `by` is another."""
        made = Proposal(self.store.new_id("AP", 20), to, by or to, roles or ("reader",), message, self.now())
        file.proposals[made.id] = made
        return made

    def _mark(self) -> str:
        return self.store.new_id("AAAB", 11)
