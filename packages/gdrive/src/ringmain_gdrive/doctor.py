"""What `doctor` looks at: address, credentials, and what they allow."""

from collections.abc import AsyncIterator

from ringmain_core.connector import Check
from ringmain_core.errors import ToolFailure
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.permissions import SCOPES, lacking


async def ready(gdrive: GDrive) -> None:
    """Raise unless Google answers: with a token where the process has one of its own."""
    if gdrive.credentials.kind == "service account":
        await gdrive.get("about.get", fields="user(emailAddress)")
    else:
        await gdrive.reachable()


async def diagnose(gdrive: GDrive) -> AsyncIterator[Check]:
    """Check the address, the credentials, and what they allow."""
    settings = gdrive.settings
    what = f"Drive at {settings.url}"
    scopes = SCOPES[settings.access]
    try:
        if gdrive.credentials.kind == "service account" and settings.subject_claim is None:
            about = await gdrive.get("about.get", fields="user(emailAddress)")
            who = about["user"]["emailAddress"]
            yield Check(what, "ok", f"the service account acts as {who}")
        else:
            await gdrive.reachable()
            whose = "callers connect accounts of their own; `accounts list` shows them"
            if settings.subject_claim is not None:
                domains = ", ".join(sorted(settings.subject_domains))
                whose = f"the service account acts for callers from {domains}"
            yield Check(what, "ok", whose)
    except ToolFailure as error:
        remedy = "Check the key or client, RINGMAIN_GDRIVE_URL, and proxies on the way."
        yield Check(what, "failed", error.message, remedy)
        return
    missing = lacking(scopes)
    detail = f"{settings.access}: {', '.join(scopes)}"
    if missing:
        remedy = "RINGMAIN_GDRIVE_ACCESS says so: allow more, or keep these tools from agents by policy."
        yield Check("scopes", "warning", f"{detail}; not enough for {'; '.join(missing)}", remedy)
    else:
        yield Check("scopes", "ok", f"{detail}; enough for every tool")
    if settings.public_links:
        yield Check("sharing", "warning", "files may be shared with everybody who has the link", "")
