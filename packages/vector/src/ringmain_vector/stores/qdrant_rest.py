"""The requests to a Qdrant server that are made here, each through a guard."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread

from ringmain_core.policy import Access
from ringmain_core.upstream.guard import Guard
from ringmain_vector.stores import qdrant_wire as wire
from ringmain_vector.stores.qdrant_shapes import Dense, Described, Drop, Filter, Id, Point, Put, Sparse
from ringmain_vector.stores.qdrant_trouble import Answered

if TYPE_CHECKING:
    from ringmain_vector.stores.qdrant_wire import Client

T = TypeVar("T")


class Rest:
    """A server.

    Args:
        url: Its address; `:memory:` is the client's own imitation, for tests.
        guard: Stands around every request.
        timeout: Seconds to wait for one answer.
    """

    def __init__(self, url: str, api_key: str | None, guard: Guard, timeout: float) -> None:
        self._guard = guard
        self._make = partial(wire.client, url, api_key, timeout)
        self._making = anyio.Lock()
        self._client: Client | None = None

    async def names(self) -> list[str]:
        """Of all collections."""

        async def ask(client: "Client") -> list[str]:
            return [one.name for one in (await client.get_collections()).collections]

        return await self._call(ask, "get_collections")

    async def describe(self, name: str) -> Described | None:
        """A collection; `None` where there is none of that name."""

        async def ask(client: "Client") -> Described | None:
            try:
                return wire.described(await wire.translated(client.get_collection(name)))
            except Answered as error:
                if error.status == 404:
                    return None
                raise

        return await self._call(ask, "get_collection")

    async def create(
        self, name: str, *, dense: str, dimension: int, sparse: str, metadata: Mapping[str, Any]
    ) -> None:
        """A collection of one shard; one that there is already stays as it is."""

        async def ask(client: "Client") -> None:
            created = client.create_collection(
                name,
                vectors_config={dense: wire.by_cosine(dimension)},
                sparse_vectors_config={sparse: wire.by_rarity()},
                shard_number=1,
                metadata=dict(metadata),
            )
            try:
                await wire.translated(created)
            except Answered as error:  # older servers say 400
                if error.status not in {400, 409} or "already exists" not in error.said:
                    raise

        await self._call(ask, "create_collection", "write")

    async def note(self, name: str, metadata: Mapping[str, Any]) -> None:
        """Put keys into the metadata of a collection, beside those that are there."""

        async def ask(client: "Client") -> None:
            await client.update_collection(name, metadata=dict(metadata))

        await self._call(ask, "update_collection", "write")

    async def index(self, name: str, key: str, kind: str, *, parts: bool = False) -> None:
        """Let a payload key be filtered by.

        Args:
            name: Of the collection.
            key: The path.
            kind: `keyword`, `integer`, `float` or `bool`.
            parts: Whether most searches look at one value of it only; then it is a keyword.
        """

        async def ask(client: "Client") -> None:
            schema = wire.index_of_parts() if parts else wire.index_of(kind)
            await client.create_payload_index(name, key, schema, wait=True, ordering=wire.strong())

        await self._call(ask, "create_payload_index", "write")

    async def change(self, name: str, *steps: Put | Drop, again: bool = False) -> None:
        """Do these things one after the other; done and to be read when it returns.

        Args:
            name: Of the collection.
            steps: What to do.
            again: Whether it may be done twice, whatever others have done between.
        """

        async def ask(client: "Client") -> None:
            operations = [wire.operation(one) for one in steps]
            await client.batch_update_points(name, operations, wait=True, ordering=wire.strong())

        await self._call(ask, "batch_update", "write", again=again)

    async def read(
        self, name: str, ids: Sequence[Id], keys: Sequence[str] | None = None, *, vectors: bool = False
    ) -> list[Point]:
        """Points by id, those that are there.

        Args:
            name: Of the collection.
            ids: Which.
            keys: Of the payload; `None` for all of it.
            vectors: Whether these, too.
        """

        async def ask(client: "Client") -> list[Point]:
            found = await client.retrieve(name, list(ids), _payload(keys), with_vectors=vectors)
            return [wire.point(one) for one in found]

        return await self._call(ask, "retrieve") if ids else []

    async def page(
        self,
        name: str,
        where: Filter,
        limit: int,
        begin: Id | None,
        keys: Sequence[str] | None = None,
        *,
        vectors: bool = False,
    ) -> tuple[list[Point], Id | None]:
        """Points in the order of their ids, and where the next page begins."""

        async def ask(client: "Client") -> tuple[list[Point], Id | None]:
            found, following = await client.scroll(
                name,
                wire.filter_to_send(where),
                limit,
                offset=begin,
                with_payload=_payload(keys),
                with_vectors=vectors,
            )
            return [wire.point(one) for one in found], None if following is None else wire.id_of(following)

        return await self._call(ask, "scroll")

    async def rank(
        self,
        name: str,
        query: Dense | Sparse,
        using: str,
        where: Filter,
        limit: int,
        keys: Sequence[str],
        *,
        exact: bool = False,
    ) -> list[Point]:
        """The points that fit a vector best."""

        async def ask(client: "Client") -> list[Point]:
            found = await client.query_points(
                name,
                wire.vector_to_send(query),
                using=using or None,
                query_filter=wire.filter_to_send(where),
                search_params=wire.exactly() if exact else None,
                limit=limit,
                with_payload=_payload(keys),
            )
            return [wire.point(one, one.score) for one in found.points]

        return await self._call(ask, "query")

    async def count(self, name: str, where: Filter) -> int:
        """How many points there are."""

        async def ask(client: "Client") -> int:
            return (await client.count(name, wire.filter_to_send(where), exact=True)).count

        return await self._call(ask, "count")

    async def values(self, name: str, key: str, where: Filter, limit: int) -> list[str]:
        """The values that an indexed key has, at most so many."""

        async def ask(client: "Client") -> list[str]:
            found = await client.facet(name, key, wire.filter_to_send(where), limit, exact=True)
            return [str(one.value) for one in found.hits]

        return await self._call(ask, "facet")

    async def close(self) -> None:
        """End its connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _call(
        self,
        ask: "Callable[[Client], Awaitable[T]]",
        name: str,
        access: Access = "read",
        *,
        again: bool = True,
    ) -> T:
        if self._client is None:
            async with self._making:
                if self._client is None:
                    self._client = await anyio.to_thread.run_sync(self._make)
        client = self._client
        return await self._guard.call(
            lambda: wire.translated(ask(client)), access=access, name=name, idempotent=again
        )


def _payload(keys: Sequence[str] | None) -> bool | list[str]:
    return True if keys is None else list(keys)
