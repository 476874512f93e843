"""Points are put, changed, read and searched."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from standins.qdrant import ranking
from standins.qdrant.filters import at, holds, require_indexes
from standins.qdrant.state import Collection, Id, Json, Kept, Refused, id_of, order

_RETRIEVING, _UPDATING = "unindexed_filtering_retrieve", "unindexed_filtering_update"


async def change(collection: Collection, operations: Sequence[Json]) -> list[Json]:
    """Do them one after the other. Others come between, as they do with a real server."""
    return [await _change(collection, one) for one in operations]


async def _change(collection: Collection, operation: Json) -> Json:
    ((kind, body),) = operation.items()
    match kind:
        case "upsert":
            for one in body["points"]:
                put(collection, one)
                await asyncio.sleep(0)
        case "delete":
            if "filter" in body:
                require_indexes(collection, body["filter"], _UPDATING)
            for one in _selected(collection, body):
                collection.points.pop(one, None)
                await asyncio.sleep(0)
        case _:
            raise Refused(501, f"This stand-in knows no {kind}")
    collection.operations += 1
    return {"operation_id": collection.operations, "status": "completed"}


def put(collection: Collection, given: Json) -> None:
    """Keep a point in the place of the one with its id."""
    vectors: Any = given["vector"]
    named = cast("dict[str, Any]", vectors if isinstance(vectors, dict) else {"": vectors})
    made = Kept(id_of(given["id"]), dict(given.get("payload") or {}), version=collection.operations + 1)
    for name, vector in named.items():
        if name in collection.sparse:
            made.sparse[name] = _sparse(vector)
        elif name in collection.vectors:
            ranking.require_size(collection, name, vector)
            made.dense[name] = ranking.normal(vector)
        else:
            raise Refused(400, f"Wrong input: Not existing vector name error: {name}")
    collection.points[made.id] = made


def read(collection: Collection, body: Json) -> list[Json]:
    """Points by id."""
    found = [collection.points.get(id_of(one)) for one in body["ids"]]
    return [_shown(one, body) for one in found if one is not None]


def scroll(collection: Collection, body: Json) -> Json:
    """Points in the order of their ids, a page of them."""
    found = sorted(_meant(collection, body.get("filter")), key=lambda one: order(one.id))
    if body.get("offset") is not None:
        begin = order(id_of(body["offset"]))
        found = [one for one in found if order(one.id) >= begin]
    limit = body.get("limit") or 10
    following = found[limit].id if len(found) > limit else None
    return {"points": [_shown(one, body) for one in found[:limit]], "next_page_offset": following}


def query(collection: Collection, body: Json) -> Json:
    """The points that fit a vector best."""
    given: Any = body.get("query")
    wanted: Any = given.get("nearest", given) if isinstance(given, dict) else given  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(wanted, list | dict) or body.get("prefetch"):
        raise Refused(501, "This stand-in searches by one vector only")
    points = _meant(collection, body.get("filter"))
    found = ranking.scores(collection, points, wanted, body.get("using") or "")
    best = sorted(found, key=lambda one: (-one[1], order(one[0].id)))[: body.get("limit") or 10]
    return {"points": [{**_shown(one, body), "version": one.version, "score": score} for one, score in best]}


def count(collection: Collection, body: Json) -> Json:
    return {"count": len(_meant(collection, body.get("filter")))}


def facet(collection: Collection, body: Json) -> Json:
    """The values of a key, the most frequent first."""
    if body["key"] not in collection.indexes:
        raise Refused(
            400, f'Bad request: Index required but not found for "{body["key"]}". Help: Create one.'
        )
    values = Counter(at(one.payload, body["key"]) for one in _meant(collection, body.get("filter")))
    values.pop(None, None)
    ranked = sorted(values.items(), key=lambda one: (-one[1], one[0]))[: body.get("limit") or 10]
    return {"hits": [{"value": value, "count": times} for value, times in ranked]}


def _meant(collection: Collection, where: Json | None) -> list[Kept]:
    require_indexes(collection, where, _RETRIEVING)
    return [one for one in collection.points.values() if holds(where, one, collection.indexes)]


def _selected(collection: Collection, body: Json) -> list[Id]:
    if "points" in body:
        return [id_of(one) for one in body["points"]]
    return [one.id for one in collection.points.values() if holds(body["filter"], one, collection.indexes)]


def _sparse(vector: Json) -> dict[int, float]:
    indices, values = vector["indices"], vector["values"]
    if len(indices) != len(values) or len(set(indices)) != len(indices):
        raise Refused(422, "Validation error in JSON body: [vector.indices: must be unique]")
    return dict(zip(indices, values, strict=True))


def _shown(point: Kept, body: Json) -> dict[str, Any]:
    made: dict[str, Any] = {"id": point.id}
    asked = body.get("with_payload")
    if isinstance(asked, list):
        made["payload"] = {key: point.payload[key] for key in asked if key in point.payload}  # pyright: ignore[reportUnknownVariableType]
    elif asked is not False:
        made["payload"] = point.payload
    if body.get("with_vector"):
        dense: dict[str, Any] = {name: one.tolist() for name, one in point.dense.items()}
        sparse: dict[str, Any] = {
            name: {"indices": list(one), "values": list(one.values())} for name, one in point.sparse.items()
        }
        made["vector"] = dense[""] if "" in dense else dense | sparse
    return made
