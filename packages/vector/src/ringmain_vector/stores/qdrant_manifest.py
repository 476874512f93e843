"""Where a collection says how it was made: its metadata, or a point beside the passages on older servers.

Each field has a key of its own, so that two processes that declare fields at once do not undo each other's.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ringmain_vector.domain import FieldType, Manifest
from ringmain_vector.stores.qdrant_rest import Rest
from ringmain_vector.stores.qdrant_shapes import Described, Point, Put

_MADE = "ringmain"
_FIELD = "ringmain.field."
_POINT = "3f0b7a52-8f0c-5a39-8d0e-1b9a1f6f2d11"


def noted(manifest: Manifest) -> dict[str, Any]:
    """What to note of a new collection."""
    made = asdict(manifest)
    fields = made.pop("fields")
    return {_MADE: made} | noted_fields(fields)


def noted_fields(fields: Mapping[str, FieldType]) -> dict[str, Any]:
    """What to note of fields."""
    return {f"{_FIELD}{name}": kind for name, kind in fields.items()}


async def manifest_of(rest: Rest, name: str, described: Described) -> Manifest | None:
    """How a collection was made; `None` if by others."""
    found = described.metadata
    if _MADE not in found:
        points = await rest.read(name, [_POINT])
        found = points[0].payload if points else found
    if _MADE not in found:
        return None
    fields = {key.removeprefix(_FIELD): kind for key, kind in found.items() if key.startswith(_FIELD)}
    return Manifest(**found[_MADE], fields=fields)


async def note(rest: Rest, name: str, found: Mapping[str, Any]) -> None:
    """Note more of a collection, wherever it can be noted."""
    await rest.note(name, found)
    described = await rest.describe(name)
    if described is None or found.keys() <= described.metadata.keys():
        return
    points = await rest.read(name, [_POINT])
    noted_before = dict(points[0].payload) if points else {}
    await rest.change(name, Put([Point(_POINT, noted_before | dict(found))]), again=True)
