"""How much is in a folder, before something happens to all of it."""

from ringmain_gdrive.api import GDrive
from ringmain_gdrive.file import FOLDER
from ringmain_gdrive.places import Place
from ringmain_gdrive.references import quoted

_MOST_PAGES = 20
_PAGE = 1000


async def told_below(gdrive: GDrive, place: Place) -> str:
    """What is in a folder and below, in words; empty for what is no folder."""
    if not place.file.is_folder:
        return ""
    files = folders = pages = 0
    waiting: list[tuple[str, str | None]] = [(place.id, None)]
    while waiting and pages < _MOST_PAGES:
        folder, token = waiting.pop()
        pages += 1
        page = await gdrive.get(
            "files.list",
            q=f"{quoted(folder)} in parents and trashed = false",
            fields="nextPageToken,files(id,mimeType)",
            pageSize=_PAGE,
            pageToken=token,
            includeItemsFromAllDrives=True,
            supportsAllDrives=True,
        )
        below = [str(one["id"]) for one in page["files"] if one["mimeType"] == FOLDER]
        folders += len(below)
        files += len(page["files"]) - len(below)
        waiting += [(one, None) for one in below]
        if page.get("nextPageToken"):
            waiting.append((folder, page["nextPageToken"]))
    least = "at least " if waiting else ""
    return f"{least}{_counted(files, 'file')} and {_counted(folders, 'folder')}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
