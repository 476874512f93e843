"""Every connector keeps the rules of its declarations, and says nothing that is not so."""

import re
from pathlib import Path
from typing import Any, cast

import pytest

from contract.discover import ROOT, connectors, package_of, project
from contract.surface import generated, is_frozen
from ringmain_core.commands import tokens_of
from ringmain_core.connector import AnyConnector
from ringmain_core.declarations import Declaration, Tool
from ringmain_core.results import Answer
from ringmain_core.settings import CoreSettings

CONNECTORS = [
    pytest.param(view, id=f"{name}.{version}")
    for name, connector in connectors().items()
    for version, view in connector.views.items()
]
TOOLS = [
    pytest.param(tool, id=f"{name}.{tool.name}.{tool.since}")
    for name, connector in connectors().items()
    for tool in connector.tools
]

# Parameters whose name says it all, everywhere the same.
OBVIOUS = {
    "action",
    "add_assignees",
    "add_labels",
    "author",
    "base",
    "body",
    "branch",
    "channel",
    "collection",
    "columns",
    "comments",
    "content_base64",
    "cursor",
    "database",
    "depth",
    "document_id",
    "document_ids",
    "documents",
    "draft",
    "event",
    "file",
    "filename",
    "folder",
    "format",
    "from_users",
    "head_sha",
    "in_channels",
    "include",
    "keep_revision",
    "kind",
    "kinds",
    "labels",
    "limit",
    "lines",
    "markdown",
    "max_bytes",
    "max_chars",
    "max_lines",
    "max_rows",
    "message",
    "method",
    "min_score",
    "mode",
    "modified_after",
    "n",
    "name",
    "notes",
    "number",
    "offset",
    "op",
    "open_only",
    "pin",
    "prerelease",
    "private",
    "query",
    "quote",
    "reason",
    "remove",
    "remove_assignees",
    "remove_labels",
    "remove_reviewers",
    "repo",
    "request_id",
    "revision_id",
    "role",
    "schema",
    "since",
    "sort",
    "state",
    "tag",
    "text",
    "thread_ts",
    "timeout_ms",
    "title",
    "top_k",
    "ts",
    "until",
    "workspace",
}


def test_there_is_a_connector() -> None:
    assert connectors()


@pytest.mark.parametrize("connector", CONNECTORS)
def test_names_are_unique_and_plain(connector: AnyConnector) -> None:
    names = [declaration.name for declaration in connector.declarations()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name) for name in names)


@pytest.mark.parametrize("connector", CONNECTORS)
def test_the_tools_stay_within_their_token_budget(connector: AnyConnector) -> None:
    budget = project(package_of(connector.name))["tool"]["ringmain"]["token_budget"]
    assert sum(tokens_of(tool) for tool in connector.tools) <= budget


@pytest.mark.parametrize("connector", CONNECTORS)
def test_everything_is_described_for_people_and_models(connector: AnyConnector) -> None:
    for declaration in connector.declarations():
        assert declaration.title
        assert declaration.description
        assert len(declaration.description) < 600
    assert len(connector.instructions) < 600


@pytest.mark.parametrize("tool", TOOLS)
def test_every_annotation_is_stated(tool: Tool) -> None:
    annotations = tool.listing()["annotations"]
    assert annotations.keys() == {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
    assert annotations["readOnlyHint"] is (tool.access == "read")
    assert annotations["destructiveHint"] is (tool.access == "destructive")


@pytest.mark.parametrize("tool", TOOLS)
def test_every_write_can_be_rehearsed_and_repeated_safely(tool: Tool) -> None:
    if tool.access != "read":
        assert tool.arguments.can_rehearse
        assert tool.arguments.idempotency_key == "idempotency_key"


@pytest.mark.parametrize("tool", TOOLS)
def test_schemas_are_slim_and_closed(tool: Tool) -> None:
    schema = tool.listing()["inputSchema"]
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    for node in nodes(schema):
        assert "$ref" not in node
        assert "$defs" not in node
        assert not isinstance(node.get("title"), str)
        assert {"type": "null"} not in node.get("anyOf", [])


@pytest.mark.parametrize("tool", TOOLS)
def test_every_parameter_has_a_description_or_an_obvious_name(tool: Tool) -> None:
    properties: dict[str, Any] = tool.listing()["inputSchema"].get("properties", {})
    undescribed = {name for name, schema in properties.items() if not schema.get("description")}
    assert undescribed <= OBVIOUS


@pytest.mark.parametrize("tool", TOOLS)
def test_lists_are_pages(tool: Tool) -> None:
    properties = (tool.output_schema or {}).get("properties", {})
    takes_cursor = "cursor" in tool.arguments.names
    assert ("next_cursor" in properties) is (takes_cursor and tool.output_schema is not None)


@pytest.mark.parametrize("connector", CONNECTORS)
def test_every_setting_is_described(connector: AnyConnector) -> None:
    for kind in (CoreSettings, connector.settings):
        assert all(field.description for field in kind.model_fields.values())


def test_declarations_are_data_that_policy_can_name() -> None:
    assert all(
        isinstance(declaration, Declaration)
        for connector in connectors().values()
        for declaration in connector.declarations()
    )
    assert Answer


@pytest.mark.parametrize("path", generated(), ids=lambda path: str(path.relative_to(ROOT)))
def test_snapshots_and_generated_parts_are_up_to_date(path: Path) -> None:
    advice = "run `make readme` and look at what changed"
    if is_frozen(path):
        advice = "clients rely on this version: mark what is new with `since`, what goes away with `until`"
    assert path.exists(), advice
    assert path.read_text(encoding="utf-8") == generated()[path], advice


def nodes(schema: Any) -> list[dict[str, Any]]:
    """Every object in a schema that is itself a schema or holds some."""
    if isinstance(schema, list):
        return [node for item in cast("list[Any]", schema) for node in nodes(item)]
    if not isinstance(schema, dict):
        return []
    own = cast("dict[str, Any]", schema)
    properties: dict[str, Any] = own.get("properties", {})
    below = [value for key, value in own.items() if key != "properties"] + list(properties.values())
    return [own, *(node for value in below for node in nodes(value))]
