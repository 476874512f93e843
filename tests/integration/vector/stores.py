"""Every store that can be had here, by name, empty."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from integration.vector.databases import DATABASES
from ringmain_vector.stores.base import Store
from ringmain_vector.stores.edge import EdgeStore
from ringmain_vector.stores.memory import MemoryStore
from ringmain_vector.stores.pgvector import PgVectorStore
from ringmain_vector.stores.qdrant import QdrantStore
from standins.qdrant.serve import serving
from standins.qdrant.state import FakeQdrant

Opening = Callable[[Path], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def _memory(_: Path) -> AsyncGenerator[Store]:
    yield MemoryStore()


@asynccontextmanager
async def _edge(folder: Path) -> AsyncGenerator[Store]:
    store = EdgeStore(folder / "edge")
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def _pgvector(_: Path) -> AsyncGenerator[Store]:
    store = PgVectorStore(await DATABASES.fresh())
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def _qdrant(_: Path) -> AsyncGenerator[Store]:
    fake = FakeQdrant()  # a real server could not be had: the stand-in is as strict as Qdrant Cloud
    with serving(fake):
        store = QdrantStore(fake.url)
        try:
            yield store
        finally:
            await store.close()
    assert fake.violations == []


STORES: dict[str, Opening] = {"memory": _memory, "edge": _edge, "pgvector": _pgvector, "qdrant": _qdrant}
