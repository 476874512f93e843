"""Values to offer while somebody types: folders, files, saved searches."""

from collections.abc import Mapping

from ringmain_core.call import Call
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.file import FOLDER, ROW_FIELDS
from ringmain_gdrive.listing import placed
from ringmain_gdrive.references import quoted

_MOST = 20


async def complete_file(gdrive: GDrive, call: Call, typed: str, _: Mapping[str, str]) -> list[str]:
    """Ids of files whose name begins like that, those that were changed last first."""
    return await _ids(gdrive, call, typed, f"mimeType != '{FOLDER}'")


async def complete_folder(gdrive: GDrive, call: Call, typed: str, _: Mapping[str, str]) -> list[str]:
    """Ids of folders whose name begins like that."""
    return await _ids(gdrive, call, typed, f"mimeType = '{FOLDER}'")


async def complete_search(gdrive: GDrive, call: Call, typed: str, _: Mapping[str, str]) -> list[str]:  # noqa: ARG001
    """Saved searches."""
    return [name for name in gdrive.settings.searches if name.startswith(typed)]


async def _ids(gdrive: GDrive, call: Call, typed: str, kind: str) -> list[str]:
    named = f" and name contains {quoted(typed)}" if typed else ""
    page = await gdrive.get(
        "files.list",
        q=f"trashed = false and {kind}{named}",
        orderBy="modifiedTime desc",
        pageSize=_MOST,
        fields=f"files({ROW_FIELDS})",
        includeItemsFromAllDrives=True,
        supportsAllDrives=True,
    )
    fence = call.fence("folder")
    return [place.id for place in await placed(gdrive, call, page["files"]) if gdrive.inside(fence, place)]
