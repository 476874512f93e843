"""Drive as the tools see it: fenced files, reads, and writes that are sent once."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringmain_core.arguments import Upstream
from ringmain_core.call import Call, current_call
from ringmain_core.errors import InvalidArguments, NotFound, OutsideFence, UpstreamRefused
from ringmain_core.policy import Fence
from ringmain_core.services import Services
from ringmain_gdrive.ancestors import Ancestors, Folder, admits, path_of
from ringmain_gdrive.cached import Extracts
from ringmain_gdrive.file import FIELDS, DriveFile
from ringmain_gdrive.references import ROOT, Reference, parse_reference, quoted
from ringmain_gdrive.requests import Requests
from ringmain_gdrive.settings import GDriveSettings

if TYPE_CHECKING:
    from ringmain_gdrive.feed import Feed

_MOST_PEOPLE = 1_000
_MOST_FOLLOWED = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder that the caller may use.

    Attributes:
        above: The folders above it, the nearest first.
        resource_key: That has to be shown for it.
    """

    file: DriveFile
    above: Sequence[Folder]
    resource_key: str = ""

    @property
    def id(self) -> str:
        return self.file.id

    @property
    def path(self) -> str:
        return path_of(self.file, self.above)

    @property
    def headers(self) -> Mapping[str, str] | None:
        """What has to be shown of it with each request."""
        return key_header(self.id, self.resource_key)

    @property
    def reference(self) -> str:
        """Names it for `GDrive.place`, later on."""
        key = self.resource_key
        return f"https://drive.google.com/open?id={self.id}&resourcekey={key}" if key else self.id

    @property
    def source(self) -> str:
        """Names it where its text is fenced."""
        return f"Drive {self.file.id}"

    async def saw(self, call: Call) -> None:
        """Say that the answer holds text from here."""
        await call.saw(self.file.audience, self.file.readers)

    async def may_share(self, call: Call, what: str) -> None:
        """Ask a person before something is written here, where what was read before has fewer readers."""
        await call.may_share(self.file.audience, what, self.file.readers)


class GDrive(Requests, Upstream):
    """Google Drive for the process; each request carries the token that is right for the call at hand.

    Attributes:
        extracts: What was read of files, for as long as they stay the same.
        feed: What changes, as the process' own account sees it.
        last_seen: Files that are followed, where they were when they last changed.
    """

    feed: "Feed"

    def __init__(self, settings: GDriveSettings, services: Services) -> None:
        super().__init__(settings, services)
        self.cursors = services.cursors
        self.extracts = Extracts(settings.cache_bytes)
        self._above: OrderedDict[str, Ancestors] = OrderedDict()
        self.last_seen: OrderedDict[str, Place] = OrderedDict()

    async def place(self, call: Call, text: str, *, follow: bool = True) -> Place:
        """A file or folder by id, link or path, if the caller may use it.

        Args:
            call: For whom, and within which fence.
            text: What names it.
            follow: Whether a shortcut stands for what it leads to.

        Raises:
            InvalidArguments: Where the text names none, or several.
            OutsideFence: Where it is not there, or not for the caller: the two look alike.
        """
        reference = parse_reference(text)
        fence = call.fence("folder")
        try:
            if reference.path:
                reference = Reference(await self._walked(call, fence, reference.path))
            place = await self.known(call, reference.id, reference.resource_key)
            if follow and place.file.target and self.inside(fence, place):
                place = await self.known(call, place.file.target, place.file.target_key)
        except NotFound:
            raise _not_yours(text, fence) from None
        if not self.inside(fence, place):
            raise _not_yours(text, fence)
        return place

    async def folder(self, call: Call, text: str) -> Place:
        """The same, for what has to be a folder.

        Raises:
            InvalidArguments: Where it is something else, beside what `place` raises.
        """
        found = await self.place(call, text)
        if not found.file.is_folder:
            raise InvalidArguments(f"`{found.file.name}` is no folder, but a {found.file.kind}.")
        return found

    async def known(self, call: Call | None, file_id: str, resource_key: str = "") -> Place:
        """A file by its id with what is above it, whatever the fence says.

        Raises:
            NotFound: Where it is not there for this account.
        """
        told = await self.get(
            "files.get",
            fileId=file_id,
            fields=FIELDS,
            supportsAllDrives=True,
            headers=key_header(file_id, resource_key),
        )
        return await self.placed(call, DriveFile(told), resource_key)

    async def placed(self, call: Call | None, file: DriveFile, resource_key: str = "") -> Place:
        """A file that was listed, with what is above it."""
        above = await (await self._ancestors(call)).above(file, self._look)
        return Place(file, above, resource_key or str(file.told.get("resourceKey") or ""))

    async def look_again(self, file_id: str) -> None:
        """Note where a file that is followed is now, for the fences of those who listen."""
        if not file_id:
            return
        try:
            self.last_seen[file_id] = await self.known(None, file_id)
        except NotFound:
            self.last_seen.pop(file_id, None)
        if len(self.last_seen) > _MOST_FOLLOWED:
            self.last_seen.popitem(last=False)

    async def as_process(self, look: Callable[[], Awaitable[object]]) -> None:
        """Do something with the process' own account instead of the caller's."""
        token = current_call.set(None)
        try:
            await look()
        finally:
            current_call.reset(token)

    async def forget(self, call: Call, folder: str) -> None:
        """A folder was moved or renamed: where it is has to be looked up again."""
        (await self._ancestors(call)).forget(folder)

    def inside(self, fence: Fence, place: Place) -> bool:
        """Whether a file is inside a fence of the kind `folder`."""
        return admits(fence, place.file, place.above)

    async def _look(self, folder: str) -> DriveFile:
        fields = "id,name,mimeType,parents,driveId,ownedByMe"
        told = await self.get("files.get", fileId=folder, fields=fields, supportsAllDrives=True)
        return DriveFile(told)

    async def _ancestors(self, call: Call | None) -> Ancestors:
        subject = (await self.credentials.token(call)).subject
        known = self._above.setdefault(subject, Ancestors())
        self._above.move_to_end(subject)
        if len(self._above) > _MOST_PEOPLE:
            self._above.popitem(last=False)
        return known

    async def _walked(self, call: Call, fence: Fence, path: tuple[str, ...]) -> str:
        """The id of what is at the end of a path.

        Raises:
            NotFound: Where there is nothing.
            InvalidArguments: Where there are several of one name.
        """
        here, rest = await self._top(path[0])
        names = path[1:] if rest else path
        for number, name in enumerate(names, start=1):
            query = f"name = {quoted(name)} and {quoted(here)} in parents and trashed = false"
            page = await self.get(
                "files.list",
                q=query,
                fields=f"files({FIELDS})",
                pageSize=10,
                includeItemsFromAllDrives=True,
                supportsAllDrives=True,
            )
            found = [await self.placed(call, DriveFile(told)) for told in page["files"]]
            if not found:
                raise NotFound(f"There is nothing called `{name}` there.")
            if len(found) > 1:
                ids = ", ".join(one.id for one in found if self.inside(fence, one))
                raise InvalidArguments(f"Several are called `{name[:80]}` there: {ids}. Say which by its id.")
            here = found[0].id
            if number < len(names):
                here = found[0].file.target or here  # what a path leads through may be a shortcut to a folder
        return here

    async def _top(self, name: str) -> tuple[str, bool]:
        """Where a path begins: a shared drive of that name, or My Drive; and whether it used up the name."""
        if name == "My Drive":
            return ROOT, True
        query = f"name = {quoted(name)}"
        try:
            page = await self.get("drives.list", q=query, pageSize=10, fields="drives(id)")
        except UpstreamRefused as refused:
            if refused.detail.get("reason") != "insufficientPermissions":
                raise
            return ROOT, False  # names only: shared drives are then found by their ids
        drives: Sequence[Mapping[str, Any]] = page.get("drives") or ()
        return (str(drives[0]["id"]), True) if len(drives) == 1 else (ROOT, False)


@asynccontextmanager
async def connect(settings: GDriveSettings, services: Services) -> AsyncGenerator[GDrive]:
    """The client for a process. It connects when first used.

    Raises:
        ConfigurationError: Where no credentials are set, or they contradict each other.
    """
    from ringmain_gdrive.feed import Feed

    gdrive = GDrive(settings, services)
    gdrive.feed = Feed(gdrive)
    try:
        yield gdrive
    finally:
        await gdrive.extracts.close()
        gdrive.client.close()


def key_header(file_id: str, resource_key: str) -> Mapping[str, str] | None:
    """The header that opens a file which is shared by a link with a resource key."""
    return {"X-Goog-Drive-Resource-Keys": f"{file_id}/{resource_key}"} if resource_key else None


def _not_yours(text: str, fence: Fence) -> OutsideFence:
    return OutsideFence(
        f"`{text[:120]}` is not there, not shared with you, or not among those that you may use for this "
        f"({fence.describe()})."
    )
