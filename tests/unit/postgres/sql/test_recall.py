"""What is remembered of the catalogue, and in which words a server is asked about it."""

import hashlib
import re
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from ringmain_postgres.sql import Recall, holds_sql
from ringmain_postgres.sql.lookup import names_sql, numbers_sql

QUESTION = names_sql(180_000)
ROWS: Sequence[Mapping[str, str]] = [{"kind": "b", "item": "[2]"}, {"kind": "a", "item": '["ü"]'}]
NAMES = st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8), max_size=3)


def known(recall: Recall, *names: Sequence[str]) -> str | None:
    found = recall.find(QUESTION, names)
    return found.still_holds if found is not None else None


def test_an_answer_is_found_by_its_names_and_asked_about_by_a_digest_of_its_sorted_facts() -> None:
    recall = Recall()
    names: list[list[str]] = [["things"], [], ["="], []]
    recall.keep(QUESTION, names, ROWS)
    found = recall.find(QUESTION, names)
    assert found is not None
    assert found.rows is ROWS
    digest = hashlib.sha256('a ["ü"]\nb [2]'.encode()).hexdigest()
    assert found.still_holds.endswith(f"::name[], '{digest}')")
    assert recall.find(QUESTION, (["things"], ["="], [], [])) is None


@given(st.tuples(NAMES, NAMES, NAMES, NAMES))
def test_no_character_of_a_name_stands_in_the_statement_itself(names: tuple[list[str], ...]) -> None:
    recall = Recall()
    recall.keep(QUESTION, names, [])
    literal = r"pg_catalog\.convert_from\(pg_catalog\.decode\('[0-9a-f]*', 'hex'\), 'UTF8'\)::name\[\]"
    sql = known(recall, *names)
    assert sql is not None
    assert re.fullmatch(rf"EXECUTE ringmain_holds \(({literal}, ){{4}}'[0-9a-f]{{64}}'\)", sql)


def test_only_answers_about_names_are_kept_and_no_very_long_ones() -> None:
    recall = Recall()
    recall.keep(numbers_sql(180_000), (["1"], ["2"], ["x"]), ROWS)
    assert recall.find(numbers_sql(180_000), (["1"], ["2"], ["x"])) is None
    recall.keep(QUESTION, (["long"], [], [], []), [{"kind": "relation", "item": "x" * 70_000}])
    assert known(recall, ["long"], [], [], []) is None


def test_the_oldest_answers_are_forgotten_and_a_newer_one_takes_the_place_of_an_older() -> None:
    recall = Recall()
    for number in range(257):
        recall.keep(QUESTION, ([f"t{number}"], [], [], []), ROWS)
    assert known(recall, ["t0"], [], [], []) is None
    before = known(recall, ["t1"], [], [], [])
    recall.keep(QUESTION, (["t1"], [], [], []), [])
    after = known(recall, ["t1"], [], [], [])
    assert after not in (None, before)


def test_every_version_of_the_question_is_known() -> None:
    for major in (13, 14, 18):
        assert names_sql(major * 10_000) in holds_sql(major)
        recall = Recall()
        recall.keep(names_sql(major * 10_000), ([], [], [], []), [])
        assert recall.find(names_sql(major * 10_000), ([], [], [], [])) is not None
