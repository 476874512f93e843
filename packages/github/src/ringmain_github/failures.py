"""What GitHub's refusals mean, in words that say what to do next."""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

from ringmain_core.errors import NotFound, ToolFailure, UpstreamRefused
from ringmain_core.upstream.trouble import Trouble
from ringmain_github.client import NotGitHub, Reply, trouble_of

_UNSAID_PAUSE = 60.0  # what GitHub asks for where it names no time
_SECONDARY = re.compile(r"secondary rate limit|abuse detection", re.IGNORECASE)
_GRAPHQL_LIMITS = {"RATE_LIMIT", "RATE_LIMITED", "graphql_rate_limit"}
_MOST_SAID = 500


class Limited(Exception):
    """GitHub takes no more requests with this token for now."""

    def __init__(self, reply: Reply, *, secondary: bool) -> None:
        super().__init__("secondary" if secondary else "primary")
        self.secondary = secondary
        self.retry_after = _pause(reply, secondary=secondary)


class Broke(Exception):
    """GitHub, or something before it, failed: 5xx."""


def require_success(reply: Reply) -> None:
    """Let an answer pass that is one.

    Raises:
        Limited, Broke: Where it is worth trying again; `trouble` knows them.
        NotFound, UpstreamRefused: Where it is not.
    """
    status = reply.status
    if status < 400:  # 3xx are answers too: of logs, and of what has not changed
        return
    if status in (403, 429) and (limited := _limit(reply)) is not None:
        raise limited
    if status >= 500:
        raise Broke(status)
    raise _refusal(reply)


def require_json(reply: Reply) -> None:
    """Let an answer pass that looks like one of the API's, which are parsed where they are used.

    Raises:
        NotGitHub: Where it is a page of something in between; `trouble` knows it.
    """
    if not reply.text.lstrip().startswith(("{", "[")):
        raise NotGitHub(reply.status)


def require_done(reply: Reply) -> None:
    """Let the answer to a write pass, or one of GraphQL's, if it is GitHub's own.

    Raises:
        Limited, Broke, NotFound, UpstreamRefused: As `require_success`.
        NotGitHub: As `require_json`.
    """
    require_success(reply)
    if reply.status >= 300:
        raise UpstreamRefused(
            f"This leads elsewhere (status {reply.status}), so nothing was done. The repository may have "
            "been renamed just now: try again. Else something between here and GitHub answers in its place.",
            status=reply.status,
        )
    if reply.text:
        require_json(reply)


def limit_in(reply: Reply, errors: Sequence[Mapping[str, Any]]) -> Limited | None:
    """The limit that GraphQL's errors tell of, which come with status 200."""
    kinds = {error.get("type") for error in errors} | {error.get("code") for error in errors}
    if kinds & _GRAPHQL_LIMITS:
        return Limited(reply, secondary=False)
    said = " ".join(str(error.get("message")) for error in errors)
    if "retry-after" in reply.headers or _SECONDARY.search(said):
        return Limited(reply, secondary=True)
    return None


def trouble(error: Exception) -> Trouble | None:
    """The judgement of a failed request for the guard around it."""
    if isinstance(error, Limited):
        kind = "secondary rate limit" if error.secondary else "rate limit"
        seconds = error.retry_after
        when = time.strftime("%H:%M:%S UTC", time.gmtime(time.time() + seconds))
        said = (
            f"GitHub's {kind} for this token is reached. Come back in {seconds:.0f} s (at {when}); until "
            "then nothing will be answered."
        )
        return Trouble("throttled", retry_after=seconds, message=said, detail={"limit": kind})
    if isinstance(error, Broke):
        return Trouble("transient")
    return trouble_of(error)


def _limit(reply: Reply) -> Limited | None:
    used_up = reply.headers.get("x-ratelimit-remaining") == "0"
    secondary = "retry-after" in reply.headers or _SECONDARY.search(reply.text[:2_000]) is not None
    if used_up or secondary or reply.status == 429:
        return Limited(reply, secondary=not used_up)
    return None


def _pause(reply: Reply, *, secondary: bool) -> float:
    """Seconds to stay away, as the headers say."""
    after = reply.headers.get("retry-after", "")
    if after.isdigit():
        return float(after)
    reset = reply.headers.get("x-ratelimit-reset", "")
    used_up = not secondary or reply.headers.get("x-ratelimit-remaining") == "0"
    if used_up and reset.isdigit():
        return max(1.0, float(reset) - time.time())
    return _UNSAID_PAUSE


def _refusal(reply: Reply) -> ToolFailure:
    said = _said(reply)
    match reply.status:
        case 401:
            return UpstreamRefused(
                "GitHub does not accept the token. Tell the operator to run `ringmain-github doctor`; "
                "whoever has connected an account should connect it again.",
                cause="auth",
            )
        case 403:
            missing = lacking(reply)
            advice = f" It wants {missing}." if missing else ""
            return UpstreamRefused(f"GitHub does not allow this: {said}.{advice}", status=403)
        case 404 | 410:
            return NotFound("There is no such thing on GitHub, or this token may not see it.")
        case 409 if "repository is empty" in said.lower():
            return UpstreamRefused("The repository is empty: it has no branch and no commit.", status=409)
        case 409:
            return UpstreamRefused(
                f"GitHub says that this conflicts with what is there: {said}. Read it again, then decide.",
                status=409,
            )
        case status:
            return UpstreamRefused(f"GitHub refuses this: {said}.", status=status)


def lacking(reply: Reply) -> str | None:
    """Which permission a refused request would have needed; `None` where the headers do not say."""
    fine = reply.headers.get("x-accepted-github-permissions")
    if fine:
        return f"the permission {' or '.join(part.strip() for part in fine.split(';'))}"
    classic = _names(reply.headers.get("x-accepted-oauth-scopes", ""))
    if classic and not classic & _names(reply.headers.get("x-oauth-scopes", "")):
        return f"the scope {' or '.join(sorted(classic))}"
    return None


def _names(header: str) -> set[str]:
    return {name.strip() for name in header.split(",") if name.strip()}


def _said(reply: Reply) -> str:
    """GitHub's own words, with the fields that it complains about."""
    try:
        body = reply.json()
    except NotGitHub:
        return f"status {reply.status}"
    if not isinstance(body, Mapping):
        return f"status {reply.status}"
    said = cast("Mapping[str, Any]", body)
    faults = [_fault(fault).rstrip(".") for fault in said.get("errors") or ()]
    words = "; ".join([str(said.get("message", "")).rstrip("."), *faults])
    return words[:_MOST_SAID] or f"status {reply.status}"


def _fault(fault: Any) -> str:
    if not isinstance(fault, Mapping):
        return str(fault)
    about = cast("Mapping[str, Any]", fault)
    return str(about.get("message") or f"{about.get('field')}: {about.get('code')}")
