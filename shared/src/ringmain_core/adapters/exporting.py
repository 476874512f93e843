"""The providers that are known, and a server's tools as functions of one of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringmain_core.adapters.anthropic import Messages
from ringmain_core.adapters.dialect import Dialect, Wire
from ringmain_core.adapters.gemini import Gemini
from ringmain_core.adapters.names import function_names
from ringmain_core.adapters.openai import Chat, Responses

DIALECTS: Mapping[str, Dialect] = {
    "openai": Chat(strict=False),
    "openai-strict": Chat(strict=True),
    "openai-responses": Responses(strict=False),
    "openai-responses-strict": Responses(strict=True),
    "anthropic": Messages(),
    "gemini": Gemini(),
}
"""By the name that `toolset` and `tools --format` take."""


def dialect_of(name: str) -> Dialect:
    """A dialect by its name.

    Raises:
        ValueError: Where there is none of that name.
    """
    try:
        return DIALECTS[name]
    except KeyError:
        raise ValueError(f"there is no dialect {name!r} (there are {', '.join(DIALECTS)})") from None


def exported(server: str, listed: Sequence[Mapping[str, Any]], dialect: str) -> list[Wire]:
    """The value of `tools` in a request to a provider.

    Args:
        server: What the tools are of.
        listed: Tools as in the answer to `tools/list`.
        dialect: A name in `DIALECTS`.
    """
    to = dialect_of(dialect)
    names = function_names([(server, tool["name"]) for tool in listed])
    return to.tools(
        [
            (name, description_of(tool), to.narrow(tool["inputSchema"]).schema)
            for name, tool in zip(names, listed, strict=True)
        ]
    )


def description_of(tool: Mapping[str, Any]) -> str:
    """What a model reads about a tool: its description, or at least its title."""
    return str(tool.get("description") or tool.get("title") or "")
