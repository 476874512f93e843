"""The files of `compose/` as those who run them read them, and the schemas that are published for them."""

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from contract.discover import ROOT, connectors
from ringmain_core.settings import CoreSettings

yaml: Any = importlib.import_module("yaml")  # it ships no types

COMPOSE = ROOT / "compose"
_REFERENCE = re.compile(r"file:/run/secrets/(\w+)")


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@cache
def composed() -> Mapping[str, Any]:
    """`compose.yaml` with its anchors and merges resolved, its variables not."""
    return read_yaml(COMPOSE / "compose.yaml")


def environment_of(service: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


@cache
def example_settings() -> Mapping[str, str]:
    """`.env.example`, without comments."""
    lines = (COMPOSE / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def interpolated(text: str) -> str:
    """A text of `compose.yaml` as it is with the example's settings."""
    return re.sub(r"(?<!\$)\$\{(\w+)\}", lambda match: example_settings()[match[1]], text)


def settings_of(connector: str) -> Iterator[tuple[str, Any]]:
    """Every variable that a connector reads, with its field."""
    for kind in (CoreSettings, connectors()[connector].settings):
        prefix = str(kind.model_config.get("env_prefix", ""))
        for name, field in kind.model_fields.items():
            yield f"{prefix}{name}".upper(), field


def secrets_named(values: Mapping[str, str]) -> set[str]:
    """The names of the secrets that settings refer to, by file."""
    return {match[1] for value in values.values() if (match := _REFERENCE.fullmatch(value))}


def compose_validator() -> Any:
    """Knows the Compose Specification's own schema, as `check-jsonschema` ships it."""
    path = _shipped("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def kubernetes_validator(version: str, kind: str, api_version: str) -> Any:
    """Knows the strict schema that Kubernetes publishes of a kind, as `kubernetes-validate` ships it."""
    api = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    definitions = Resource[Any].from_contents(_kubernetes_schema(version, "_definitions.json"))
    registry = Registry[Any]().with_resource(definitions.id() or "_definitions.json", definitions)
    return Draft202012Validator(_kubernetes_schema(version, f"{kind.lower()}-{api}.json"), registry=registry)


@cache
def _kubernetes_schema(version: str, file: str) -> Any:
    folder = _shipped("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    return json.loads((folder / file).read_text(encoding="utf-8"))


def _shipped(package: str) -> Path:
    spec = find_spec(package)  # found, not imported: only its files are wanted
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed; run `make install`")
    return Path(spec.origin).parent
