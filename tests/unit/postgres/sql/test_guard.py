"""The guard without a server: an empty catalogue, and any text."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringmain_postgres.sql import Checked, Guard, Policy, SqlRefused

TYPES = {"version": 160000, "types": [["int4", 23, 0], ["text", 25, 0], ["_int4", 1007, 23]]}
FUNCTIONS = [[2147, "count", 0, 1, False, False], [3084, "pg_read_file", 1, 1, True, False]]


async def fetch(_: str, *arguments: Any) -> Sequence[Mapping[str, Any]]:
    """Be a server with two functions and no objects of users."""
    if arguments:
        return []
    rows = [{"kind": "types", "item": json.dumps(TYPES)}]
    return rows + [{"kind": "function", "item": json.dumps(item)} for item in FUNCTIONS]


def check(sql: str) -> Checked:
    return asyncio.run(Guard(Policy()).check(sql, fetch))


def test_a_query_is_wrappable_and_says_what_it_is() -> None:
    checked = check("SELECT count(*);")
    assert (checked.kind, checked.sql, checked.wrappable) == ("query", "SELECT count(*)", True)


@pytest.mark.parametrize(("sql", "kind"), [("EXPLAIN SELECT 1", "explain"), ("SHOW timezone", "show")])
def test_what_is_not_a_query_is_not_wrappable(sql: str, kind: str) -> None:
    checked = check(sql)
    assert (checked.kind, checked.wrappable) == (kind, False)


def test_a_name_that_the_server_does_not_know_is_refused_rather_than_trusted() -> None:
    for sql, code in [
        ("SELECT nothing()", "unknown_function"),
        ("SELECT * FROM nothing", "unknown_table"),
        ("SELECT 1::nothing", "unknown_type"),
    ]:
        with pytest.raises(SqlRefused) as refused:
            check(sql)
        assert refused.value.code == code


def test_a_refusal_reads_as_reason_and_advice() -> None:
    with pytest.raises(SqlRefused) as refused:
        check("SELECT pg_read_file('/etc/passwd')")
    assert str(refused.value) == (
        "The function `pg_read_file` reaches files or large objects on the server. Query tables only."
    )


def test_the_search_path_to_set_ends_with_temporary_objects() -> None:
    assert Guard(Policy(search_path=("app",))).search_path == ("pg_catalog", "app", "pg_temp")


WORDS = """
SELECT FROM WHERE a b t * , ( ) ( ) [ ] . :: = < + - 1 2.5 'x' "q" $1 AS int text ARRAY ROW WITH
RECURSIVE UNION ALL VALUES count now pg_sleep CASE WHEN THEN ELSE END IN EXISTS JOIN ON USING ORDER BY
GROUP LIMIT LATERAL EXPLAIN ANALYZE SHOW DELETE INSERT INTO UPDATE SET FOR ; -- /* */ $$ E'\\'' NULL NOT
AND OR BETWEEN JSON_OBJECT XMLELEMENT NAME OVER PARTITION FILTER WITHIN TABLESAMPLE COLLATE INTERVAL
EXTRACT CAST TABLE COPY DO
"""


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=25).map(" ".join))
def test_a_soup_of_words_is_judged_or_refused_and_nothing_else(text: str) -> None:
    _judge(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_judged_or_refused_and_nothing_else(text: str) -> None:
    _judge(text)
    _judge(f"SELECT {text}")


def _judge(text: str) -> None:
    try:
        assert isinstance(check(text), Checked)
    except SqlRefused as refused:
        assert refused.code  # noqa: PT017  either outcome is right
