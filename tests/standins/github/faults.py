"""What can go wrong with a request: `fake.fault("/repos/*/issues", "POST", kind, times=1)`.

Kinds: `401`, `403` (no sign of a limit), `primary` (403 with no requests left), `primary-429`, `secondary`
(403 with retry-after), `secondary-429`, `404`, `409`, `422`, `500`, `502` (a page of HTML), `503`, `slow`
(answers after `seconds`), `cut` (the connection ends before anything is done), `done-cut` (does the work,
then cuts), `done-slow` (does the work, then answers after `seconds`: let the client give up first),
`graphql-lost` (does the work, then says with 200 that it went wrong), `graphql-limit` and
`graphql-secondary` (limits with status 200), `page` (200 with a page of HTML, as of a login), `451`,
`odd` (200 with an empty object), `redirect` and `moved-away` (302 and 301 to another host).
`times=None`: always. For limits `seconds` is how long they last.
"""

import fnmatch
import time
from dataclasses import dataclass
from typing import Any

_MESSAGES = {
    "401": "Bad credentials",
    "403": "Resource not accessible by integration",
    "404": "Not Found",
    "409": "Conflict",
    "422": "Validation Failed",
    "451": "Repository access blocked",
    "500": "Server Error",
    "503": "Service unavailable",
}
_DOCS = "https://docs.github.com/rest"
_LIMIT_DOCS = f"{_DOCS}/using-the-rest-api/rate-limits-for-the-rest-api"
_SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
LOST = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it could be a "
    "GitHub bug. Please include `FAKE:0001` when reporting this issue."
)
HTML = (
    "<!DOCTYPE html>\n<html><head><title>Unicorn! &middot; GitHub</title></head>"
    "<body><p><strong>We had issues producing the response to your request.</strong></p></body></html>"
)


@dataclass
class Fault:
    """A fault that is waiting for its request."""

    path: str
    method: str
    kind: str
    times: int | None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        known = {
            "primary",
            "secondary",
            "primary-429",
            "secondary-429",
            "502",
            "slow",
            "cut",
            "done-cut",
            "done-slow",
            "graphql-lost",
            "graphql-limit",
            "graphql-secondary",
            "page",
            "odd",
            "redirect",
            "moved-away",
        }
        if self.kind not in known | _MESSAGES.keys():
            raise ValueError(f"no such fault: {self.kind}")

    def fits(self, method: str, path: str) -> bool:
        return self.method in {"*", method} and fnmatch.fnmatchcase(path, self.path)

    def take(self, method: str, path: str) -> bool:
        """Whether it strikes now; counted."""
        if self.times == 0 or not self.fits(method, path):
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def answer(self) -> tuple[int, dict[str, str], Any] | None:
        """Status, headers and body in place of the true ones; `None` where the request is answered truly."""
        if self.kind == "502":
            return 502, {"content-type": "text/html; charset=utf-8"}, HTML
        if self.kind == "page":
            return 200, {"content-type": "text/html; charset=utf-8"}, HTML
        if self.kind == "odd":
            return 200, {}, {}
        if self.kind in {"redirect", "moved-away"}:
            return 302 if self.kind == "redirect" else 301, {"location": "https://sso.example.com/login"}, ""
        if self.kind == "graphql-limit":
            reset = {"x-ratelimit-reset": str(int(time.time() + (self.seconds or 60)))}
            said = "API rate limit already exceeded for user ID 1."
            error = {"type": "RATE_LIMIT", "code": "graphql_rate_limit", "message": said}
            return 200, reset, {"errors": [error]}
        if self.kind == "graphql-secondary":
            pause = {"retry-after": str(int(self.seconds or 60))}
            return 200, pause, {"errors": [{"message": _SECONDARY}]}
        if self.kind.startswith("primary"):
            reset = str(int(time.time() + (self.seconds or 60)))
            message = "API rate limit exceeded for user ID 1."
            limits = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
            return self._limited, limits, {"message": message, "documentation_url": _LIMIT_DOCS}
        if self.kind.startswith("secondary"):
            pause = {"retry-after": str(int(self.seconds or 60))}
            return (
                self._limited,
                pause,
                {"message": _SECONDARY, "documentation_url": f"{_LIMIT_DOCS}#about-secondary-rate-limits"},
            )
        if self.kind in _MESSAGES:
            body = {"message": _MESSAGES[self.kind], "documentation_url": _DOCS, "status": self.kind}
            if self.kind == "422":
                body["errors"] = [{"resource": "Issue", "field": "title", "code": "invalid"}]  # pyright: ignore[reportArgumentType]
            return int(self.kind), {}, body
        return None

    @property
    def _limited(self) -> int:
        return 429 if self.kind.endswith("429") else 403
