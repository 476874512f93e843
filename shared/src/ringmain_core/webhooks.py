"""Sends short notices to the webhooks that an operator has named."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import random
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from pydantic import SecretStr

from ringmain_core.errors import ConfigurationError

if TYPE_CHECKING:
    from httpx2 import AsyncClient

_SLACK = "slack+"
_PAUSES = (2.0, 10.0)
_SECONDS = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """What people are told.

    Attributes:
        since: When it began, in seconds since 1970.
        seconds: How long it has lasted, where it is over.
    """

    event: Literal["outage.opened", "outage.resolved"]
    connector: str
    system: str
    since: float
    seconds: float | None = None

    def fields(self) -> dict[str, Any]:
        """The notice for a program."""
        fields: dict[str, Any] = {
            "event": self.event,
            "connector": self.connector,
            "system": self.system,
            "since": datetime.fromtimestamp(self.since, UTC).isoformat(timespec="seconds"),
            "text": self.text(),
        }
        return fields if self.seconds is None else fields | {"duration_seconds": round(self.seconds)}

    def text(self) -> str:
        """The notice for a person."""
        began = datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        if self.seconds is None:
            return f"ringmain-{self.connector}: {self.system} has not answered since {began}."
        return f"ringmain-{self.connector}: {self.system} answers again, after {_duration(self.seconds)}."


class Webhook:
    """An address that takes notices by POST. Its path is a secret: texts and logs show only its host.

    Args:
        slack: Whether it wants `{"text": …}`, as Slack does, instead of all fields.
        direct: Whether it is on this machine, where no proxy leads.
    """

    def __init__(self, host: str, url: SecretStr, *, slack: bool, direct: bool) -> None:
        self._host = host
        self._url = url
        self._slack = slack
        self._direct = direct

    def __str__(self) -> str:
        return self._host

    async def send(self, notice: Notice, pause: Callable[[float], Awaitable[bool]]) -> None:
        """Send a notice, up to three times; where that fails, the log says so.

        Args:
            notice: What is sent.
            pause: Waits between the tries; says False where there is no time for another.
        """
        body = {"text": _escaped(notice.text())} if self._slack else notice.fields()
        # Its certificates are read from disk, which is not for the event loop.
        async with await anyio.to_thread.run_sync(self._client) as client:
            answer = await self._post(client, body)
            for wait in _PAUSES:
                if not answer.worth_repeating or not await pause(wait * (0.5 + random() / 2)):  # noqa: S311
                    break
                answer = await self._post(client, body)
        if not answer.taken:
            _log.warning("the webhook at %s was not told (%s): %s", self._host, notice.event, answer.said)

    def _client(self) -> "AsyncClient":
        import httpx2

        return httpx2.AsyncClient(trust_env=not self._direct, follow_redirects=False, timeout=_SECONDS)

    async def _post(self, client: "AsyncClient", body: dict[str, Any]) -> "_Answer":
        import httpx2

        try:
            with anyio.fail_after(_SECONDS):
                async with client.stream("POST", self._url.get_secret_value(), json=body) as response:
                    status = response.status_code  # nobody needs the rest
        except (httpx2.TransportError, OSError) as error:  # a time-out is an OSError, too
            return _Answer(type(error).__name__, taken=False, worth_repeating=True)
        return _Answer(
            f"it answered {status}",
            taken=200 <= status < 300,
            worth_repeating=status == 429 or status >= 500,
        )


@dataclass(frozen=True, slots=True)
class _Answer:
    said: str
    taken: bool
    worth_repeating: bool


def webhooks(urls: Sequence[SecretStr]) -> tuple[Webhook, ...]:
    """The webhooks that RINGMAIN_WEBHOOKS names.

    Raises:
        ConfigurationError: Where one is not an `https://` URL; on loopback, `http://` will do.
    """
    return tuple(_webhook(place, url.get_secret_value()) for place, url in enumerate(urls, 1))


def _webhook(place: int, url: str) -> Webhook:
    from ringmain_core.on_disk import is_loopback

    slack = url.startswith(_SLACK)
    url = url.removeprefix(_SLACK)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    local = is_loopback(host)
    if not host or parts.scheme not in ("https", "http") or (parts.scheme == "http" and not local):
        raise ConfigurationError(
            f"RINGMAIN_WEBHOOKS: entry {place} is not a URL that begins with https:// or, for Slack and what "
            "takes the same, slack+https://."
        )
    return Webhook(host if port is None else f"{host}:{port}", SecretStr(url), slack=slack, direct=local)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{count} {unit}" for count, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if count]
    return " ".join(parts[:2]) or "less than a second"


def _escaped(text: str) -> str:
    """What Slack would read as a link or a mention is only text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
