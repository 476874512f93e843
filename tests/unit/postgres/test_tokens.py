"""Commit tokens belong to one caller, tool, database and statement, for a while, and are used once."""

from types import SimpleNamespace
from typing import Any

import pytest

from ringmain_core.cursors import Cursors
from ringmain_core.errors import InvalidArguments
from ringmain_core.state.local import LocalState
from ringmain_postgres.tokens import LIFETIME, CommitTokens

pytestmark = pytest.mark.anyio

STATEMENT = ["DELETE FROM t WHERE id = $1", [1]]


def call(principal: str = "ada", target: str = "write") -> Any:
    return SimpleNamespace(
        connector="postgres", target=target, principal=SimpleNamespace(auth="key", id=principal)
    )


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_token_gives_back_what_was_shown_once_or_to_one_key() -> None:
    state = LocalState()
    tokens = CommitTokens(Cursors(b"k" * 32), state)
    once = tokens.make(call(), "shop", STATEMENT, [1, "x"])
    assert tokens.look(call(), once, "shop", STATEMENT)["shown"] == [1, "x"]
    assert await tokens.take(call(), once, "shop", STATEMENT, None) == [1, "x"]
    for key in (None, "a"):
        with pytest.raises(InvalidArguments, match="has been used"):
            await tokens.take(call(), once, "shop", STATEMENT, key)
    keyed = tokens.make(call(), "shop", STATEMENT, [1])
    assert [await tokens.take(call(), keyed, "shop", STATEMENT, "a") for _ in range(2)] == [[1], [1]]
    with pytest.raises(InvalidArguments, match="has been used"):
        await tokens.take(call(), keyed, "shop", STATEMENT, "b")
    await state.close()


@pytest.mark.parametrize(
    ("who", "database", "statement", "says"),
    [
        (call("eve"), "shop", STATEMENT, "not made for you"),
        (call(target="migrate"), "shop", STATEMENT, "not made for you"),
        (call(), "other", STATEMENT, "another statement"),
        (call(), "shop", [STATEMENT[0], [2]], "another statement"),
        (call(), "shop", [STATEMENT[0], ["1"]], "another statement"),
    ],
)
async def test_it_is_good_for_nothing_else(who: Any, database: str, statement: Any, says: str) -> None:
    state = LocalState()
    tokens = CommitTokens(Cursors(b"k" * 32), state)
    token = tokens.make(call(), "shop", STATEMENT, None)
    with pytest.raises(InvalidArguments, match=says):
        await tokens.take(who, token, database, statement, None)


async def test_it_ends_after_ten_minutes() -> None:
    clock = Clock()
    state = LocalState(clock=clock)
    tokens = CommitTokens(Cursors(b"k" * 32), state, clock)
    token = tokens.make(call(), "shop", STATEMENT, None)
    clock.now += LIFETIME + 1
    with pytest.raises(InvalidArguments, match="older than 10 minutes"):
        await tokens.take(call(), token, "shop", STATEMENT, None)
