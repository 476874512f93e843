"""What the MCP registry is told of a connector: `server.json`, from its package and its settings."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from contract.discover import ROOT, connectors, package_of, project
from ringmain_core.connector import AnyConnector
from ringmain_core.settings import CoreSettings

SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
_OF_ALL = ("policy", "state_dir")  # settings of the core that somebody at a desk may want
_FORMATS = {"boolean": "boolean", "integer": "number", "number": "number"}


def registry_entries() -> dict[Path, str]:
    """Every `server.json`, as it should be."""
    entries = {package_of(name) / "server.json": entry(connector) for name, connector in connectors().items()}
    return {path: json.dumps(one, indent=2, ensure_ascii=False) + "\n" for path, one in entries.items()}


def registry_name(metadata: Mapping[str, Any]) -> str:
    """A package's name in the registry: whoever owns the repository on GitHub owns the namespace."""
    return f"io.github.{_owner(metadata)}/{metadata['name']}"


def image(metadata: Mapping[str, Any]) -> str:
    """A package's container image, with the tag of its version."""
    return f"ghcr.io/{_owner(metadata)}/{metadata['name']}:{metadata['version']}"


def entry(connector: AnyConnector) -> dict[str, Any]:
    """What the registry shows of a connector, and what clients need to start it."""
    folder = package_of(connector.name)
    metadata = project(folder)["project"]
    variables = [*_variables(connector.settings), *_variables(CoreSettings, *_OF_ALL)]
    without_files = [one for one in variables if one["format"] != "filepath"]  # a container has its own
    return {
        "$schema": SCHEMA,
        "name": registry_name(metadata),
        "title": f"Ringmain for {connector.title}",
        "description": metadata["description"],
        "version": metadata["version"],
        "websiteUrl": metadata["urls"]["Documentation"],
        "repository": {
            "url": metadata["urls"]["Repository"],
            "source": "github",
            "subfolder": folder.relative_to(ROOT).as_posix(),
        },
        "packages": [
            {
                "registryType": "pypi",
                "identifier": metadata["name"],
                "version": metadata["version"],
                "runtimeHint": "uvx",
                "transport": {"type": "stdio"},
                "environmentVariables": variables,
            },
            {
                "registryType": "oci",
                "identifier": image(metadata),
                "runtimeHint": "docker",
                "runtimeArguments": [
                    {"type": "named", "name": "--volume", "value": f"{metadata['name']}:/data"},
                ],
                "transport": {"type": "stdio"},
                "environmentVariables": without_files,
            },
        ],
    }


def _owner(metadata: Mapping[str, Any]) -> str:
    repository: str = metadata["urls"]["Repository"]
    return urlsplit(repository).path.split("/")[1]


def _variables(settings: Any, *only: str) -> Iterator[dict[str, Any]]:
    """The variables of the environment that settings are read from; all, or only those named."""
    prefix = settings.model_config.get("env_prefix", "")
    properties = settings.model_json_schema()["properties"]
    for name in only or settings.model_fields:
        schema = _without_null(properties[name])
        variable = {
            "name": f"{prefix}{name}".upper(),
            "description": settings.model_fields[name].description,
            "format": _FORMATS.get(schema.get("type", ""), "string"),
        }
        if schema.get("format") in {"path", "file-path"}:
            variable["format"] = "filepath"
        if _is_secret(schema):
            variable["isSecret"] = True
        if "enum" in schema:
            variable["choices"] = schema["enum"]
        if default := _written(properties[name].get("default")):
            variable["default"] = default
        yield variable


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a value that is there."""
    kinds: list[Mapping[str, Any]] = [
        kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"
    ]
    return kinds[0] if len(kinds) == 1 else schema


def _is_secret(schema: Mapping[str, Any]) -> bool:
    """Whether a value is a secret, or has secrets in it."""
    if schema.get("writeOnly"):
        return True
    parts: list[Any] = [*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")]
    return any(_is_secret(cast("Mapping[str, Any]", part)) for part in parts if isinstance(part, Mapping))


def _written(value: Any) -> str:
    """A default as it is written in the environment; empty where there is none."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case list():
            return ",".join(sorted(map(str, cast("list[object]", value))))
        case _:
            return str(value)
