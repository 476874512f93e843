"""Paths: from My Drive or a shared drive down to a file, inside of the fence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound, UpstreamRefused
from ringmain_core.policy import Fence
from ringmain_gdrive.ancestors import admits_drive
from ringmain_gdrive.file import FIELDS, DriveFile
from ringmain_gdrive.places import Place
from ringmain_gdrive.references import ROOT, Reference, quoted

if TYPE_CHECKING:
    from ringmain_gdrive.api import GDrive


async def end_of(gdrive: "GDrive", call: Call, fence: Fence, reference: Reference) -> str:
    """The id of what is at the end of a path.

    Raises:
        NotFound: Where there is nothing.
        InvalidArguments: Where there are several of one name.
    """
    names, here = reference.path, ROOT
    if not reference.is_mine:
        here, names = await _drive_called(gdrive, fence, names[0]), names[1:]
    for number, name in enumerate(names, start=1):
        query = f"name = {quoted(name)} and {quoted(here)} in parents and trashed = false"
        page = await gdrive.get(
            "files.list",
            q=query,
            fields=f"files({FIELDS})",
            pageSize=10,
            includeItemsFromAllDrives=True,
            supportsAllDrives=True,
        )
        found = [await gdrive.placed(call, DriveFile(told)) for told in page["files"]]
        place = _only(name, found, [one for one in found if gdrive.inside(fence, one)])
        here = place.id
        if number < len(names):
            here = place.file.target or here  # what a path leads through may be a shortcut to a folder
    return here


async def _drive_called(gdrive: "GDrive", fence: Fence, name: str) -> str:
    """The id of the shared drive of that name. Raises what `end_of` raises."""
    query = f"name = {quoted(name)}"
    try:
        page = await gdrive.get("drives.list", q=query, pageSize=100, fields="drives(id,name)")
    except UpstreamRefused as refused:
        if refused.detail.get("reason") != "insufficientPermissions":
            raise
        raise InvalidArguments(
            "Shared drives have no names for this token: use ids, and for My Drive a path that begins with a "
            "slash."
        ) from None
    drives = [_Named(str(one["id"]), str(one["name"])) for one in page.get("drives") or ()]
    exact = [one for one in drives if one.name == name] or drives
    return _only(name, exact, [one for one in exact if admits_drive(fence, one.id)]).id


@dataclass(frozen=True, slots=True)
class _Named:
    id: str
    name: str


_Any = TypeVar("_Any", Place, _Named)


def _only(name: str, found: Sequence[_Any], inside: Sequence[_Any]) -> _Any:
    """The one of that name: inside of the fence if any is, since what leads there may be outside.

    Raises:
        NotFound: Where there is none, or none can be told.
        InvalidArguments: Where there are several inside.
    """
    if len(inside) > 1:
        ids = ", ".join(one.id for one in inside)
        raise InvalidArguments(f"Several are called `{name[:80]}` there: {ids}. Say which by its id.")
    if len(inside or found) != 1:
        raise NotFound(f"There is nothing called `{name[:80]}` there.")
    return (inside or found)[0]
