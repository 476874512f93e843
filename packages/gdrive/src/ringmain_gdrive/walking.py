"""What is in a folder and in the folders below it, walked bit by bit: a cursor holds the way down only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringmain_core.answers import size_of
from ringmain_core.call import Call
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.file import FOLDER
from ringmain_gdrive.listing import Row, mark_of, page_of, room_for_rows, unseen
from ringmain_gdrive.places import Place
from ringmain_gdrive.references import quoted

_MOST_LOOKS = 60  # requests for one page of ours
_PAGE = 50
_CURSOR = 4_000  # bytes for the cursor of a deep walk


@dataclass(slots=True)
class Step:
    """A folder on the way down: first its rows, then the folders in it.

    Attributes:
        goes_down: Whether its rows have all been shown.
        token: Of Drive's page.
        seen: Marks of what of that page was shown or entered.
        waiting: Ids of folders that are to be entered, in this call.
        following: The token of the page after that.
    """

    folder: str
    goes_down: bool = False
    token: str = ""
    seen: Sequence[str] = ()
    waiting: list[str] | None = None
    following: str = ""

    def to_cursor(self) -> list[Any]:
        """For a cursor."""
        return [self.folder, self.goes_down, self.token, list(self.seen)]


@dataclass(slots=True)
class Walk:
    """A walk, and what one call has shown of it.

    Attributes:
        way: From the top down; empty at the end.
    """

    way: list[Step]
    depth: int
    limit: int
    rows: list[Row] = field(default_factory=list[Row])
    places: list[Place] = field(default_factory=list[Place])
    looks: int = 0

    async def go_on(self, gdrive: GDrive, call: Call) -> None:
        """Go on until the rows fill an answer, or everything has been walked."""
        room = room_for_rows(call) - (_CURSOR if self.depth > 1 else 0)
        while self.way and len(self.rows) < self.limit and self.looks < _MOST_LOOKS:
            self.looks += 1
            step = self.way[-1]
            if step.goes_down:
                await self._enter(gdrive, step)
            elif not await self._list(gdrive, call, step, room):
                return

    async def _list(self, gdrive: GDrive, call: Call, step: Step, room: int) -> bool:
        """Show rows of a folder; whether these were the last ones."""
        page = await page_of(
            gdrive,
            call,
            _query(step.folder),
            lambda _: True,
            limit=self.limit - len(self.rows),
            begin=[step.token, step.seen],
            room=room - sum(size_of(row) for row in self.rows),
            may_be_empty=bool(self.rows),
        )
        self.rows += page.rows
        self.places += page.places
        if page.following is not None:
            step.token, step.seen = page.following
            return False
        self.way.pop()
        if len(self.way) < self.depth - 1:
            self.way.append(Step(step.folder, goes_down=True))
        return True

    async def _enter(self, gdrive: GDrive, step: Step) -> None:
        """Enter the next folder of a folder, or leave it."""
        if step.waiting is None:
            page = await gdrive.get(
                "files.list",
                **_query(step.folder, f" and mimeType = '{FOLDER}'"),
                fields="nextPageToken,files(id)",
                pageSize=_PAGE,
                pageToken=step.token or None,
                includeItemsFromAllDrives=True,
                supportsAllDrives=True,
            )
            found, step.seen = unseen(page["files"], step.seen)
            step.waiting = [str(one["id"]) for one in found]
            step.following = str(page.get("nextPageToken") or "")
        if step.waiting:
            folder = step.waiting.pop(0)
            step.seen = [*step.seen, mark_of(folder)]
            self.way.append(Step(folder))
        elif step.following:
            step.token, step.seen, step.waiting = step.following, (), None
        else:
            self.way.pop()


def _query(folder: str, more: str = "") -> Mapping[str, Any]:
    return {"q": f"{quoted(folder)} in parents and trashed = false{more}", "orderBy": "folder,name_natural"}
