"""Every route there is, as the app itself says."""

from typing import Any

import anyio
from starlette.routing import Mount, Route

from ringmain_core.identity.accounts.pages import Pages
from unit.core.accounts.desk import at_desk
from unit.core.http_bench import http_bench


async def _routes() -> tuple[frozenset[str], frozenset[str]]:
    async with at_desk() as desk, http_bench(legacy_sse=True) as at:
        front = at.app.front
        speaking = frozenset(front._routes)  # pyright: ignore[reportPrivateUsage]
        app: Any = front._pages  # pyright: ignore[reportPrivateUsage]
        pages: list[Any] = app.routes
        public = {route.path for route in pages if isinstance(route, Route | Mount)}
        unknown = [route for route in pages if not isinstance(route, Route | Mount)]
        assert not unknown
        return speaking, frozenset(public | {route.path for route in Pages(desk.accounts).routes()})


def routes() -> tuple[frozenset[str], frozenset[str]]:
    """The paths that speak MCP, and those for everybody; one of them takes any path."""
    return anyio.run(_routes)


def paths() -> list[str]:
    """One path for every route, and one that is none."""
    speaking, public = routes()
    filled = {path.replace("{path:path}", "/v1/mcp") for path in public}
    return sorted(speaking | filled | {"/nowhere"})
