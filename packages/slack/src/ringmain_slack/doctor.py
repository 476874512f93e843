"""What `doctor` looks at: address, tokens, and what they lack for which tool."""

from collections.abc import AsyncIterator

from ringmain_core.connector import Check
from ringmain_core.errors import ToolFailure
from ringmain_slack.api import Slack
from ringmain_slack.permissions import lacking

_WIDER = (
    "Add these scopes to the app and install it again, or leave them out where those kinds of "
    "conversation are not to be used."
)


async def ready(slack: Slack) -> None:
    """Raise unless Slack answers."""
    if slack.credentials.can_follow:
        for name in slack.credentials.names(None) or [None]:
            await slack.workspace(None, name)
    else:
        await slack.requests.reachable()


async def diagnose(slack: Slack) -> AsyncIterator[Check]:
    """Check the address, and each token with what it allows."""
    what = f"Slack at {slack.settings.url}"
    if not slack.credentials.can_follow:
        yield Check(what, "ok", "callers connect accounts of their own; `accounts list` shows them")
        return
    for name in slack.credentials.names(None) or [None]:
        try:
            at = await slack.workspace(None, name)
        except ToolFailure as error:
            remedy = "Check the token, RINGMAIN_SLACK_URL, and proxies on the way."
            yield Check(what, "failed", error.message, remedy)
            continue
        about = at.about
        kind = "bot token" if about.is_bot else "user token"
        yield Check(what, "ok", f"{about.domain}: it accepts the {kind} of @{about.handle}")
        missing = lacking(about)
        if missing:
            yield Check("scopes", "warning", f"{about.domain}: missing for {'; '.join(missing)}", _WIDER)
        else:
            yield Check("scopes", "ok", f"{about.domain}: enough for every tool")
    kinds = ", ".join(sorted(slack.settings.conversations)) or "none"
    yield Check("conversations", "ok", f"{kinds}, where policy fences no channels")
