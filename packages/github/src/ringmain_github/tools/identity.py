"""Who we are on GitHub, what the token lacks, and how much we may ask."""

import time
from collections.abc import Mapping
from typing import Any, cast

from ringmain_core.answers import Item
from ringmain_core.call import Call
from ringmain_core.errors import ToolFailure
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.permissions import lacking_by_trying, lacking_of_app, lacking_of_scopes, scopes_of
from ringmain_github.references import RepoName


@tool(access="read", title="Who am I on GitHub")
async def whoami(github: GitHub, call: Call, repo: RepoName | None = None) -> Item:
    """Show your login, which tools the token cannot do (in `repo`), your fence, and the API limits left."""
    facts: dict[str, Any] = {"host": github.settings.url, "credentials": github.credentials.kind}
    repository = None if repo is None else await github.repo(call, repo)
    owner = None if repository is None else repository.owner
    held = await github.credentials.permissions(call, owner)
    if held is not None:
        facts["permissions"] = [f"{name}: {level}" for name, level in sorted(held.items())]
        facts["lacking"] = lacking_of_app(held)
    else:
        user = await github.get("/user")
        facts["login"] = user.json()["login"]
        scopes = scopes_of(user.headers, await github.credentials.token(call, owner))
        if scopes is not None:
            facts["scopes"] = scopes or "none"
            facts["lacking"] = lacking_of_scopes(scopes)
        elif repository is not None:
            facts["lacking"] = await lacking_by_trying(github, repository)
        else:
            facts["lacking"] = ["unknown for a fine-grained token: give a `repo` to find out"]
    facts["repositories"] = call.fence("repo").describe()
    facts["limits"] = await limits(github, owner)
    return Item(source="github", facts=facts)


async def limits(github: GitHub, owner: str | None = None) -> list[str]:
    """What is left of each limit; asking does not count."""
    try:
        answer = (await github.get("/rate_limit", owner=owner)).json()["resources"]
    except ToolFailure as error:  # an Enterprise Server can have its limits switched off
        return [error.message]
    known = cast("Mapping[str, Mapping[str, int]]", answer)
    return [
        f"{name}: {known[name]['remaining']:,} of {known[name]['limit']:,} left, "
        f"new in {max(0, known[name]['reset'] - int(time.time()))} s"
        for name in ("core", "search", "code_search", "graphql")
        if name in known
    ]


TOOLS = (whoami,)
