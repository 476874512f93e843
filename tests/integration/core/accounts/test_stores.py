"""The stores that replicas share, on real servers."""

import asyncio
import importlib
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ringmain_core.errors import UpstreamUnavailable
from ringmain_core.identity.accounts.accounts import Accounts
from ringmain_core.identity.accounts.endpoints import Endpoints
from ringmain_core.identity.accounts.stores import AccountStore, StoreUnavailable
from ringmain_core.identity.accounts.stores.postgres import PostgresStore
from ringmain_core.identity.accounts.stores.redis import RedisStore
from ringmain_core.identity.accounts.vault import Vault
from ringmain_core.principal import Principal
from standins.postgres import running_postgres, url_of
from standins.valkey import Valkey, running_valkey
from unit.core.accounts.desk import ANN, CLIENT, RING, Desk, at_desk, call_of
from unit.core.accounts.store_contract import check_accounts, check_claims, check_replace

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with running_postgres() as server:
        yield url_of(server)


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with running_valkey() as server:
        yield server


@pytest.fixture(params=["postgres", "redis"])
def open_store(request: pytest.FixtureRequest) -> Callable[[], AccountStore]:
    if request.param == "postgres":
        url = request.getfixturevalue("postgres")
        return lambda: PostgresStore(url)
    server = request.getfixturevalue("valkey")
    return lambda: RedisStore(server.url)


async def test_it_does_what_a_store_does(open_store: Callable[[], AccountStore]) -> None:
    store = open_store()
    try:
        await check_accounts(store)
        for owner in ("ann", "bob", "ann'; --\n"):
            for provider in ("desk", "mail"):
                await store.delete(owner, provider)
        await check_replace(store)
        await check_claims(store, open_store)
    finally:
        await store.close()


@asynccontextmanager
async def replicas(open_store: Callable[[], AccountStore], desk: Desk) -> AsyncGenerator[list[Accounts]]:
    import httpx2

    async def reach() -> str:
        return "https://mcp.example.com"

    def http() -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(desk))

    made = [Accounts(CLIENT, open_store(), RING, reach, Endpoints(CLIENT, http)) for _ in range(4)]
    yield made
    for each in made:
        await each.close()


async def test_replicas_refresh_each_account_once_and_nobody_gets_anothers(
    open_store: Callable[[], AccountStore],
) -> None:
    people = [Principal(f"p{number}", "jwt") for number in range(6)]
    store = open_store()
    async with at_desk() as at:
        for person in people:
            expired = await at.has(person, expired=True)
            await Vault(store, RING, "desk").put(person.owner, expired)
        async with replicas(open_store, at.desk) as running:
            asked = [person for _ in range(8) for person in people]
            tokens = await asyncio.gather(
                *(running[number % 4].token(call_of(person)) for number, person in enumerate(asked))
            )
        assert [token.value.get_secret_value().split("-")[1] for token in tokens] == [
            person.id for person in asked
        ]
        assert at.desk.refreshes == {person.id: 1 for person in people}
        for person in people:
            await store.delete(person.owner, "desk")
    await store.close()


async def test_replicas_that_start_at_once_make_the_tables_once(postgres: str) -> None:
    connection: Any = await asyncpg.connect(postgres)
    await connection.execute("CREATE DATABASE fresh")
    await connection.close()
    stores = [PostgresStore(postgres.replace("/postgres?", "/fresh?")) for _ in range(6)]
    found = await asyncio.gather(*(store.get("ann", "desk") for store in stores))
    for store in stores:
        await store.close()
    assert found == [None] * 6


async def test_a_database_that_is_away_is_said_to_be_so_without_its_address() -> None:
    store = PostgresStore("postgresql://user:hush@127.0.0.1:9/accounts")
    with pytest.raises(StoreUnavailable) as away:
        await store.get("ann", "desk")
    assert str(away.value) == "Postgres: ConnectionRefusedError"
    await store.close()


async def test_redis_may_go_away_and_come_back() -> None:
    with running_valkey() as server:
        store = RedisStore(server.url)
        await store.put("ann", "desk", b"1")
        server.stop()
        with pytest.raises(StoreUnavailable, match=r"^Redis: \w+$"):
            await store.get("ann", "desk")
        desk = Desk()
        async with replicas(lambda: RedisStore(server.url), desk) as running:
            with pytest.raises(UpstreamUnavailable, match="Where accounts are kept"):
                await running[0].token(call_of(ANN))
        server.start()
        await store.put("ann", "desk", b"2")
        assert await store.get("ann", "desk") == b"2"
        await store.close()
