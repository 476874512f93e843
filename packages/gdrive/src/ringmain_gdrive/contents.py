"""The bytes of files, as they are kept or as Google exports them, and what is read in them."""

import hashlib
from collections.abc import Mapping
from typing import Any

import anyio
import anyio.to_thread

from ringmain_core.call import Call
from ringmain_core.errors import DeadlineExceeded, NotFound, UpstreamRefused, UpstreamUnavailable
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.extraction.extracted import Extract
from ringmain_gdrive.permissions import NEEDS
from ringmain_gdrive.places import Place, key_header
from ringmain_gdrive.readable import Readable, readable

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0
_TO_SPARE = 30.0  # seconds of a call that are left for what comes after the waiting


async def text_of(gdrive: GDrive, call: Call, place: Place, *, revision_id: str | None = None) -> str:
    """All the text of a file. Raises what `extract_of` raises."""
    found = await extract_of(gdrive, call, place, revision_id=revision_id)
    return found.joined(found.entries)


async def extract_of(gdrive: GDrive, call: Call, place: Place, *, revision_id: str | None = None) -> Extract:
    """What is in a file: from what is kept, if this caller may download it.

    Raises:
        InvalidArguments, UpstreamRefused: Where it cannot be read, with what to do instead.
    """
    wanted = readable(place.file)
    if wanted.form is None:
        raise UpstreamRefused(f"`{place.file.name}` is an image: there is no text to get from it.")
    old = _old_revision(place, revision_id)
    ticket = await gdrive.credentials.token(call, NEEDS["read_file"])
    require_leave(place, old)
    return await gdrive.extracts.get(
        place.id,
        old or place.file.revision,
        wanted.form,
        place.file.name,
        str(hash(ticket.value)),
        lambda: bytes_of(gdrive, call, place, wanted, revision_id=revision_id),
    )


async def bytes_of(
    gdrive: GDrive, call: Call, place: Place, wanted: Readable, *, revision_id: str | None = None
) -> bytes:
    """The bytes of a file.

    Args:
        gdrive: Where it is.
        call: For whom.
        place: The file, as Drive has just described it to them.
        wanted: How it is got.
        revision_id: Of an older content.

    Raises:
        UpstreamRefused: Where the caller may not have them, or they are too many.
        UpstreamUnavailable: Where they are not what Drive says.
        DeadlineExceeded: Where Google takes too long to make them.
    """
    old = _old_revision(place, revision_id)
    require_leave(place, old)
    if wanted.is_exported:
        return _within(gdrive, place, await _exported(gdrive, call, place, wanted.kind, old))
    if not old:
        _require_size(gdrive, place, place.file.size)
    return await _kept(gdrive, place, wanted.kind, old)


def _old_revision(place: Place, revision_id: str | None) -> str:
    return "" if revision_id in (None, "head", place.file.revision) else str(revision_id)


def require_leave(place: Place, old: str = "") -> None:
    """Go on where a file may be downloaded, as the description says that this caller has just been given.

    Raises:
        UpstreamRefused: Where it may not.
    """
    file = place.file
    if not file.can("canDownload"):
        owner = f" Ask {file.owner} for a copy." if file.owner else ""
        raise UpstreamRefused(
            f"Whoever owns `{file.name}` does not let readers download it, so it is not read here.{owner}"
        )
    if old and not file.can("canReadRevisions"):
        raise UpstreamRefused(f"Older revisions of `{file.name}` are for those who may edit it.")


def _require_size(gdrive: GDrive, place: Place, size: int) -> None:
    most = gdrive.settings.most_bytes
    if size > most:
        raise UpstreamRefused(
            f"`{place.file.name}` has {size:,} bytes; at most {most:,} are read here. A person can open "
            f"{place.file.told.get('webViewLink') or 'it in Drive'}."
        )


def _within(gdrive: GDrive, place: Place, content: bytes) -> bytes:
    _require_size(gdrive, place, len(content))
    return content


async def _kept(gdrive: GDrive, place: Place, kind: str, old: str) -> bytes:
    """The bytes of a file that is kept as it is."""
    if not (old or place.file.size):
        return b""
    keys = key_header(place.id, place.resource_key) or {}
    headers = {**keys, "Range": f"bytes=0-{gdrive.settings.most_bytes}"}  # one more than is taken
    if old:
        found = gdrive.content("revisions.get_media", kind, headers=headers, fileId=place.id, revisionId=old)
        return _within(gdrive, place, await found)
    content = await gdrive.content(
        "files.get_media", kind, headers=headers, fileId=place.id, supportsAllDrives=True
    )
    expected = place.file.told.get("md5Checksum")
    _within(gdrive, place, content)
    if expected and await anyio.to_thread.run_sync(_md5, content) != expected:
        raise UpstreamUnavailable(
            f"What came is not what Drive says is in `{place.file.name}`: it was changed just now, or "
            "something between here and Drive answers in its place. Try again.",
            cause="transient",
        )
    return content


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


async def _exported(gdrive: GDrive, call: Call, place: Place, kind: str, old: str) -> bytes:
    """A file of Google's own as this type: at once, or where it is too large, in ways that take longer."""
    headers = key_header(place.id, place.resource_key)
    if not old:
        try:
            return await gdrive.content("files.export", kind, headers=headers, fileId=place.id, mimeType=kind)
        except UpstreamRefused as refused:
            if refused.detail.get("reason") != "exportSizeLimitExceeded":
                raise
    most = gdrive.settings.most_bytes + 1
    try:
        link = await _prepared(gdrive, call, place, kind, old)
    except (UpstreamRefused, NotFound, DeadlineExceeded):
        link = await _export_link(gdrive, place, kind, old)
        if not link:
            raise
    return await gdrive.linked(link, kind, most)


async def _prepared(gdrive: GDrive, call: Call, place: Place, kind: str, old: str) -> str:
    """Have Google prepare a download, and wait for its link.

    Raises:
        UpstreamRefused: Where it cannot.
        DeadlineExceeded: Where it takes longer than the call has.
    """
    headers = key_header(place.id, place.resource_key)
    work = await gdrive.get(
        "files.download", headers=headers, fileId=place.id, mimeType=kind, revisionId=old or None
    )
    pause, polls = _FIRST_PAUSE, 0
    while not work.get("done"):
        if call.remaining < pause + _TO_SPARE:
            raise DeadlineExceeded(
                f"Google has not finished exporting `{place.file.name}`, which is large. Try again: it may "
                "be faster then; or a person can split it."
            )
        polls += 1
        await call.progress(polls, None, "Google is exporting it")
        await anyio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
        work = await gdrive.get("operations.get", name=work["name"])
    failed: Mapping[str, Any] = work.get("error") or {}
    response: Mapping[str, Any] = work.get("response") or {}
    if failed or not response.get("downloadUri"):
        raise UpstreamRefused(f"Google cannot export `{place.file.name}`: {failed.get('code', 'no link')}.")
    return str(response["downloadUri"])


async def _export_link(gdrive: GDrive, place: Place, kind: str, old: str) -> str:
    """Where a file or revision can be had as this type; empty where Drive names nothing."""
    headers = key_header(place.id, place.resource_key)
    if old:
        told = await gdrive.get(
            "revisions.get", headers=headers, fileId=place.id, revisionId=old, fields="exportLinks"
        )
    else:
        told = await gdrive.get(
            "files.get", headers=headers, fileId=place.id, fields="exportLinks", supportsAllDrives=True
        )
    links: Mapping[str, str] = told.get("exportLinks") or {}
    return links.get(kind, "")
