"""What a model can read of Drive by URI; files, folders and saved searches tell when they change."""

from ringmain_core.call import Call
from ringmain_core.errors import NotFound
from ringmain_core.tooling import resource
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.completions import complete_file, complete_folder, complete_search
from ringmain_gdrive.tools.comments import comments
from ringmain_gdrive.tools.finding import get_file, list_folder, rows_of_search
from ringmain_gdrive.tools.revisions import revisions

_FILE = {"file": complete_file}


@resource("gdrive://file/{file}", title="File", complete=_FILE)
async def file(gdrive: GDrive, call: Call, file: str) -> str:
    """What is known of a file; tells when it changes."""
    return (await get_file.function(gdrive, call, file)).text()


@resource("gdrive://file/{file}/comments", title="Comments", complete=_FILE)
async def file_comments(gdrive: GDrive, call: Call, file: str) -> str:
    """The comments on a file."""
    return (await comments.function(gdrive, call, file)).text()


@resource("gdrive://file/{file}/revisions", title="Revisions", complete=_FILE)
async def file_revisions(gdrive: GDrive, call: Call, file: str) -> str:
    """The revisions of a file."""
    return (await revisions.function(gdrive, call, file)).text()


@resource("gdrive://folder/{folder}", title="Folder", complete={"folder": complete_folder})
async def folder(gdrive: GDrive, call: Call, folder: str) -> str:
    """What is in a folder; tells when that changes."""
    return (await list_folder.function(gdrive, call, folder)).text()


@resource("gdrive://search/{search}", title="Saved search", complete={"search": complete_search})
async def saved_search(gdrive: GDrive, call: Call, search: str) -> str:
    """What one of the operator's saved searches finds; tells when that may have changed."""
    if search not in gdrive.settings.searches:
        raise NotFound("There is no saved search of that name.")
    return (await rows_of_search(gdrive, call, gdrive.settings.searches[search])).text()


RESOURCES = (file, file_comments, file_revisions, folder, saved_search)
