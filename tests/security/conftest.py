"""One Postgres for all that is attacked through the real server, with things in it that nobody may see."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from standins.postgres import running_postgres, url_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

DATA = Path(__file__).parents[1] / "data"
PASSWORD = "hunter2-of-the-database"
ROW = "row-of-a-customer-8c1f"


@dataclass(frozen=True)
class Behind:
    """The database server.

    Attributes:
        shop: A database with a few tables, as a role that can only read it; with the password in the URL.
        attacked: A database with what the corpus of statements attacks, as the superuser.
    """

    shop: str
    attacked: str


@pytest.fixture(scope="session")
def behind() -> Iterator[Behind]:
    with running_postgres() as server:
        url = url_of(server)
        shop = (DATA / "shop.sql").read_text(encoding="utf-8")
        planted = (
            f"CREATE TABLE planted AS SELECT '{ROW}'::text AS secret; GRANT SELECT ON planted TO shop_reader;"
        )
        anyio.run(_create, url, "shop", f"{shop}\n{planted}")
        attacked = ("sql_corpus_setup.sql", "sql_corpus_more_setup.sql")
        anyio.run(
            _create,
            url,
            "attacked",
            "\n".join((DATA / name).read_text(encoding="utf-8") for name in attacked),
        )
        reader = url_of(server, "shop", f"shop_reader:{PASSWORD}")
        yield Behind(reader, url_of(server, "attacked"))


async def _create(server: str, name: str, setup: str) -> None:
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    connection = await asyncpg.connect(server.replace("/postgres?", f"/{name}?"))
    await connection.execute(setup)
    await connection.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place for a module's server."""
    return tmp_path_factory.mktemp("attacked")
