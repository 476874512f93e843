"""Which requests there are, and what Qdrant's description says of each: the models of its client."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from qdrant_client.http import models

_PARAMETERS = {
    "wait": {"true", "false"},
    "ordering": {"weak", "medium", "strong"},
}
_NUMBERS = {"timeout"}


@dataclass(frozen=True)
class Route:
    """A request.

    Attributes:
        body: What it takes.
        result: What it answers.
        writes: Whether it changes anything.
    """

    body: Any
    result: Any
    writes: bool = False


_C = "/collections/{name}"
ROUTES: Mapping[str, Route] = {
    "GET /collections": Route(None, models.CollectionsResponse),
    f"GET {_C}": Route(None, models.CollectionInfo),
    f"PUT {_C}": Route(models.CreateCollection, bool, writes=True),
    f"PATCH {_C}": Route(models.UpdateCollection, bool, writes=True),
    f"DELETE {_C}": Route(None, bool, writes=True),
    f"PUT {_C}/index": Route(models.CreateFieldIndex, models.UpdateResult, writes=True),
    f"DELETE {_C}/index/{{key}}": Route(None, models.UpdateResult, writes=True),
    f"PUT {_C}/points": Route(models.PointInsertOperations, models.UpdateResult, writes=True),
    f"POST {_C}/points/batch": Route(models.UpdateOperations, list[models.UpdateResult], writes=True),
    f"POST {_C}/points": Route(models.PointRequest, list[models.Record]),
    f"POST {_C}/points/scroll": Route(models.ScrollRequest, models.ScrollResult),
    f"POST {_C}/points/query": Route(models.QueryRequest, models.QueryResponse),
    f"POST {_C}/points/count": Route(models.CountRequest, models.CountResult),
    f"POST {_C}/facet": Route(models.FacetRequest, models.FacetResponse),
}


def wrong_with_request(name: str, query: Mapping[str, str], body: Any) -> list[str]:
    """What the description does not allow."""
    found = [
        f"{name}: no parameter {key}={value}"
        for key, value in query.items()
        if value not in _PARAMETERS.get(key, ()) and not (key in _NUMBERS and value.isdecimal())
    ]
    expected = ROUTES[name].body
    if expected is None:
        return found + ([f"{name}: takes no body"] if body is not None else [])
    return found + _wrong(name, expected, body)


def wrong_with_result(name: str, result: Any) -> list[str]:
    """What the description does not allow in an answer of ours; a field that it does not know, too."""
    expected = ROUTES[name].result
    found = _wrong(f"{name} ->", expected, result)
    if found:
        return found
    adapter = _adapter(expected)
    known = adapter.dump_python(adapter.validate_python(result), mode="json", exclude_unset=True)
    return [f"{name} -> {one}: not described" for one in _lost(result, known)]


def _wrong(where: str, expected: Any, value: Any) -> list[str]:
    try:
        _adapter(expected).validate_python(value)
    except ValidationError as error:
        return [f"{where} {one['loc']}: {one['msg']}" for one in error.errors()[:3]]
    return []


@cache
def _adapter(expected: Any) -> TypeAdapter[Any]:
    return TypeAdapter(expected)


def _lost(given: Any, known: Any, where: str = "") -> list[str]:
    """What is in an answer, and was not taken for anything."""
    lost: list[str] = []
    if isinstance(given, dict):
        for key, value in cast("Mapping[str, Any]", given).items():
            below = f"{where}/{key}"
            lost += _lost(value, known[key], below) if key in known else [below]
    elif isinstance(given, list):
        for one, other in zip(cast("list[Any]", given), known, strict=True):
            lost += _lost(one, other, where)
    return lost
