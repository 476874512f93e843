"""Every store that can be had here, by name, empty."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from integration.vector.databases import DATABASES
from ringmain_vector.stores.base import Store
from ringmain_vector.stores.memory import MemoryStore
from ringmain_vector.stores.pgvector import PgVectorStore

Opening = Callable[[Path], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def _memory(_: Path) -> AsyncGenerator[Store]:
    yield MemoryStore()


@asynccontextmanager
async def _pgvector(_: Path) -> AsyncGenerator[Store]:
    async with DATABASES.fresh() as url:
        store = PgVectorStore(url)
        yield store
        await store.close()


STORES: dict[str, Opening] = {"memory": _memory, "pgvector": _pgvector}
