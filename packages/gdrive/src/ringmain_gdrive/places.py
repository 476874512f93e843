"""Files and folders where they are, as a caller sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringmain_core.call import Call
from ringmain_gdrive.ancestors import Folder, path_of
from ringmain_gdrive.file import DriveFile, told_briefly

if TYPE_CHECKING:
    from ringmain_gdrive.api import GDrive


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder that the caller may use.

    Attributes:
        above: The folders above it, the nearest first.
        gdrive: Where it was found.
        viewer: Address of whoever sees it so, as far as it is known.
        resource_key: That has to be shown for it.
    """

    file: DriveFile
    above: Sequence[Folder]
    gdrive: "GDrive" = field(repr=False, compare=False)
    viewer: str = ""
    resource_key: str = ""

    @property
    def id(self) -> str:
        return self.file.id

    @property
    def path(self) -> str:
        return path_of(self.file, self.above)

    @property
    def title(self) -> str:
        """Its name for a question to a person, in quotes."""
        return f"“{told_briefly(self.file.name)}”"

    @property
    def where(self) -> str:
        """Its path, the same way."""
        return f"“{told_briefly(self.path)}”"

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
        from ringmain_gdrive.readers import certain_readers

        await call.saw(*certain_readers(self))

    async def may_share(self, call: Call, what: str) -> None:
        """Ask a person before something is written here, where what was read before has fewer readers."""
        from ringmain_gdrive.readers import possible_readers

        if call.flow is not None and call.grant.flow:
            audience, label = await possible_readers(self.gdrive, call, self)
            await call.may_share(audience, what, label)


def key_header(file_id: str, resource_key: str) -> Mapping[str, str] | None:
    """The header that opens a file which is shared by a link with a resource key."""
    return {"X-Goog-Drive-Resource-Keys": f"{file_id}/{resource_key}"} if resource_key else None
