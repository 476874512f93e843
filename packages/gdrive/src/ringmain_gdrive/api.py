"""Drive as the tools see it: fenced files, reads, and writes that are sent once."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringmain_core.arguments import Upstream
from ringmain_core.call import Call, current_call
from ringmain_core.errors import (
    AccountNeeded,
    InvalidArguments,
    NotFound,
    OutsideFence,
    UpstreamRefused,
)
from ringmain_core.policy import Fence
from ringmain_core.services import Services
from ringmain_gdrive.ancestors import Ancestors, admits
from ringmain_gdrive.cached import Extracts
from ringmain_gdrive.file import FIELDS, DriveFile
from ringmain_gdrive.own import Own
from ringmain_gdrive.paths import end_of
from ringmain_gdrive.places import Place, key_header
from ringmain_gdrive.references import Reference, parse_reference
from ringmain_gdrive.requests import Requests
from ringmain_gdrive.settings import GDriveSettings

if TYPE_CHECKING:
    from ringmain_gdrive.feed import Feed

_FOLDER_FIELDS = (
    "id,name,mimeType,parents,driveId,ownedByMe,hasAugmentedPermissions,inheritedPermissionsDisabled"
)
_MOST_PEOPLE = 1_000
_MOST_FOLLOWED = 10_000
_FOR_ANYBODY = frozenset({"gmail.com", "googlemail.com"})


@dataclass(slots=True)
class _Person:
    """What is known of somebody for whom Drive is asked."""

    ancestors: Ancestors = field(default_factory=Ancestors)
    own: Own | None = None


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
        self._people: OrderedDict[str, _Person] = OrderedDict()
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
            file_id = await end_of(self, call, fence, reference) if reference.path else reference.id
            place = await self.known(call, file_id, reference.resource_key)
            if follow and place.file.target and self.inside(fence, place):
                place = await self.known(call, place.file.target, place.file.target_key)
        except NotFound:
            raise _not_yours(text, fence, reference) from None
        if not self.inside(fence, place):
            raise _not_yours(text, fence, reference)
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
        return await self.placed(call, await self._named(told), resource_key)

    async def placed(self, call: Call | None, file: DriveFile, resource_key: str = "") -> Place:
        """A file that was listed, with what is above it."""
        subject, person = await self._person(call)
        above = await person.ancestors.above(file, self._look)
        return Place(file, above, self, subject, resource_key or str(file.told.get("resourceKey") or ""))

    async def own(self, call: Call) -> Own:
        """Who works here, and with which organisation."""
        subject, person = await self._person(call)
        if person.own is None:
            about = await self.get("about.get", fields="user(emailAddress),canCreateDrives")
            address = str(about["user"]["emailAddress"]).lower()
            domain = address.rpartition("@")[2]
            # Only a Workspace delegates or has shared drives; in other domains people are strangers.
            delegated = bool(subject) and self.credentials.kind == "service account"
            known = delegated or bool(about.get("canCreateDrives")) or domain in self.settings.share_domains
            person.own = Own(address, domain if known and domain not in _FOR_ANYBODY else "")
        return person.own

    async def follow(self, file_id: str) -> Place:
        """Note where a file that is followed is now, for the fences of those who listen.

        Raises:
            NotFound: Where it is not there for the process' own account.
        """
        try:
            place = await self.known(None, file_id)
        except NotFound:
            self.last_seen.pop(file_id, None)
            raise
        self.last_seen[file_id] = place
        self.last_seen.move_to_end(file_id)
        if len(self.last_seen) > _MOST_FOLLOWED:
            self.last_seen.popitem(last=False)
        return place

    async def as_process(self, look: Callable[[], Awaitable[object]]) -> None:
        """Do something with the process' own account instead of the caller's."""
        token = current_call.set(None)
        try:
            await look()
        finally:
            current_call.reset(token)

    async def forget(self, call: Call, folder: str) -> None:
        """A folder was moved or renamed: where it is has to be looked up again."""
        (await self._person(call))[1].ancestors.forget(folder)

    def inside(self, fence: Fence, place: Place) -> bool:
        """Whether a file is inside a fence of the kind `folder`."""
        return admits(fence, place.file, place.above)

    async def _look(self, folder: str) -> DriveFile:
        told = await self.get("files.get", fileId=folder, fields=_FOLDER_FIELDS, supportsAllDrives=True)
        return await self._named(told)

    async def _named(self, told: Mapping[str, Any]) -> DriveFile:
        """A file with its name: Drive calls the top of every shared drive “Drive”."""
        if told.get("driveId") != told["id"]:
            return DriveFile(told)
        try:
            name = (await self.get("drives.get", driveId=told["id"], fields="name"))["name"]
        except (NotFound, UpstreamRefused, AccountNeeded):
            name = told["id"]
        return DriveFile({**told, "name": name})

    async def _person(self, call: Call | None) -> tuple[str, _Person]:
        subject = (await self.credentials.token(call)).subject
        known = self._people.setdefault(subject, _Person())
        self._people.move_to_end(subject)
        if len(self._people) > _MOST_PEOPLE:
            self._people.popitem(last=False)
        return subject, known


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


def _not_yours(text: str, fence: Fence, reference: Reference) -> OutsideFence:
    slash = " In My Drive, a path begins with a slash." if reference.path and not reference.is_mine else ""
    return OutsideFence(
        f"`{text[:120]}` is not there, not shared with you, or not among those that you may use for this "
        f"({fence.describe()}).{slash}"
    )
