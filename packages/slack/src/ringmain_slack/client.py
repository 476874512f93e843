"""Slack through slack-sdk: one request, one answer, and what its exceptions mean."""

import json
import logging
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from pydantic_core import from_json

from ringmain_core.upstream.trouble import Trouble
from ringmain_slack.settings import SlackSettings

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from slack_sdk.web.async_client import AsyncWebClient

_MOST_REDIRECTS = 3

# At its usual level slack-sdk writes out every request and answer, for a log that nobody keeps: the texts of
# messages have no business there, and it would be a tenth of what a read costs.
_QUIET = logging.getLogger("ringmain_slack.slack_sdk")
_QUIET.setLevel(logging.INFO)
_HEARTBEAT = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Reply:
    """What Slack answered: headers by names in any case, `data` with `ok`, and `error` if that is false."""

    status: int
    headers: Mapping[str, str]
    data: Mapping[str, Any]


class NotSlack(Exception):
    """Something answered that does not speak Slack's API."""


class Client:
    """Speaks to Slack with whatever token it is given, over connections that are kept open."""

    def __init__(self, settings: SlackSettings) -> None:
        self._settings = settings
        self._web: AsyncWebClient | None = None
        self._session: ClientSession | None = None

    async def get(self, token: str, method: str, arguments: Mapping[str, Any]) -> Reply:
        """Ask something that changes nothing; `None` values are left out.

        Raises:
            Exception: Of the libraries below; `trouble_of` knows them.
        """
        return await self._call(token, method, http_verb="GET", params=dict(arguments))

    async def post(self, token: str | None, method: str, arguments: Mapping[str, Any]) -> Reply:
        """Change something, once; lists and objects travel as JSON. Raises what `get` raises."""
        form = {
            name: json.dumps(value) if isinstance(value, list | dict | bool) else str(value)
            for name, value in arguments.items()
            if value is not None
        }
        return await self._call(token, method, data=form)

    async def upload(self, url: str, content: bytes) -> int:
        """Send bytes to an address that Slack has given for them; returns the status of its answer.

        Raises:
            NotSlack: Where the address leads elsewhere.
        """
        if not self._is_ours(url):
            raise NotSlack(urlsplit(url).hostname)
        _, session = self._opened()
        async with session.post(url, data=content, proxy=_proxy(url), allow_redirects=False) as answer:
            await answer.read()
            return answer.status

    async def download(self, token: str, url: str, most: int) -> tuple[bytes, str]:
        """Bytes of a file, and their media type.

        The token travels to hosts of Slack only: those below the host of the API's address.

        Args:
            token: Of whoever may read it.
            url: As Slack gives it: `url_private`.
            most: Bytes; what is longer is read so far, and is then one byte longer than this.

        Raises:
            NotSlack: Where the address leads elsewhere, or the file is kept from us behind a login page.
        """
        _, session = self._opened()
        for _ in range(_MOST_REDIRECTS):
            if not self._is_ours(url):
                raise NotSlack(urlsplit(url).hostname)
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(url, headers=headers, proxy=_proxy(url), allow_redirects=False) as answer:
                if 300 <= answer.status < 400:
                    url = str(answer.url.join(type(answer.url)(answer.headers["Location"])))
                    continue
                if answer.status >= 400:
                    raise NotSlack(answer.status)
                content = bytearray()
                async for piece in answer.content.iter_chunked(64 * 1024):
                    content += piece
                    if len(content) > most:
                        break
                return bytes(content[: most + 1]), answer.content_type
        raise NotSlack("redirects")

    async def listen(self, url: str) -> AsyncGenerator[Mapping[str, Any]]:
        """What comes over a connection of Socket Mode until it ends; envelopes are acknowledged at once.

        slack-sdk's own client is not used for it: it logs what people write, tries a used ticket again
        without end, and waits in a queue without bounds.

        Args:
            url: As `apps.connections.open` gives it; it opens one connection.
        """
        from aiohttp import WSMsgType

        _, session = self._opened()
        proxy = _proxy(f"http{url.removeprefix('ws')}")
        async with session.ws_connect(url, heartbeat=_HEARTBEAT, proxy=proxy) as socket:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    told: Mapping[str, Any] = json.loads(message.data)
                    if "envelope_id" in told:
                        await socket.send_str(json.dumps({"envelope_id": told["envelope_id"]}))
                    yield told

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = self._web = None

    async def _call(self, token: str | None, method: str, **request: Any) -> Reply:
        from slack_sdk.errors import SlackApiError

        web, _ = self._opened()
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            answer: Any = await cast("Any", web).api_call(
                method, headers=headers, **request
            )  # types are loose
        except SlackApiError as error:
            answer = error.response  # what Slack has said; or, where it was no JSON, aiohttp's
        data = getattr(answer, "data", None)
        if not isinstance(data, Mapping) or "ok" not in data:
            raise NotSlack(getattr(answer, "status_code", None) or getattr(answer, "status", None))
        return Reply(answer.status_code, answer.headers, cast("Mapping[str, Any]", data))

    def _opened(self) -> "tuple[AsyncWebClient, ClientSession]":
        if self._web is None or self._session is None:
            from aiohttp import ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
            from slack_sdk.web.async_client import AsyncWebClient

            class Response(ClientResponse):
                """One whose JSON is read by the fastest parser at hand; what is none is not Slack's."""

                async def json(self, **_: Any) -> Any:
                    try:
                        return from_json(await self.read(), cache_strings="keys")  # values hardly repeat
                    except ValueError as error:
                        raise NotSlack(self.status) from error

            settings = self._settings
            self._session = ClientSession(
                connector=TCPConnector(limit=settings.at_once + 1, keepalive_timeout=60),  # one listens
                cookie_jar=DummyCookieJar(),  # tokens of several people go over these connections
                response_class=Response,
                timeout=ClientTimeout(total=settings.request_timeout),
            )
            self._web = AsyncWebClient(
                base_url=settings.api_url,
                session=self._session,
                user_agent_prefix="ringmain-slack",
                retry_handlers=[],  # its own would repeat writes
                logger=_QUIET,
            )
            self._web.proxy = _proxy(settings.api_url)  # it would forget NO_PROXY
        return self._web, self._session

    def _is_ours(self, url: str) -> bool:
        ours, given = urlsplit(self._settings.url), urlsplit(url)
        if given.scheme != ours.scheme:
            return False
        host, own = given.hostname or "", ours.hostname or ""
        return given.netloc == ours.netloc or (ours.port is None and host.endswith(f".{own}"))


def trouble_of(error: Exception) -> Trouble | None:
    """What an exception of the libraries below means; `None` for a defect of ours."""
    if isinstance(error, NotSlack):
        return Trouble("transient", message="Something between here and Slack answers in its place.")
    if isinstance(error, TimeoutError):
        return Trouble("transient")
    from aiohttp import ClientConnectorError, ClientError

    if isinstance(error, ClientConnectorError):
        return Trouble("down")
    return Trouble("transient") if isinstance(error, ClientError | OSError) else None


def _proxy(url: str) -> str | None:
    """The proxy that the environment wants for an address."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
