"""The server's own resolution of every allowed statement, against what the guard thought it could be."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ringmain_postgres.sql.catalogue import FIRST_USER_OID, BuiltIns, load_built_ins
from ringmain_postgres.sql.closure import Closure
from ringmain_postgres.sql.parse import parse
from ringmain_postgres.sql.references import collect

DATA = Path(__file__).parents[3] / "data"
RELATIONS = re.compile(r":relid (\d+)")


IN_VIEWS = {"pg_lock_status"}
"""Refused by name, but called by a view that the server ships and the guard trusts (pg_locks)."""

OF_EXTENSION = """
SELECT d.objid::int8 AS oid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'vector'
"""


def allowed() -> list[Any]:
    lines = [
        line
        for name in ("sql_corpus.jsonl", "sql_corpus_more.jsonl")
        for line in (DATA / name).read_text(encoding="utf-8").splitlines()
    ]
    return [
        pytest.param(case, id=case["id"])
        for case in map(json.loads, lines)
        if case["expect"] == "allow" and case.get("cls") not in ("show", "explain", "xml")  # no libxml here
    ]


async def resolved(connection: Any, sql: str) -> tuple[set[int], set[int]]:
    """Prepare the statement and read the tree that the server logs: its functions and relations."""
    logged: list[str] = []

    def listen(_: Any, message: Any) -> None:
        logged.append(message.as_dict().get("detail") or message.message)

    connection.add_log_listener(listen)
    try:
        await connection.execute("SET debug_print_rewritten = on; SET client_min_messages = log")
        await connection.execute(f"PREPARE oracle AS {sql}")
        await connection.execute("DEALLOCATE oracle")
    finally:
        await connection.execute("RESET debug_print_rewritten; RESET client_min_messages")
        connection.remove_log_listener(listen)
    tree = "\n".join(logged)
    operators = [int(found) for found in re.findall(r":opno (\d+)", tree)]
    codes: Sequence[Any] = await connection.fetch(
        "SELECT oprcode::oid::int8 AS code FROM pg_operator WHERE oid = ANY ($1::oid[])", operators
    )
    functions = {int(found) for found in re.findall(r":(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)", tree)}
    relations = {int(found) for found in RELATIONS.findall(tree)}
    return functions | {row["code"] for row in codes} - {0}, relations - {0}


@pytest.mark.parametrize("case", allowed())
def test_every_function_and_relation_that_the_server_resolved_was_judged(
    database: Any, case: dict[str, Any]
) -> None:
    if case.get("cls") == "json17" and database.version < 17:
        return

    async def judge() -> tuple[BuiltIns, Closure, tuple[set[int], set[int]]]:
        built_ins = await load_built_ins(database.fetch)
        closure = Closure(database.guard.policy, built_ins, database.fetch)
        parsed = parse(case["sql"])
        await closure.judge(collect((parsed,)))
        return built_ins, closure, await resolved(database.connection, parsed.sql)

    built_ins, closure, (functions, relations) = database.run(judge())
    assert {built_ins.refused_oids[oid][0] for oid in functions if oid in built_ins.refused_oids} <= IN_VIEWS
    judged = {oid for oid, _ in closure.judged}
    trusted = {row["oid"] for row in database.read(OF_EXTENSION)}
    assert {oid for oid in functions if oid >= FIRST_USER_OID} <= judged | trusted
    assert {oid for oid in relations if oid >= FIRST_USER_OID} <= {*closure.direct, *closure.underlying}


def test_the_oracle_sees_what_a_view_hides(database: Any) -> None:
    functions, relations = database.run(resolved(database.connection, "SELECT * FROM evil_view"))
    names = database.read("SELECT 'evil_fn'::regproc::oid::int8 AS f, 'evil_view'::regclass::oid::int8 AS v")[
        0
    ]
    assert names["f"] in functions
    assert names["v"] in relations
