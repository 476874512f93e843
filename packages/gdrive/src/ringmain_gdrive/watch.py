"""The live resources: files, folders and saved searches tell when they change, by Drive's change feed."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import partial

from ringmain_core.call import Call
from ringmain_core.errors import NotFound, ToolFailure
from ringmain_core.live.watch import Variables, Watch
from ringmain_core.policy import Grant
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.changes import Change

Concerns = Callable[[Change], bool]


def _of_file(variables: Variables) -> Concerns:
    return lambda change: change.file_id == variables["file"]


def _of_folder(variables: Variables) -> Concerns:
    folder = variables["folder"]

    def concerns(change: Change) -> bool:
        # What is gone has no parents any more: it may have been in here.
        return change.file_id == folder or change.file is None or folder in change.file.parents

    return concerns


def _of_search(_: Variables) -> Concerns:
    return lambda _: True  # whatever changes may come into it, or leave


async def _changes(
    concerns_of: Callable[[Variables], Concerns], gdrive: GDrive, variables: Variables
) -> AsyncGenerator[None]:
    concerns = concerns_of(variables)
    number = await gdrive.feed.begin()
    name = str(variables.get("file") or variables.get("folder") or "")
    await gdrive.look_again(name)
    yield
    while True:
        number, found = await gdrive.feed.after(number)
        if found is None or any(concerns(change) for change in found):
            await gdrive.look_again(name)
            yield


def _permits(gdrive: GDrive, grant: Grant, variables: Variables) -> bool:
    """By where it was last seen; what cannot be placed is not told of."""
    fence = grant.fence("gdrive.folder")
    if fence.patterns is None or "search" in variables:
        return True  # a saved search says only that something may have changed
    place = gdrive.last_seen.get(str(variables.get("file") or variables.get("folder")))
    return place is not None and gdrive.inside(fence, place)


async def _check_file(gdrive: GDrive, call: Call, variables: Variables) -> None:
    name = str(variables.get("file") or variables.get("folder"))
    await gdrive.place(call, name, follow=False)
    await _seen_by_process(gdrive, lambda: gdrive.look_again(name))


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
