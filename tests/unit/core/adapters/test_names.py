import re

from ringmain_core.adapters.names import function_names


def test_a_tool_keeps_its_name() -> None:
    assert function_names([("a", "search"), ("a", "get-file"), ("b", "x_1")]) == ["search", "get-file", "x_1"]


def test_tools_of_the_same_name_are_told_apart_by_their_server() -> None:
    assert function_names([("slack", "search"), ("github", "search"), ("github", "whoami")]) == [
        "slack_search",
        "github_search",
        "whoami",
    ]


def test_names_that_no_provider_takes_are_made_valid_and_stay_different() -> None:
    tools = [
        ("a", "files/read"),
        ("a", "files.read"),
        ("a", "1st"),
        ("b", "-x"),
        ("b", "größe"),
        ("b", "n" * 80),
        ("b", "n" * 79),
        ("c", "a_1st"),
        ("d" * 70, "x"),
        ("e", "x"),
    ]
    names = function_names(tools)
    assert len(set(names)) == len(tools)
    for name in names:
        assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}", name)
    assert names[2:5] == ["_1st", "_-x", "gr__e"]


def test_a_prefix_that_makes_another_tools_name_is_told_apart_too() -> None:
    tools = [("a", "b_x"), ("a_b", "x"), ("c", "x"), ("c", "a_b_x")]
    assert len(set(function_names(tools))) == 4
