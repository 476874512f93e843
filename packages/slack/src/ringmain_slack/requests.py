"""Requests to Slack: each in its turn, within the limits, and judged."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio

from ringmain_core.call import current_call
from ringmain_core.errors import UpstreamRefused, UpstreamUnavailable
from ringmain_core.policy import Access
from ringmain_core.services import Services
from ringmain_core.upstream.retries import Retries
from ringmain_core.upstream.trouble import in_our_words
from ringmain_slack.client import Client, Reply
from ringmain_slack.failures import Limited, require_success, trouble
from ringmain_slack.limits import Limits
from ringmain_slack.settings import SlackSettings

_TURNS = 3  # times that a request is brought forward where a limit is in the way


class Requests:
    """Sends requests with whatever token they are given, for all workspaces of the process."""

    def __init__(self, settings: SlackSettings, services: Services, client: Client) -> None:
        self._client = client
        self._patience = settings.limit_patience
        self._limits = Limits(settings.rates)
        # Limits are waited for here, where the turn of the next request is known; the rest is the guard's.
        self._guard = services.guards.guard(
            "slack", trouble, at_once=settings.at_once, retries=Retries(patience=0.0)
        )

    async def reachable(self) -> None:
        """Raise unless Slack answers, whatever it says."""

        async def operation() -> None:
            await self._client.post(None, "api.test", {})

        await self._guard.call(operation, access="read", name="api.test")

    async def ask(self, token: str, method: str, arguments: Mapping[str, Any]) -> Reply:
        """One question, within the limits; see `Workspace.get`."""

        async def operation() -> Reply:
            return self._judged(token, method, await self._client.get(token, method, arguments))

        return await self._in_turn(token, method, operation, access="read", idempotent=True)

    async def send(
        self, token: str, method: str, arguments: Mapping[str, Any], *, access: Access, idempotent: bool
    ) -> Reply:
        """One change, within the limits; see `Workspace.post`."""

        async def operation() -> Reply:
            return self._judged(token, method, await self._client.post(token, method, arguments))

        return await self._in_turn(token, method, operation, access=access, idempotent=idempotent)

    async def upload(self, url: str, content: bytes) -> None:
        """See `Workspace.upload`; what was uploaded and is not completed is nothing to anybody."""

        async def operation() -> None:
            status = await self._client.upload(url, content)
            if status >= 300:
                raise UpstreamRefused(f"Slack does not take the file (status {status}).")

        await self._guard.call(operation, access="write", name="upload", idempotent=True)

    async def download(self, token: str, url: str, most: int) -> tuple[bytes, str]:
        """See `Workspace.download`."""
        return await self._guard.call(
            lambda: self._client.download(token, url, most), access="read", name="download"
        )

    def _judged(self, token: str, method: str, reply: Reply) -> Reply:
        try:
            require_success(method, reply)
        except Limited as limited:
            self._limits.close(holder_of(token), method, limited.retry_after)
            raise
        return reply

    async def _in_turn(
        self,
        token: str,
        method: str,
        operation: Callable[[], Awaitable[Reply]],
        *,
        access: Access,
        idempotent: bool,
    ) -> Reply:
        """Send a request when its turn has come; after a 429, which has done nothing, again.

        Raises:
            UpstreamUnavailable: Where a limit is in the way for longer than the call waits.
        """
        turn, patience = 0, self._patience
        while True:
            turn += 1
            patience = await self._await_turn(holder_of(token), method, patience)
            try:
                return await self._guard.call(operation, access=access, name=method, idempotent=idempotent)
            except UpstreamUnavailable as error:
                if error.detail.get("method") != method or turn >= _TURNS:
                    raise

    async def _await_turn(self, holder: str, method: str, patience: float) -> float:
        """Wait for a turn, no longer than there is patience; returns what is left of it."""
        call = current_call.get()
        while (pause := self._limits.take(holder, method)) > 0:
            if pause > patience or (call is not None and pause >= call.remaining):
                limited = trouble(Limited(method, pause, told=False))
                assert limited is not None  # noqa: S101 (it knows its own)
                raise in_our_words("slack", limited, access="read", idempotent=True)
            patience -= pause
            await anyio.sleep(pause)
        return patience


def holder_of(token: str) -> str:
    """Names a token, without being it."""
    return hashlib.sha256(token.encode()).hexdigest()
