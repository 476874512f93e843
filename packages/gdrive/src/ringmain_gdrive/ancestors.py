"""Where a file is: the folders above it, up to My Drive or a shared drive, and so if it is inside a fence.

Patterns of the fence `gdrive.folder` are ids of folders, files or shared drives, `root` for the whole of My
Drive, `shared` for what others have shared without a place in one's own, or `*`.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ringmain_core.errors import NotFound
from ringmain_core.policy import Fence
from ringmain_gdrive.file import DriveFile

_HOLDS = 60.0  # seconds for which a folder counts as being where it was
_MOST_KEPT = 20_000
_DEEPEST = 100

Look = Callable[[str], Awaitable[DriveFile]]
"""Gets a folder by its id; raises `NotFound` where it is not visible."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder on the way up.

    Attributes:
        is_top: Whether it is a My Drive or shared drive itself.
        has_own_readers: Whether, in a shared drive, others read it than what is around it.
    """

    id: str
    name: str
    parent: str
    is_top: bool
    has_own_readers: bool = False


class Ancestors:
    """The folders above files, each looked up once a minute. One for each person: they see other folders."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[Folder | None, float]] = OrderedDict()

    async def above(self, file: DriveFile, look: Look) -> list[Folder]:
        """The folders above a file, the nearest first, as far as they are visible."""
        found: list[Folder] = []
        parent = file.parents[0] if file.parents else ""
        while parent and len(found) < _DEEPEST and parent not in {one.id for one in found}:
            folder = await self._folder(parent, look)
            if folder is None:
                break
            found.append(folder)
            parent = folder.parent
        return found

    def forget(self, folder: str) -> None:
        """A folder may have been moved or renamed."""
        self._kept.pop(folder, None)

    async def _folder(self, name: str, look: Look) -> Folder | None:
        folder, until = self._kept.get(name, (None, 0.0))
        if self._clock() < until:
            return folder
        try:
            found = await look(name)
        except NotFound:
            folder = None
        else:
            parent = found.parents[0] if found.parents else ""
            is_top = not parent and (bool(found.drive) or bool(found.told.get("ownedByMe")))
            folder = Folder(name, found.name, parent, is_top, found.has_own_readers)
        self._kept[name] = (folder, self._clock() + _HOLDS)
        self._kept.move_to_end(name)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return folder


def admits(fence: Fence, file: DriveFile, above: Sequence[Folder]) -> bool:
    """Whether a file, with the folders above it, is inside a fence."""
    if fence.patterns is None or "*" in fence.patterns:
        return True
    inside = {file.id, file.drive, *(folder.id for folder in above)}
    if not file.drive:
        # Without a folder above, it is My Drive itself, or an orphan: whose it is decides.
        is_mine = above[-1].is_top if above else bool(file.told.get("ownedByMe"))
        inside.add("root" if is_mine else "shared")
    return any(pattern in inside for pattern in fence.patterns if pattern)


def admits_drive(fence: Fence, drive: str) -> bool:
    """Whether a whole shared drive is inside a fence."""
    return fence.patterns is None or bool({"*", drive}.intersection(fence.patterns))


def path_of(file: DriveFile, above: Sequence[Folder]) -> str:
    """Where a file is, in words: `My Drive/Plans/Budget`; as far as it is visible."""
    names = [folder.name for folder in reversed(above)]
    return "/".join([*names, file.name])
