"""What is said of a write whose connection or server is lost at the worst moment, and what is true."""

import importlib
import os
import re
import signal
from typing import Any

import anyio
import pytest
from mcp.client import Client
from pydantic import SecretStr

from ringmain_core.testing import bench
from ringmain_postgres import connector
from ringmain_postgres.settings import PostgresSettings
from standins.asking import ask, fault, rows_of
from standins.cutting import nothing, way_to

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("tidied")]

TABLE = """
DROP TABLE IF EXISTS tally;
CREATE TABLE tally (id integer PRIMARY KEY, n integer CHECK (n < 100));
INSERT INTO tally VALUES (1, 0);
"""
# Only code of the table's owner can put off what we have called for.
DEFERS = """
CREATE OR REPLACE FUNCTION tally_defers() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN SET CONSTRAINTS ALL DEFERRED; INSERT INTO tally VALUES (4, 0); RETURN NULL; END $$
"""
SQL = "INSERT INTO tally VALUES (2, 7)"


async def admin(dsn: str, sql: str) -> list[Any]:
    """Run SQL past the server under test, also right after a crash."""
    with anyio.fail_after(30):
        while True:
            try:
                return await _admin(dsn, sql)
            except (
                asyncpg.CannotConnectNowError,
                asyncpg.ConnectionDoesNotExistError,
                asyncpg.CrashShutdownError,
                OSError,
            ):
                await anyio.sleep(0.05)


async def _admin(dsn: str, sql: str) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        if sql is TABLE:
            await connection.execute(sql)
            return []
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


def settings(dsn: str) -> PostgresSettings:
    return PostgresSettings(url=SecretStr(dsn), writes=True)


async def rehearsed(client: Client, sql: str = SQL) -> str:
    result = await client.call_tool("write", {"sql": sql})
    assert result.structured_content is not None, result.content
    return result.structured_content["commit_token"]


async def settled(client: Client, **arguments: Any) -> str:
    """The same call again, until the server can say."""
    with anyio.fail_after(30):
        while True:
            result = await client.call_tool("write", arguments)
            if not result.is_error:
                return await ask(client, "write", **arguments)
            assert result.meta is not None
            code = result.meta["dev.ringmain/error"]["code"]
            assert code in ("outcome_unknown", "upstream_unavailable"), result.content
            await anyio.sleep(0.1)


async def test_a_commit_whose_answer_is_lost_is_found_out_and_not_done_twice(shop: str) -> None:
    await admin(shop, TABLE)
    async with way_to(shop) as way, bench(connector.configured(c := settings(way.url)), settings=c) as at:
        token = await rehearsed(at.client)
        way.cut = "after"
        code, text = await fault(at.client, "write", sql=SQL, commit_token=token, idempotency_key="k")
        assert code == "outcome_unknown"
        (question,) = re.findall(r"SELECT pg_xact_status\('\d+'\)", text)
        assert rows_of(await ask(at.client, "query", sql=question)) == [["committed"]]
        for _ in range(2):
            again = await settled(at.client, sql=SQL, commit_token=token, idempotency_key="k")
            assert again == (
                "Done and committed: 1 inserted in public.tally (shop).\n"
                "- The answer of the first try was lost; Postgres says that it was committed."
            )
        code, text = await fault(at.client, "write", sql=SQL, commit_token=token)
        assert (code, "has been used" in text) == ("invalid_arguments", True)
    assert way.commits == 1
    assert await admin(shop, "TABLE tally") == [(1, 0), (2, 7)]


async def test_a_commit_that_never_arrived_is_done_once_by_the_next_try(shop: str) -> None:
    await admin(shop, TABLE)
    async with way_to(shop) as way, bench(connector.configured(c := settings(way.url)), settings=c) as at:
        token = await rehearsed(at.client)
        way.cut = "before"
        code, _ = await fault(at.client, "write", sql=SQL, commit_token=token, idempotency_key="k")
        assert code == "outcome_unknown"
        done = await settled(at.client, sql=SQL, commit_token=token, idempotency_key="k")
        assert done.startswith("Done and committed: 1 inserted in public.tally")
        assert "lost" not in done
    assert way.commits == 2
    assert await admin(shop, "TABLE tally") == [(1, 0), (2, 7)]


async def test_a_backend_that_is_killed_before_it_commits_takes_nothing_with_it(shop: str) -> None:
    await admin(shop, TABLE)
    backend = "SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = 'shop'"
    async with way_to(shop) as way, bench(connector.configured(c := settings(way.url)), settings=c) as at:

        async def kill() -> None:
            for (pid,) in await admin(shop, backend):
                os.kill(pid, signal.SIGKILL)

        token = await rehearsed(at.client)
        way.cut, way.meanwhile = "before", kill
        code, _ = await fault(at.client, "write", sql=SQL, commit_token=token, idempotency_key="k")
        assert code == "outcome_unknown"
        assert await admin(shop, "TABLE tally") == [(1, 0)]
        way.meanwhile = nothing
        done = await settled(at.client, sql=SQL, commit_token=token, idempotency_key="k")
        assert done.startswith("Done and committed: 1 inserted in public.tally")
    assert await admin(shop, "TABLE tally") == [(1, 0), (2, 7)]


async def test_after_a_crash_a_commit_is_not_claimed_on_the_word_of_a_number_alone(shop: str) -> None:
    await admin(shop, TABLE)
    async with way_to(shop) as way, bench(connector.configured(c := settings(way.url)), settings=c) as at:
        token = await rehearsed(at.client)
        way.cut = "after"
        code, _ = await fault(at.client, "write", sql=SQL, commit_token=token, idempotency_key="k")
        assert code == "outcome_unknown"
        same = {"sql": SQL, "commit_token": token, "idempotency_key": "k"}
        ((pid,),) = await admin(shop, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
        started = "SELECT stats_reset::text FROM pg_stat_bgwriter"
        before = await admin(shop, started)
        os.kill(pid, signal.SIGKILL)
        with anyio.fail_after(30):
            while await admin(shop, started) == before:  # noqa: ASYNC110 (the server cannot tell)
                await anyio.sleep(0.05)
            said = await fault(at.client, "write", **same)
            while said[0] == "upstream_unavailable":
                said = await fault(at.client, "write", **same)
                await anyio.sleep(0.1)
        assert (said[0], "cannot be known any more" in said[1]) == ("outcome_unknown", True)
    assert await admin(shop, "TABLE tally") == [(1, 0), (2, 7)]


async def test_a_commit_that_the_server_refuses_is_an_ordinary_failure(shop: str) -> None:
    await admin(shop, TABLE)
    await admin(shop, "ALTER TABLE tally ADD CONSTRAINT once UNIQUE (n) DEFERRABLE INITIALLY DEFERRED")
    await admin(shop, DEFERS)
    await admin(
        shop,
        "CREATE CONSTRAINT TRIGGER defers AFTER INSERT ON tally DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW WHEN (NEW.id = 3) EXECUTE FUNCTION tally_defers()",
    )
    sql = "INSERT INTO tally VALUES (3, 5)"
    async with bench(connector.configured(c := settings(shop)), settings=c) as at:
        token = await rehearsed(at.client, sql)
        code, text = await fault(at.client, "write", sql=sql, commit_token=token, idempotency_key="k")
        assert (code, "duplicate key" in text) == ("upstream_refused", True)
    assert await admin(shop, "TABLE tally") == [(1, 0)]


async def test_two_writers_of_the_same_row_do_not_both_win(shop: str) -> None:
    await admin(shop, TABLE)
    sql = "UPDATE tally SET n = n + 1 WHERE id = 1"
    async with bench(connector.configured(c := settings(shop)), settings=c) as at:
        tokens = [await rehearsed(at.client, sql) for _ in range(4)]
        answers: list[Any] = []

        async def commit(token: str) -> None:
            result = await at.client.call_tool("write", {"sql": sql, "commit_token": token})
            assert result.meta is not None or not result.is_error
            answers.append(
                result.meta["dev.ringmain/error"]["code"] if result.is_error and result.meta else "done"
            )

        async with anyio.create_task_group() as tasks:
            for token in tokens:
                tasks.start_soon(commit, token)
    assert sorted(answers) == ["changed_meanwhile"] * 3 + ["done"]
    assert await admin(shop, "TABLE tally") == [(1, 1)]
