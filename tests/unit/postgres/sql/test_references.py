"""What a statement names."""

import pytest

from ringmain_postgres.sql import SqlRefused
from ringmain_postgres.sql.families import is_public_setting
from ringmain_postgres.sql.parse import parse
from ringmain_postgres.sql.references import Call, References, collect


def names(sql: str) -> References:
    return collect((parse(sql),))


@pytest.mark.parametrize(
    ("sql", "relations"),
    [
        ("WITH a AS (SELECT 1) SELECT * FROM a", set[str]()),
        ("WITH a AS (SELECT * FROM a) SELECT * FROM a", {"a"}),
        ("WITH RECURSIVE a AS (SELECT * FROM a) SELECT * FROM a", set[str]()),
        ("WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a, b", {"b"}),
        ("WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a, b", set[str]()),
        ("WITH a AS (SELECT 1) SELECT * FROM public.a", {"public.a"}),
        ("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) q, a", {"a"}),
        ("WITH a AS (SELECT 1) SELECT (SELECT 1 FROM a) UNION SELECT 1 FROM a", set[str]()),
        ("(WITH a AS (SELECT 1) SELECT 1 FROM a) UNION SELECT 1 FROM a", {"a"}),
        ("WITH a AS (WITH b AS (SELECT 1) SELECT * FROM b) SELECT * FROM a, b", {"b"}),
        ("SELECT * FROM x a, a", {"x", "a"}),
        ('SELECT * FROM "A", a', {"A", "a"}),
        ("TABLE t", {"t"}),
        ("SELECT * FROM t TABLESAMPLE SYSTEM (1)", {"t"}),
        ("SELECT 1 WHERE EXISTS (TABLE t) OR 1 IN (TABLE u)", {"t", "u"}),
    ],
)
def test_a_with_name_hides_a_table_exactly_where_it_is_in_scope(sql: str, relations: set[str]) -> None:
    assert {".".join(part for part in name if part) for name in names(sql).relations} == relations


def test_calls_carry_their_schema_and_number_of_arguments() -> None:
    found = names("SELECT f(), g(1, b => 2), s.h(*), k(1) WITHIN GROUP (ORDER BY 1), l(VARIADIC a) FROM t")
    assert found.functions == {
        Call("", "f", 0),
        Call("", "g", 2),
        Call("s", "h", 0),
        Call("", "k", -1),
        Call("", "l", 1),
    }


@pytest.mark.parametrize(
    ("sql", "operators"),
    [
        ("SELECT a BETWEEN 1 AND 2", {"<", ">", "<=", ">="}),
        ("SELECT a IN (1)", {"="}),
        ("SELECT a NOT IN (1)", {"<>"}),
        ("SELECT a IN (SELECT 1)", {"="}),
        ("SELECT a < ANY (SELECT 1)", {"<"}),
        ("SELECT CASE a WHEN 1 THEN 2 END", {"="}),
        ("SELECT 1 FROM a JOIN b USING (c)", {"="}),
        ("SELECT 1 FROM a NATURAL JOIN b", {"="}),
        ("SELECT a LIKE 'b', a ILIKE 'b', a NOT LIKE 'b'", {"~~", "~~*", "!~~"}),
        ("SELECT a IS DISTINCT FROM b, NULLIF(a, b)", {"="}),
        ("SELECT 1 ORDER BY a USING @@@", {"@@@"}),
        ("SELECT a OPERATOR(s.<->) b", {"s.<->"}),
    ],
)
def test_operators_are_found_also_where_none_is_written(sql: str, operators: set[str]) -> None:
    assert {f"{call.schema}.{call.name}".lstrip(".") for call in names(sql).operators} == operators


def test_fields_may_be_functions() -> None:
    found = names("SELECT t.a, s.t.b, (c).d, (e[1]).f, g FROM s.t")
    assert found.columns == {"a", "t", "b"}
    assert found.selections == {"d", "f"}


def test_types_are_found_in_casts_definitions_and_calls() -> None:
    found = names("SELECT a::b[], CAST(c AS s.d), e 'x', f(1) FROM g() AS h(i j)")
    assert found.types == {("", "b"), ("s", "d"), ("", "e"), ("", "j")}
    assert found.maybe_types == {("", "f")}


@pytest.mark.parametrize("sql", ["SELECT MERGE_ACTION()", "SELECT a.b.c.d()", "SELECT * FROM a.b.c"])
def test_unknown_syntax_is_refused(sql: str) -> None:
    with pytest.raises(SqlRefused) as refused:
        names(sql)
    assert refused.value.code in ("unknown_syntax", "cross_database")


def test_some_settings_are_public_and_the_rest_are_not() -> None:
    asked = (
        "TimeZone",
        "server_version",
        "enable_seqscan",
        "primary_conninfo",
        "app.key",
        "data_directory",
        "",
    )
    assert [is_public_setting(name) for name in asked] == [True, True, True, False, False, False, False]
