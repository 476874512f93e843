"""What a route gets and gives: `Asked`, `Refusal`; tables of routes; pages with cursors."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from standins.slack.channel import Channel
from standins.slack.models import Message, Token, User
from standins.slack.state import FakeSlack
from standins.slack.team import Team

TS = re.compile(r"\d{10}\.\d{6}")


class Refusal(Exception):
    """Slack's way to say no: `error` and what stands beside it."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.body: dict[str, Any] = {"ok": False, "error": error, **more}


@dataclass
class Asked:
    """A request.

    Attributes:
        arguments: As they were given, and typed after the table of `published.py`.
        token: Whose it is; `None` without one.
    """

    fake: FakeSlack
    method: str
    arguments: dict[str, Any]
    headers: Mapping[str, str]
    token: Token | None = None
    values: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def mine(self) -> Token:
        if self.token is None:
            raise Refusal("not_authed")
        return self.token

    @property
    def team(self) -> Team:
        return self.fake.teams[self.mine.team]

    @property
    def user(self) -> User:
        return self.team.known_user(self.mine.user)

    def text(self, name: str, default: str = "") -> str:
        return str(self.values.get(name, default))

    def flag(self, name: str, *, default: bool = False) -> bool:
        return bool(self.values.get(name, default))

    def strings(self, name: str) -> list[str]:
        return [str(one) for one in self.values.get(name, ())]

    def channel(self, name: str = "channel") -> Channel:
        """The conversation of an argument.

        Raises:
            Refusal: `channel_not_found`, also for one that the token may not know about.
        """
        found = self.team.find_channel(self.text(name))
        if found is None or not self.sees(found):
            raise Refusal("channel_not_found")
        return found

    def sees(self, channel: Channel) -> bool:
        return channel.kind == "public" or self.mine.user in channel.members

    def inside(self, channel: Channel) -> None:
        """Refuse who is no member."""
        if self.mine.user not in channel.members:
            raise Refusal("not_in_channel")

    def message(self, channel: Channel, name: str = "ts", error: str = "message_not_found") -> Message:
        found = channel.messages.get(self.text(name))
        if found is None:
            raise Refusal(error)
        return found

    def limit(self, default: int = 100, most: int = 1000) -> int:
        """How many rows a page has.

        Raises:
            Refusal: `invalid_limit`.
        """
        wanted = self.values.get("limit")
        if wanted is None or wanted == 0:
            return default
        if not 0 < wanted <= most:
            raise Refusal("invalid_limit")
        return int(wanted)

    def cursor(self, kind: str) -> str:
        """Where the walk goes on; empty at its start.

        Raises:
            Refusal: `invalid_cursor`.
        """
        given = self.text("cursor")
        if not given:
            return ""
        try:
            name, _, value = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Refusal("invalid_cursor") from None
        if name != kind or not value:
            raise Refusal("invalid_cursor")
        return value

    def position(self, kind: str) -> int:
        value = self.cursor(kind) or "0"
        if not value.isdigit():
            raise Refusal("invalid_cursor")
        return int(value)

    def page(self, kind: str, rows: Sequence[Any], default: int = 100) -> tuple[list[Any], dict[str, Any]]:
        """One page of these, and its `response_metadata`."""
        start, size = self.position(kind), self.limit(default)
        end = start + size
        return list(rows[start:end]), following(kind, end if end < len(rows) else "")


def following(kind: str, value: object) -> dict[str, Any]:
    """`response_metadata` with the cursor of the next page; an empty one at the end."""
    made = base64.b64encode(f"{kind}:{value}".encode()).decode() if value != "" else ""
    return {"response_metadata": {"next_cursor": made}}


Handler = Callable[[Asked], dict[str, Any] | None]


class Routes:
    """A table of methods that a module of a domain fills."""

    def __init__(self) -> None:
        self._routes: dict[str, Handler] = {}

    def on(self, method: str) -> Callable[[Handler], Handler]:
        """Answer this method with the fields that the function returns, beside `ok`."""

        def add(handler: Handler) -> Handler:
            self._routes[method] = handler
            return handler

        return add

    def __iter__(self) -> Iterator[tuple[str, Handler]]:
        return iter(self._routes.items())
