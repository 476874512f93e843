"""Connections for PyGithub, straight from a pool: `requests` is asked for the way there, and only once."""

from collections.abc import ItemsView, Mapping
from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from ringmain_core.upstream.trouble import Trouble

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

_ONCE = Retry(total=False)  # errors come as they are, and redirects as answers
_ENCODINGS = requests.utils.default_headers()["Accept-Encoding"]


class Pool:
    """Kept-alive connections to one server, for any thread.

    Proxies and certificates are those that `requests` finds in the environment when the pool is made.

    Args:
        origin: Scheme, host and perhaps port.
        timeout: Seconds to connect, and again for each wait for the answer.
        size: How many connections are kept.

    Raises:
        OSError: Where the environment names a proxy or certificates that cannot be used.
    """

    def __init__(self, origin: str, *, timeout: float, size: int) -> None:
        self._pool, self._prefix = _Way(pool_connections=1, pool_maxsize=size).to(origin)
        self._timeout = Timeout(connect=timeout, read=timeout)

    def connection(self) -> "Connection":
        """One for a requester of PyGithub's, which takes from the pool what it needs."""
        return Connection(self)

    def send(self, verb: str, path: str, body: str | None, headers: Mapping[str, str]) -> "BaseHTTPResponse":
        """Send one request, once, and read its answer to the end.

        Raises:
            urllib3.exceptions.HTTPError: Where none came.
        """
        return self._pool.urlopen(
            verb,
            f"{self._prefix}{path}",
            body=body,
            headers={"Accept-Encoding": _ENCODINGS, **headers},
            retries=_ONCE,
            redirect=False,
            assert_same_host=False,  # it would refuse the full address that a proxy for plain HTTP is told
            timeout=self._timeout,
        )

    def close(self) -> None:
        """Close the connections that are not in use; the others close when they are done."""
        self._pool.close()


class Connection:
    """What PyGithub's requester takes for one of its own connections; good for one thread."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._answer: Answer | None = None

    def request(
        self,
        verb: str,
        url: str,
        body: str | None,
        headers: Mapping[str, str],
        stream: bool = False,  # noqa: ARG002 (as PyGithub calls it)
    ) -> None:
        """Send a request; raises as `Pool.send` does."""
        self._answer = Answer(self._pool.send(verb, url, body, headers))

    def getresponse(self) -> "Answer":
        """The answer to the request that was sent last."""
        if self._answer is None:
            raise RuntimeError("nothing was asked")
        return self._answer


class Answer:
    """An answer as PyGithub reads it."""

    def __init__(self, answer: "BaseHTTPResponse") -> None:
        self._answer = answer
        self.status = answer.status

    def getheaders(self) -> ItemsView[str, str]:
        """Its headers; what came several times is one value."""
        return dict(self._answer.headers.itermerged()).items()

    def read(self) -> str:
        """Its text: GitHub writes UTF-8."""
        return self._answer.data.decode(errors="replace")


def trouble_on_the_way(error: Exception) -> Trouble | None:
    """What an exception of a pool's means; `None` for one that is none."""
    if isinstance(error, NewConnectionError | ConnectTimeoutError):
        return Trouble("down")
    return Trouble("transient") if isinstance(error, HTTPError | OSError) else None


class _Way(HTTPAdapter):
    """Knows from `requests` how a server is reached."""

    def to(self, origin: str) -> "tuple[HTTPConnectionPool, str]":
        """The pool, and what stands before a path in its requests: something for plain HTTP by proxy only."""
        with requests.Session() as session:
            found = session.merge_environment_settings(origin, {}, stream=False, verify=True, cert=None)
        request = requests.Request("GET", origin).prepare()
        pool = self.get_connection_with_tls_context(request, found["verify"], found["proxies"])
        self.cert_verify(pool, origin, found["verify"], None)
        return pool, self.request_url(request, found["proxies"]).removesuffix("/")
