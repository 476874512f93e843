"""Every statement of the corpus, judged and, where allowed, run as a superuser."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from ringmain_postgres.sql import SqlRefused

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types
DATA = Path(__file__).parents[3] / "data"


def cases(*names: str) -> list[Any]:
    found = [
        json.loads(line) for name in names for line in (DATA / name).read_text(encoding="utf-8").splitlines()
    ]
    return [pytest.param(case, id=case["id"]) for case in found]


ALL = cases("sql_corpus.jsonl", "sql_corpus_more.jsonl")
REFUSED = [case for case in ALL if case.values[0]["expect"] == "refuse"]
ALLOWED = [case for case in ALL if case.values[0]["expect"] == "allow"]

BOUNDED = {"H085"}
"""Allowed by the guard and stopped by the executor's time-out."""

CODES = {
    "txn-escape": {"several_statements", "not_a_query"},
    "select-into": {"select_into"},
    "select-lock": {"locks"},
    "explain-analyze": {"explain"},
    "fn-remote": {"unknown_function"},
    "fn-dos": {"function", "too_large"},
    "fn-admin": {"function", "secret"},
    "fn-guc": {"function", "not_a_query"},
    "fn-sqltext": {"function", "unknown_function"},
    "indirect": {"function", "sampling", "syntax"},
    "lexer": {"several_statements", "nested_comment", "function"},
    "secrets": {"secret"},
    "cte-write": {"not_a_query", "function"},
    "dml": {"not_a_query"},
    "ddl": {"not_a_query"},
    "utility": {"not_a_query"},
    "fn-file": {"function"},
}
"""Why the statements of a class may be refused; a case may name its one code itself."""


@pytest.mark.parametrize("case", [case for case in REFUSED if case.values[0]["id"] not in BOUNDED])
def test_a_harmful_statement_is_refused_for_the_right_reason(database: Any, case: dict[str, Any]) -> None:
    with pytest.raises(SqlRefused) as refused:
        database.check(case["sql"])
    assert refused.value.code in ({case["code"]} if "code" in case else CODES[case["cls"]])
    assert refused.value.reason.endswith(".")
    assert refused.value.hint.endswith(".")


@pytest.mark.parametrize("case", [case for case in REFUSED if case.values[0]["id"] in BOUNDED])
def test_an_endless_statement_is_stopped_by_the_time_out(database: Any, case: dict[str, Any]) -> None:
    checked = database.check(case["sql"])
    with pytest.raises(asyncpg.QueryCanceledError):
        database.read(checked.sql)


@pytest.mark.parametrize("case", ALLOWED)
def test_a_harmless_statement_is_allowed_runs_and_leaves_nothing_behind(
    database: Any, case: dict[str, Any]
) -> None:
    before = database.effects()
    checked = database.check(case["sql"])
    if case.get("cls") == "json17" and database.version < 17:
        return
    parameters = parameters_of(case["sql"])
    try:
        rows = database.read(checked.sql, *parameters)
        if checked.wrappable:
            wrapped = database.read(f"SELECT * FROM ({checked.sql}\n) AS t", *parameters)
            if "random" not in checked.sql and "clock_timestamp" not in checked.sql and rows:
                assert len(wrapped) == len(rows) or "TABLESAMPLE" in checked.sql
    except asyncpg.FeatureNotSupportedError:  # these servers are built without libxml
        if case["cls"] != "xml":
            raise
    assert database.effects() == before


def parameters_of(sql: str) -> list[Any]:
    if "ANY($2)" in sql:
        return [1, ["a"]]
    return [1, "a"] if "$2" in sql else []


def test_the_corpus_says_what_it_says_and_is_not_empty() -> None:
    assert (len(REFUSED), len(ALLOWED)) > (400, 150)
    assert len({case.values[0]["id"] for case in ALL}) == len(ALL)
