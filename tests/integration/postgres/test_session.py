"""How a transaction talks to the server: as seldom as can be, and never on what was true before."""

import importlib
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from ringmain_core.cursors import Cursors
from ringmain_core.secrets import Secrets
from ringmain_core.services import Services
from ringmain_postgres.client import Database
from ringmain_postgres.paging import PageRequest, fetch_page
from ringmain_postgres.session import Session
from ringmain_postgres.settings import DatabaseSettings, PostgresSettings

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

pytestmark = pytest.mark.anyio

EVIL = "x\"}'); DROP TABLE customers; --\\"


@asynccontextmanager
async def opened(url: SecretStr | str, secrets: Secrets | None = None) -> AsyncGenerator[Database]:
    url = url if isinstance(url, SecretStr) else SecretStr(url)
    services = Services(Cursors(b"key"), secrets=secrets or Secrets())
    database = Database("shop", DatabaseSettings(url=url), PostgresSettings(pool_size=1), services)
    try:
        yield database
    finally:
        await database.close()


def reading(database: Database) -> Any:
    return database.read(time.monotonic() + 10)


async def rows(session: Session, sql: str, *params: Any) -> Any:
    checked = await session.check(sql)
    page = await fetch_page(session, checked, PageRequest("shop", sql, list(params)))
    return json.loads(page.body)["rows"] if checked.wrappable else page.body


class Overheard:
    """What a connection was asked, in the order of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        for name in ("execute", "fetch", "prepare", "set_type_codec"):
            self._listen(monkeypatch, name)

    def _listen(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        real = getattr(asyncpg.Connection, name)

        async def overheard(connection: Any, text: str, *args: Any, **options: Any) -> Any:
            self.said.append(f"{name} {' '.join(text.split())}")
            return await real(connection, text, *args, **options)

        monkeypatch.setattr(asyncpg.Connection, name, overheard)

    def words(self) -> list[str]:
        """The beginnings, and what was looked up in the message that opened the transaction."""
        found = [
            ("execute BEGIN … EXECUTE" if "EXECUTE ringmain_holds" in said else " ".join(said.split()[:2]))
            for said in self.said
        ]
        self.said.clear()
        return found


async def test_a_statement_that_is_known_takes_three_round_trips_and_a_new_one_of_known_names_four(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(shop) as database:
        overheard = Overheard(monkeypatch)

        async def ask(sql: str) -> list[str]:
            async with reading(database) as session:
                await rows(session, sql, 2)
            return overheard.words()

        known = "SELECT name FROM customers WHERE id = $1"
        for _ in range(2):
            await ask(known)
        assert await ask(known) == ["execute BEGIN … EXECUTE", "fetch SELECT", "execute ROLLBACK"]
        assert await ask("SELECT name, 1 AS more FROM customers WHERE id = $1") == [
            "execute BEGIN … EXECUTE",
            "prepare SELECT",
            "prepare SELECT",
            "execute ROLLBACK",
        ]


async def test_what_differs_only_in_constants_is_analysed_once(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(shop) as database:
        overheard = Overheard(monkeypatch)

        async def ask(sql: str) -> tuple[Any, list[str]]:
            async with reading(database) as session:
                found = await rows(session, sql)
            return found, overheard.words()

        for number in (1, 2):  # the very first one asks about everything that the server ships, too
            await ask(f"SELECT 'a' AS a, {number} + id FROM customers WHERE id = 1")
        found, said = await ask("SELECT 'bc''\"' AS a, 20 + id FROM customers WHERE id = 02")
        assert found == [["bc'\"", 22]]
        assert said == ["execute BEGIN … EXECUTE", "prepare SELECT", "execute ROLLBACK"]
        found, said = await ask("SELECT 'a' AS a, 3000000000 + id FROM customers WHERE id = 1")
        assert found == [["a", 3000000001]]
        assert said == ["execute BEGIN … EXECUTE", "prepare SELECT", "prepare SELECT", "execute ROLLBACK"]


async def test_a_column_that_becomes_another_type_is_noticed_by_statements_like_those_before(
    shop: str,
) -> None:
    admin = await asyncpg.connect(shop)
    await admin.execute("CREATE TABLE fickle AS SELECT 1 AS n, 'x' AS m")
    try:
        async with opened(shop) as database:
            async with reading(database) as session:
                assert await rows(session, "SELECT n FROM fickle WHERE m <> 'a'") == [[1]]
            await admin.execute("ALTER TABLE fickle ALTER n TYPE text")
            async with reading(database) as session:
                assert await rows(session, "SELECT n FROM fickle WHERE m <> 'b'") == [["1"]]
            await admin.execute("ALTER TABLE fickle ADD more bool DEFAULT true, DROP n")
            async with reading(database) as session:
                assert await rows(session, "SELECT * FROM fickle WHERE m <> 'c'") == [["x", True]]
    finally:
        await admin.execute("DROP TABLE fickle")
        await admin.close()


async def test_a_parameter_that_becomes_another_type_is_asked_as_that(shop: str) -> None:
    sql = "SELECT count(*) FROM fickle WHERE d <= $1"
    admin = await asyncpg.connect(shop)
    await admin.execute("CREATE TABLE fickle AS SELECT '2025-01-02'::date AS d")
    try:
        async with opened(shop) as database:

            async def counts() -> list[Any]:
                found: list[Any] = []
                for _ in range(3):
                    async with reading(database) as session:
                        found.append(await rows(session, sql, "2025-01-02 12:00"))
                return found

            assert await counts() == [[[1]]] * 3
            await admin.execute("ALTER TABLE fickle ALTER d TYPE timestamp USING d + time '09:00'")
            await admin.execute("INSERT INTO fickle VALUES ('2025-01-02 13:00')")
            assert await counts() == [[[1]]] * 3
            await admin.execute("ALTER TABLE fickle ALTER d TYPE text")
            assert await counts() == [[[1]]] * 3
    finally:
        await admin.execute("DROP TABLE fickle")
        await admin.close()


async def test_the_first_statement_about_names_begins_the_transaction_before_it_looks_them_up(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(shop) as database:
        async with reading(database) as session:
            await rows(session, "SELECT 1")
        overheard = Overheard(monkeypatch)
        async with reading(database) as session:
            await session.check("SELECT name FROM customers")
        assert overheard.words() == ["execute BEGIN", "fetch WITH", "execute ROLLBACK"]


async def test_a_transaction_in_which_nothing_is_asked_is_never_begun(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(shop) as database:
        async with reading(database):
            pass
        overheard = Overheard(monkeypatch)
        async with reading(database):
            pass
        assert overheard.words() == []


async def test_a_type_is_sent_as_text_after_one_question_for_each_connection(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(shop) as database:
        overheard = Overheard(monkeypatch)
        for _ in range(3):
            async with reading(database) as session:
                assert await rows(session, "SELECT $1::date + 1 AS d", "2024-02-28") == [["2024-02-29"]]
        assert [word for word in overheard.words() if "codec" in word] == ["set_type_codec date"]


async def test_everything_is_read_from_the_snapshot_of_the_judgement(shop: str) -> None:
    sql = "SELECT count(*) AS n FROM customers"
    admin = await asyncpg.connect(shop)
    try:
        async with opened(shop) as database:
            for _ in range(2):  # looked up, then recalled
                async with reading(database) as session:
                    await session.check(sql)
                    await admin.execute(
                        "INSERT INTO customers (id, name) OVERRIDING SYSTEM VALUE VALUES (99, 'Late')"
                    )
                    assert await rows(session, sql) == [[3]]
                    await admin.execute("DELETE FROM customers WHERE id = 99")
                    assert await rows(session, "SHOW transaction_isolation") == "repeatable read"
                    assert await rows(session, "SHOW transaction_read_only") == "on"
    finally:
        await admin.execute("DELETE FROM customers WHERE id = 99")
        await admin.close()


async def test_a_plan_is_made_for_the_values_once_the_look_ups_are_over(shop: str) -> None:
    async with opened(shop) as database:
        modes: list[str] = []
        for _ in range(3):
            async with reading(database) as session:
                await rows(session, "SELECT name FROM customers WHERE id = $1", 2)
                modes.append(await rows(session, "SHOW plan_cache_mode"))
        async with reading(database) as session:
            modes.append(await rows(session, "SHOW plan_cache_mode"))
    assert modes == ["auto", "auto", "auto", "force_generic_plan"]


async def test_a_name_made_of_sql_is_a_name(shop: str) -> None:
    admin = await asyncpg.connect(shop)
    quoted = '"' + EVIL.replace('"', '""') + '"'
    await admin.execute(f"CREATE TABLE {quoted} (a int); INSERT INTO {quoted} VALUES (7)")
    try:
        async with opened(shop) as database:
            for number in range(3):
                async with reading(database) as session:
                    assert await rows(session, f"SELECT a + {number} FROM {quoted}") == [[7 + number]]
        assert await admin.fetchval("SELECT count(*) FROM customers") == 3
    finally:
        await admin.execute(f"DROP TABLE {quoted}")
        await admin.close()


async def test_what_other_texts_have_learnt_of_a_name_is_asked_again(shop: str) -> None:
    admin = await asyncpg.connect(shop)
    await admin.execute("CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql STABLE AS 'SELECT n * 2'")
    try:
        async with opened(shop) as database:
            for number in range(3):
                async with reading(database) as session:
                    assert await rows(session, f"SELECT twice({number})") == [[number * 2]]
            await admin.execute("ALTER FUNCTION twice(int) VOLATILE")
            for number in (3, 3, 1):
                async with reading(database) as session:
                    with pytest.raises(Exception, match="VOLATILE"):
                        await session.check(f"SELECT twice({number})")
            await admin.execute("ALTER FUNCTION twice(int) STABLE")
            async with reading(database) as session:
                assert await rows(session, "SELECT twice(1)") == [[2]]
    finally:
        await admin.execute("DROP FUNCTION twice(int)")
        await admin.close()


async def test_a_session_that_was_reset_can_still_be_asked(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = "SELECT name FROM customers WHERE id = 1"
    async with opened(shop) as database:
        for _ in range(2):
            async with reading(database) as session:
                await rows(session, sql)
        with anyio.move_on_after(0.3) as scope:
            async with reading(database) as session:
                await session.fetch("SELECT pg_sleep(30)")
        assert scope.cancelled_caught
        overheard = Overheard(monkeypatch)
        async with reading(database) as session:
            assert await rows(session, sql) == [["Ada"]]
        assert overheard.words() == ["execute BEGIN … EXECUTE", "fetch SELECT", "execute ROLLBACK"]


class Kept(SecretStr):
    """A secret that somebody changes where it is kept."""

    def change(self, value: str) -> None:
        self._secret_value = value


class Keeper(Secrets):
    """Learns of a newer secret when it is told to look."""

    def __init__(self, secret: Kept, newer: str) -> None:
        super().__init__()
        self._change = lambda: secret.change(newer)

    async def refresh(self) -> Any:
        self._change()


async def test_a_refused_login_is_tried_once_more_with_a_newer_secret(shop: str) -> None:
    url = Kept(shop.replace("postgres@", "nobody_of_that_name@"))
    async with opened(url, Keeper(url, shop)) as database, reading(database) as session:
        assert await rows(session, "SELECT current_user AS me") == [["postgres"]]


async def test_a_changed_url_is_followed_and_calls_at_work_are_not_disturbed(
    shop: str, shop_reader: str
) -> None:
    url = Kept(shop)
    me = "SELECT current_user AS me"
    async with opened(url) as database:
        async with reading(database) as session:
            await rows(session, me)
            url.change(shop_reader)
            assert await rows(session, me) == [["postgres"]]
        async with reading(database) as session:
            assert await rows(session, me) == [["shop_reader"]]
