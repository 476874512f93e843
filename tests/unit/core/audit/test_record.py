"""A record's line: strict ASCII JSON whatever it carries, so that it can be read back and verified."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringmain_core.audit.record import decode, encode

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_every_json_value_comes_back_from_a_line_of_ascii(value: Any) -> None:
    line = encode({"id": "1", "arguments": value})
    assert line.isascii()
    assert b"\n" not in line
    assert decode(line) == {"id": "1", "arguments": value}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (float("nan"), {"omitted": "ValueError"}),
        ([float("-inf")], {"omitted": "ValueError"}),
        pytest.param(10**5_000, {"omitted": "ValueError"}, id="a number with too many digits"),
        (object(), {"omitted": "TypeError"}),
        ("NaN and Infinity", "NaN and Infinity"),
        ("\u2028\x9b\u202e", "\u2028\x9b\u202e"),
        ("\ud800", "\ud800"),
    ],
)
def test_what_could_not_be_read_back_is_left_out_and_the_rest_is_kept(value: Any, kept: Any) -> None:
    line = encode({"id": "1", "result": value, "outcome": "ok"})
    assert line.isascii()
    assert decode(line) == {"id": "1", "result": kept, "outcome": "ok"}
