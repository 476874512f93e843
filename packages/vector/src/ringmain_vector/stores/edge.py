"""Collections in a folder of this machine, in Qdrant Edge: the store of who has set up none."""

import asyncio
import logging
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace as changed
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ringmain_core.errors import InvalidArguments, UpstreamRefused, UpstreamUnavailable
from ringmain_vector.domain import Document, FieldType, Key, Manifest, Passage, Scored, Stats, Where
from ringmain_vector.fields import merged
from ringmain_vector.stores.edge_folder import (
    SHARD,
    is_name,
    make_folder,
    names,
    read_manifest,
    write_manifest,
)
from ringmain_vector.stores.edge_lease import Lease, Times
from ringmain_vector.stores.edge_lock import Busy, ProcessLock

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector
    from ringmain_vector.stores.edge_shard import Shard

T = TypeVar("T")
_THREADS = 8
_log = logging.getLogger(__name__)
_WORTH_AN_INDEX = 50_000  # passages; with fewer, looking at each is as fast, and building takes minutes


class _Workers:
    """The threads in which a collection does what blocks; they start with the first work.

    Each has its own: while another process holds one collection, who waits for that keeps no other waiting.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    async def do(self, work: Callable[[], T]) -> T:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_THREADS, "ringmain-edge")
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False)


class EdgeCollection:
    """One shard. It is open only while it is used, so that other processes can use it, too.

    A search sees a document as it was before a change or after it. What a method has done is there even
    if the process is killed afterwards; if it is killed meanwhile, all of it has happened or nothing.
    """

    is_read_only = False

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        times: Times,
        reading: threading.Lock,
    ) -> None:
        self.name = folder.name
        self.manifest = manifest
        self._folder = folder
        self._reading = reading
        self._workers = _Workers()
        self._lease = Lease(ProcessLock(folder), self._load, _close, times)

    async def declare(self, fields: Mapping[str, FieldType]) -> None:
        def declare(shard: "Shard") -> None:
            with self._reading:
                before = read_manifest(self._folder) or self.manifest  # others may have declared some
                known = changed(before, fields=merged(before.fields, fields))
                shard.declare(fields)
                if known != before:
                    write_manifest(self._folder, known)
                self.manifest = known

        await self._write(declare)

    async def replace(self, document: Document, passages: Sequence[Passage]) -> None:
        dimension = self.manifest.dimension
        for one in passages:
            if one.vector is not None and len(one.vector) != dimension:
                raise InvalidArguments(
                    f"`{self.name}` has vectors of {dimension} numbers, not {len(one.vector)}."
                )
        await self._write(lambda shard: shard.replace(document, passages))

    async def delete(self, tenant: str, ids: Sequence[str]) -> int:
        return await self._write(lambda shard: shard.delete(tenant, ids))

    async def dense(self, vector: "Vector", k: int, where: Where, *, exact: bool) -> list[Scored]:
        return await self._read(lambda shard: shard.dense(vector, k, where, exact=exact))

    async def lexical(self, terms: Mapping[int, float], k: int, where: Where) -> list[Scored]:
        return await self._read(lambda shard: shard.lexical(terms, k, where)) if terms else []

    async def measured(
        self, tenant: str, keys: Sequence[Key], vector: "Vector", terms: Mapping[int, float]
    ) -> tuple[list[Scored], list[Scored]]:
        return await self._read(lambda shard: shard.measured(tenant, keys, vector, terms))

    async def fetch(self, tenant: str, keys: Sequence[Key]) -> list[Passage]:
        return await self._read(lambda shard: shard.fetch(tenant, keys))

    async def documents(self, where: Where, after: str, limit: int) -> list[Document]:
        return await self._read(lambda shard: shard.documents(where, after, limit))

    async def passages(self, tenant: str, document_id: str, *, whole: bool = False) -> list[Passage]:
        return await self._read(lambda shard: shard.passages(tenant, document_id, whole=whole))

    async def tenants(self) -> list[str]:
        return await self._read(lambda shard: shard.tenants())

    async def stats(self, tenant: str) -> Stats:
        def counted(shard: "Shard") -> Stats:
            _, unindexed = shard.size()
            is_missing = unindexed >= _WORTH_AN_INDEX
            notes = (f"{unindexed} passages have no index: semantic search reads all of them.",)
            return Stats(*shard.counts(tenant), notes if is_missing else ())

        return await self._read(counted)

    async def optimize(self) -> None:
        """Build an index, if there are enough passages for one. For minutes nobody else can use it."""

        def optimize(shard: "Shard") -> None:
            if shard.size()[0] >= _WORTH_AN_INDEX:
                shard.optimize()

        await self._write(optimize)

    async def give_back(self) -> None:
        """Close it as soon as nobody uses it, and wait for that."""
        await self._workers.do(self._lease.give_back)
        self.end()

    def end(self) -> None:
        """Let its threads end, when they have done what they do."""
        self._workers.end()

    async def _read(self, do: "Callable[[Shard], T]") -> T:
        def read() -> T:
            with _in_words(self._folder), self._lease.together() as shard:
                return do(shard)

        return await self._workers.do(read)

    async def _write(self, do: "Callable[[Shard], T]") -> T:
        def write() -> T:
            with _in_words(self._folder), self._lease.alone() as shard:
                return do(shard)

        return await self._workers.do(write)

    def _load(self) -> "Shard":
        from ringmain_vector.stores.edge_shard import Shard

        with self._reading:
            self.manifest = read_manifest(self._folder) or self.manifest  # others may have declared fields
        return Shard.load(self._folder / SHARD)


class EdgeStore:
    """Collections in a folder, which several processes may use.

    Args:
        folder: Made with the first collection, for this user alone.
        times: How long shards stay open, and how long is waited for other processes.
    """

    kind = "edge"

    def __init__(self, folder: Path, times: Times | None = None) -> None:
        self._folder = folder
        self._times = times or Times()
        self._workers = _Workers()
        self._collections: dict[str, EdgeCollection] = {}
        self._reading = threading.Lock()  # a manifest is read and kept in one go, so none follows a newer one

    async def names(self) -> list[str]:
        return await self._do(self._folder, lambda: names(self._folder))

    async def open(self, name: str) -> EdgeCollection | None:
        if not is_name(name):
            return None
        folder = self._folder / name
        return await self._do(folder, lambda: self._found(folder))

    async def create(self, name: str, manifest: Manifest) -> EdgeCollection:
        def create() -> None:
            from ringmain_vector.stores.edge_shard import Shard

            def fill(folder: Path) -> None:
                shard = Shard.create(folder, manifest.dimension)
                shard.declare(manifest.fields)
                shard.close()

            make_folder(self._folder, name, manifest, fill)

        if (there := await self.open(name)) is not None:
            return there
        await self._do(self._folder / name, create)
        made = await self.open(name)
        if made is None:
            raise UpstreamUnavailable(f"The collection `{name}` was removed while it was made.")
        return made

    async def close(self) -> None:
        for collection in list(self._collections.values()):
            await collection.give_back()
        self._workers.end()

    def _found(self, folder: Path) -> EdgeCollection | None:
        with self._reading:
            manifest = read_manifest(folder)
            if manifest is None:
                gone = self._collections.pop(folder.name, None)
                if gone is not None:
                    gone.end()
                return None
            collection = self._collections.get(folder.name)
            if collection is None:
                collection = EdgeCollection(folder, manifest, self._times, self._reading)
                self._collections[folder.name] = collection
            collection.manifest = manifest
            return collection

    async def _do(self, folder: Path, work: Callable[[], T]) -> T:
        def do() -> T:
            with _in_words(folder):
                return work()

        return await self._workers.do(do)


@contextmanager
def _in_words(folder: Path) -> Generator[None]:
    from ringmain_vector.stores.edge_shard import ShardFailed

    try:
        yield
    except Busy as error:
        raise UpstreamUnavailable(
            f"The collection `{folder.name}` is in use by {error.holder}, which has not let others in. "
            "Try again in some seconds.",
            retry_after_ms=5_000,
        ) from error
    except ShardFailed as error:
        raise UpstreamRefused(
            f"The collection `{folder.name}` in {folder} cannot be used: {str(error)[:300]}. If its "
            "files are damaged, move the folder away and run `ringmain-vector index` again; nothing has "
            "been deleted."
        ) from error
    except OSError as error:
        raise UpstreamUnavailable(f"{folder} cannot be used: {error.strerror}.") from error


def _close(shard: "Shard") -> None:
    from ringmain_vector.stores.edge_shard import ShardFailed

    try:
        shard.close()
    except ShardFailed as error:  # what it has not written is in its log
        _log.warning("a shard was not closed in order: %s", error)
