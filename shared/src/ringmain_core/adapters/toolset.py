"""A toolset: the tools of one or more servers as a model's functions, and the calls that come back."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import anyio
import mcp_types as types
from mcp.client import Client
from mcp.client.session import ClientSession
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from ringmain_core.adapters.dialect import Asked, Dialect, Told, Wire, as_json
from ringmain_core.adapters.exporting import description_of, dialect_of
from ringmain_core.adapters.names import function_names
from ringmain_core.adapters.narrow import Misfit, Restore
from ringmain_core.adapters.rendering import rendered
from ringmain_core.connector import Connector
from ringmain_core.transport.strict_json import NotStrictJson, loads_strict

Session = Client | ClientSession
Server = Session | Connector[Any, Any]
"""A connected session, or a connector that is to run in this process."""


@dataclass(frozen=True, slots=True)
class _Bound:
    """A function and the tool behind it."""

    session: Session
    tool: str
    restore: Restore | None


@dataclass(frozen=True)
class Toolset:
    """The tools of servers, as functions of one provider's models.

    Attributes:
        tools: The value of `tools` in a request to the provider.
    """

    tools: list[Any]
    _dialect: Dialect = field(repr=False)
    _bound: Mapping[str, _Bound] = field(repr=False)

    async def run(self, answer: object) -> list[Wire]:
        """Make the calls that a model asks for, all at once.

        What goes wrong with a call is in its result, for the model to read: arguments that are no JSON, a
        function that does not exist, a refusal by the server, a failure of the tool.

        Args:
            answer: The provider's response, or the message in it, as JSON or as an object of its library.

        Returns:
            The messages that follow the model's own in the conversation; none where it asked for nothing.

        Raises:
            ExceptionGroup: Of the `MCPError`, where the connection to a server is closed.
        """
        asked = self._dialect.asked(as_json(answer))
        results: dict[int, Told] = {}

        async def make(position: int, call: Asked) -> None:
            results[position] = await self._made(call)

        async with anyio.create_task_group() as calls:
            for position, call in enumerate(asked):
                calls.start_soon(make, position, call)
        return self._dialect.told([results[position] for position in range(len(asked))])

    async def _made(self, asked: Asked) -> Told:
        bound = self._bound.get(asked.name)
        if bound is None:
            return Told(
                asked,
                f"There is no function {asked.name!r}; there are {', '.join(self._bound)}.",
                failed=True,
            )
        try:
            arguments = _arguments(asked, bound.restore)
            result = await bound.session.call_tool(bound.tool, arguments)
        except Misfit as error:
            return Told(asked, f"The arguments do not fit: {error}.", failed=True)
        except NotStrictJson as error:
            return Told(asked, f"The arguments have to be one JSON object: {error}.", failed=True)
        except MCPError as error:
            if error.code == types.CONNECTION_CLOSED:
                raise  # nothing that a model could do anything about
            return Told(asked, error.message, failed=True)
        except (RuntimeError, ValidationError) as error:  # so the client speaks of answers that make no sense
            return Told(asked, f"The server's answer cannot be used: {error}", failed=True)
        return rendered(asked, result)


@asynccontextmanager
async def toolset(dialect: str, /, **servers: Server) -> AsyncGenerator[Toolset]:
    """Offer the tools of servers to a model, for as long as the block runs.

    ```python
    async with Client(url) as postgres, toolset("openai-strict", postgres=postgres) as toolset:
        completion = await openai.chat.completions.create(messages=messages, tools=toolset.tools, …)
        messages += [completion.choices[0].message, *await toolset.run(completion)]
    ```

    Args:
        dialect: How the provider spells it: `openai` and `openai-strict` (Chat Completions),
            `openai-responses` and `openai-responses-strict`, `anthropic`, `gemini`.
        servers: Connected sessions of the MCP library, and connectors, which then run in this process with
            their settings from the environment. The names tell tools of the same name apart.

    Raises:
        ValueError: For a dialect that does not exist.
        ConfigurationError: For settings of a connector that cannot be used.
    """
    to = dialect_of(dialect)
    async with AsyncExitStack() as stack:
        sessions: dict[str, Session] = {}
        for name, server in servers.items():
            if isinstance(server, Connector):
                from ringmain_core.adapters.in_process import in_process

                sessions[name] = await stack.enter_async_context(in_process(server))
            else:
                sessions[name] = server
        found = [(name, tool) for name, session in sessions.items() for tool in await _tools_of(session)]
        bound: dict[str, _Bound] = {}
        functions: list[tuple[str, str, dict[str, Any]]] = []
        names = function_names([(server, tool.name) for server, tool in found])
        for name, (server, tool) in zip(names, found, strict=True):
            fit = to.narrow(tool.input_schema)
            bound[name] = _Bound(sessions[server], tool.name, fit.restore)
            functions.append((name, description_of(tool.model_dump()), fit.schema))
        yield Toolset(to.tools(functions), to, bound)


async def _tools_of(session: Session) -> Sequence[types.Tool]:
    tools: list[types.Tool] = []
    cursor: str | None = None
    while True:
        if isinstance(session, Client):
            page = await session.list_tools(cursor=cursor)
        else:
            page = await session.list_tools(params=types.PaginatedRequestParams(cursor=cursor))
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None:
            return tools


def _arguments(asked: Asked, restore: Restore | None) -> dict[str, Any]:
    """The arguments as the tool wants them."""
    value: Any = asked.arguments
    if isinstance(value, str):
        value = loads_strict(value.encode(errors="surrogatepass")) if value.strip() else {}
    if restore is not None:
        value = restore(value)
    if not isinstance(value, dict):
        raise NotStrictJson("it is none")
    return cast("dict[str, Any]", value)
