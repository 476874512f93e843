import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringmain_core.transport.strict_json import NotStrictJson, loads_strict


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"[1 2]", "Expecting ',' delimiter: line 1 column 4 (char 3)"),
        (b'{"a":1} {}', "Extra data: line 1 column 9 (char 8)"),
        (b'\xef\xbb\xbf{"a":1}', "Expecting value: line 1 column 1 (char 0)"),
        (b'{"a":1,"a":1}', "an object has the same key twice"),
        (b'{"a":1,"\\u0061":2}', "an object has the same key twice"),
        (b'[{"x":{"b":1,"b":null}}]', "an object has the same key twice"),
        (b"[NaN]", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"[1e999]", "a number is larger than a double holds; send it as a string"),
        (b"[-1.5E+400]", "a number is larger than a double holds; send it as a string"),
        (b"18446744073709551616", "a number has more digits than 64 bits hold; send it as a string"),
        (b"-9223372036854775809", "a number has more digits than 64 bits hold; send it as a string"),
        (b"9" * 100_000, "a number has more digits than 64 bits hold; send it as a string"),
        (b"[" * 65 + b"]" * 65, "nested deeper than 64 levels"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nested deeper than 64 levels"),
        (b"[" * 5_000_000, "nested deeper than 64 levels"),
        (b'["\xff"]', "not UTF-8 at byte 2"),
        (b'["\xed\xa0\x80"]', "not UTF-8 at byte 2"),
        (b'["\\ud83d"]', "a string has half a surrogate pair"),
        (b'{"\\uDE00 \\ud83d": 1}', "a string has half a surrogate pair"),
        (b'["\x00"]', "Invalid control character at: line 1 column 3 (char 2)"),
    ],
)
def test_what_readers_disagree_about_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(NotStrictJson) as caught:
        loads_strict(body)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 64 + b"]" * 64,
        b"18446744073709551615",
        b"-9223372036854775808",
        b"1e308",
        b'["\\ud83d\\ude00"]',
        b'["\xf0\x9f\x98\x80"]',
        b'{"a":1,"A":1}',
        b' \r\n\t{"a": [1, -2.5e3, true, false, null, ""]} ',
        b'["' + b"[{" * 100 + b'"]',
    ],
)
def test_what_every_reader_reads_alike_passes(body: bytes) -> None:
    assert loads_strict(body) == json.loads(body)


def test_ten_megabytes_take_no_more_than_a_moment() -> None:
    for body in (
        json.dumps({"rows": [{"id": n, "name": "x" * 60} for n in range(120_000)]}).encode(),
        b'"' + b"\\ud83d\\ude00" * 150_000 + b'"',
        b"[" + b"{}," * 500_000 + b"1]",
    ):
        started = time.process_time()
        loads_strict(body)
        assert time.process_time() - started < 3


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.booleans(),
)
def test_whatever_json_dumps_makes_within_the_limits_passes(value: object, ascii_only: bool) -> None:
    assert loads_strict(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary() | st.text('[]{}":,0123456789.eE+-nulltrfasNI\\u dD').map(str.encode))
def test_there_is_no_other_failure(body: bytes) -> None:
    try:
        value = loads_strict(body)
    except NotStrictJson:
        return
    assert json.loads(body) == value
