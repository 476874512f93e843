import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringmain_core.clients import document, toml_text, yaml_text
from ringmain_core.clients.unusable import Unusable
from unit.core.clients.examples import CODEX, GOOSE

TOML_PATH, YAML_PATH = ("mcp_servers", "ours"), ("extensions", "ours")
ENTRY: dict[str, Any] = {"command": 'C:\\ours "x" ü', "args": ["a", "--b"], "env": {"A.B": "1"}, "on": True}

TOML_PARTS = st.sampled_from(
    [
        "",
        "# a comment\n",
        '[a]\nx = 1 # "[b]"\n',
        "[a.b]\ny = [\n  [1],\n  [2]\n]\n",
        '[mcp_servers.fs]\ncommand = "npx"\n',
        "[mcp_servers.fs.env]\nK = '''\n[mcp_servers.ours]\n'''\n",
        "[[list]]\nz = 1979-05-27T07:32:00Z\n",
        "\n",
    ]
)
YAML_PARTS = st.sampled_from(
    [
        "",
        "# a comment\n",
        "model: gpt # x\n",
        "paths:\n- ~/bin\n- /opt\n",
        "text: |\n  extensions:\n    ours: 1\n\n",
        "flow: {a: [1, 2], b: 'c'}\n",
        "empty:\n",
        "\n",
    ]
)
EXTENSIONS = st.sampled_from(
    [
        "",
        "extensions: {}\n",
        "extensions:\n  a:\n    x: 1\n",
        "extensions:\n    a: {x: 1}  # mine\n    # more\n\n    b:\n        text: >\n            folded\n\n",
        '"extensions":\n- no\n',
        "extensions: &all\n  a: &b\n    x: 1\n  c: *b\n",
    ]
)


@given(st.lists(TOML_PARTS, unique=True), st.booleans())
@settings(max_examples=120)
def test_a_toml_table_goes_in_and_out_without_a_trace(parts: list[str], windows: bool) -> None:
    text = "".join(parts)
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    text = text.replace("\n", "\r\n") if windows else text
    after = document.put("toml", text, TOML_PATH, ENTRY)
    assert (
        tomllib.loads(after)
        == {
            **before,
            "mcp_servers": {**before.get("mcp_servers", {}), "ours": ENTRY},
        }
        or windows
    )
    assert after.startswith(text)
    assert document.drop("toml", after, TOML_PATH) == text
    assert not (windows and text) or "\n" not in after.replace("\r\n", "")


@given(st.lists(YAML_PARTS, unique=True), EXTENSIONS, st.lists(YAML_PARTS, max_size=1), st.booleans())
@settings(max_examples=120)
def test_a_yaml_mapping_goes_in_and_out_without_a_trace(
    above: list[str], servers: str, below: list[str], windows: bool
) -> None:
    text = "".join([*above, servers, *(part for part in below if part not in above)])
    text = text.replace("\n", "\r\n") if windows else text
    if "- no" in servers:
        with pytest.raises(Unusable):
            document.put("yaml", text, YAML_PATH, ENTRY)
        return
    after = document.put("yaml", text, YAML_PATH, ENTRY)
    assert document.entry_at(document.load("yaml", after), YAML_PATH) == ENTRY
    assert not (windows and text) or "\n" not in after.replace("\r\n", "")
    again = document.drop("yaml", after, YAML_PATH)
    added = "" if servers else ("extensions: {}\r\n" if windows and text else "extensions: {}\n")
    assert again.replace(added, "", 1) == text if added else again == text


def test_the_lines_around_a_toml_table_stay_and_its_own_are_replaced() -> None:
    once = toml_text.put(CODEX, TOML_PATH, {"command": "a"})
    assert once == CODEX + '\n[mcp_servers.ours]\ncommand = "a"\n'
    more = once + '\n[mcp_servers.ours.env]\nX = "1"\n# about b\n[b]\n'
    assert toml_text.put(more, TOML_PATH, {"command": "b"}) == (
        CODEX + '\n[mcp_servers.ours]\ncommand = "b"\n# about b\n[b]\n'
    )
    assert toml_text.drop(more, TOML_PATH) == CODEX + "# about b\n[b]\n"


@pytest.mark.parametrize(
    "header", ['[mcp_servers."ours"]', "[ mcp_servers . 'ours' ] # mine", '["mcp_servers".ours]']
)
def test_a_toml_table_is_found_however_its_name_is_written(header: str) -> None:
    text = f'a = 1\n\n{header}\ncommand = "x"\n'
    assert document.drop("toml", text, TOML_PATH) == "a = 1\n"


@pytest.mark.parametrize(
    "text",
    [
        'mcp_servers = { fs = { command = "npx" } }\n',
        '[mcp_servers]\nours = { command = "x" }\n',
        "mcp_servers = 1\n",
    ],
)
def test_servers_in_a_form_that_is_not_edited_are_left_alone(text: str) -> None:
    with pytest.raises(Unusable):
        document.put("toml", text, TOML_PATH, ENTRY)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = \n", "line 2, column 5: not valid TOML"),
        ("a = [1", "end of document: not valid TOML"),
        ("a = 1\na = 2\n", "not valid TOML"),
    ],
)
def test_broken_toml_is_refused_with_line_and_column(text: str, said: str) -> None:
    with pytest.raises(Unusable) as refused:
        toml_text.load(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\n  b: 2\n", "line 2, column 4: not valid YAML"),
        ("a: [1\nb: 2\n", "line 2, column 2: not valid YAML"),
        ("a: 1\na: 2\n", "line 2, column 1: not valid YAML"),
        ("a: \x00", "not valid YAML"),
        ("\ta: 1\n", "line 1, column 1: not valid YAML"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
    ],
)
def test_broken_yaml_is_refused_with_line_and_column(text: str, said: str) -> None:
    with pytest.raises(Unusable) as refused:
        yaml_text.load(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["- a\n- b\n", "just a text\n", "{extensions: {a: {}}}\n", "extensions: {a: {x: 1}}\n"],
)
def test_yaml_in_a_form_that_is_not_edited_is_left_alone(text: str) -> None:
    with pytest.raises(Unusable):
        document.put("yaml", text, YAML_PATH, ENTRY)


def test_a_yaml_mapping_is_written_as_those_around_it() -> None:
    after = yaml_text.put(GOOSE, YAML_PATH, {"type": "stdio", "args": ["x"]})
    added = '    ours:\n      type: "stdio"\n      args: ["x"]\n'
    assert after.replace(added, "") == GOOSE
    assert "            and writes them.\n" + added in after
    replaced = yaml_text.put(after, YAML_PATH, {"type": "sse"})
    assert replaced == after.replace(added, '    ours:\n      type: "sse"\n')


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'extensions:\n  ours:\n    a: "b"\n'),
        ("# only a comment", '# only a comment\nextensions:\n  ours:\n    a: "b"\n'),
        ("extensions:\n", 'extensions:\n  ours:\n    a: "b"\n'),
        ("extensions: # none\nx: 1\n", 'extensions: # none\n  ours:\n    a: "b"\nx: 1\n'),
        ("extensions: null\n", 'extensions:\n  ours:\n    a: "b"\n'),
        ("extensions: {}", 'extensions:\n  ours:\n    a: "b"\n'),
        ("---\nx: 1", '---\nx: 1\nextensions:\n  ours:\n    a: "b"\n'),
    ],
)
def test_the_mapping_of_extensions_is_made_where_there_is_none(before: str, after: str) -> None:
    assert document.put("yaml", before, YAML_PATH, {"a": "b"}) == after


@pytest.mark.parametrize("name", ["true", "null", "123", "1e3", "no", "a-b", "_x"])
def test_a_name_that_yaml_would_take_for_something_else_is_quoted(name: str) -> None:
    after = document.put("yaml", "", ("extensions", name), {"a": "b"})
    assert document.load("yaml", after) == {"extensions": {name: {"a": "b"}}}
