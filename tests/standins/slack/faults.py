"""What can go wrong with a request: `fake.fault("conversations.*", kind, times=1)`.

Kinds: `ratelimited` (429 with Retry-After: `seconds`, 30 unless told), `ratelimited-silent` (429 without it),
`error` (ok: false with `error`), `500`, `502` (a page of HTML), `503`, `html` (200 with a page of HTML),
`slow` (answers after `seconds`), `cut` (the connection ends before anything is done), `done-cut` (does the
work, then cuts), `done-slow` (does the work, then answers after `seconds`), `done-500` (does it, says 500).
`times=None`: always. `skip=2`: the third request is the first to meet it. `cursor=True`: only requests that
walk on with a cursor. `fake.fault("upload", …)` and `"download"` mean the URLs of files.
"""

import fnmatch
from dataclasses import dataclass
from typing import Any

_KINDS = {
    "ratelimited",
    "ratelimited-silent",
    "error",
    "500",
    "502",
    "503",
    "html",
    "slow",
    "cut",
    "done-cut",
    "done-slow",
    "done-500",
}
HTML = (
    "<!DOCTYPE html>\n<html><head><title>Slack</title></head><body><h1>Something went awry</h1></body></html>"
)
_PLAIN = {"500": "Internal Server Error", "503": "Service Unavailable"}


@dataclass
class Fault:
    """A fault that is waiting for its request."""

    method: str
    kind: str
    times: int | None = 1
    seconds: float = 0.0
    error: str = "internal_error"
    skip: int = 0
    cursor: bool = False

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"no such fault: {self.kind}")

    def take(self, method: str, *, walking: bool) -> bool:
        """Whether it strikes now; counted."""
        if self.times == 0 or not fnmatch.fnmatchcase(method, self.method) or (self.cursor and not walking):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def answer(self) -> tuple[int, dict[str, str], Any] | None:
        """Status, headers and body in place of the true ones; `None` where the request is answered truly."""
        page = {"content-type": "text/html; charset=utf-8"}
        if self.kind in {"502", "html"}:
            return (502 if self.kind == "502" else 200), page, HTML
        if self.kind.startswith("ratelimited"):
            pause = {"retry-after": str(int(self.seconds or 30))} if self.kind == "ratelimited" else {}
            return 429, pause, {"ok": False, "error": "ratelimited"}
        if self.kind in _PLAIN:
            return int(self.kind), {"content-type": "text/plain"}, _PLAIN[self.kind]
        if self.kind == "error":
            return 200, {}, {"ok": False, "error": self.error}
        return None
