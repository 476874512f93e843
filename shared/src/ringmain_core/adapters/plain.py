"""JSON schemas without what points elsewhere: references are put in place, and the root is one object."""

import json
from collections.abc import Mapping
from typing import Any, cast

from ringmain_core.schema import JsonSchema

DATA = frozenset({"const", "default", "enum", "example", "examples"})
"""Keywords whose value is no schema."""

NAMED = frozenset({"properties", "patternProperties", "dependentSchemas"})
"""Keywords whose value holds schemas by name."""

_COMBINING = ("allOf", "anyOf", "oneOf")
_ROOT_ONLY_WORDS = (*_COMBINING, "enum", "const", "not")
_MOST_REFERENCES = 200
_SILENT = frozenset({"$schema", "$id", "$anchor", "$comment", "$defs", "definitions"})


def plain(schema: Mapping[str, Any]) -> JsonSchema:
    """A tool's input schema as one object, with every reference put in place.

    Providers take no alternatives at the root, and some take no `$ref` anywhere. What the root's alternatives
    have for properties becomes the root's own, and the alternatives themselves are said in its description.
    """
    root = cast("JsonSchema", _Inlining(schema).of(schema))
    properties: dict[str, Any] = dict(root.get("properties", {}))
    required: list[str] = list(root.get("required", ()))
    for key in _COMBINING:
        parts = cast("list[Any]", root.get(key, []))
        branches = [cast("JsonSchema", branch) for branch in parts if isinstance(branch, dict)]
        for branch in branches:
            for name, found in branch.get("properties", {}).items():
                known = properties.setdefault(name, found)
                if known != found:
                    properties[name] = {"anyOf": [*_alternatives(known), found]}
        needed = [set[str](branch.get("required", ())) for branch in branches]
        if needed:
            everywhere = set[str].union(*needed) if key == "allOf" else set[str].intersection(*needed)
            required += sorted(everywhere - set(required))
    said = {key: root.pop(key) for key in _ROOT_ONLY_WORDS if key in root}
    root |= {"type": "object", "properties": properties}
    if required:
        root["required"] = required
    return described(root, in_words(said))


def in_words(keywords: Mapping[str, Any]) -> str:
    """Keywords that cannot stand in a schema, as text that can: `[minLength: 1, default: 20]`."""
    if not keywords:
        return ""
    said = ", ".join(f"{key}: {compact(value)}" for key, value in keywords.items())
    return f"[{said}]"


def described(schema: JsonSchema, *more: str) -> JsonSchema:
    """The schema with further sentences in its description."""
    description = " ".join(part for part in (schema.get("description", ""), *more) if part)
    return schema | {"description": description} if description else schema


def overlaid(schema: JsonSchema, more: JsonSchema) -> JsonSchema:
    """The schema with what is said in its place, too; of two descriptions both."""
    return described(
        schema | more, schema["description"] if {"description"} <= set(schema) & set(more) else ""
    )


def compact(value: Any) -> str:
    """JSON in as few characters as there are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _alternatives(schema: Any) -> list[Any]:
    if isinstance(schema, dict) and set(cast("JsonSchema", schema)) == {"anyOf"}:
        return cast("JsonSchema", schema)["anyOf"]
    return [schema]


class _Inlining:
    """Puts references in place, up to a number: definitions that need each other would never end."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _MOST_REFERENCES

    def of(self, node: Any, within: tuple[str, ...] = ()) -> Any:
        if isinstance(node, list):
            return [self.of(item, within) for item in cast("list[Any]", node)]
        if not isinstance(node, Mapping):
            return node
        schema = dict(cast("Mapping[str, Any]", node))
        if isinstance(schema.get("$ref"), str):
            return self._referred(schema, within)
        inlined: JsonSchema = {}
        for key, value in schema.items():
            if key in DATA:
                inlined[key] = value
            elif key in NAMED and isinstance(value, Mapping):
                named = cast("Mapping[str, Any]", value)
                inlined[key] = {name: self.of(item, within) for name, item in named.items()}
            elif key not in _SILENT:
                inlined[key] = self.of(value, within)
        return inlined

    def _referred(self, schema: JsonSchema, within: tuple[str, ...]) -> Any:
        reference = str(schema.pop("$ref"))
        target = _found(reference, self._root)
        if target is not None and reference not in within and self._left > 0:
            self._left -= 1
            return self.of(overlaid(target, schema), (*within, reference))
        name = reference.rpartition("/")[2] or reference
        return described(self.of(schema, within), f"Like `{name}`.")


def _found(reference: str, root: Mapping[str, Any]) -> JsonSchema | None:
    """What a JSON pointer within the schema points at."""
    if not reference.startswith("#"):
        return None
    target: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(target, Mapping) or name not in target:
            return None
        target = cast("Any", target[name])
    return dict(cast("Mapping[str, Any]", target)) if isinstance(target, Mapping) else None
