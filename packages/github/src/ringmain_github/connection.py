"""Connections for PyGithub straight from urllib3: what `requests` does for each request is done once."""

from collections.abc import ItemsView, Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi
from urllib3 import PoolManager, ProxyManager, Retry, Timeout, make_headers
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from ringmain_core.upstream.trouble import Trouble

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

_ONCE = Retry(total=False)  # errors come as they are, and redirects as answers
_ENCODINGS = make_headers(accept_encoding=True)
_MOVED_AS_PYGITHUB_FOLLOWS, _MOVED = 301, 308


class Pool:
    """Kept-alive connections to one server, for any thread.

    The proxy is the one that the environment names when the pool is made.

    Args:
        origin: Scheme, host and perhaps port.
        timeout: Seconds to connect, and again for each wait for the answer.
        size: How many connections are kept.
        trusted: A file or folder of certificates, instead of the usual ones.

    Raises:
        urllib3.exceptions.HTTPError: Where the proxy is none that can be used.
        OSError: Where there are no certificates.
    """

    def __init__(self, origin: str, *, timeout: float, size: int, trusted: str | None = None) -> None:
        at = urlsplit(origin)
        proxy = _proxy_to(at)
        certificates = _certificates(trusted or certifi.where())
        manager = (
            PoolManager(maxsize=size, **certificates)
            if proxy is None
            else ProxyManager(proxy, proxy_headers=_for_proxy(proxy), maxsize=size, **certificates)
        )
        self._pool: HTTPConnectionPool = manager.connection_from_url(origin)
        # A proxy is told the full address, but where it only makes a tunnel for TLS.
        self._prefix = origin if proxy is not None and at.scheme == "http" else ""
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
            headers={**_ENCODINGS, **headers},
            retries=_ONCE,
            redirect=False,
            assert_same_host=False,  # a pool to a proxy has the proxy's host
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
        # PyGithub follows a 301 without its query, and sends writes there, too; 308 means the same.
        self.status = _MOVED if answer.status == _MOVED_AS_PYGITHUB_FOLLOWS else answer.status

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


def _proxy_to(at: SplitResult) -> str | None:
    """The proxy that the environment names for an address, heeding `NO_PROXY`."""
    proxies = getproxies()
    proxy = proxies.get(at.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(at.netloc) or _is_in(at.hostname or "", proxies.get("no", "")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_in(host: str, networks: str) -> bool:
    """Whether a host is an address in one of several networks; what is none is passed over."""
    for network in networks.split(","):
        with suppress(ValueError):
            if ip_address(host) in ip_network(network.strip(), strict=False):
                return True
    return False


def _for_proxy(proxy: str) -> dict[str, str]:
    """The headers that only the proxy gets to see."""
    at = urlsplit(proxy)
    if not at.username:
        return {}
    return make_headers(proxy_basic_auth=f"{unquote(at.username)}:{unquote(at.password or '')}")


def _certificates(trusted: str) -> dict[str, Any]:
    path = Path(trusted)
    if not path.exists():
        raise OSError(f"there are no certificates at {trusted}")
    return {"cert_reqs": "CERT_REQUIRED", "ca_cert_dir" if path.is_dir() else "ca_certs": trusted}
