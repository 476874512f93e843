"""What can go wrong with a request: `fake.fault("POST */points/query", kind, times=1)`.

Kinds: `429` (with Retry-After: `seconds`, 1 unless told), `429-silent` (without it), `500`, `503`, `html`
(200 with a page of HTML, as a proxy in between answers), `slow` (answers after `seconds`), `cut` (the
connection ends before anything is done), `done-cut` (does the work, then cuts). `times=None`: always.
`skip=2`: the third request is the first to meet it.
"""

import fnmatch
import json
from dataclasses import dataclass

_KINDS = {"429", "429-silent", "500", "503", "html", "slow", "cut", "done-cut"}
_HTML = b"<!DOCTYPE html>\n<html><body><h1>Please log in</h1></body></html>"
_SAID = {
    "429": "Rate limiting exceeded: Read rate limit exceeded, request larger than rate limiter capacity",
    "500": "Service internal error: RocksDB error",
    "503": "Service unavailable: the shard is not ready",
}


@dataclass
class Fault:
    """A fault that is waiting for its request."""

    request: str
    kind: str
    times: int | None = 1
    seconds: float = 1.0
    skip: int = 0

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"no such fault: {self.kind}")

    def take(self, request: str) -> bool:
        """Whether it strikes now; counted."""
        if self.times == 0 or not fnmatch.fnmatchcase(request, self.request):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def answer(self) -> tuple[int, dict[str, str], bytes] | None:
        """What comes in place of the true answer; `None` where that comes."""
        if self.kind == "html":
            return 200, {"content-type": "text/html"}, _HTML
        said = _SAID.get(self.kind.removesuffix("-silent"))
        if said is None:
            return None
        headers = {"content-type": "application/json"}
        if self.kind == "429":
            headers["retry-after"] = str(int(self.seconds))
        content = json.dumps({"status": {"error": said}, "time": 0.0}).encode()
        return int(self.kind.removesuffix("-silent")), headers, content
