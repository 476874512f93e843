"""What Drive's refusals mean, in words that say what to do next."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

from ringmain_core.errors import NotFound, ToolFailure, UpstreamRefused
from ringmain_core.text import clean
from ringmain_core.upstream.trouble import Trouble
from ringmain_gdrive.client import NotDrive, Reply, RobotRefused, StrayLink, trouble_of

_UNSAID_PAUSE = 5.0
_MOST_SAID = 400
_NOTHING_THERE = 416  # what a range of an empty file is answered with
_LIMITS = frozenset(
    {"rateLimitExceeded", "userRateLimitExceeded", "sharingRateLimitExceeded", "dailyLimitExceeded"}
)
_BROKEN = frozenset({"backendError", "internalError"})
_ADVICE: Mapping[str, str] = {
    "appNotAuthorizedToFile": (
        "This server may change only what was made by it, or opened with it: read the file and save it anew "
        "with `create_file`, or let the operator set RINGMAIN_GDRIVE_ACCESS=full."
    ),
    "cannotDownloadAbusiveFile": "Google takes it for malware or spam: it is not read here.",
    "cannotDownloadFile": "Its owner does not let readers download or copy it.",
    "cannotShareTeamDriveTopFolderWithAnyoneOrDomains": "A whole shared drive cannot be shared that way.",
    "download_restricted_for_revision": "Of such files only the newest revision is had, and pinned ones.",
    "exportSizeLimitExceeded": "It is too large to be exported in one piece.",
    "fileNotDownloadable": "Google's own formats have no bytes: they are exported.",
    "fileIdInUse": "There is a file of that id.",
    "insufficientFilePermissions": "Ask its owner for more rights, or work on a copy.",
    "invalidSharingRequest": "Check the address: there is no account of that name; notify=true invites it.",
    "numChildrenInNonRootLimitExceeded": "The folder is full: use another one.",
    "publishOutNotPermitted": "The organisation does not allow sharing outside.",
    "storageQuotaExceeded": "The owner's storage is full.",
    "teamDriveFileLimitExceeded": "The shared drive is full.",
    "teamDriveHierarchyTooDeep": "Folders are nested too deep there.",
    "shareOutNotPermitted": "The organisation does not allow sharing outside.",
}


class Limited(Exception):
    """Drive takes no more requests for now."""

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class Broke(Exception):
    """Drive failed: 5xx."""


def require_success(reply: Reply) -> None:
    """Let an answer pass that is one.

    Raises:
        Limited, Broke: Where it is worth trying again; `trouble` knows them.
        NotFound, UpstreamRefused: Where it is not. `detail["reason"]` is Google's.
    """
    if reply.status < 400:
        return
    error = _error_of(reply.data)
    reason = _reason_of(error)
    if reply.status == 429 or reason in _LIMITS:
        after = reply.headers.get("retry-after", "")
        raise Limited(reason or "rateLimitExceeded", float(after) if after.isdigit() else _UNSAID_PAUSE)
    if reply.status >= 500 or reason in _BROKEN:
        raise Broke(reply.status)
    if not error:
        raise NotDrive(reply.status)
    raise _refusal(reply.status, reason, clean(str(error.get("message", "")))[:_MOST_SAID])


def require_answer(reply: Reply) -> None:
    """Let an answer pass that is Drive's: proxies answer with pages of HTML in its place.

    Raises:
        NotDrive: Where something else came.
        Exception: What `require_success` raises.
    """
    require_success(reply)
    if _type_of(reply) == "text/html":
        raise NotDrive(reply.status)


def content_of(reply: Reply, kind: str) -> bytes:
    """What was downloaded, if it is what it should be.

    Raises:
        NotDrive: Where something else came.
        Exception: What `require_success` raises.
    """
    if reply.status == _NOTHING_THERE:
        return b""
    require_success(reply)
    came = _type_of(reply)
    if reply.status >= 300 or (came == "text/html" and kind != came):
        raise NotDrive(reply.status)
    return reply.content


def _type_of(reply: Reply) -> str:
    return reply.headers.get("content-type", "").partition(";")[0].strip().lower()


def _error_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What went wrong: an object of Drive's, or a word of OAuth's with a description beside it."""
    error: Any = data.get("error")
    if isinstance(error, str):
        said = data.get("error_description") or error
        return {"message": str(said), "errors": [{"reason": error}]}
    return cast("Mapping[str, Any]", error) if isinstance(error, Mapping) else {}


def _reason_of(error: Mapping[str, Any]) -> str:
    """Google's word for it."""
    errors: Sequence[Mapping[str, Any]] = error.get("errors") or ()
    return str(errors[0].get("reason", "")) if errors else ""


def trouble(error: Exception) -> Trouble | None:
    """The judgement of a failed request for the guard around it."""
    if isinstance(error, Limited):
        seconds = error.retry_after
        when = time.strftime("%H:%M:%S UTC", time.gmtime(time.time() + seconds))
        said = f"Drive's limit is reached ({error.reason}). Come back in {seconds:.0f} s (at {when})."
        return Trouble("throttled", retry_after=seconds, message=said, detail={"reason": error.reason})
    if isinstance(error, Broke):
        return Trouble("transient")
    if isinstance(error, RobotRefused):
        said = (
            f"Google gives the service account no token ({error}). Tell the operator to check its key, and "
            "the scopes and people that it is delegated for in the Admin console."
        )
        return Trouble("auth", message=said)
    if isinstance(error, StrayLink):
        return Trouble("refused", message="A link of Drive's leads away from Google: it is not followed.")
    return trouble_of(error)


def _refusal(status: int, reason: str, said: str) -> ToolFailure:
    if status == 401:
        return UpstreamRefused(
            "Google does not accept the token. Tell the operator to run `ringmain-gdrive doctor`; whoever "
            "has connected an account should connect it again.",
            cause="auth",
            reason=reason,
        )
    if status == 404:
        return NotFound("There is no such file, or it is not shared with you.", reason=reason)
    if (
        reason in {"insufficientPermissions", "insufficientScopes"}
        or "insufficient authentication" in said.lower()
    ):
        return UpstreamRefused(
            "The token was not given enough access for this. The operator can allow more by "
            "RINGMAIN_GDRIVE_ACCESS; then connect the account again.",
            reason="insufficientPermissions",
        )
    advice = _ADVICE.get(reason, "")
    words = f"Drive refuses this: {said.rstrip('.') or reason or status}."
    return UpstreamRefused(f"{words} {advice}".strip(), reason=reason, status=status)
