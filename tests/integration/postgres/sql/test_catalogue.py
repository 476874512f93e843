"""What the servers ship, function by function, and how the guard keeps up with what users make."""

import asyncio
import importlib
from pathlib import Path
from typing import Any

import pytest

from ringmain_postgres.sql import Guard, Policy, SqlRefused, families
from ringmain_postgres.sql.catalogue import load_built_ins

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types
SNAPSHOTS = Path(__file__).parent / "snapshots"


def allowed_built_ins(database: Any, condition: str) -> set[str]:
    """Names of built-in functions that fulfil a condition, and that the guard does not refuse by number."""
    built_ins = database.run(load_built_ins(database.fetch))
    rows = database.read(
        "SELECT p.oid::int8 AS oid, p.proname AS name, p.pronargs AS n FROM pg_proc p "
        f"WHERE p.oid < 16384 AND {condition}"
    )
    return {
        row["name"]
        for row in rows
        if row["oid"] not in built_ins.refused_oids
        and not any(least <= row["n"] <= most for least, most, *_ in built_ins.refused.get(row["name"], ()))
    }


def test_the_allowed_volatile_built_ins_are_exactly_the_listed_ones(database: Any) -> None:
    shipped = {row["name"] for row in database.read("SELECT proname AS name FROM pg_proc WHERE oid < 16384")}
    assert allowed_built_ins(database, "p.provolatile = 'v'") == families.VOLATILE_BUILT_INS & shipped


def test_the_allowed_stable_built_ins_are_those_that_were_reviewed(database: Any) -> None:
    """A new one in a new version must be looked at: add it to the snapshot, or to a refused family."""
    reviewed = (SNAPSHOTS / f"stable_{database.version}.txt").read_text(encoding="utf-8").split()
    assert sorted(allowed_built_ins(database, "p.provolatile = 's'")) == reviewed


def test_no_function_that_takes_or_gives_internal_values_is_allowed_by_name(database: Any) -> None:
    condition = "(2281 = ANY (p.proargtypes) OR 2275 = ANY (p.proargtypes) OR p.prorettype = 2275)"
    assert allowed_built_ins(database, condition) == set()


def test_every_refused_family_has_members_on_the_server(database: Any) -> None:
    names = {row["name"] for row in database.read("SELECT proname AS name FROM pg_proc WHERE oid < 16384")}
    members = {
        pattern: sum(families.refused_built_in(name) == (does, hint) for name in names)
        for pattern, does, hint in families.REFUSED_BUILT_INS
    }
    assert all(members.values()), members


def test_secret_relations_exist_under_these_names(database: Any) -> None:
    names = {row["name"] for row in database.read("SELECT relname AS name FROM pg_class WHERE oid < 16384")}
    assert set(families.SECRET_RELATIONS) <= names


def test_a_function_replaced_a_moment_ago_does_not_slip_through(database: Any) -> None:
    database.execute("CREATE FUNCTION public.changing() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'")
    try:
        database.check("SELECT changing()")
        database.execute(
            "CREATE OR REPLACE FUNCTION public.changing() RETURNS int "
            "LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'"
        )
        with pytest.raises(SqlRefused):
            database.check("SELECT changing()")
    finally:
        database.execute("DROP FUNCTION public.changing()")


def test_a_view_replaced_a_moment_ago_does_not_slip_through(database: Any) -> None:
    database.execute("CREATE VIEW public.changing AS SELECT 1 AS a")
    try:
        database.check("SELECT * FROM changing")
        database.execute("CREATE OR REPLACE VIEW public.changing AS SELECT evil_fn() AS a")
        with pytest.raises(SqlRefused):
            database.check("SELECT * FROM changing")
    finally:
        database.execute("DROP VIEW public.changing")


@pytest.mark.parametrize(
    ("sql", "round_trips"),
    [("SELECT 1", 0), ("SELECT count(*) FROM victim WHERE id > 1", 1), ("SELECT id FROM items", 2)],
)
def test_looking_up_takes_few_round_trips(database: Any, sql: str, round_trips: int) -> None:
    database.check("SELECT 1")
    database.round_trips = 0
    database.check(sql)
    assert database.round_trips == round_trips


def test_views_and_functions_tell_which_tables_are_read_for_them(database: Any) -> None:
    checked = database.check("SELECT * FROM happy_names, rows_of(1)")
    assert checked.relations == ("public.happy_names",)
    assert checked.underlying == ("public.happy", "public.people", "public.victim")


def test_a_name_in_another_schema_is_found_only_when_it_is_written_out(database: Any) -> None:
    assert database.check("SELECT * FROM secret.plans").relations == ("secret.plans",)
    with pytest.raises(SqlRefused) as refused:
        database.check("SELECT * FROM plans")
    assert refused.value.code == "unknown_table"


def test_an_operator_can_vouch_for_functions_and_foreign_tables(database: Any) -> None:
    guard = Guard(Policy(allow_functions=("public.evil_t*",), allow_foreign_tables=("public.far",)))
    assert database.check("SELECT evil_touch(1)", guard).kind == "query"
    assert database.check("SELECT * FROM far", guard).relations == ("public.far",)
    with pytest.raises(SqlRefused):
        database.check("SELECT evil_fn()", guard)


def test_a_role_that_may_only_select_can_be_guarded(database: Any) -> None:
    database.execute("CREATE ROLE reader LOGIN; GRANT SELECT ON public.people, public.happy TO reader")

    async def check_as_reader() -> set[str]:
        connection: Any = await asyncpg.connect(database.dsn, user="reader")
        try:
            await connection.execute("SET search_path = pg_catalog, public, pg_temp")
            checked = await Guard(Policy()).check(
                "SELECT mood FROM people JOIN happy USING (id)", connection.fetch
            )
            with pytest.raises(SqlRefused):
                await Guard(Policy()).check("SELECT * FROM evil_view", connection.fetch)
            return set(checked.relations)
        finally:
            await connection.close()

    try:
        assert database.run(check_as_reader()) == {"public.happy", "public.people"}
    finally:
        database.execute("DROP OWNED BY reader; DROP ROLE reader")


def test_many_checks_at_once_share_one_guard(database: Any) -> None:
    async def check_all() -> list[str]:
        connections: list[Any] = [await asyncpg.connect(database.dsn) for _ in range(3)]
        guard = Guard(Policy())
        try:
            checked = await asyncio.gather(
                *(guard.check(f"SELECT {n} FROM public.victim", c.fetch) for n, c in enumerate(connections))
            )
            return [one.sql for one in checked]
        finally:
            for connection in connections:
                await connection.close()

    assert database.run(check_all()) == [f"SELECT {n} FROM public.victim" for n in range(3)]
