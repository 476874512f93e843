import base64
import hashlib
import hmac
import json
import zlib
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringmain_core.call import Call
from ringmain_core.cursors import Cursors
from ringmain_core.errors import InvalidCursor
from ringmain_core.principal import Principal

KEY = b"k" * 32
CURSORS = Cursors(KEY)
CALL = Call(
    Principal("bot", "api_key"), "demo", "http", "v1", "tools/call", "x", {}, cast("Any", None), "2026-07-28"
)
OTHERS = [
    replace(CALL, principal=Principal("other", "api_key")),
    replace(CALL, principal=Principal("bot", "jwt")),
    replace(CALL, connector="other"),
]

STATES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def opens(cursor: str, call: Call = CALL, purpose: str = "rows") -> bool:
    try:
        CURSORS.open(call, purpose, cursor)
    except InvalidCursor as error:
        assert error.message == "This cursor is not valid here. Leave it out to start from the first page."  # noqa: PT017
        return False
    return True


@given(STATES)
def test_a_cursor_brings_back_what_it_was_made_of(state: Any) -> None:
    assert CURSORS.open(CALL, "rows", CURSORS.seal(CALL, "rows", state)) == state


def test_another_call_of_the_same_caller_may_use_it() -> None:
    assert opens(CURSORS.seal(CALL, "rows", 1), replace(CALL, id="other", transport="sse"))


@pytest.mark.parametrize("call", OTHERS)
def test_another_principal_or_connector_may_not(call: Call) -> None:
    assert not opens(CURSORS.seal(CALL, "rows", 1), call)


def test_another_purpose_or_server_may_not() -> None:
    assert not opens(CURSORS.seal(CALL, "rows", 1), purpose="row")
    assert not opens(Cursors(b"other").seal(CALL, "rows", 1))


def test_after_a_rotation_the_new_key_seals_and_the_old_one_still_opens() -> None:
    rotated = Cursors(b"new", KEY)
    assert rotated.open(CALL, "rows", CURSORS.seal(CALL, "rows", 1)) == 1
    assert Cursors(b"new").open(CALL, "rows", rotated.seal(CALL, "rows", 2)) == 2
    assert not opens(rotated.seal(CALL, "rows", 2))


def test_owners_cannot_be_written_so_that_they_look_like_others() -> None:
    one = replace(CALL, principal=Principal('bot", "x', "api_key"))
    other = replace(CALL, principal=Principal("bot", "api_key"))
    assert not opens(CURSORS.seal(one, "rows", 1), other, 'x", "rows')


@given(st.data())
def test_a_changed_or_cut_cursor_is_invalid(data: st.DataObject) -> None:
    cursor = CURSORS.seal(CALL, "rows", {"after": "0123456789"})
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    assert not opens(base64.urlsafe_b64encode(raw).decode())
    assert not opens(cursor[: data.draw(st.integers(0, len(cursor) - 2))])


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_anything_else_is_invalid_and_never_another_failure(cursor: str) -> None:
    assert not opens(cursor)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = zlib.compress(b"0" * 50_000_000, 9)
    assert not opens(base64.urlsafe_b64encode(b"0" * 12 + bomb).decode())


def test_even_with_a_right_seal_no_more_is_unpacked_than_can_be_sealed() -> None:
    owner = json.dumps(["demo", "api_key", "bot", "rows"]).encode()
    bomb = zlib.compress(b"[" + b" " * 50_000_000 + b"]", 9)
    mac = hmac.digest(KEY, owner + b"\0" + bomb, hashlib.sha256)[:12]
    assert not opens(base64.urlsafe_b64encode(mac + bomb).decode())


def test_what_would_not_open_again_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="a cursor cannot hold 300,002 bytes"):
        CURSORS.seal(CALL, "rows", "x" * 300_000)
