"""Every store that can be had here, by name, empty."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from ringmain_vector.stores.base import Store
from ringmain_vector.stores.memory import MemoryStore

Opening = Callable[[Path], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def _memory(_: Path) -> AsyncGenerator[Store]:
    yield MemoryStore()


STORES: dict[str, Opening] = {"memory": _memory}
