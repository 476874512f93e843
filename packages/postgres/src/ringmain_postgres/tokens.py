"""Commit tokens: what was shown in a rehearsal, sealed, so that only this can be made to last, and once."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from ringmain_core.call import Call
from ringmain_core.cursors import Cursors
from ringmain_core.errors import InvalidArguments, InvalidCursor

LIFETIME = 600  # seconds
_AGAIN = "Call again without `commit_token` to see the effect as it would be now."


class CommitTokens:
    """Makes and takes tokens. One belongs to its principal, tool, database and statement, for ten minutes.

    That a token is used once is known to this process only; between processes `idempotency_key` sees to it.
    """

    def __init__(self, cursors: Cursors, clock: Callable[[], float] = time.time) -> None:
        self._cursors = cursors
        self._clock = clock
        self._used: dict[str, tuple[float, str | None]] = {}

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

    def take(self, call: Call, token: str, database: str, statement: Any, key: str | None) -> Any:
        """What was shown when the token was made; from now on it is used up.

        With an idempotency key, the same key may take it again: it is asked only where nothing has happened.

        Raises:
            InvalidArguments: Where it is not good for this call, or not any more.
        """
        state = self.look(call, token, database, statement)
        now = self._clock()
        self._used = {name: use for name, use in self._used.items() if use[0] > now}
        used = self._used.get(state["id"])
        if used is not None and (key is None or used[1] != key):
            raise InvalidArguments(
                "This `commit_token` has been used. See whether it has happened before you do it twice. "
                f"{_AGAIN}"
            )
        self._used[state["id"]] = (state["ends"], key)
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
