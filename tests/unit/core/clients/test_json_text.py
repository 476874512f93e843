import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringmain_core.clients import document
from ringmain_core.clients.json_text import append, drop, drop_item, load, put
from ringmain_core.clients.json_tree import parse
from ringmain_core.clients.unusable import Unusable

PATH = ("mcpServers", "ours")
ENTRY = {"command": "/bin/ours", "args": ["a"]}

SPACE = st.sampled_from(["", "", " ", "\t", "\n", "\n  ", "\r\n", ' // c, } "\n', "/* [ */", "\n// x\n  "])
Written = tuple[str, Any]


def joined(opening: str, items: list[str], closing: str, spaces: list[str], *, trailing: bool) -> str:
    text = opening
    for index, item in enumerate(items):
        text += spaces[index % len(spaces)] + item + spaces[(index + 1) % len(spaces)]
        text += "," if trailing or index < len(items) - 1 else ""
    return text + spaces[-1] + closing


def an_array(items: list[Written], spaces: list[str], trailing: bool) -> Written:
    return joined("[", [text for text, _ in items], "]", spaces, trailing=trailing), [one for _, one in items]


def an_object(members: dict[str, Written], spaces: list[str], trailing: bool) -> Written:
    items = [f"{json.dumps(key)}{spaces[0]}:{spaces[-1]}{text}" for key, (text, _) in members.items()]
    return joined("{", items, "}", spaces, trailing=trailing), {k: v for k, (_, v) in members.items()}


SPACES = st.lists(SPACE, min_size=1, max_size=3)
SCALARS = (st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)).map(
    lambda value: (json.dumps(value), value)
) | st.text().map(lambda value: (json.dumps(value, ensure_ascii=len(value) % 2 == 0), value))
VALUES: st.SearchStrategy[Written] = st.recursive(
    SCALARS,
    lambda inner: (
        st.builds(an_array, st.lists(inner, max_size=3), SPACES, st.booleans())
        | st.builds(an_object, st.dictionaries(st.text(max_size=4), inner, max_size=3), SPACES, st.booleans())
    ),
    max_leaves=6,
)
SERVERS = st.builds(
    an_object, st.dictionaries(st.text(max_size=4), VALUES, max_size=3), SPACES, st.booleans()
)


@st.composite
def files(draw: st.DrawFn) -> str:
    members = draw(st.dictionaries(st.text(max_size=3), VALUES, max_size=2))
    if draw(st.booleans()):
        members["mcpServers"] = draw(SERVERS)
    members |= draw(st.dictionaries(st.text(min_size=4, max_size=5), VALUES, max_size=1))
    text, _ = an_object(members, draw(SPACES), draw(st.booleans()))
    return draw(SPACE) + text + draw(SPACE)


@given(VALUES)
@settings(max_examples=150)
def test_what_people_write_is_read(written: Written) -> None:
    text, value = written
    assert json.dumps(load(f" {text}\n") if text.strip() else None) == json.dumps(value)


@given(files())
@settings(max_examples=150)
def test_an_entry_goes_in_and_nothing_else_changes(text: str) -> None:
    after = document.put("json", text, PATH, ENTRY)  # raises where anything else is not the same
    assert document.entry_at(load(after), PATH) == ENTRY
    again = document.drop("json", after, PATH)
    before = load(text)
    before.setdefault("mcpServers", {})
    assert load(again) == before


@given(files())
@settings(max_examples=150)
def test_where_there_are_servers_taking_it_away_gives_the_same_text(text: str) -> None:
    servers = load(text).get("mcpServers")
    if servers:
        assert drop(put(text, PATH, ENTRY), PATH) == text


@given(files(), st.text(max_size=40))
@settings(max_examples=150)
def test_broken_texts_are_refused_and_never_crash(text: str, noise: str) -> None:
    middle = len(text) // 2
    for broken in (text[:middle], text[:middle] + noise + text[middle:], noise):
        with suppress(Unusable):
            load(broken)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,, }', "line 1, column 9: there should be a key in double quotes"),
        ('{\n  "a": 1\n  "b": 2\n}', "line 3, column 3: there should be a comma or `}`"),
        ('{"a" 1}', "line 1, column 6: a colon is missing"),
        ('{"a": }', "line 1, column 7: there should be a value"),
        ('{"a": tru}', "line 1, column 7: there should be a value"),
        ('{"a": 01}', "line 1, column 7: there should be a value"),
        ('{"a": "x\n"}', "line 1, column 7: a string that does not end"),
        ('{"a": "\\x"}', "line 1, column 7: a string that does not end"),
        ('{"a": [1', "line 1, column 9: it ends where a comma or `]` should be"),
        ("{", "line 1, column 2: it ends where a key in double quotes should be"),
        ("{} x", "line 1, column 4: something follows the end"),
        ("{ /* x", "line 1, column 3: a comment that does not end"),
        ("// only a comment", "line 1, column 18: it ends where a value should be"),
        ("[" * 200, "nested too deeply"),
        ('{"a": ' + "9" * 5_000 + "}", "line 1, column 7: a number that is too long"),
    ],
)
def test_a_broken_text_is_refused_with_line_and_column(text: str, said: str) -> None:
    with pytest.raises(Unusable) as refused:
        parse(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"mcpServers": []}', "line 1, column 16: `mcpServers` is not an object"),
        ('{"mcpServers": null}', "line 1, column 16: `mcpServers` is not an object"),
        ("[]", "line 1, column 1: the whole is not an object"),
        (
            '{"mcpServers": {},\n "mcpServers": {}}',
            "line 2, column 2: `mcpServers` stands here a second time",
        ),
        ('{"mcpServers": {"ours": 1, "ours": 2}}', "line 1, column 28: `ours` stands here a second time"),
    ],
)
def test_a_text_in_which_the_place_is_not_clear_is_refused(text: str, said: str) -> None:
    with pytest.raises(Unusable) as refused:
        put(text, PATH, ENTRY)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '{\n  "a": {\n    "b": 1\n  }\n}\n'),
        ("{}", '{\n  "a": {\n    "b": 1\n  }\n}'),
        ('{"x": 0}', '{"x": 0, "a": {"b": 1}}'),
        ('{"x": 0,}', '{"x": 0, "a": {"b": 1},}'),
        ('{\n\t"x": 0\n}', '{\n\t"x": 0,\n\t"a": {\n\t\t"b": 1\n\t}\n}'),
        ('{\n   "x": 0, // why\n}\n', '{\n   "x": 0, // why\n   "a": {\n      "b": 1\n   },\n}\n'),
        ('{\n  "x": 0 // why\n}', '{\n  "x": 0, // why\n  "a": {\n    "b": 1\n  }\n}'),
        ('{\r\n  "x": 0\r\n}', '{\r\n  "x": 0,\r\n  "a": {\r\n    "b": 1\r\n  }\r\n}'),
        ('{\n  "a": {}\n}', '{\n  "a": {\n    "b": 1\n  }\n}'),
        ('{\n  "a": {\n    // none\n  }\n}', '{\n  "a": {\n    // none\n    "b": 1\n  }\n}'),
        ('{"a": {"b": 2, "c": 3}}', '{"a": {"b": 1, "c": 3}}'),
    ],
)
def test_an_entry_is_written_as_what_is_around_it(before: str, after: str) -> None:
    assert put(before, ("a", "b"), 1) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"b": 1}', "{}"),
        ('{\n  "b": 1\n}', "{}"),
        ('{"a": 0, "b": 1, "c": 2}', '{"a": 0, "c": 2}'),
        ('{"b": 1, "c": 2}', '{ "c": 2}'),
        ('{\n  "b": 1,\n  "c": 2\n}', '{\n  "c": 2\n}'),
        ('{\n  "a": 0, // zero\n  "b": 1\n}', '{\n  "a": 0 // zero\n}'),
        ('{\n  "a": 0, // zero\n  "b": 1,\n}', '{\n  "a": 0, // zero\n}'),
        ('{ // first\n  "b": 1, "c": 2}', '{ // first\n  "c": 2}'),
        ('{ // only\n  "b": 1 }', "{ // only\n  }"),
        ('{"a": 1}', '{"a": 1}'),
    ],
)
def test_an_entry_is_taken_away_with_its_comma_and_no_comment(before: str, after: str) -> None:
    assert drop(before, ("b",)) == after
    load(after)


def test_items_of_an_array_come_and_go() -> None:
    text = '{\n  "inputs": [\n    {"id": 1} // one\n  ]\n}'
    added = append(text, "inputs", {"id": 2})
    assert load(added) == {"inputs": [{"id": 1}, {"id": 2}]}
    assert "// one\n    {\n" in added
    assert drop_item(added, "inputs", {"id": 2}) == text
    assert drop_item(text, "inputs", {"id": 3}) == text
    assert drop_item(text, "other", {"id": 3}) == text
    assert load(append("{}", "inputs", 1)) == {"inputs": [1]}
    with pytest.raises(Unusable, match="`inputs` is not an array"):
        append('{"inputs": {}}', "inputs", 1)
