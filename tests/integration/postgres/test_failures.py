"""What happens when the database is not there, goes away, or is busy; and when clients do."""

import importlib
import logging
from contextlib import ExitStack
from typing import Any

import anyio
import pytest
from mcp.client import Client
from pydantic import SecretStr

from ringmain_core.testing import bench
from ringmain_postgres import connector
from ringmain_postgres.settings import PostgresSettings
from standins.asking import ask, fault, fenced, rows_of, text_of
from standins.postgres import running_postgres, url_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

pytestmark = pytest.mark.anyio

PASSWORD = "correct-horse-battery"


def settings(dsn: str, **more: Any) -> PostgresSettings:
    return PostgresSettings(url=SecretStr(dsn), **more)


async def activity(dsn: str, fragment: str) -> list[int]:
    """The server processes that run a statement with some text in it."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT pid FROM pg_stat_activity"
            " WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()",
            f"%{fragment}%",
        )
        return [row["pid"] for row in rows]
    finally:
        await connection.close()


async def until_running(dsn: str, fragment: str, *, running: bool) -> list[int]:
    with anyio.fail_after(10):
        while bool(pids := await activity(dsn, fragment)) is not running:  # noqa: ASYNC110 (the server cannot tell)
            await anyio.sleep(0.02)
    return pids


async def test_a_database_that_is_down_at_start_is_reported_and_used_once_it_is_up(shop: str) -> None:
    admin = await asyncpg.connect(shop.replace("/shop?", "/postgres?"))
    await admin.execute("DROP DATABASE IF EXISTS later")
    try:
        async with bench(connector, settings=settings(shop.replace("/shop?", "/later?"))) as at:
            listed = await ask(at.client, "list_databases")
            assert listed == (
                "later: not reachable now. The database 'later' does not exist on its server. "
                "Tell the operator to run `ringmain-postgres doctor`."
            )
            code, _ = await fault(at.client, "query", sql="SELECT 1")
            assert code == "upstream_refused"
            await admin.execute("CREATE DATABASE later")
            assert rows_of(await ask(at.client, "query", sql="SELECT 1")) == [[1]]
    finally:
        await admin.execute("DROP DATABASE later")
        await admin.close()


async def test_nobody_at_the_address_is_a_clear_answer_that_can_be_retried() -> None:
    async with bench(connector, settings=settings("postgresql://nobody@127.0.0.1:1/none")) as at:
        result = await at.client.call_tool("query", {"sql": "SELECT 1"})
    assert result.meta is not None
    fields = result.meta["dev.ringmain/error"]
    assert {key: fields[key] for key in ("code", "retryable", "retry_after_ms")} == {
        "code": "upstream_unavailable",
        "retryable": True,
        "retry_after_ms": 2000,
    }


async def test_a_database_that_goes_away_in_a_query_is_reported_and_comes_back(shop: str) -> None:
    async with bench(connector, settings=settings(shop)) as at:
        answers: list[tuple[str, str]] = []

        async def slow() -> None:
            sql = "SELECT count(*) AS going_away FROM generate_series(1, 1000000000)"
            answers.append(await fault(at.client, "query", sql=sql))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(slow)
            (pid,) = await until_running(shop, "going_away", running=True)
            admin = await asyncpg.connect(shop)
            await admin.execute(f"SELECT pg_terminate_backend({pid})")
            await admin.close()
        ((code, text),) = answers
        assert code == "upstream_unavailable"
        assert text == "The database 'shop' cannot be reached now. Try again in a few seconds."
        assert rows_of(await ask(at.client, "query", sql="SELECT 1")) == [[1]]


async def test_a_call_that_is_cancelled_stops_its_statement_on_the_server(shop: str) -> None:
    async with bench(connector, settings=settings(shop, pool_size=1)) as at:
        async with anyio.create_task_group() as tasks:

            async def slow() -> None:
                sql = "SELECT count(*) AS given_up FROM generate_series(1, 1000000000)"
                await at.client.call_tool("query", {"sql": sql})

            tasks.start_soon(slow)
            await until_running(shop, "given_up", running=True)
            tasks.cancel_scope.cancel()
        await until_running(shop, "given_up", running=False)
        assert rows_of(await ask(at.client, "query", sql="SELECT 1")) == [[1]]
        outcomes = [record["outcome"] for record in at.audit.records if record["method"] == "tools/call"]
    assert outcomes == ["cancelled", "ok"]


async def test_two_clients_at_once_each_get_their_own_answers(shop: str) -> None:
    async with bench(connector, settings=settings(shop, pool_size=3)) as at, Client(at.server) as other:

        async def same(client: Client, mark: str) -> None:
            for number in range(6):
                text = await ask(
                    client, "query", sql="SELECT $1::text, pg_backend_pid() > 0", params=[f"{mark}{number}"]
                )
                assert rows_of(text) == [[f"{mark}{number}", True]]

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(same, at.client, "a")
            tasks.start_soon(same, other, "b")


async def test_a_table_that_somebody_has_locked_is_not_waited_for_long(shop: str) -> None:
    admin = await asyncpg.connect(shop)
    try:
        transaction = admin.transaction()
        await transaction.start()
        await admin.execute("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE")
        async with bench(connector, settings=settings(shop)) as at:
            code, text = await fault(at.client, "query", sql="TABLE customers")
        assert (code, text) == (
            "upstream_refused",
            "A table is locked by somebody else's work. Try again later.",
        )
        await transaction.rollback()
    finally:
        await admin.close()


async def test_a_role_without_the_right_is_told_so(shop_reader: str) -> None:
    async with bench(connector, settings=settings(shop_reader)) as at:
        code, text = await fault(at.client, "query", sql="TABLE hr.salaries")
    assert (code, text.partition("\n")[0], fenced(text)) == (
        "upstream_refused",
        "The database's role may not do that:",
        "permission denied for table salaries",
    )


async def test_no_password_reaches_answers_audit_or_log(shop: str, caplog: pytest.LogCaptureFixture) -> None:
    dsn = f"postgresql://nobody:{PASSWORD}@/nosuch?{shop.partition('?')[2]}"
    caplog.set_level(logging.DEBUG)
    async with bench(connector, settings=settings(dsn)) as at:
        answers = [
            await ask(at.client, "list_databases"),
            str(await fault(at.client, "query", sql="SELECT 1")),
            str(at.audit.records),
            caplog.text,
            repr(settings(dsn)),
        ]
    assert all(PASSWORD not in answer for answer in answers)
    assert (
        "reached now" in answers[1]
        or "refuses the configured login" in answers[1]
        or "does not exist" in answers[1]
    )


async def test_while_the_database_is_away_what_is_known_of_a_table_is_told_with_its_age() -> None:
    with ExitStack() as stack:
        dsn = url_of(stack.enter_context(running_postgres()))
        admin = await asyncpg.connect(dsn)
        await admin.execute("CREATE TABLE boats (id integer PRIMARY KEY, name text)")
        await admin.close()
        async with bench(connector, settings=settings(dsn)) as at:
            fresh = await ask(at.client, "describe_object", name="boats")
            stack.close()
            code, _ = await fault(at.client, "query", sql="SELECT 1")
            assert code == "upstream_unavailable"
            result = await at.client.call_tool("describe_object", {"name": "boats"})
    text = text_of(result)
    assert result.meta is not None
    assert result.meta["dev.ringmain/stale"]["cause"] == "upstream_unavailable"
    assert (text.endswith(fresh), text == fresh) == (True, False)
