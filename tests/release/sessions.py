"""A session over stdio with an installed connector: what a desktop client does first, and one call."""

import re
from collections.abc import Mapping
from typing import Any, TextIO, cast

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from release.environments import Environment, bare_environment
from standins.asking import text_of

_ANSWERS_WITHIN = 60.0


async def session_faults(environment: Environment) -> list[str]:
    """What went wrong in a session: initialize, `tools/list`, and the call of `[tool.ringmain.first_call]`.

    The call reaches no vendor: it is answered here, or goes to an address where nobody listens, which still
    takes the vendor's library, its certificates and everything else that was installed.
    """
    plan: Mapping[str, Any] = environment.package.release["first_call"]
    settings = {"RINGMAIN_STATE_DIR": str(environment.home / "state"), **plan.get("settings", {})}
    server = StdioServerParameters(
        command=str(environment.command), env=bare_environment(environment.home, settings)
    )
    with (environment.home / "stderr").open("w+", encoding="utf-8") as stderr:
        try:
            return await _faults(server, stderr, environment, plan)
        except Exception as error:  # noqa: BLE001 (the edge: whatever happens in a session is a finding)
            stderr.seek(0)
            return [f"the session broke: {_reason(error)}; it said: {stderr.read()[-2_000:]}"]


async def _faults(
    server: StdioServerParameters, stderr: TextIO, environment: Environment, plan: Mapping[str, Any]
) -> list[str]:
    faults: list[str] = []
    async with Client(stdio_client(server, stderr), read_timeout_seconds=_ANSWERS_WITHIN) as client:
        version = client.server_info.version if client.server_info else "none"
        if version != environment.package.version:
            faults.append(f"it says that its version is {version}")
        names = {tool.name for tool in (await client.list_tools()).tools}
        if plan["tool"] not in names:
            faults.append(f"tools/list has no {plan['tool']}: {sorted(names)}")
        answer = text_of(await client.call_tool(plan["tool"], plan.get("arguments", {})))
        if not re.search(plan["answer"], answer):
            faults.append(f"{plan['tool']} was to answer {plan['answer']!r}, and said {answer!r}")
    stderr.seek(0)
    if "Traceback" in (log := stderr.read()):
        faults.append(f"it left a traceback: {log[-2_000:]}")
    return faults


def _reason(error: BaseException) -> str:
    """The first cause in groups of exceptions."""
    if isinstance(error, BaseExceptionGroup):
        return _reason(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return f"{type(error).__name__}: {error}"
