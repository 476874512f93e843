"""`Tree`: all files by id, and what lies in what."""

from collections.abc import Iterator

from standins.gdrive.file import File


class Tree:
    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self._children: dict[str, dict[str, None]] = {}
        self._trashed: dict[str, bool] = {}

    def add(self, file: File) -> None:
        self.files[file.id] = file
        if file.parent:
            self._children.setdefault(file.parent, {})[file.id] = None

    def remove(self, file: File) -> None:
        """Take one file away; those inside are the caller's business."""
        del self.files[file.id]
        self._children.get(file.parent, {}).pop(file.id, None)
        self._children.pop(file.id, None)
        self._trashed.clear()

    def place(self, file: File, parent: str) -> None:
        self._children.get(file.parent, {}).pop(file.id, None)
        file.parent = parent
        self._children.setdefault(parent, {})[file.id] = None
        self._trashed.clear()

    def trash(self, file: File, *, to: bool) -> None:
        file.trashed = to
        self._trashed.clear()

    def children(self, parent: str) -> list[str]:
        return list(self._children.get(parent, ()))

    def above(self, file: File) -> Iterator[File]:
        """Its folder, the folder of that, and so on."""
        at = self.files.get(file.parent)
        while at is not None:
            yield at
            at = self.files.get(at.parent)

    def below(self, file: File) -> Iterator[File]:
        """Itself, and all that lies in it at any depth."""
        yield file
        for name in self.children(file.id):
            yield from self.below(self.files[name])

    def is_trashed(self, file: File) -> bool:
        """Whether it, or a folder above it, was put into the trash."""
        return file.trashed or (bool(file.parent) and self._holds_trash(file.parent))

    def _holds_trash(self, folder: str) -> bool:
        known = self._trashed.get(folder)
        if known is None:
            at = self.files.get(folder)
            known = self._trashed[folder] = at is not None and self.is_trashed(at)
        return known

    def top(self, file: File) -> File:
        """The top of the drive that it lies in, or the last folder above it that is there."""
        last = file
        for last in self.above(file):  # noqa: B007 (the last one is wanted)
            pass
        return last
