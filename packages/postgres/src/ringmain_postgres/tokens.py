"""Commit tokens: what was shown in a rehearsal, sealed, so that only this can be made to last, and once."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from ringmain_core.call import Call
from ringmain_core.cursors import Cursors
from ringmain_core.errors import InvalidArguments, InvalidCursor, StateLost
from ringmain_core.state import State, StateUnavailable

LIFETIME = 600  # seconds
_AGAIN = "Call again without `commit_token` to see the effect as it would be now."


class CommitTokens:
    """Makes and takes tokens. One belongs to its principal, tool, database and statement, for ten minutes."""

    def __init__(self, cursors: Cursors, state: State, clock: Callable[[], float] = time.time) -> None:
        self._cursors = cursors
        self._state = state
        self._clock = clock

    def make(self, call: Call, database: str, statement: Any, shown: Any) -> str:
        """A token for a statement and what was shown of its effect: JSON values."""
        state = {
            "database": database,
            "statement": digest(statement),
            "shown": shown,
            "ends": self._clock() + LIFETIME,
            "id": secrets.token_hex(8),
        }
        return self._cursors.seal(call, f"commit {call.target}", state)

    async def take(self, call: Call, token: str, database: str, statement: Any, key: str | None) -> Any:
        """What was shown when the token was made; from now on it is used up, for every replica.

        With an idempotency key, the same key may take it again: it is asked only where nothing has happened.

        Raises:
            InvalidArguments: Where it is not good for this call, or not any more.
            StateLost: Where it cannot be known whether it was used.
        """
        state = self.look(call, token, database, statement)
        name, taker = f"commit:{state['id']}", digest(key).encode()
        try:
            first = await self._state.put(name, taker, LIFETIME, only_if_absent=True)
            again = not first and key is not None and await self._state.get(name) == taker
        except StateUnavailable as error:
            raise StateLost(
                "Whether this `commit_token` was used cannot be known now, so nothing is done. Try again."
            ) from error
        if not first and not again:
            raise InvalidArguments(
                "This `commit_token` has been used. See whether it has happened before you do it twice. "
                f"{_AGAIN}"
            )
        return state["shown"]

    def look(self, call: Call, token: str, database: str, statement: Any) -> Any:
        """What a token holds, without using it up.

        Raises:
            InvalidArguments: Where it is not good for this call.
        """
        try:
            state = self._cursors.open(call, f"commit {call.target}", token)
        except InvalidCursor as error:
            raise InvalidArguments(
                f"This `commit_token` was not made for you and this tool. {_AGAIN}"
            ) from error
        if state["database"] != database or state["statement"] != digest(statement):
            raise InvalidArguments(
                "This `commit_token` belongs to another statement, other values or another database. "
                f"Send exactly those that it was made for. {_AGAIN}"
            )
        if self._clock() > state["ends"]:
            raise InvalidArguments(f"This `commit_token` is older than {LIFETIME // 60} minutes. {_AGAIN}")
        return state


def digest(value: Any) -> str:
    """A JSON value in 128 bits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
