"""What `doctor` looks at: address, token, what it lacks for which tool, and the limits."""

from collections.abc import AsyncIterator

from ringmain_core.connector import Check
from ringmain_core.errors import ToolFailure
from ringmain_github.api import GitHub


async def ready(github: GitHub) -> None:
    """Raise unless GitHub answers; what it answers costs no quota."""
    await github.get("/rate_limit")


async def diagnose(github: GitHub) -> AsyncIterator[Check]:
    """Check the address, the credentials, and what they allow."""
    what = f"GitHub at {github.settings.url}"
    try:
        await github.get("/rate_limit")
    except ToolFailure as error:
        yield Check(
            what, "failed", error.message, "Check RINGMAIN_GITHUB_URL, the token or key, and proxies."
        )
        return
    yield Check(what, "ok", f"it answers; credentials: {github.credentials.kind}")
