"""Whose Drive it is, what the token lacks, and what may be used."""

from collections.abc import Mapping
from typing import Any

from ringmain_core.answers import Item
from ringmain_core.call import Call
from ringmain_core.text import clean
from ringmain_core.tooling import tool
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.permissions import lacking


@tool(access="read", title="Who am I on Drive")
async def whoami(gdrive: GDrive, call: Call) -> Item:
    """Show whose Drive you use, what the token lacks, your fence, and the storage left."""
    about = await gdrive.get("about.get", fields="user(displayName,emailAddress),storageQuota")
    ticket = await gdrive.credentials.token(call)
    user: Mapping[str, Any] = about["user"]
    quota: Mapping[str, Any] = about.get("storageQuota") or {}
    facts: dict[str, Any] = {
        "user": f"{clean(str(user.get('displayName', '')))} <{user.get('emailAddress', '')}>",
        "credentials": gdrive.credentials.kind,
        "scopes": sorted(ticket.scopes),
        "lacking": lacking(ticket.scopes) or ["nothing"],
        "folders": call.fence("folder").describe(),
        "storage used": f"{int(quota.get('usage') or 0):,} bytes",
        "storage limit": f"{int(quota['limit']):,} bytes" if quota.get("limit") else "none",
    }
    return Item(source="Drive", facts=facts)


TOOLS = (whoami,)
