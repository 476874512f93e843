"""Who we are on GitHub, and how much we may ask."""

import time
from collections.abc import Mapping
from typing import Any, cast

from ringmain_core.call import Call
from ringmain_core.errors import ToolFailure
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.models import Item
from ringmain_github.permissions import missing_for_tools


@tool(access="read", title="Who am I on GitHub")
async def whoami(github: GitHub, call: Call) -> Item:
    """Show your GitHub login, what the token lacks, which repositories you may use, and the limits left."""
    facts: dict[str, Any] = {"host": github.settings.url, "credentials": github.credentials.kind}
    try:
        user = await github.get("/user")
    except ToolFailure as refused:
        facts["login"] = f"unknown: {refused.message}"  # an app's installation is no user
    else:
        facts["login"] = user.json()["login"]
        if "x-oauth-scopes" in user.headers:
            facts["scopes"] = user.headers["x-oauth-scopes"] or "none"
            facts["lacking"] = missing_for_tools(user.headers["x-oauth-scopes"])
    facts["repositories"] = call.fence("repo").describe()
    limits = (await github.get("/rate_limit")).json()["resources"]
    facts["limits"] = [
        _limit(name, cast("Mapping[str, int]", limits[name]))
        for name in ("core", "search", "code_search", "graphql")
        if name in limits
    ]
    return Item(source="github", facts=facts)


def _limit(name: str, values: Mapping[str, int]) -> str:
    seconds = max(0, values["reset"] - int(time.time()))
    return f"{name}: {values['remaining']:,} of {values['limit']:,} left, new in {seconds} s"


TOOLS = (whoami,)
