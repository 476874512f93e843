"""Nothing that an agent sends through the tools changes anything, also when the role is a superuser."""

import importlib
import json
from typing import Any

import pytest
from mcp.client import Client
from pydantic import SecretStr

from ringmain_core.settings import CoreSettings
from ringmain_core.testing import bench
from ringmain_postgres import connector
from ringmain_postgres.settings import PostgresSettings
from standins.asking import ask, fault, rows_of, text_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

pytestmark = pytest.mark.anyio

UNLIMITED = """
roles.tester = { allow = ["postgres:read"], limits = { rate = "100000/s", burst = 100000 } }
agents = [{ id = "local", roles = ["tester"] }]
"""

# Everything a statement could have left behind in the database; what it could leave in a session comes below.
EFFECTS = """
SELECT (SELECT count(*) FROM pg_class) AS relations, (SELECT count(*) FROM pg_proc) AS functions,
    (SELECT count(*) FROM pg_class WHERE relpersistence = 't') AS temporary,
    (SELECT count(*) FROM pg_largeobject_metadata) AS large_objects, (SELECT count(*) FROM pg_roles) AS roles,
    (SELECT count(*) FROM pg_replication_slots) AS slots,
    (SELECT array_agg(t ORDER BY id) FROM public.victim t)::text AS victim,
    (SELECT count(*) FROM public.fnlog) AS logged, (SELECT last_value FROM public.victim_seq) AS sequence,
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') AS advisory_locks,
    (SELECT rolsuper FROM pg_roles WHERE rolname = 'postgres') AS superuser,
    (SELECT array_agg(setting) FROM pg_settings
     WHERE name IN ('work_mem', 'default_transaction_read_only'))::text AS settings,
    (SELECT description FROM pg_description WHERE objoid = 'public.victim'::regclass) AS comment
"""

# Settings, role, locks and the like as the tools' own session has them, asked through the tool itself.
SESSION = """
SELECT current_user, current_setting('search_path'), current_setting('transaction_read_only'),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
    (SELECT count(*) FROM pg_class WHERE relpersistence = 't')
"""


@pytest.fixture
def settings(corpus: str) -> PostgresSettings:
    # One connection: whatever a statement leaves in its session, the next one would meet.
    return PostgresSettings(url=SecretStr(corpus), pool_size=1, statement_timeout=1.5)


async def effects(corpus: str) -> dict[str, Any]:
    connection = await asyncpg.connect(corpus)
    try:
        return dict(await connection.fetchrow(EFFECTS))
    finally:
        await connection.close()


PARAMETERS = {"M504": [1, "a"], "M505": [1, ["a"]]}


async def outcome(client: Client, case: dict[str, Any]) -> str:
    result = await client.call_tool("query", {"sql": case["sql"], "params": PARAMETERS.get(case["id"])})
    return ("error: " if result.is_error else "rows: ") + text_of(result)


async def test_every_harmful_statement_is_refused_or_bounded_and_leaves_nothing_behind(
    corpus: str, settings: PostgresSettings, corpus_cases: list[dict[str, Any]]
) -> None:
    before = await effects(corpus)
    harmful = [case for case in corpus_cases if case["expect"] == "refuse"]
    passed: list[str] = []
    async with bench(connector, settings=settings, policy=UNLIMITED) as at:
        session = rows_of(await ask(at.client, "query", sql=SESSION))
        for case in harmful:
            answer = await outcome(at.client, case)
            if answer.startswith("rows:") or "unexpectedly" in answer or "cannot be reached" in answer:
                passed.append(f"{case['id']}: {case['sql'][:80]}: {answer[:200]}")
        assert rows_of(await ask(at.client, "query", sql=SESSION)) == session
    assert passed == []
    assert await effects(corpus) == before
    assert len(harmful) > 450


async def test_every_harmless_statement_of_the_corpus_returns_rows(
    settings: PostgresSettings, server_version: int, corpus_cases: list[dict[str, Any]]
) -> None:
    failed: list[str] = []
    async with bench(connector, settings=settings, policy=UNLIMITED) as at:
        for case in corpus_cases:
            if case["expect"] == "refuse" or (case.get("cls") == "json17" and server_version < 17):
                continue
            answer = await outcome(at.client, case)
            built_without_xml = case.get("cls") == "xml" and "unsupported XML feature" in answer
            if not answer.startswith("rows:") and not built_without_xml:
                failed.append(f"{case['id']}: {case['sql'][:80]}: {answer[:200]}")
    assert failed == []


TRAPS = """
DO $$ BEGIN
    CREATE TYPE trap AS (a int);
    CREATE FUNCTION trap_json(trap) RETURNS json LANGUAGE plpgsql AS
        'BEGIN PERFORM set_config(''mcp.evil'', ''json'', false); RETURN ''1''; END';
    CREATE FUNCTION trap_text(trap) RETURNS text LANGUAGE plpgsql AS
        'BEGIN PERFORM set_config(''mcp.evil'', ''text'', false); RETURN ''1''; END';
    CREATE CAST (trap AS json) WITH FUNCTION trap_json(trap);
    CREATE CAST (trap AS text) WITH FUNCTION trap_text(trap);
    CREATE TABLE trapped (t trap, many trap[], n int);
    INSERT INTO trapped VALUES (ROW(1), ARRAY[ROW(2)::trap], 3);
EXCEPTION WHEN duplicate_object THEN NULL; END $$
"""


@pytest.mark.parametrize("format_", ["json", "csv", "markdown"])
@pytest.mark.parametrize(
    "sql", ["SELECT t FROM trapped", "SELECT many FROM trapped", "SELECT ROW(t, 1) FROM trapped"]
)
async def test_making_text_of_rows_runs_nobodys_cast(
    corpus: str, settings: PostgresSettings, sql: str, format_: str
) -> None:
    admin = await asyncpg.connect(corpus)
    await admin.execute(TRAPS)
    await admin.close()
    async with bench(connector, settings=settings, policy=UNLIMITED) as at:
        await at.client.call_tool("query", {"sql": sql, "format": format_})
        text = await ask(
            at.client, "query", sql="SELECT pid FROM pg_locks WHERE pid = pg_backend_pid() LIMIT 1"
        )
        assert rows_of(text)
        code, said = await fault(at.client, "query", sql="SELECT current_setting('mcp.evil', true)")
    assert (code, "mcp.evil" in said) == ("statement_refused", True)
    # What counts is that the cast never ran, which the server's own statistics of calls show.
    admin = await asyncpg.connect(corpus)
    calls = await admin.fetchval("SELECT count(*) FROM pg_stat_user_functions WHERE funcname ~ '^trap_'")
    await admin.close()
    assert calls == 0


async def test_an_unusual_end_of_a_statement_leaves_a_clean_session(settings: PostgresSettings) -> None:
    async with bench(connector, settings=settings, policy=UNLIMITED, core=CoreSettings(call_timeout=1)) as at:
        before = rows_of(await ask(at.client, "query", sql=SESSION))
        slow = "SELECT count(*) FROM generate_series(1, 1000000000)"
        assert (await fault(at.client, "query", sql=slow))[0] == "deadline_exceeded"
        assert rows_of(await ask(at.client, "query", sql=SESSION)) == before


async def test_the_statement_tools_judge_what_they_are_given_like_query_does(
    settings: PostgresSettings,
) -> None:
    async with bench(connector, settings=settings, policy=UNLIMITED) as at:
        for sql in ("SELECT evil_fn()", "DELETE FROM victim", "SELECT 1; DROP TABLE victim"):
            for analyze in (False, True):
                code, _ = await fault(at.client, "explain", sql=sql, analyze=analyze)
                assert code == "statement_refused"
        code, _ = await fault(at.client, "sample_rows", table="evil_view")
        assert code == "statement_refused"
        code, _ = await fault(at.client, "sample_rows", table="victim", columns=['id" FROM victim; --'])
        assert code == "upstream_refused"


def test_the_corpus_is_well_formed(corpus_cases: list[dict[str, Any]]) -> None:
    assert {case["expect"] for case in corpus_cases} == {"allow", "refuse"}
    assert len({case["id"] for case in corpus_cases}) == len(corpus_cases)
    assert json.dumps(corpus_cases)
