"""What `doctor` looks at: address, credentials, what they lack for which tool, and the limits."""

from collections.abc import AsyncIterator

from ringmain_core.connector import Check
from ringmain_core.errors import NotFound, ToolFailure
from ringmain_github.api import GitHub
from ringmain_github.permissions import lacking_of_app, lacking_of_scopes
from ringmain_github.tools.identity import limits

_WIDER = "Give the token these permissions, or keep those tools from agents by policy."


async def ready(github: GitHub) -> None:
    """Raise unless GitHub answers; asking costs no quota."""
    try:
        await github.get("/rate_limit")
    except NotFound:  # an Enterprise Server with its limits switched off: it has answered
        return


async def diagnose(github: GitHub) -> AsyncIterator[Check]:
    """Check the address, the credentials, and what they allow."""
    what = f"GitHub at {github.settings.url}"
    if github.credentials.kind == "own account":
        yield Check(what, "ok", "callers connect accounts of their own; `accounts list` shows them")
        return
    try:
        held = await github.credentials.permissions(None, None)
        user = None if held is not None else await github.get("/user")
    except ToolFailure as error:
        remedy = "Check RINGMAIN_GITHUB_URL, the token or the app's id and key, and proxies on the way."
        yield Check(what, "failed", error.message, remedy)
        return
    who = github.credentials.kind if user is None else f"{github.credentials.kind} of {user.json()['login']}"
    yield Check(what, "ok", f"it accepts the {who}")
    yield Check("limits", "ok", "; ".join(await limits(github)))
    if held is not None:
        lacking = lacking_of_app(held)
    elif user is not None and "x-oauth-scopes" in user.headers:
        lacking = lacking_of_scopes(user.headers["x-oauth-scopes"])
    else:
        detail = "a fine-grained token says them by repository: `whoami` with a `repo` finds out"
        yield Check("permissions", "ok", detail)
        return
    if lacking:
        yield Check("permissions", "warning", "missing for " + "; ".join(lacking), _WIDER)
    else:
        yield Check("permissions", "ok", "enough for every tool")
