"""Text to exactly one tree, or a sentence that helps."""

import threading
import time

import pytest

from ringmain_postgres.sql import SqlRefused
from ringmain_postgres.sql.parse import normalize, parse, parse_body
from ringmain_postgres.sql.references import collect


def refusal(text: str) -> SqlRefused:
    with pytest.raises(SqlRefused) as refused:
        collect((parse(text),))
    return refused.value


def test_the_text_of_a_statement_is_kept_without_its_semicolon() -> None:
    assert parse(" SELECT 'é;' AS a ; -- done").sql == "SELECT 'é;' AS a"


def test_an_empty_statement_before_the_only_one_does_no_harm() -> None:
    assert parse("; ;SELECT 'ü'").sql == "SELECT 'ü'"


def test_a_syntax_error_says_where_it_is() -> None:
    refused = refusal("SELECT 'é',\n  1 +* FROM")
    assert refused.code == "syntax"
    assert refused.reason == (
        'Postgres cannot read the statement: syntax error at or near "FROM" (line 2, column 8).'
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (" ;; ", "empty"),
        ("-- only a comment", "empty"),
        ("SELECT 1; SELECT 2", "several_statements"),
        ("SELECT 1\0; DROP TABLE a", "syntax"),
        ("SELECT '\ud800'", "syntax"),
        ("SELECT '" + "x" * 100_000 + "'", "too_long"),
        ("SELECT 1 /* a /* b */ */", "nested_comment"),
    ],
)
def test_what_is_not_one_statement_is_refused(text: str, code: str) -> None:
    assert refusal(text).code == code


BOMBS = {
    "parentheses": "SELECT " + "(" * 40_000 + "1" + ")" * 40_000,
    "sum": "SELECT " + "+".join(["1"] * 45_000),
    "negations": "SELECT " + "NOT " * 24_000 + "true",
    "calls": "SELECT " + "f(" * 30_000 + "1" + ")" * 30_000,
    "subqueries": "SELECT " + "(SELECT " * 9_000 + "1" + ")" * 9_000,
    "unions": " UNION ".join(["SELECT 1"] * 6_000),
    "casts": "SELECT 1" + "::int" * 19_000,
    "joins": "SELECT 1 FROM a " + "JOIN b ON true " * 6_000,
    "cases": "SELECT " + "CASE WHEN " * 5_000 + "1" + " THEN 1 END" * 4_000,
    "fields": "SELECT (a)" + ".b" * 40_000 + ", (" * 900 + "1" + ")" * 900,
    "arrays": "SELECT " + "ARRAY[" * 9_000 + "1" + "]" * 9_000,
    "withs": "WITH a AS (" * 4_000 + "SELECT 1" + ") SELECT 1" * 4_000,
}


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_a_recursion_bomb_is_refused_in_a_moment(name: str) -> None:
    started = time.process_time()
    assert refusal(BOMBS[name]).code in ("too_deep", "syntax")
    assert time.process_time() - started < 1


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_a_recursion_bomb_is_refused_on_a_thread_as_well(name: str) -> None:
    codes: list[str] = []
    thread = threading.Thread(target=lambda: codes.append(refusal(BOMBS[name]).code))
    thread.start()
    thread.join(10)
    assert codes[0] in ("too_deep", "syntax")


def test_long_lists_and_conditions_are_not_bombs() -> None:
    collect((parse("SELECT 1 WHERE 1 IN (" + ",".join(["1"] * 20_000) + ")"),))
    collect((parse("SELECT 1 WHERE " + " AND ".join(["true"] * 5_000)),))
    collect((parse("SELECT " + "||".join(["'a'"] * 100)),))


def test_constants_are_left_out_of_what_is_kept() -> None:
    assert normalize("SELECT a FROM b WHERE c = 'secret' AND d = $1 -- x") == (
        "SELECT a FROM b WHERE c = $2 AND d = $1 -- x"
    )
    with pytest.raises(SqlRefused):
        normalize("SELEC 'secret'")


def test_a_body_may_hold_several_statements() -> None:
    assert [parsed.sql for parsed in parse_body("SELECT 1; SELECT 2")] == ["SELECT 1", "SELECT 2"]


SHAPE = "SELECT a, 'x' AS b, 5 FROM t WHERE c = 'y' AND d IN (1, 2) LIMIT 7"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT  a, 'other' AS b, -1000 FROM t WHERE c = '' AND d IN (0, 3000) LIMIT 0",
        """SELECT a, 'a"location":5, \\' AS b, 5 FROM t WHERE c = E'\\n"' AND d IN (1, 2) LIMIT 7""",
        """SELECT a, $$"}]$$ AS b, 5 FROM t WHERE c = '"A_Const":{"ival":{' AND d IN (1, 2) LIMIT 7""",
        "SELECT a, '{' /* ü */ AS b, 5 FROM t WHERE c = 'ü' AND d IN (1, 2) LIMIT 7 -- 8",
    ],
)
def test_statements_that_differ_in_constants_have_one_shape(text: str) -> None:
    assert parse(text).shape == parse(SHAPE).shape


@pytest.mark.parametrize(
    "text",
    [
        SHAPE.replace("a,", "e,"),
        SHAPE.replace("'x'", "6"),
        SHAPE.replace("'x'", "NULL"),
        SHAPE.replace("'x'", "b'1'"),
        SHAPE.replace("'x'", "'x'::text"),
        SHAPE.replace("5", "5.0"),
        SHAPE.replace("5", "3000000000"),
        SHAPE.replace("5", "true"),
        SHAPE.replace("AS b", "AS x"),
        SHAPE.replace("'y'", "$1"),
        SHAPE.replace("(1, 2)", "(1, 2, 3)"),
        SHAPE.replace("(1, 2)", "('1', 2)"),
        SHAPE.replace("FROM t", 'FROM "T"'),
        SHAPE.replace("LIMIT 7", "OFFSET 7"),
    ],
)
def test_any_other_difference_makes_another_shape(text: str) -> None:
    assert parse(text).shape != parse(SHAPE).shape
