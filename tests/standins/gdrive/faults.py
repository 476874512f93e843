"""What can go wrong with a request: `fake.fault("drive.files.*", kind, times=1)`.

Kinds: `rateLimitExceeded` (429; `rateLimitExceeded-403` with that status), `userRateLimitExceeded`,
`dailyLimitExceeded` and `sharingRateLimitExceeded` (403), with Retry-After where `seconds` is given;
`domainPolicy` (403); `backendError` (500), `500`, `502` (a page of HTML), `503`, `html` (200
with a page of HTML), `401`, `slow` (answers after `seconds`), `cut` (the connection ends before anything is
done), `cut-body` (in the middle of the answer), `done-cut` (does the work, then cuts), `done-slow` (does the
work, then answers after `seconds`), `done-500` (does it, says 500), `short` (of a chunk of a resumable upload
only the first `size` bytes are kept). `times=None`: always. `after=2`: the third request is the first to meet
it. Methods are those of `fake.requests`: also `oauth.token`, `content.download`, `content.export`.
"""

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from standins.gdrive.errors import Refusal

HTML = (
    "<!DOCTYPE html>\n<html lang=en><title>Error 502 (Server Error)!!1</title>"
    "<p><b>502.</b> <ins>Something went awry.</ins><p>The server encountered a temporary error.</html>"
)
_LIMITS = {
    "rateLimitExceeded": (429, "Rate Limit Exceeded"),
    "rateLimitExceeded-403": (403, "Rate Limit Exceeded"),
    "userRateLimitExceeded": (403, "User Rate Limit Exceeded"),
    "dailyLimitExceeded": (403, "Daily Limit Exceeded"),
    "sharingRateLimitExceeded": (403, 'Rate limit exceeded. User message: "Sharing quota exceeded."'),
}
_ERRORS = {
    "backendError": (500, "backendError", "Backend Error"),
    "500": (500, "internalError", "Internal Error"),
    "503": (503, "backendError", "The service is currently unavailable."),
    "domainPolicy": (403, "domainPolicy", "The domain administrators have disabled Drive apps."),
    "401": (401, "authError", "Invalid Credentials"),
}
_OTHERS = {"502", "html", "slow", "cut", "cut-body", "done-cut", "done-slow", "done-500", "short"}
LATE = {"done-cut", "done-slow", "done-500"}


@dataclass
class Fault:
    """A fault that is waiting for its request."""

    method: str
    kind: str
    times: int | None = 1
    seconds: float = 0.0
    after: int = 0
    size: int = 262_144

    def __post_init__(self) -> None:
        if self.kind not in _OTHERS | _LIMITS.keys() | _ERRORS.keys():
            raise ValueError(f"no such fault: {self.kind}")

    def is_due(self, method: str) -> bool:
        """Whether it could strike now; requests that come before it are counted."""
        if self.times == 0 or not fnmatch.fnmatchcase(method, self.method):
            return False
        if self.after:
            self.after -= 1
            return False
        return True

    def strike(self) -> None:
        if self.times is not None:
            self.times -= 1

    def refusal(self) -> Refusal | None:
        """What is said in place of the true answer; `None` where that is no JSON, or the answer is true."""
        if self.kind in _LIMITS:
            status, message = _LIMITS[self.kind]
            pause = {"retry-after": str(int(self.seconds))} if self.seconds else {}
            reason = self.kind.removesuffix("-403")
            return Refusal(status, reason, message, domain="usageLimits", headers=pause)
        if self.kind in _ERRORS or self.kind == "done-500":
            status, reason, message = _ERRORS.get(self.kind, _ERRORS["500"])
            return Refusal(status, reason, message)
        return None

    def page(self) -> tuple[int, dict[str, str], Any] | None:
        """Status, headers and body of a page of HTML, where it is one."""
        if self.kind in {"502", "html"}:
            headers = {"content-type": "text/html; charset=UTF-8"}
            return (502 if self.kind == "502" else 200), headers, HTML
        return None


def struck(faults: Iterable[Fault], method: str) -> Fault | None:
    """The fault that a request meets, if any: the first that is due."""
    due = [one for one in faults if one.is_due(method)]
    if not due:
        return None
    due[0].strike()
    return due[0]
