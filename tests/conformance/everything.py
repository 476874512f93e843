"""A connector with every tool, resource and prompt that the protocol's conformance suite asks for."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

from mcp.server.subscriptions import PromptsListChanged, ToolsListChanged
from pydantic import Field

from conformance import questions
from conformance.upstream import Everything
from ringmain_core.call import Call
from ringmain_core.connector import Check, Connector
from ringmain_core.errors import ToolFailure
from ringmain_core.services import Services
from ringmain_core.settings import ConnectorSettings
from ringmain_core.tooling import prompt, resource, tool

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
IMAGE = {"type": "image", "data": PNG, "mimeType": "image/png"}

_SCHEMA_2020_12: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def _embedded(uri: str, mime_type: str, text: str) -> dict[str, Any]:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": mime_type, "text": text}}


def _messages(*contents: Mapping[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content} for content in contents]}


@tool(access="read", title="Text")
async def test_simple_text() -> str:
    """Return a sentence."""
    return "This is a simple text response for testing."


@tool(access="read", title="Image")
async def test_image_content() -> dict[str, Any]:
    """Return an image of one pixel."""
    return {"content": [IMAGE]}


@tool(access="read", title="Audio")
async def test_audio_content() -> dict[str, Any]:
    """Return a sound of no length."""
    return {"content": [{"type": "audio", "data": WAV, "mimeType": "audio/wav"}]}


@tool(access="read", title="Embedded resource")
async def test_embedded_resource() -> dict[str, Any]:
    """Return a resource inside the answer."""
    return {
        "content": [
            _embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")
        ]
    }


@tool(access="read", title="Mixed content")
async def test_multiple_content_types() -> dict[str, Any]:
    """Return text, an image and a resource in one answer."""
    data = json.dumps({"test": "data", "value": 123})
    return {
        "content": [
            {"type": "text", "text": "Multiple content types test:"},
            IMAGE,
            _embedded("test://mixed-content-resource", "application/json", data),
        ]
    }


@tool(access="read", title="Failure")
async def test_error_handling() -> str:
    """Fail, always."""
    raise ToolFailure("This tool intentionally returns an error for testing")


@tool(access="read", title="Progress")
async def test_tool_with_progress(call: Call) -> str:
    """Report progress three times."""
    for done in (0, 50, 100):
        await call.progress(done, 100)
    return "All of it is done."


async def _log(call: Call, text: str) -> None:
    # An id of any kind makes the SDK send it with the answer of this very call.
    await call.client.send_log_message("info", text, related_request_id=call.id)  # pyright: ignore[reportDeprecated]


@tool(access="read", title="Logging")
async def test_tool_with_logging(call: Call) -> str:
    """Send three log messages to the client."""
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await _log(call, text)
    return "Three messages were logged."


@tool(access="read", title="Logging on request")
async def test_logging_tool(call: Call) -> str:
    """Log, where the client wants to hear it."""
    await _log(call, "Not heard unless asked for")
    return "One message was logged."


@tool(access="read", title="Reconnection")
async def test_reconnection() -> str:
    """Answer after the stream was closed, so that the client has to come back for it."""
    return "You came back."


@tool(access="read", title="JSON schema", input_schema=_SCHEMA_2020_12)
async def json_schema_2020_12_tool(
    name: str = "",
    address: dict[str, str] | None = None,
    contactMethod: str = "",  # noqa: N803 (the suite names it)
    phone: str = "",
    email: str = "",
) -> str:
    """Tool with JSON Schema 2020-12 features."""
    return json.dumps([name, address, contactMethod, phone, email])


@tool(access="read", title="Routed by header")
async def test_header_parameter(
    region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
) -> str:
    """Take an argument that a proxy may read in a header."""
    return region


@tool(access="write", title="Change the tools")
async def test_trigger_tool_change(upstream: Everything) -> str:
    """Tell listeners that the list of tools has changed."""
    await upstream.bus.publish(ToolsListChanged())
    return "Told."


@tool(access="write", title="Change the prompts")
async def test_trigger_prompt_change(upstream: Everything) -> str:
    """Tell listeners that the list of prompts has changed."""
    await upstream.bus.publish(PromptsListChanged())
    return "Told."


@tool(access="destructive", title="Forbidden")
async def forbidden() -> str:
    """Never run: the policy of the tests denies it."""
    return "This should not have been possible."


@resource("test://static-text", title="Text")
async def static_text() -> str:
    """A sentence."""
    return "This is the content of the static text resource."


@resource("test://static-binary", title="Binary", mime_type="image/png")
async def static_binary() -> dict[str, Any]:
    """An image of one pixel."""
    return {"contents": [{"uri": "test://static-binary", "mimeType": "image/png", "blob": PNG}]}


@resource("test://watched-resource", title="Watched")
async def watched_resource() -> str:
    """Something to subscribe to."""
    return "Watched."


@resource("test://template/{id}/data", title="Template", mime_type="application/json")
async def template_data(id: str) -> str:  # noqa: A002 (the suite names it)
    """Data by id."""
    return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


@prompt(title="Simple")
async def test_simple_prompt() -> str:
    """A prompt without arguments."""
    return "This is a simple prompt for testing."


async def _words(_: Everything, __: Call, typed: str, ___: Mapping[str, str]) -> list[str]:
    return [word for word in ("test-one", "test-two", "other") if word.startswith(typed)]


@prompt(title="With arguments", complete={"arg1": _words})
async def test_prompt_with_arguments(
    arg1: Annotated[str, Field(description="First test argument")],
    arg2: Annotated[str, Field(description="Second test argument")],
) -> str:
    """A prompt with two arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


@prompt(title="With a resource")
async def test_prompt_with_embedded_resource(
    resourceUri: Annotated[str, Field(description="URI of the resource to embed")],  # noqa: N803 (the suite names it)
) -> dict[str, Any]:
    """A prompt with a resource inside."""
    return _messages(
        _embedded(resourceUri, "text/plain", "Embedded resource content for testing."),
        {"type": "text", "text": "Please process the embedded resource above."},
    )


@prompt(title="With an image")
async def test_prompt_with_image() -> dict[str, Any]:
    """A prompt with an image inside."""
    return _messages(IMAGE, {"type": "text", "text": "Please analyze the image above."})


class _Fixture(Connector[ConnectorSettings, Everything]):
    @property
    def version(self) -> str:  # it is no distribution that could be asked
        return "1.0"


@asynccontextmanager
async def _connect(_: ConnectorSettings, __: Services) -> AsyncGenerator[Everything]:
    yield Everything()


async def _ready(_: Everything) -> None:
    return


async def _diagnose(_: Everything) -> AsyncGenerator[Check]:
    yield Check("fixture", "ok", "it is always well")


connector = _Fixture(
    name="everything",
    title="Everything",
    instructions="For the conformance suite only.",
    settings=ConnectorSettings,
    connect=_connect,
    ready=_ready,
    diagnose=_diagnose,
    tools=(
        test_simple_text,
        test_image_content,
        test_audio_content,
        test_embedded_resource,
        test_multiple_content_types,
        test_error_handling,
        test_tool_with_progress,
        test_tool_with_logging,
        test_logging_tool,
        test_reconnection,
        json_schema_2020_12_tool,
        test_header_parameter,
        test_trigger_tool_change,
        test_trigger_prompt_change,
        forbidden,
        *questions.TOOLS,
    ),
    resources=(static_text, static_binary, watched_resource, template_data),
    prompts=(
        test_simple_prompt,
        test_prompt_with_arguments,
        test_prompt_with_embedded_resource,
        test_prompt_with_image,
        *questions.PROMPTS,
    ),
)
