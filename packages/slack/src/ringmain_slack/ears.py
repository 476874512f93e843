"""What Slack tells by itself, through Socket Mode: one connection for the process, bells for who waits."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import aclosing, contextmanager, suppress
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any

import anyio
from pydantic import SecretStr

from ringmain_core.live.pauses import Pauses
from ringmain_slack.client import Client
from ringmain_slack.failures import Limited, require_success
from ringmain_slack.settings import Kind

RECONNECTS = (0.5, 60.0)
"""The first and the longest pause before another try to connect, in seconds."""

_STEADY = 30.0  # seconds after which a connection counts as one that lasts
_OPEN = "apps.connections.open"
_KINDS: Mapping[str, Kind] = {"channel": "public", "group": "private", "im": "dm", "mpim": "group"}
_log = logging.getLogger(__name__)

Heard = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""Told the workspace's id and the event of a message."""


@dataclass(eq=False, slots=True)
class Bell:
    """Rings for one who waits for news of a conversation, or of one thread in it."""

    team: str
    channel: str
    thread: str | None
    _rung: anyio.Event = field(default_factory=anyio.Event)
    _heard: bool = False

    def ring(self, *, heard: bool) -> None:
        """Wake who waits: something was heard, or what can be heard has changed."""
        self._heard |= heard
        self._rung.set()

    async def wait(self, most: float) -> bool:
        """Wait for so many seconds at most; returns whether something was heard."""
        with anyio.move_on_after(most):
            await self._rung.wait()
        self._rung = anyio.Event()
        heard, self._heard = self._heard, False
        return heard


class Ears:
    """Listens from when that is first needed until it is closed; without an app token nothing is heard.

    Slack tells each event to one connection of the app only, so that with others much is not heard. That
    there are others is known by what a connection is greeted with, but not if they come later.

    Args:
        client: Speaks to Slack.
        app_token: Of the app whose events are heard.
        alone: Whether no other process is known to listen with the same app token.
    """

    def __init__(self, client: Client, app_token: SecretStr | None, *, alone: bool = True) -> None:
        self._client = client
        self._app_token = app_token
        self.may_be_alone = alone
        self._alone = alone
        self._bells: set[Bell] = set()
        self._task: asyncio.Task[None] | None = None
        self._kinds: set[tuple[str, Kind]] = set()
        self.heard: Heard | None = None
        self.connected = False
        self.connections = 0

    @property
    def listeners(self) -> int:
        """How many wait for news."""
        return len(self._bells)

    def begin(self) -> None:
        """Connect soon, unless that was begun before."""
        if self._app_token is not None and self._task is None:
            # In a context of its own: it works for nobody's call in particular.
            work = self._keep(self._app_token.get_secret_value())
            self._task = asyncio.get_running_loop().create_task(work, context=Context())

    async def close(self) -> None:
        """Hang up."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def hears(self, team: str, kind: Kind) -> bool:
        """Whether messages of this kind of conversation are told now, and to nobody else that is known of.

        An app need not ask for all kinds.
        """
        return self.connected and self._alone and (team, kind) in self._kinds

    @contextmanager
    def listening(self, team: str, channel: str, thread: str | None = None) -> Generator[Bell]:
        """A bell for a conversation of a workspace, both by their ids, or for one of its threads."""
        bell = Bell(team, channel, thread)
        self._bells.add(bell)
        self.begin()
        try:
            yield bell
        finally:
            self._bells.discard(bell)

    async def _keep(self, app_token: str) -> None:
        pauses, failures = Pauses(*RECONNECTS), 0
        while True:
            begun, least = time.monotonic(), 0.0
            try:
                await self._listen(app_token)
                failures = 0
            except Limited as limited:
                least = limited.retry_after
            except Exception as error:  # noqa: BLE001 (whatever it is, it may go well the next time)
                failures += 1
                if failures == 1:
                    _log.warning("Socket Mode is not connected now: %s", type(error).__name__)
            finally:
                self._changed(connected=False)
            if time.monotonic() - begun > _STEADY:
                pauses.changed()
            spread = random.uniform(0.5, 1)  # noqa: S311 (only spreads the load)
            await anyio.sleep(max(least, pauses.next() * spread))

    async def _listen(self, app_token: str) -> None:
        reply = await self._client.post(app_token, _OPEN, {})
        require_success(_OPEN, reply)
        async with aclosing(self._client.listen(str(reply.data["url"]))) as messages:
            async for message in messages:
                match message.get("type"):
                    case "hello":
                        self.connections += 1
                        self._alone = self.may_be_alone and message.get("num_connections", 1) == 1
                        self._changed(connected=True)
                    case "disconnect":
                        return
                    case "events_api":
                        payload = message["payload"]
                        await self._take(str(payload["team_id"]), payload["event"])
                    case _:
                        pass

    async def _take(self, team: str, event: Mapping[str, Any]) -> None:
        item: Mapping[str, Any] = event.get("item") or {}
        channel = event.get("channel") or item.get("channel")
        if event.get("type") == "message" and self.heard is not None:
            await self.heard(team, event)
            if kind := _KINDS.get(str(event.get("channel_type"))):
                self._kinds.add((team, kind))
        about: Mapping[str, Any] = event.get("message") or event.get("previous_message") or event
        root = None if item else about.get("thread_ts") or about.get("ts")
        for bell in self._bells:
            if (bell.team, bell.channel) == (team, channel) and bell.thread in (None, root or bell.thread):
                bell.ring(heard=True)

    def _changed(self, *, connected: bool) -> None:
        """Who waits has to look for itself: something may have been missed, or will be."""
        if connected != self.connected or connected:
            self.connected = connected
            for bell in self._bells:
                bell.ring(heard=False)
