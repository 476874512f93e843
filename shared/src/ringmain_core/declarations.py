"""Declarations: what tools, resources and prompts are, as data."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast, get_type_hints

from ringmain_core.arguments import Arguments
from ringmain_core.call import Call
from ringmain_core.policy import Access
from ringmain_core.results import Answer
from ringmain_core.schema import JsonSchema, slim_schema
from ringmain_core.upstream.cache import Cache
from ringmain_core.versions import VERSIONS, Version

Function = Callable[..., Awaitable[Any]]
Completion = Callable[[Any, Call, str, Mapping[str, str]], Awaitable[list[str]]]
"""Offers values: from the client, the call, what was typed, and the arguments already chosen."""


Question = Callable[..., Awaitable[str]]
"""Says what a call is about to do, for the person who has to confirm it; takes what the function takes."""

Settle = Callable[[Any, Call, Any], Awaitable[Any]]
"""Finds out what became of an earlier try: from the client, the call, and what the try noted (`Call.note`).

Returns what the tool would have returned, or `None` where it certainly has not happened; raises
`OutcomeUnknown` where that cannot be known.
"""


@dataclass(frozen=True)
class Declaration:
    """What tools, resources and prompts have in common.

    Attributes:
        name: Unique within the connector and kind; policy and audit use it.
        access: What using it can do to the world.
        description: Written for a model, from the function's docstring.
        timeout: Seconds for one call; `None` takes the server's default.
        cache: Whether and how long answers are kept; only those of a read can be.
        since: The first version of the API that has it.
        until: The last one; `None` where the latest does.
    """

    function: Function
    name: str
    title: str
    access: Access
    description: str
    timeout: float | None = None
    cache: Cache | None = None
    since: Version = VERSIONS[0]
    until: Version | None = None

    def __post_init__(self) -> None:
        if self.cache is not None and self.access != "read":
            raise ValueError(f"{self.name} is no read: its answers cannot be kept")

    def is_in(self, version: str) -> bool:
        """Whether a version of the API has it."""
        at = VERSIONS.index(cast("Version", version))
        last = VERSIONS.index(self.until) if self.until is not None else at
        return VERSIONS.index(self.since) <= at <= last

    @cached_property
    def arguments(self) -> Arguments:
        """What the function takes; made on first use, for the start of a process must not wait for it."""
        return Arguments(self.function)


@dataclass(frozen=True)
class Tool(Declaration):
    """Something a model can do.

    Attributes:
        idempotent: Whether the same call twice has the effect of one.
        open_world: Whether it reaches beyond the connected system.
        question: What a person is asked where policy wants a confirmation; without it, tool and arguments.
        settle: Finds out what became of a try whose outcome was lost; without it, that stays unknown.
    """

    idempotent: bool = True
    open_world: bool = False
    input_schema: JsonSchema | None = None
    question: Question | None = None
    settle: Settle | None = None

    @cached_property
    def output_schema(self) -> JsonSchema | None:
        returned = get_type_hints(self.function).get("return")
        if isinstance(returned, type) and issubclass(returned, Answer):
            return slim_schema(returned, mode="serialization")
        return None

    @property
    def published_schema(self) -> JsonSchema:
        return self.input_schema or self.arguments.schema

    @cached_property
    def has_header_arguments(self) -> bool:
        return "x-mcp-header" in json.dumps(self.published_schema)

    def listing(self) -> dict[str, Any]:
        """The tool as `tools/list` shows it; every annotation is stated."""
        shown: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.published_schema,
            "annotations": {
                "readOnlyHint": self.access == "read",
                "destructiveHint": self.access == "destructive",
                "idempotentHint": self.idempotent,
                "openWorldHint": self.open_world,
            },
        }
        if self.output_schema is not None:
            shown["outputSchema"] = self.output_schema
        return shown


@dataclass(frozen=True)
class Resource(Declaration):
    """Something a model can read, by a URI or by a template of URIs (RFC 6570).

    Attributes:
        complete: For a variable, what offers values for it.
        instances: URIs of a template that are worth listing, for clients that list only what needs no values.
    """

    uri: str = ""
    mime_type: str = "text/plain"
    complete: Mapping[str, Completion] = field(default_factory=dict[str, Completion])
    instances: tuple[str, ...] = ()

    @property
    def is_template(self) -> bool:
        return "{" in self.uri

    def match(self, uri: str) -> dict[str, Any] | None:
        """The variables of a URI that fits, `None` for one that does not."""
        if not self.is_template:
            return {} if uri == self.uri else None
        return self._template.match(uri)

    def listing(self) -> dict[str, Any]:
        """The resource as `resources/list` or `resources/templates/list` shows it."""
        return {("uriTemplate" if self.is_template else "uri"): self.uri, **self._described()}

    def listed_instances(self) -> list[dict[str, Any]]:
        """The template's instances as `resources/list` shows them."""
        return [{"uri": uri, **self._described(), "name": uri} for uri in self.instances]

    def _described(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "mimeType": self.mime_type,
        }

    @cached_property
    def _template(self) -> Any:
        from mcp.shared.uri_template import UriTemplate

        return UriTemplate.parse(self.uri)


@dataclass(frozen=True)
class Prompt(Declaration):
    """A way of working that a person can choose."""

    complete: Mapping[str, Completion] = field(default_factory=dict[str, Completion])

    def listing(self) -> dict[str, Any]:
        """The prompt as `prompts/list` shows it."""
        required = self.arguments.schema.get("required", [])
        properties: dict[str, JsonSchema] = self.arguments.schema.get("properties", {})
        arguments = [
            {"name": name, "description": schema.get("description", ""), "required": name in required}
            for name, schema in properties.items()
        ]
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "arguments": arguments,
        }
