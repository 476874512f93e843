"""The live resources: files, folders and saved searches tell when they change, by Drive's change feed."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import partial

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound, ToolFailure, UpstreamRefused
from ringmain_core.live.watch import Variables, Watch
from ringmain_core.policy import Grant
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.changes import Change

_MOST_DRIVES = 50

Concerns = Callable[[Change], bool]


def _of_file(variables: Variables) -> Concerns:
    return lambda change: change.file_id == variables["file"]


def _of_folder(variables: Variables) -> Concerns:
    folder = variables["folder"]

    def concerns(change: Change) -> bool:
        # What is gone has no parents any more: it may have been in here.
        is_in_it = change.file is not None and folder in change.file.parents
        return change.file_id == folder or change.is_gone or is_in_it

    return concerns


def _of_search(_: Variables) -> Concerns:
    return lambda _: True  # whatever changes may come into it, or leave


async def _changes(
    concerns_of: Callable[[Variables], Concerns], gdrive: GDrive, variables: Variables
) -> AsyncGenerator[None]:
    concerns = concerns_of(variables)
    number = await gdrive.feed.begin()
    drives = await _drives_of(gdrive, variables)
    await gdrive.feed.begin(*drives)
    yield
    while True:
        number, found = await gdrive.feed.after(number, *drives)
        if found is None or any(concerns(change) or change.file_id in drives for change in found):
            drives = await _drives_of(gdrive, variables)
            await gdrive.feed.begin(*drives)
            yield


async def _drives_of(gdrive: GDrive, variables: Variables) -> tuple[str, ...]:
    """The shared drives whose logs tell of it: the one that it is in, for a search all of the account's."""
    name = _name(variables)
    try:
        if name:
            drive = (await gdrive.follow(name)).file.drive
            return (drive,) if drive else ()
        page = await gdrive.get("drives.list", pageSize=_MOST_DRIVES, fields="drives(id)")
    except (NotFound, UpstreamRefused):  # gone, or drives are not for this token
        return ()
    return tuple(str(one["id"]) for one in page.get("drives") or ())


def _name(variables: Variables) -> str:
    """The id of a file or folder; empty for a search."""
    return str(variables.get("file") or variables.get("folder") or "")


def _permits(gdrive: GDrive, grant: Grant, variables: Variables) -> bool:
    """By where it was last seen; what cannot be placed is not told of."""
    fence = grant.fence("gdrive.folder")
    if fence.patterns is None or "search" in variables:
        return True  # a saved search says only that something may have changed
    place = gdrive.last_seen.get(_name(variables))
    return place is not None and gdrive.inside(fence, place)


async def _check_file(gdrive: GDrive, call: Call, variables: Variables) -> None:
    name = _name(variables)
    place = await gdrive.place(call, name, follow=False)
    if place.id != name:  # a path or `root` may mean something else to the process' own account
        raise InvalidArguments(f"To follow it, name it by its id: {place.id}")
    await _seen_by_process(gdrive, lambda: gdrive.follow(name))


async def _check_search(gdrive: GDrive, call: Call, variables: Variables) -> None:  # noqa: ARG001
    if variables["search"] not in gdrive.settings.searches:
        raise NotFound("There is no saved search of that name.")
    await _seen_by_process(gdrive, gdrive.feed.begin)


async def _seen_by_process(gdrive: GDrive, look: Callable[[], Awaitable[object]]) -> None:
    """Refuse what the process' own account, which asks for changes, does not see."""
    try:
        await gdrive.as_process(look)
    except ToolFailure as error:
        raise NotFound(f"Its changes cannot be followed: {error.message}") from None


WATCHES: Mapping[str, Watch[GDrive]] = {
    "file": Watch(partial(_changes, _of_file), _permits, _check_file),
    "folder": Watch(partial(_changes, _of_folder), _permits, _check_file),
    "saved_search": Watch(partial(_changes, _of_search), _permits, _check_search),
}
