import json
import time
from typing import Annotated, Any, Literal, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from ringmain_core.arguments import Arguments, OnRecord, Upstream, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments


class Where(BaseModel, extra="forbid"):
    name: str
    limit: int = 1


class Client(Upstream):
    pass


async def function(
    call: Call,
    client: Client,
    query: str,
    limit: Annotated[int, Field(ge=1, le=100)] = 20,
    share: float = 0.5,
    tags: list[str] | None = None,
    where: Where | None = None,
    mode: Literal["fast", "slow"] = "fast",
    anything: Any = None,
    exact: bool = False,
    secret: Annotated[str, OnRecord(withheld)] = "",
) -> None: ...


ARGUMENTS = Arguments(function)
CALL, CLIENT = cast("Call", object()), Client()
DEFAULTS = {
    "limit": 20,
    "share": 0.5,
    "tags": None,
    "where": None,
    "mode": "fast",
    "anything": None,
    "exact": False,
    "secret": "",
}


def bind(**raw: Any) -> dict[str, Any]:
    bound = ARGUMENTS.bind({"query": "q", **raw}, CALL, CLIENT)
    return {name: value for name, value in bound.items() if DEFAULTS.get(name, ...) != value}


def advice(raw: dict[str, Any]) -> str:
    with pytest.raises(InvalidArguments) as caught:
        ARGUMENTS.bind(raw, CALL, CLIENT)
    return caught.value.message


def test_what_the_server_gives_is_bound_but_not_in_the_schema() -> None:
    assert bind() == {"query": "q", "call": CALL, "client": CLIENT}
    assert list(ARGUMENTS.schema["properties"]) == ["query", *DEFAULTS]
    assert "`call`" not in advice({"query": "q", "nope": 1})


@pytest.mark.parametrize("name", ["call", "client"])
def test_nobody_can_send_what_the_server_gives(name: str) -> None:
    assert advice({"query": "q", name: {}}).startswith(f"Unknown argument `{name}`; ")


@pytest.mark.parametrize(
    ("raw", "bound"),
    [
        ({"tags": '["a", "b"]'}, {"tags": ["a", "b"]}),
        ({"tags": "null"}, {}),
        ({"where": '{"name": "x", "limit": 3}'}, {"where": Where(name="x", limit=3)}),
        ({"limit": "7"}, {"limit": 7}),
        ({"limit": " 7 "}, {"limit": 7}),
        ({"share": "0.25"}, {"share": 0.25}),
        ({"exact": "true"}, {"exact": True}),
        ({"exact": "yes"}, {"exact": True}),
        ({"query": '["a"]'}, {"query": '["a"]'}),
        ({"secret": "5"}, {"secret": "5"}),
        ({"anything": "[1]"}, {"anything": "[1]"}),
        ({"mode": "slow"}, {"mode": "slow"}),
    ],
)
def test_json_in_strings_is_read_where_no_string_is_meant(raw: dict[str, Any], bound: dict[str, Any]) -> None:
    assert bind(**raw) == {"query": "q", "call": CALL, "client": CLIENT} | bound


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({}, "`query` is required."),
        ({"query": "q", "limt": 5}, "Unknown argument `limt`; did you mean `limit`?"),
        (
            {"query": "q", "zzz": 5},
            "Unknown argument `zzz`; known are `query`, " + ", ".join(f"`{name}`" for name in DEFAULTS) + ".",
        ),
        ({"query": 5}, "`query`: Input should be a valid string (got 5)."),
        ({"query": None}, "`query`: Input should be a valid string (got None)."),
        ({"query": "q", "limit": 0}, "`limit`: Input should be greater than or equal to 1 (got 0)."),
        (
            {"query": "q", "limit": 10**18},
            f"`limit`: Input should be less than or equal to 100 (got {10**18}).",
        ),
        (
            {"query": "q", "limit": "1" * 5000},
            f"`limit`: Unable to parse input string as an integer, exceeded maximum size (got '{'1' * 59}…).",
        ),
        ({"query": "q", "mode": "Fast"}, "`mode`: Input should be 'fast' or 'slow' (got 'Fast')."),
        ({"query": "q", "tags": "a"}, "`tags`: Input should be a valid list (got 'a')."),
        ({"query": "q", "tags": '["a", "a'}, '`tags`: Input should be a valid list (got \'["a", "a\').'),
        ({"query": "q", "tags": ["a", 5]}, "`tags.1`: Input should be a valid string (got 5)."),
        (
            {"query": "q", "where": '{"name": "a", "name": "b"}'},
            (
                "`where`: Input should be a valid dictionary or instance of Where "
                '(got \'{"name": "a", "name": "b"}\').'
            ),
        ),
        (
            {"query": "q", "where": {"nam": "a"}},
            "`where.name` is required. Unknown argument `where.nam`; did you mean `where`?",
        ),
        ({"query": "q", "share": "NaN"}, "`share`: Input should be a finite number (got 'NaN')."),
        ({"query": "q", "share": "1e999"}, "`share`: Input should be a finite number (got '1e999')."),
        ({"query": "q", "share": float("inf")}, "`share`: Input should be a finite number (got inf)."),
    ],
)
def test_what_does_not_fit_is_told_with_how_to_mend_it(raw: dict[str, Any], said: str) -> None:
    assert advice(raw) == said


def test_several_faults_are_told_at_once() -> None:
    assert advice({"limit": 0, "lmit": 1}) == (
        "`query` is required. `limit`: Input should be greater than or equal to 1 (got 0). "
        "Unknown argument `lmit`; did you mean `limit`?"
    )


@pytest.mark.parametrize(
    "raw",
    [
        {"query": "q"} | {f"x{number}": 1 for number in range(300_000)},
        {"query": "q", "x" * 3_000_000: 1},
        {"query": "q", "tags": [5] * 300_000},
        {"query": "q", "tags": json.dumps([5] * 300_000)},
        {"query": "q", "where": "[" * 1_000_000},
        {"query": "q" * 3_000_000, "limit": "x" * 1_000_000},
    ],
    ids=["many names", "long name", "many faults", "many quoted faults", "deep", "long values"],
)
def test_a_hostile_body_costs_little_and_gets_a_short_answer(raw: dict[str, Any]) -> None:
    started = time.process_time()
    assert len(advice(raw)) < 3_000
    assert len(json.dumps(ARGUMENTS.on_record(raw))) < 4_100_000
    assert time.process_time() - started < 2


def test_arguments_are_recorded_as_they_came_but_for_what_is_withheld_or_unknown() -> None:
    raw = {"query": "q", "limit": "7", "secret": "hush", "nope": "never kept"}
    assert ARGUMENTS.on_record(raw) == {
        "query": "q",
        "limit": "7",
        "secret": "<withheld, 6 characters>",
        "nope": "<unknown argument>",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["query", *DEFAULTS, "other"]), JSON))
def test_whatever_comes_in_there_is_no_other_failure(raw: dict[str, Any]) -> None:
    ARGUMENTS.on_record(raw)
    try:
        ARGUMENTS.bind(raw, CALL, CLIENT)
    except InvalidArguments as error:
        assert error.message  # noqa: PT017 (either outcome is fine)
