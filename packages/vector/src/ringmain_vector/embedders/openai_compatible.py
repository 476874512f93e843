"""Embedders behind OpenAI's API: of OpenAI, or of whoever speaks it (Ollama, vLLM, LM Studio)."""

from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from time import time
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic_core import from_json

from ringmain_core.errors import ConfigurationError, UpstreamRefused
from ringmain_core.identity.issuers import is_safe_url
from ringmain_core.text import clean
from ringmain_core.upstream.guard import Guard
from ringmain_core.upstream.trouble import Trouble
from ringmain_vector.embedders.unit import unit_vectors

if TYPE_CHECKING:
    import httpx2

    from ringmain_vector.domain import Vector

_BATCH = 32  # texts
_MOST_BYTES = 32 * 1024 * 1024  # of an answer; 32 vectors of 4,096 numbers are 3 MB
_MOST_SAID = 200


class OpenAiCompatible:
    """One model of one server. Texts are sent there: over https, or on this machine.

    Args:
        url: Up to and with `/v1`.
        model: As the server calls it.
        key: Sent as a bearer token; read anew for each request, since it may change.
        guard: Of this server.
        dimension: Of the vectors, where that is known; else `load` finds out.
        timeout: Seconds for one answer.

    Raises:
        ConfigurationError: Where somebody on the way could read the texts.
    """

    most_tokens = 512  # of the small models that are served like this; larger ones look at more

    def __init__(
        self,
        url: str,
        model: str,
        key: SecretStr | None,
        guard: Guard,
        *,
        dimension: int = 0,
        timeout: float = 30.0,
    ) -> None:
        if not is_safe_url(url, loopback=True) or urlsplit(url).query:
            raise ConfigurationError(
                "RINGMAIN_VECTOR_EMBEDDER: the URL of an `openai:` embedder is https://…, or http:// on "
                "this machine, without user name and query."
            )
        self.name = f"openai:{model}"
        self.dimension = dimension
        self._model = model
        self._endpoint = f"{url.rstrip('/')}/embeddings"
        self._key = key
        self._guard = guard
        self._timeout = timeout
        self._ready = False
        self._http: httpx2.AsyncClient | None = None

    @property
    def is_ready(self) -> bool:
        return self._ready

    async def load(self) -> None:
        if not self._ready:
            await self._ask(["dimension"])

    async def documents(self, texts: Sequence[str]) -> "list[Vector]":
        found: list[Vector] = []
        for begin in range(0, len(texts), _BATCH):
            found += await self._ask(texts[begin : begin + _BATCH])
        return found

    async def query(self, text: str) -> "Vector":
        return (await self._ask([text]))[0]

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def _ask(self, texts: Sequence[str]) -> "list[Vector]":
        found = await self._guard.call(partial(self._post, texts), access="read", name="embeddings")
        given = len(found[0])
        self.dimension = self.dimension or given
        if given != self.dimension:
            raise UpstreamRefused(
                f"`{self._model}` gives vectors of {given} numbers instead of {self.dimension}: "
                "it is another one than before. Set that one, or index again under another name."
            )
        self._ready = True
        return found

    async def _post(self, texts: Sequence[str]) -> "list[Vector]":
        asked = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        headers = {"Accept-Encoding": "identity"}  # what is not compressed is as large as it was counted
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        body = bytearray()
        http = self._client()
        async with http.stream("POST", self._endpoint, json=asked, headers=headers) as response:
            async for part in response.aiter_raw():
                body += part
                if len(body) > _MOST_BYTES:
                    raise NoVectors("it is larger than any real one")
        if response.status_code != 200:
            raise Answered(response.status_code, response.headers, bytes(body))
        return _vectors(bytes(body), len(texts))

    def _client(self) -> "httpx2.AsyncClient":
        import httpx2

        if self._http is None:
            is_remote = self._endpoint.startswith("https:")  # to this machine there is no proxy
            self._http = httpx2.AsyncClient(
                follow_redirects=False,
                trust_env=is_remote,
                timeout=httpx2.Timeout(self._timeout, connect=5.0),
            )
        return self._http


class Answered(Exception):
    """The server said no."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(str(status))
        self.status = status
        self.retry_after = _seconds(headers.get("retry-after", ""))
        self.said = _said(body)


class NoVectors(Exception):
    """The answer is not what was asked for."""


def trouble(error: Exception) -> Trouble | None:
    """What an exception of a request means, for a guard."""
    import httpx2

    match error:
        case Answered(status=401 | 403):
            return Trouble(
                "auth",
                message="The server of the embedding model does not accept the key. Tell the operator "
                "to set RINGMAIN_VECTOR_EMBEDDER_KEY.",
            )
        case Answered(status=429 | 503):
            return Trouble("throttled", retry_after=error.retry_after)
        case Answered(status=status) if status >= 500:
            return Trouble("transient")
        case Answered(status=status):
            moved = " Redirects are not followed." if 300 <= status < 400 else ""
            return Trouble(
                "refused",
                message=f"The server of the embedding model answers {status}{error.said}.{moved} "
                "Tell the operator to check model and URL in RINGMAIN_VECTOR_EMBEDDER.",
            )
        case NoVectors():
            return Trouble(
                "refused",
                message=f"The server of the embedding model gives no usable answer: {error}. Tell the "
                "operator to check model and URL in RINGMAIN_VECTOR_EMBEDDER.",
            )
        case httpx2.ConnectError() | httpx2.ConnectTimeout():
            return Trouble("down")
        case httpx2.HTTPError():
            return Trouble("transient")
        case _:
            return None


def _vectors(body: bytes, count: int) -> "list[Vector]":
    """The vectors of an answer in the order of the texts, which need not be its own."""
    try:
        rows = from_json(body)["data"]
        ordered: dict[int, Any] = {row["index"]: row["embedding"] for row in rows}
        if len(rows) != count or set(ordered) != set(range(count)):
            raise NoVectors(f"{len(rows)} vectors for {count} texts")
        return unit_vectors([ordered[number] for number in range(count)])
    except (ValueError, TypeError, LookupError) as error:
        raise NoVectors("it holds no table of vectors") from error


def _said(body: bytes) -> str:
    """The words of a refusal; servers disagree where they stand."""
    try:
        said: object = from_json(body)
    except ValueError:
        return ""
    for name in ("error", "message"):
        if isinstance(said, dict):
            said = cast("dict[str, object]", said).get(name, cast("object", said))
    return f": {clean(said)[:_MOST_SAID]}" if isinstance(said, str) else ""


def _seconds(retry_after: str) -> float | None:
    """Seconds, or a date."""
    if retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        return max(parsedate_to_datetime(retry_after).timestamp() - time(), 0.0)
    except ValueError:
        return None
