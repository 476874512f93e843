"""Short ways to ask a server under test, and to read what the model would read."""

import json
import re
from typing import Any

from mcp.client import Client
from mcp_types import CallToolResult, TextContent, TextResourceContents


async def ask(client: Client, tool: str, /, **arguments: Any) -> str:
    """The text of an answer that must not be an error."""
    result = await client.call_tool(tool, arguments)
    text = text_of(result)
    assert not result.is_error, text
    return text


async def fault(client: Client, tool: str, /, **arguments: Any) -> tuple[str, str]:
    """The code and the text of an answer that must be an error."""
    result = await client.call_tool(tool, arguments)
    text = text_of(result)
    assert result.is_error, text
    assert result.meta is not None
    return result.meta["dev.ringmain/error"]["code"], text


async def read(client: Client, uri: str) -> str:
    """The text of a resource."""
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return content.text


def text_of(result: CallToolResult) -> str:
    """The one text block of an answer."""
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


def fenced(text: str) -> str:
    """What stands inside of the fence around untrusted text."""
    match = re.search(r"<untrusted-([0-9a-f]{8}) from='[^']*'>\n(.*)\n</untrusted-\1>", text, re.DOTALL)
    assert match is not None, text
    return match[2]


def rows_of(text: str) -> list[list[Any]]:
    """The rows of a page in JSON."""
    return json.loads(fenced(text))["rows"]
