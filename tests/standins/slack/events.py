"""What happens, told to those who listen through Socket Mode."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from standins.slack import shapes
from standins.slack.channel import Channel
from standins.slack.models import Message, secret

if TYPE_CHECKING:
    from standins.slack.state import FakeSlack

_TYPES = {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}


class Listening(Protocol):
    """A connection; its methods are called in its own loop."""

    async def send_str(self, data: str) -> None: ...
    async def close(self) -> object: ...


@dataclass
class Events:
    """Connections and envelopes.

    Attributes:
        sent: Ids of envelopes that went out, in order.
        acknowledged: Ids of those that were answered for.
        opened: How many connections there were so far.
    """

    connections: list[Listening] = field(default_factory=list[Listening])
    sent: list[str] = field(default_factory=list[str])
    acknowledged: list[str] = field(default_factory=list[str])
    tickets: set[str] = field(default_factory=set[str])
    socket_url: str = ""
    opened: int = 0
    loop: asyncio.AbstractEventLoop | None = None
    _turn: "itertools.count[int]" = field(default_factory=itertools.count)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])

    def send(self, fake: "FakeSlack", event: Mapping[str, Any], team: str, retry_attempt: int = 0) -> str:
        """Wrap an event and send it to one of the connections; returns the envelope's id."""
        if not self.connections or self.loop is None:
            return ""
        number = fake.next_number()
        envelope_id = f"{secret('envelope', number)[:8]}-{number}"
        payload = {
            "team_id": team,
            "api_app_id": fake.app_id,
            "event": {"event_ts": f"{int(fake.time())}.{number:06d}", **event},
            "type": "event_callback",
            "event_id": f"Ev{number:08d}",
            "event_time": int(fake.time()),
            "is_ext_shared_channel": False,
        }
        envelope = {
            "envelope_id": envelope_id,
            "type": "events_api",
            "payload": payload,
            "accepts_response_payload": False,
            "retry_attempt": retry_attempt,
            "retry_reason": "timeout" if retry_attempt else "",
        }
        to = self.connections[next(self._turn) % len(self.connections)]
        self.sent.append(envelope_id)
        self._soon(to, json.dumps(envelope))
        return envelope_id

    def _soon(self, to: Listening, text: str, *, last: bool = False) -> None:
        async def go() -> None:
            try:
                await to.send_str(text)
                if last:
                    await to.close()
            except ConnectionError:
                return

        def start() -> None:
            task = asyncio.ensure_future(go())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        if self.loop is not None:
            self.loop.call_soon_threadsafe(start)

    def disconnect(self, reason: str) -> None:
        text = json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "fake"}})
        for one in list(self.connections):
            self._soon(one, text, last=True)

    def message(self, fake: "FakeSlack", channel: Channel, message: Message) -> None:
        """Somebody said something."""
        if self.connections:
            made = shapes.message(channel, message, alone=True)
            self._tell(fake, channel, made | {"ts": message.ts, "event_ts": message.ts})

    def changed(self, fake: "FakeSlack", channel: Channel, now: Message, before: dict[str, Any]) -> None:
        ts = fake.next_ts()
        self._tell(
            fake,
            channel,
            {
                "type": "message",
                "subtype": "message_changed",
                "hidden": True,
                "ts": ts,
                "event_ts": ts,
                "message": shapes.message(channel, now, alone=True),
                "previous_message": before,
            },
        )

    def deleted(self, fake: "FakeSlack", channel: Channel, before: Message) -> None:
        ts = fake.next_ts()
        self._tell(
            fake,
            channel,
            {
                "type": "message",
                "subtype": "message_deleted",
                "hidden": True,
                "ts": ts,
                "event_ts": ts,
                "deleted_ts": before.ts,
                "previous_message": shapes.message(channel, before, alone=True),
            },
        )

    def reaction(
        self, fake: "FakeSlack", kind: str, channel: Channel, message: Message, user: str, name: str
    ) -> None:
        if not _heard(channel):
            return
        item = {"type": "message", "channel": channel.id, "ts": message.ts}
        event = {"type": kind, "user": user, "reaction": name, "item_user": message.user, "item": item}
        self.send(fake, event, channel.team.id)

    def _tell(self, fake: "FakeSlack", channel: Channel, event: Mapping[str, Any]) -> None:
        if not _heard(channel):
            return
        self.send(
            fake, {**event, "channel": channel.id, "channel_type": _TYPES[channel.kind]}, channel.team.id
        )


def _heard(channel: Channel) -> bool:
    """Whether a bot is in it: an app hears nothing of the others."""
    return any(one is not None and one.bot_id for one in map(channel.team.find_user, channel.members))
