"""Qdrant's own client: the one module that knows it.

It takes most of a second to import, so that happens in functions, the first of which is called in a thread.
"""

import json
from collections.abc import Awaitable, Mapping
from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar

from ringmain_vector.stores.qdrant_shapes import Dense, Described, Drop, Filter, Id, Point, Put, Sparse
from ringmain_vector.stores.qdrant_trouble import Answered, Broke, NotQdrant, NotReached

if TYPE_CHECKING:
    from qdrant_client import AsyncQdrantClient, models

    Client = AsyncQdrantClient

T = TypeVar("T")
_KEPT = 3.0  # seconds that an idle connection is kept; the server ends them after 5


def client(url: str, api_key: str | None, timeout: float) -> "Client":
    import httpx
    from qdrant_client import AsyncQdrantClient

    return AsyncQdrantClient(
        url,
        timeout=ceil(timeout),
        headers={"api-key": api_key} if api_key else None,
        check_compatibility=False,
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=_KEPT),
    )


async def translated(asked: Awaitable[T]) -> T:
    """What is awaited, its exceptions as those of `qdrant_trouble.py`."""
    import httpx
    from pydantic import ValidationError
    from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    try:
        return await asked
    except UnexpectedResponse as error:
        raise Answered(error.status_code or 0, _said(error.content)) from error
    except ResourceExhaustedResponse as error:
        raise Answered(429, error.message, float(error.retry_after_s)) from error
    except QdrantException as error:  # a Retry-After that is no number
        raise Answered(429, "") from error
    except ResponseHandlingException as error:
        if isinstance(error.source, ValidationError):
            raise NotQdrant from error
        if isinstance(error.source, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
            raise NotReached from error
        raise Broke from error
    except json.JSONDecodeError as error:
        raise NotQdrant from error


def _said(content: bytes) -> str:
    try:
        said: Any = json.loads(content)
    except ValueError:
        return "" if content.lstrip().startswith(b"<") else content.decode(errors="replace")
    match said:
        case {"status": {"error": str(error)}}:
            return error
        case _:
            return ""


def described(found: "models.CollectionInfo") -> Described:
    from qdrant_client import models

    params = found.config.params
    vectors = params.vectors or {}
    if isinstance(vectors, models.VectorParams):
        vectors = {"": vectors}
    return Described(
        metadata=found.config.metadata or {},
        indexes={key: one.data_type.value for key, one in found.payload_schema.items()},
        vectors={name: (one.size, one.distance.value) for name, one in vectors.items()},
        sparse=list(params.sparse_vectors or {}),
        points=found.points_count or 0,
        shards=params.shard_number or 1,
        status=found.status.value,
    )


def operation(step: Put | Drop) -> "models.UpdateOperation":
    from qdrant_client import models

    if isinstance(step, Put):
        points = [
            models.PointStruct(
                id=one.id,
                payload=dict(one.payload),
                vector={name: vector_to_send(vector) for name, vector in one.vectors.items()},
            )
            for one in step.points
        ]
        return models.UpsertOperation(upsert=models.PointsList(points=points))
    if isinstance(step.what, Mapping):
        return models.DeleteOperation(delete=models.FilterSelector(filter=filter_to_send(step.what)))
    return models.DeleteOperation(delete=models.PointIdsList(points=list(step.what)))


def vector_to_send(vector: Dense | Sparse) -> "list[float] | models.SparseVector":
    from qdrant_client import models

    if isinstance(vector, Mapping):
        return models.SparseVector(indices=list(vector.keys()), values=list(vector.values()))
    return list(vector)


def filter_to_send(where: "Filter") -> "models.Filter":
    from qdrant_client import models

    return models.Filter.model_validate(where)


def point(found: "models.Record | models.ScoredPoint", score: float = 0.0) -> Point:
    from qdrant_client import models

    given = found.vector or {}
    named: Mapping[str, Any] = given if isinstance(given, Mapping) else {"": given}
    vectors: dict[str, Any] = {
        name: dict(zip(one.indices, one.values, strict=True)) if isinstance(one, models.SparseVector) else one
        for name, one in named.items()
    }
    return Point(id_of(found.id), found.payload or {}, vectors, score)


def id_of(given: Any) -> Id:
    return given if isinstance(given, int) else str(given)


def by_cosine(dimension: int) -> "models.VectorParams":
    """A kind of vector: dense, compared by cosine."""
    from qdrant_client import models

    return models.VectorParams(size=dimension, distance=models.Distance.COSINE)


def by_rarity() -> "models.SparseVectorParams":
    """A kind of vector: sparse, where what is rare counts more."""
    from qdrant_client import models

    return models.SparseVectorParams(modifier=models.Modifier.IDF)


def index_of(kind: str) -> "models.PayloadSchemaType":
    from qdrant_client import models

    return models.PayloadSchemaType(kind)


def index_of_parts() -> "models.KeywordIndexParams":
    """An index of keywords by which points are stored side by side."""
    from qdrant_client import models

    return models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)


def exactly() -> "models.SearchParams":
    from qdrant_client import models

    return models.SearchParams(exact=True)


def strong() -> "models.WriteOrdering":
    from qdrant_client import models

    return models.WriteOrdering.STRONG
