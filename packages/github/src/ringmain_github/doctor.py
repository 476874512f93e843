"""What `doctor` looks at: address, credentials, what they lack for which tool, and the limits."""

from collections.abc import AsyncIterator, Sequence

from ringmain_core.connector import Check
from ringmain_core.errors import NotFound, ToolFailure
from ringmain_github.api import GitHub
from ringmain_github.permissions import Permissions, lacking_of_app, lacking_of_scopes, scopes_of
from ringmain_github.tools.identity import limits

_WIDER = "Give the token these permissions, or keep those tools from agents by policy."
_REMEDY = "Check RINGMAIN_GITHUB_URL, the token or the app's id and key, and proxies on the way."


async def ready(github: GitHub) -> None:
    """Raise unless GitHub answers; asking costs no quota."""
    try:
        await github.get("/rate_limit")
    except NotFound:  # an Enterprise Server with its limits switched off: it has answered
        return


async def diagnose(github: GitHub) -> AsyncIterator[Check]:
    """Check the address, the credentials, and what they allow."""
    what, kind = f"GitHub at {github.settings.url}", github.credentials.kind
    if kind == "own account":
        yield Check(what, "ok", "callers connect accounts of their own; `accounts list` shows them")
        return
    try:
        owners = await github.credentials.owners()
        held = [await github.credentials.permissions(None, owner) for owner in owners]
        checks = await (_of_token(github, what) if None in held else _of_app(github, what, owners, held))
    except ToolFailure as error:
        checks = [Check(what, "failed", error.message, _REMEDY)]
    for check in checks:
        yield check


async def _of_token(github: GitHub, what: str) -> list[Check]:
    user = await github.get("/user")
    who = Check(what, "ok", f"it accepts the {github.credentials.kind} of {user.json()['login']}")
    scopes = scopes_of(user.headers, await github.credentials.token(None, None))
    limited = Check("limits", "ok", "; ".join(await limits(github)))
    if scopes is not None:
        return [who, limited, _permissions(lacking_of_scopes(scopes))]
    detail = "a fine-grained token says them by repository: `whoami` with a `repo` finds out"
    return [who, limited, Check("permissions", "ok", detail)]


async def _of_app(
    github: GitHub, what: str, owners: Sequence[str | None], held: Sequence[Permissions | None]
) -> list[Check]:
    if not owners:
        return [Check(what, "failed", "the app is installed nowhere", "Install it on the repositories.")]
    checks = [Check(what, "ok", f"it accepts the {github.credentials.kind}")]
    for owner, permissions in zip(owners, held, strict=True):
        where = f" at {owner}" if len(owners) > 1 else ""
        checks.append(Check(f"limits{where}", "ok", "; ".join(await limits(github, owner))))
        checks.append(_permissions(lacking_of_app(permissions or {}), where))
    return checks


def _permissions(lacking: Sequence[str], where: str = "") -> Check:
    if lacking:
        return Check(f"permissions{where}", "warning", "missing for " + "; ".join(lacking), _WIDER)
    return Check(f"permissions{where}", "ok", "enough for every tool")
