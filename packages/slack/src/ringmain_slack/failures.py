"""What Slack's refusals mean, in words that say what to do next."""

import time
from collections.abc import Mapping

from ringmain_core.errors import NotFound, ToolFailure, UpstreamRefused
from ringmain_core.upstream.trouble import Trouble
from ringmain_slack.client import Reply, trouble_of

_UNSAID_PAUSE = 30.0  # where Slack names no time
_AUTH = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "not_authed",
        "token_expired",
        "token_revoked",
        "user_removed_from_team",
    }
)
_BROKEN = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"}
)
_GONE = {
    "canvas_not_found": "canvas",
    "channel_not_found": "conversation",
    "file_deleted": "file",
    "file_not_found": "file",
    "message_not_found": "message",
    "thread_not_found": "thread",
    "user_not_found": "user",
    "user_not_visible": "user",
    "users_not_found": "user",
}
_ADVICE: Mapping[str, str] = {
    "already_archived": "It is archived already.",
    "already_in_channel": "They are in it already.",
    "cant_delete_message": "Only own messages can be deleted.",
    "cant_invite_self": "You are in it already.",
    "cant_update_message": "Only own messages can be changed.",
    "edit_window_closed": "It is too old to be changed here.",
    "invalid_cursor": "Leave the cursor out to start from the first page.",
    "invalid_name_specials": "Channel names have lower-case letters, digits, `-` and `_`.",
    "invalid_time": "`at` has to be in the future, at most 120 days ahead.",
    "is_archived": "The channel is archived: nothing can be written there.",
    "msg_too_long": "Send it in parts, or as a file.",
    "name_taken": "There is a channel of that name.",
    "no_reaction": "There is no such reaction of yours.",
    "not_in_channel": (
        "You are not in that channel: `manage_channel` with action=join where it is public, else somebody in "
        "it has to invite you."
    ),
    "restricted_action": "The workspace's admins do not allow it there.",
    "time_in_past": "`at` has to be in the future.",
    "time_too_far": "`at` can be at most 120 days ahead.",
    "invalid_name": "Give the emoji's name without colons, like `thumbsup`.",
}


class Limited(Exception):
    """No more requests of this kind with this token for now.

    Args:
        method: Of the Web API.
        retry_after: Seconds.
        told: Whether Slack has said so; otherwise its limit is kept here, and nothing was sent.
    """

    def __init__(self, method: str, retry_after: float, *, told: bool) -> None:
        super().__init__(method)
        self.method = method
        self.retry_after = retry_after
        self.told = told


class Broke(Exception):
    """Slack failed: 5xx, or an error of its own making."""


def require_success(method: str, reply: Reply) -> None:
    """Let an answer pass that is one.

    Raises:
        Limited, Broke: Where it is worth trying again; `trouble` knows them.
        NotFound, UpstreamRefused: Where it is not.
    """
    if reply.data["ok"]:
        return
    code = str(reply.data.get("error", "unknown"))
    if reply.status == 429 or code in {"ratelimited", "rate_limited"}:
        after = reply.headers.get("retry-after", "")
        raise Limited(method, float(after) if after.isdigit() else _UNSAID_PAUSE, told=True)
    if reply.status >= 500 or code in _BROKEN:
        raise Broke(code)
    raise _refusal(method, code, reply.data)


def trouble(error: Exception) -> Trouble | None:
    """The judgement of a failed request for the guard around it."""
    if isinstance(error, Limited):
        seconds = max(1.0, error.retry_after)
        when = time.strftime("%H:%M:%S UTC", time.gmtime(time.time() + seconds))
        said = (
            f"Slack's limit for `{error.method}` is reached. Come back in {seconds:.0f} s (at {when}); until "
            "then the same will not be answered."
        )
        return Trouble(
            "throttled", retry_after=error.retry_after, message=said, detail={"method": error.method}
        )
    if isinstance(error, Broke):
        return Trouble("transient")
    return trouble_of(error)


def _refusal(method: str, code: str, data: Mapping[str, object]) -> ToolFailure:
    if code in _AUTH:
        return UpstreamRefused(
            f"Slack does not accept the token ({code}). Tell the operator to run `ringmain-slack doctor`; "
            "whoever has connected an account should connect it again.",
            cause="auth",
            error=code,
        )
    if code in _GONE:
        return NotFound(f"There is no such {_GONE[code]}, or this token may not see it.", error=code)
    if code == "missing_scope":
        needed = str(data.get("needed", "another scope"))
        return UpstreamRefused(
            f"The token lacks the scope {needed}, which `{method}` needs. The operator can add it to the app "
            "and install it again.",
            error=code,
            needed=needed,
        )
    if code in {"not_allowed_token_type", "user_is_bot"}:
        return UpstreamRefused(f"Slack does not let this kind of token do that (`{method}`).", error=code)
    advice = _ADVICE.get(code)
    said = f"Slack refuses this: {code}."
    return UpstreamRefused(f"{said} {advice}" if advice else said, error=code)
