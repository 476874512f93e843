"""Whose requests are taken over HTTP: the Host and Origin headers of every one are looked at."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from ringmain_core.refusals import ForbiddenHost, ForbiddenOrigin

_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_LOOPBACK_ORIGINS = tuple(f"{scheme}://{host}" for scheme in ("http", "https") for host in _LOOPBACK_HOSTS)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Who may connect, by Host headers (DNS rebinding) and Origin headers (web pages); loopback always may.

    Entries are `host:port`, `host:*` or, for origins, `https://app.example.com`.
    """

    hosts: Sequence[str]
    origins: Sequence[str]

    def check(self, hosts: Sequence[str], origins: Sequence[str]) -> None:
        """Raise where the request names a host that is not us, or comes from a page that is not listed."""
        if len(hosts) != 1 or not _listed(hosts[0], self.hosts, _LOOPBACK_HOSTS):
            raise ForbiddenHost(
                "The Host header does not name this server. An operator adds names to RINGMAIN_ALLOWED_HOSTS."
            )
        if origins and (len(origins) != 1 or not _listed(origins[0], self.origins, _LOOPBACK_ORIGINS)):
            raise ForbiddenOrigin(
                "Pages of this origin may not call. An operator adds origins to RINGMAIN_ALLOWED_ORIGINS."
            )

    def with_cors(self, app: ASGIApp) -> ASGIApp:
        """The app, with answers that the listed pages may read."""
        if not self.origins:
            return app
        patterns = (re.escape(origin).replace(r":\*", ":[0-9]+") for origin in self.origins)
        return CORSMiddleware(
            app,
            allow_origin_regex="|".join(patterns),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Mcp-Session-Id", "Retry-After", "WWW-Authenticate"],
        )


def _listed(value: str, entries: Sequence[str], loopback: Sequence[str]) -> bool:
    value = value.lower()
    if value in entries or value in loopback:
        return True
    name, _, port = value.rpartition(":")
    return port.isdecimal() and (name in loopback or f"{name}:*" in entries)
