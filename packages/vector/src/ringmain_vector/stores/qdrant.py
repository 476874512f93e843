"""Qdrant servers and Qdrant Cloud, over REST. It was made without a real server at hand.

What is written here rests on Qdrant's published description and sources, and is tested against a stand-in
made from them and against the imitation that comes with Qdrant's client.
"""

import time
from collections.abc import Callable, Mapping

import anyio

from ringmain_core.errors import UpstreamRefused, UpstreamUnavailable
from ringmain_core.upstream.guards import Guards
from ringmain_vector.domain import Manifest
from ringmain_vector.stores.base import Collection
from ringmain_vector.stores.qdrant_adopted import Adopted, AdoptedCollection
from ringmain_vector.stores.qdrant_collection import QdrantCollection
from ringmain_vector.stores.qdrant_manifest import manifest_of, note, noted
from ringmain_vector.stores.qdrant_points import DENSE, WORDS
from ringmain_vector.stores.qdrant_rest import Rest
from ringmain_vector.stores.qdrant_shapes import Described
from ringmain_vector.stores.qdrant_trouble import trouble_of


class QdrantStore:
    """A server.

    Args:
        url: Its address, `https://…`.
        api_key: Where it asks for one.
        prefix: What the names of our collections begin with there; the others are not ours.
        adopted: Collections that were made by others, by the name under which they are searched here.
        guards: Makes the guard of its requests, which tries reads again.
        at_once: Requests side by side.
        timeout: Seconds to wait for one answer.
        clock: Tells when something is written, in seconds; the same on all machines, more or less.
    """

    kind = "qdrant"

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        prefix: str = "",
        *,
        adopted: Mapping[str, Adopted] | None = None,
        guards: Guards | None = None,
        at_once: int = 8,
        timeout: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        guard = (guards or Guards()).guard("qdrant", trouble_of, at_once=at_once)
        self._rest = Rest(url, api_key, guard, timeout)
        self._prefix = prefix
        self._adopted = adopted or {}
        self._clock = clock
        self._declaring = anyio.Lock()

    async def names(self) -> list[str]:
        found = set(self._adopted)
        for kept_as in await self._rest.names():
            name = kept_as.removeprefix(self._prefix)
            if kept_as.startswith(self._prefix) and name not in found and await self.open(name):
                found.add(name)
        return sorted(found)

    async def open(self, name: str) -> Collection | None:
        """As the protocol says; what others have made is there only where it is adopted."""
        if name in self._adopted:
            return await AdoptedCollection.open(self._rest, name, self._adopted[name])
        described = await self._rest.describe(self._prefix + name)
        if described is None:
            return None
        manifest = await manifest_of(self._rest, self._prefix + name, described)
        return None if manifest is None else self._collection(name, manifest, described)

    async def create(self, name: str, manifest: Manifest) -> Collection:
        """As the protocol says.

        Raises:
            UpstreamRefused: Where others have made a collection of that name.
        """
        if name in self._adopted:
            raise _foreign(name)
        kept_as = self._prefix + name
        await self._rest.create(
            kept_as, dense=DENSE, dimension=manifest.dimension, sparse=WORDS, metadata=noted(manifest)
        )
        described = await self._rest.describe(kept_as)
        if described is None:
            raise UpstreamUnavailable(f"The collection `{name}` was deleted while it was made. Try again.")
        found = await manifest_of(self._rest, kept_as, described)
        if found is None:
            if described.points or DENSE not in described.vectors or WORDS not in described.sparse:
                raise _foreign(name)
            await note(self._rest, kept_as, noted(manifest))  # before 1.16 it is not noted by creating it
            found = manifest
        collection = self._collection(name, found, described)
        await collection.prepare()
        return collection

    async def close(self) -> None:
        await self._rest.close()

    def _collection(self, name: str, manifest: Manifest, described: Described) -> QdrantCollection:
        kept_as = self._prefix + name
        return QdrantCollection(self._rest, kept_as, name, manifest, described, self._clock, self._declaring)


def _foreign(name: str) -> UpstreamRefused:
    return UpstreamRefused(
        f"The collection `{name}` was made by others: it can be searched where the operator adopts it, and "
        "is never written to. Use another name."
    )
