"""One real Postgres for the end-to-end tests, and the settings of a server in front of it."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from standins.postgres import running_postgres, url_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def shop() -> Iterator[str]:
    """The URL of the shop, as a role that can only read it."""
    with running_postgres() as server:
        anyio.run(_fill, url_of(server))
        yield url_of(server, "shop", "shop_reader")


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE DATABASE shop")
    await connection.close()
    connection = await asyncpg.connect(url.replace("/postgres?", "/shop?"))
    await connection.execute((DATA / "shop.sql").read_text(encoding="utf-8"))
    await connection.close()


@pytest.fixture
def settings(shop: str, tmp_path: Path) -> dict[str, str]:
    """What an operator sets."""
    return {"RINGMAIN_POSTGRES_URL": shop, "RINGMAIN_STATE_DIR": str(tmp_path / "state")}
