"""Whatever somebody looks for, the index can read it, and finds words and phrases as people mean them."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringmain_slack.words import expression, has_modifiers, spaced, words_of


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("deploy", '"deploy"*'),
        ("Deploy the CACHE", '"deploy" AND "the" AND "cache"*'),
        ('"at five" deploy', '"at five" AND "deploy"*'),
        ('deploy "at five"', '"deploy" AND "at five"'),
        (
            "deploy AND NOT (cache) NEAR/2 text:x*",
            '"deploy" AND "and" AND "not" AND "cache" AND "near 2" AND "text x"*',
        ),
        ('say "unfinished phr', '"say" AND "unfinished phr"'),
        ("well-known c++ :+1:", '"well known" AND "c" AND "1"*'),
        ("会議 today", '"会" AND "議" AND "today"*'),
        ("!!! ?", ""),
        ('say "', '"say"*'),
        ('"', ""),
        ("", ""),
    ],
)
def test_a_query_becomes_words_and_phrases(query: str, asked: str) -> None:
    assert expression(query) == asked


@given(st.text(st.characters() | st.sampled_from('"*:(){}^-+ \x00'), max_size=200))
def test_no_query_is_an_error(query: str) -> None:
    with sqlite3.connect(":memory:") as db:
        db.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
        asked = expression(query)
        if asked:
            db.execute("SELECT * FROM words WHERE words MATCH ?", (asked,)).fetchall()
    db.close()


@pytest.mark.parametrize(
    ("query", "has"),
    [
        ("from:@ada cache", True),
        ("cache -in:#general", True),
        ("from here", False),
        ("https://x.example", False),
    ],
)
def test_what_only_slack_understands_is_seen(query: str, has: bool) -> None:
    assert has_modifiers(query) is has


def test_signs_without_spaces_between_words_are_words() -> None:
    assert spaced("明日 deploy") == " 明  日  deploy"
    assert spaced("plain") == "plain"
    assert words_of('Deploy "At five"') == ["deploy", "at", "five"]
