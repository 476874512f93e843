"""Schemas made to fit a part of JSON Schema, and values made to fit the schema before again.

Nothing is lost on the way: what the part cannot say is said in descriptions, and a value whose shape it
cannot say is asked for as JSON text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ringmain_core.adapters.plain import compact, described, in_words, plain
from ringmain_core.adapters.usual import is_of, suits, usual
from ringmain_core.schema import JsonSchema
from ringmain_core.transport.strict_json import NotStrictJson, loads_strict

Restore = Callable[[Any], Any]

_SHAPING = frozenset({"allOf", "patternProperties", "prefixItems", "unevaluatedProperties"})
_LOOKED_AT = frozenset(
    {"type", "description", "title", "properties", "required", "additionalProperties", "items", "enum"}
)


class Misfit(ValueError):
    """A value that cannot be brought back; said to the model that sent it."""

    def __init__(self, message: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(f"`{'.'.join(path)}` {message}")
        self.message = message
        self.path = path


@dataclass(frozen=True, slots=True)
class Subset:
    """What a provider understands beside types, descriptions, properties, items, `enum` and `anyOf`.

    Attributes:
        keywords: For each type, further keywords that it takes.
        formats: For each type, the values of `format` that it takes.
        all_required: Whether every property has to be required; what may be left out is then nullable.
        text_enums: Whether `enum` can list nothing but texts.
        levels: How many objects may stand in each other; what is further in is asked for as JSON text.
    """

    keywords: Mapping[str, frozenset[str]]
    formats: Mapping[str, frozenset[str]]
    all_required: bool
    text_enums: bool
    levels: int


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A schema that fits.

    Attributes:
        schema: What fits.
        restore: Makes a value of it one of the schema before, or raises `Misfit`; `None` where it is one.
        nullable: Whether the schema before takes null, which `schema` does not say.
    """

    schema: JsonSchema
    restore: Restore | None = None
    nullable: bool = False


def narrowed(schema: Mapping[str, Any], subset: Subset) -> Narrowed:
    """Make a tool's input schema fit."""
    return _Narrowing(subset).object(plain(schema), 1)


@dataclass(frozen=True, slots=True)
class _Narrowing:
    subset: Subset

    def any(self, schema: Any, level: int) -> Narrowed:
        """Make whatever it is fit, within so many objects."""
        schema = usual(cast("JsonSchema", schema)) if isinstance(schema, dict) else {}
        if "anyOf" in schema:
            return self.union(schema, level)
        kind = schema.get("type")
        if kind is None or _SHAPING & set(schema):
            return _as_text(schema)
        if kind == "object":
            closed = schema.get("properties") and not schema.get("additionalProperties")
            return (
                self.object(schema, level + 1) if closed and level < self.subset.levels else _as_text(schema)
            )
        return self.array(schema, level) if kind == "array" else self.scalar(schema)

    def object(self, schema: JsonSchema, level: int) -> Narrowed:
        properties: dict[str, JsonSchema] = {}
        restores: dict[str, Restore] = {}
        required = [name for name in schema.get("required", ()) if name in schema["properties"]]
        for name, before in schema["properties"].items():
            fit = self.any(before, level)
            nullable = fit.nullable or (self.subset.all_required and name not in required)
            properties[name] = _with_null(fit.schema) if nullable else fit.schema
            if fit.restore is not None:
                restores[name] = fit.restore
        optional = frozenset(properties) - frozenset(required)
        fitting = self._fitting(schema) | {
            "properties": properties,
            "required": list(properties) if self.subset.all_required else required,
            "additionalProperties": False,
        }

        def restore(value: Any) -> Any:
            if not isinstance(value, dict):
                return value
            return {
                name: _restored(restores.get(name), member, name)
                for name, member in cast("dict[str, Any]", value).items()
                if member is not None or name not in optional
            }

        return Narrowed(fitting, restore if optional or restores else None)

    def array(self, schema: JsonSchema, level: int) -> Narrowed:
        fit = self.any(schema.get("items"), level)
        fitting = self._fitting(schema) | {"items": _with_null(fit.schema) if fit.nullable else fit.schema}

        def restore(value: Any) -> Any:
            if not isinstance(value, list):
                return value
            items = enumerate(cast("list[Any]", value))
            return [_restored(fit.restore, item, str(position)) for position, item in items]

        return Narrowed(fitting, restore if fit.restore is not None else None)

    def scalar(self, schema: JsonSchema) -> Narrowed:
        fitting = self._fitting(schema)
        if "enum" not in schema or schema["type"] == "null":
            return Narrowed(fitting)
        choices = [choice for choice in schema["enum"] if is_of(choice, schema["type"])]
        if not choices:
            return _as_text(schema)  # it contradicts itself, which is nobody's to hide
        if self.subset.text_enums and schema["type"] != "string":
            return Narrowed(described(fitting, in_words({"enum": choices})))
        return Narrowed(fitting | {"enum": choices})

    def union(self, schema: JsonSchema, level: int) -> Narrowed:
        alternatives = cast("list[Any]", schema["anyOf"])
        rest = [one for one in alternatives if not _is_null(one)]
        nullable = len(rest) < len(alternatives)
        said = in_words({key: schema[key] for key in schema if key not in ("anyOf", "description", "title")})
        about = " ".join(part for part in (schema.get("description", ""), said) if part)
        fits = [self.any(one, level) for one in rest]
        nullable = nullable or any(fit.nullable for fit in fits)
        if len(fits) == 1:
            inner = fits[0].schema.get("description", "")
            shown = described(fits[0].schema | {"description": about}, inner) if about else fits[0].schema
            return Narrowed(shown, fits[0].restore, nullable)
        if not fits or any(isinstance(fit.restore, _Text) for fit in fits):
            return _as_text(schema)
        fitting = described({"anyOf": [fit.schema for fit in fits]}, about)
        if all(fit.restore is None for fit in fits):
            return Narrowed(fitting, nullable=nullable)

        def restore(value: Any) -> Any:
            fit = next((fit for fit in fits if suits(value, fit.schema)), None)
            return value if fit is None or fit.restore is None else fit.restore(value)

        return Narrowed(fitting, restore, nullable)

    def _fitting(self, schema: JsonSchema) -> JsonSchema:
        """What schemas of all types have: keywords that fit, and words for those that do not."""
        kind = schema["type"]
        fitting: JsonSchema = {"type": kind}
        about = schema.get("description") or schema.get("title")
        if about:
            fitting["description"] = about
        said: dict[str, Any] = {}
        for key, value in schema.items():
            if key in _LOOKED_AT or key.startswith("x-"):
                continue
            if key == "format":
                fits = value in self.subset.formats.get(kind, ())
            else:
                fits = key in self.subset.keywords.get(kind, ())
            (fitting if fits else said)[key] = value
        return described(fitting, in_words(said))


def _as_text(schema: JsonSchema) -> Narrowed:
    """Ask for JSON text, which is read when it comes."""
    shape = {key: schema[key] for key in schema if key not in ("description", "title")}
    if shape.get("additionalProperties") is True:
        del shape["additionalProperties"]
    wanted = "[JSON text of an object]" if shape == {"type": "object"} else f"[JSON text: {compact(shape)}]"
    about = {key: schema[key] for key in ("description",) if key in schema}
    fitting = described({"type": "string", **about}, wanted if shape else "[any value, as JSON text]")
    return Narrowed(fitting, _Text(shape))


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and cast("JsonSchema", schema).get("type") == "null"


def _takes_text(schema: JsonSchema) -> bool:
    if "anyOf" in schema:
        alternatives = cast("list[Any]", schema["anyOf"])
        return any(
            _takes_text(usual(cast("JsonSchema", one))) for one in alternatives if isinstance(one, dict)
        )
    return schema.get("type", "string") == "string"


def _with_null(schema: JsonSchema) -> JsonSchema:
    if "anyOf" in schema:
        return schema | {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    if "enum" in schema or schema["type"] in ("object", "array"):
        about = {key: schema[key] for key in schema if key == "description"}
        shape = {key: schema[key] for key in schema if key != "description"}
        return {"anyOf": [shape, {"type": "null"}], **about}
    return schema if schema["type"] == "null" else schema | {"type": [schema["type"], "null"]}


def _read(value: Any) -> Any:
    """Read JSON text; a value that is no text came without the detour."""
    if not isinstance(value, str):
        return value
    try:
        return loads_strict(value.encode(errors="surrogatepass"))
    except NotStrictJson as error:
        raise Misfit(f"has to be JSON text: {error}") from None


@dataclass(frozen=True, slots=True)
class _Text:
    """Reads JSON text; where a text would do, it is taken as it is unless it is JSON of what is wanted."""

    shape: JsonSchema

    def __call__(self, value: Any) -> Any:
        if not _takes_text(self.shape):
            return _read(value)
        try:
            read = _read(value)
        except Misfit:
            return value
        return read if _is_wanted(read, self.shape) else value


def _is_wanted(value: Any, schema: JsonSchema) -> bool:
    """Whether a value is of a type that a schema names; one that names none takes all."""
    if "anyOf" in schema:
        alternatives = cast("list[Any]", schema["anyOf"])
        return any(
            _is_wanted(value, usual(cast("JsonSchema", one))) for one in alternatives if isinstance(one, dict)
        )
    kinds = schema.get("type")
    return kinds is None or any(is_of(value, one) for one in ([kinds] if isinstance(kinds, str) else kinds))


def _restored(restore: Restore | None, value: Any, name: str) -> Any:
    if restore is None or value is None:
        return value
    try:
        return restore(value)
    except Misfit as error:
        raise Misfit(error.message, (name, *error.path)) from None
