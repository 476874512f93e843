"""`migrate`: shown with its locks and warnings, confirmed by a person, done as shown or not at all."""

import importlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestParams, ElicitResult
from pydantic import SecretStr

from integration.postgres.conftest import DATA
from ringmain_core.testing import Bench, bench
from ringmain_postgres import connector
from ringmain_postgres.settings import PostgresSettings
from standins.asking import ask, fault, rows_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("tidied")]

TABLES = """
DROP SCHEMA IF EXISTS shed CASCADE;
CREATE SCHEMA shed;
CREATE TABLE shed.tools (id integer PRIMARY KEY, name text, weight integer);
INSERT INTO shed.tools VALUES (1, 'saw', 2);
CREATE OR REPLACE FUNCTION public.shady(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE
    AS 'BEGIN RETURN $1; END';
"""
POLICY = """
[roles.all]
allow = ["*:*"]
limits = { rate = "10000/s", burst = 10000 }
[[agents]]
id = "local"
roles = ["all"]
"""


class Person:
    """Says yes or no, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.says = True

    async def __call__(self, _: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.asked.append(params.message)
        return ElicitResult(action="accept", content={"confirm": self.says})


@asynccontextmanager
async def shed(dsn: str, person: Person | None = None, policy: str = POLICY) -> AsyncGenerator[Bench]:
    """A server over a fresh schema."""
    admin = await asyncpg.connect(dsn)
    await admin.execute(TABLES)
    await admin.close()
    configured = PostgresSettings(url=SecretStr(dsn), migrations=True)
    at_work = connector.configured(configured)
    async with bench(
        at_work, settings=configured, policy=policy, elicitation_callback=person or Person()
    ) as at:
        yield at


async def structured(at: Bench, **arguments: Any) -> dict[str, Any]:
    result = await at.client.call_tool("migrate", arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


SQL = """
ALTER TABLE shed.tools ADD COLUMN colour text NOT NULL DEFAULT 'red', ALTER COLUMN weight TYPE bigint;
CREATE INDEX by_name ON shed.tools (lower(name));
COMMENT ON TABLE shed.tools IS 'Things';
"""


async def test_a_migration_is_shown_confirmed_and_done(shop: str) -> None:
    person = Person()
    async with shed(shop, person) as at:
        shown = await structured(at, sql=SQL)
        token = shown.pop("commit_token")
        assert shown == {
            "database": "shop",
            "done": False,
            "changes": [
                "+ index shed.by_name CREATE INDEX by_name ON shed.tools USING btree (lower(name))",
                "+ comment shed.tools Things",
                "+ column shed.tools.colour text not null default 'red'::text",
                "~ column shed.tools.weight: integer -> bigint",
            ],
            "locks": ["AccessExclusiveLock on shed.tools", "ShareLock on shed.tools"],
            "warnings": [
                "Nobody can write to the table while its index is built.",
                "shed.tools (about 0 rows) is written anew: nobody can use it meanwhile.",
            ],
        }
        assert person.asked == []
        done = await structured(at, sql=SQL, commit_token=token, idempotency_key="m")
        assert done == shown | {"done": True}
        assert await structured(at, sql=SQL, commit_token=token, idempotency_key="m") == done
        assert person.asked == [
            (
                "Change the schema of shop? This comes of it:\n"
                "~ column shed.tools.weight: integer -> bigint\n"
                "+ index shed.by_name CREATE INDEX by_name ON shed.tools USING btree (lower(name))\n"
                "+ comment shed.tools Things\n"
                "+ column shed.tools.colour text not null default 'red'::text\n"
                "- Nobody can write to the table while its index is built.\n"
                "- shed.tools (about 0 rows) is written anew: nobody can use it meanwhile.\n"
                f"It is done with:\n{SQL}"
            )
        ]
        assert rows_of(await ask(at.client, "query", sql="SELECT colour FROM shed.tools")) == [["red"]]


async def test_without_a_yes_or_with_another_schema_nothing_is_done(shop: str) -> None:
    person = Person()
    sql = "DROP TABLE shed.tools"
    async with shed(shop, person) as at:
        shown = await structured(at, sql=sql)
        assert shown["warnings"] == ["What is dropped is gone with its rows."]
        person.says = False
        assert (await fault(at.client, "migrate", sql=sql, commit_token=shown["commit_token"]))[
            0
        ] == "declined"
        person.says = True
        admin = await asyncpg.connect(shop)
        await admin.execute("ALTER TABLE shed.tools ADD COLUMN since date")
        await admin.close()
        code, _ = await fault(at.client, "migrate", sql=sql, commit_token=shown["commit_token"])
        assert code == "changed_meanwhile"
        assert rows_of(await ask(at.client, "query", sql="SELECT count(*) FROM shed.tools")) == [[1]]


CASES: list[dict[str, str]] = [
    json.loads(line)
    for line in (DATA / "sql_corpus_migrations.jsonl").read_text(encoding="utf-8").splitlines()
]


async def test_only_a_few_kinds_of_statement_are_run_and_nothing_of_a_rehearsal_stays(shop: str) -> None:
    async with shed(shop) as at:
        found: dict[str, str] = {}
        for case in CASES:
            result = await at.client.call_tool("migrate", {"sql": case["sql"]})
            meta: dict[str, Any] = result.meta or {}
            found[case["sql"]] = meta["dev.ringmain/error"]["code"] if result.is_error else "allow"
        codes = {"allow": "allow", "refuse": "statement_refused"}
        assert found == {case["sql"]: codes[case["expect"]] for case in CASES}
        tables = await ask(
            at.client, "query", sql="SELECT count(*) FROM pg_class WHERE relnamespace = 'shed'::regnamespace"
        )
        assert rows_of(tables) == [[2]]


async def test_the_fence_holds_for_everything_that_is_named(shop: str) -> None:
    fenced = POLICY.replace("limits", 'fence = { "postgres.table" = ["shed.*"] }\nlimits')
    async with shed(shop, policy=fenced) as at:
        for sql in (
            "DROP TABLE hr.salaries",
            "ALTER TABLE hr.salaries ADD COLUMN x int",
            "CREATE INDEX ON hr.salaries (person)",
            "CREATE VIEW shed.v AS SELECT * FROM hr.salaries",
            "CREATE TABLE shed.x (a text REFERENCES hr.salaries)",
            "CREATE TABLE unqualified (a int)",
            "COMMENT ON TABLE hr.salaries IS 'x'",
            "DROP TABLE hr.not_there",
            "ALTER TABLE shed.tools RENAME TO x; ALTER TABLE hr.not_there ADD COLUMN a int",
        ):
            assert (await fault(at.client, "migrate", sql=sql))[0] == "outside_fence", sql
        assert (await structured(at, sql="ALTER TABLE shed.tools DROP COLUMN name"))["warnings"] == [
            "What the column name holds is gone."
        ]


async def test_a_person_sees_what_is_done_however_the_text_hides_it(shop: str) -> None:
    person = Person()
    hidden = "COMMENT ON TABLE shed.tools IS 'x';\n/*" + " " * 7_000 + "*/\nDROP TABLE shed.tools"
    long = "COMMENT ON TABLE shed.tools IS 'x';" * 250
    async with shed(shop, person) as at:
        shown = await structured(at, sql=hidden)
        await structured(at, sql=hidden, commit_token=shown["commit_token"])
        (question,) = person.asked
        assert question.split("\n")[1] == "- table shed.tools"
        assert question.endswith("/* [7,000 blanks] */\nDROP TABLE shed.tools")
        assert (await fault(at.client, "migrate", sql=long))[0] == "invalid_arguments"


async def test_replaced_values_and_lost_rights_triggers_and_policies_are_shown(shop: str) -> None:
    async with shed(shop) as at:
        admin = await asyncpg.connect(shop)
        await admin.execute(
            "CREATE VIEW shed.names AS SELECT name FROM shed.tools;"
            "GRANT SELECT ON shed.names TO shop_reader;"
            "CREATE POLICY few ON shed.tools USING (id < 3);"
            "ALTER TABLE shed.tools ENABLE ROW LEVEL SECURITY;"
            "CREATE TRIGGER same BEFORE UPDATE ON shed.tools FOR EACH ROW"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        )
        await admin.close()
        wiped = await structured(at, sql="ALTER TABLE shed.tools ALTER weight TYPE integer USING 0")
        assert wiped["warnings"][0] == "What the column weight holds is replaced by what USING makes of it."
        again = "CREATE VIEW shed.names AS SELECT name FROM shed.tools"
        lost = await structured(at, sql=f"DROP VIEW shed.names; {again}")
        assert [line[:26] for line in lost["changes"]] == ["- rights shed.names postgr"]
        code, text = await fault(at.client, "migrate", sql="CREATE TABLE shed.n (id serial)")
        assert (code, text.partition(".")[0]) == (
            "statement_refused",
            "`serial` is no type but a way to make a sequence",
        )
        gone = await structured(at, sql="DROP VIEW shed.names; DROP TABLE shed.tools")
        kinds = {line.split(" shed.")[0] for line in gone["changes"]}
        assert {"- policy", "- trigger", "- row-level security", "- rights"} <= kinds


async def test_it_is_not_there_unless_the_operator_says_so(shop: str) -> None:
    off = PostgresSettings(url=SecretStr(shop), writes=True)
    async with bench(connector.configured(off), settings=off) as at:
        names = [tool.name for tool in (await at.client.list_tools()).tools]
    assert ("write" in names, "migrate" in names) == (True, False)
