"""Who can read a file: who certainly can, for what is read; who perhaps can, for what is written."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ringmain_core.call import Call
from ringmain_core.errors import NotFound, UpstreamRefused
from ringmain_core.flow import Audience
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.exposure import Permission, permissions_of
from ringmain_gdrive.own import Own
from ringmain_gdrive.places import Place


class Readers(NamedTuple):
    """Readers of a file.

    Attributes:
        label: Two files with the same one have the same readers.
    """

    audience: Audience
    label: str


def certain_readers(place: Place) -> Readers:
    """Those who can read a file, as far as is known without asking."""
    file = place.file
    if file.drive:
        return Readers("group", _label(place))
    audience = file.audience
    if audience == "organisation" and not _is_open_to(file.told, place.viewer.rpartition("@")[2]):
        audience = "group"  # the organisation is another one
    return Readers(audience, _label(place) if audience == "group" else "")


async def possible_readers(gdrive: GDrive, call: Call, place: Place) -> Readers:
    """Those who get to read what is written into a file or folder; everybody where Drive does not say."""
    told: Sequence[Mapping[str, Any]] | None = place.file.told.get("permissions")
    if told is not None:
        permissions = [Permission(one) for one in told]
    else:
        try:
            permissions = await permissions_of(gdrive, place)
        except (NotFound, UpstreamRefused):
            return Readers("public", _label(place))
    audience = audience_of(permissions, await gdrive.own(call))
    return Readers(audience, "" if audience == "self" else _label(place))


def audience_of(permissions: Sequence[Permission], own: Own) -> Audience:
    """The widest audience of all permissions: whoever is outside of the organisation is the public."""
    others = [one for one in permissions if not one.is_deleted and one.address.lower() != own.address]
    if any(one.reaches_beyond(own) for one in others):
        return "public"
    if any(one.kind == "domain" for one in others):
        return "organisation"
    return "group" if others else "self"


def _is_open_to(told: Mapping[str, Any], domain: str) -> bool:
    permissions: Sequence[Mapping[str, Any]] = told.get("permissions") or ()
    domains = {str(one.get("domain")).lower() for one in permissions if one.get("type") == "domain"}
    return domain in domains


def _label(place: Place) -> str:
    """Names what its readers come from: in shared drives a folder above that has own ones, or the drive."""
    file = place.file
    if not file.drive or file.has_own_readers:
        return f"Drive {file.id}"
    source = next((folder.id for folder in place.above if folder.has_own_readers), "")
    if not source and (file.id == file.drive or (place.above and place.above[-1].is_top)):
        source = file.drive
    return f"Drive {source or file.id}"
