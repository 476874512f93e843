"""Arguments of tools, resources and prompts: their schema, their validation, and errors that help."""

import inspect
import json
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.schema import JsonSchema, slim_schema


class Upstream:
    """Base of a connector's client: one for the process, given to every function that asks for its type."""


@dataclass(frozen=True, slots=True)
class OnRecord:
    """How the audit shows an argument: as what `show` makes of it (`Annotated[str, OnRecord(…)]`)."""

    show: Callable[[Any], Any]


def withheld(value: Any) -> str:
    """For `OnRecord`: say only that there was something, and how much."""
    return f"<withheld, {len(json.dumps(value, default=str))} characters>"


class Arguments:
    """What a function takes from the caller, and what the server adds of its own.

    Parameters annotated `Call` or with a subclass of `Upstream` are injected and stay out of the schema.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        hints = typing.get_type_hints(function, include_extras=True)
        self._injected: dict[str, type] = {}
        self._on_record: dict[str, OnRecord] = {}
        fields: dict[str, Any] = {}
        for name, parameter in inspect.signature(function).parameters.items():
            hint = hints[name]
            if isinstance(hint, type) and issubclass(hint, (Call, Upstream)):
                self._injected[name] = hint
                continue
            default: Any = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[name] = (hint, default)
            for mark in _metadata(hint):
                if isinstance(mark, OnRecord):
                    self._on_record[name] = mark
        self.names: tuple[str, ...] = tuple(fields)
        config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
        self._model: type[BaseModel] = create_model("Arguments", __config__=config, **fields)
        self.schema: JsonSchema = slim_schema(self._model)
        properties = cast("Mapping[str, JsonSchema]", self.schema.get("properties", {}))
        self._takes_text = {name for name, schema in properties.items() if _takes_text(schema)}

    def bind(self, raw: Mapping[str, Any], call: Call, upstream: object) -> dict[str, Any]:
        """Validate what the caller sent and add what the server gives.

        Raises:
            InvalidArguments: Naming every argument that does not fit, and how to mend it.
        """
        try:
            valid = self._model.model_validate(self._unquoted(raw))
        except ValidationError as error:
            raise InvalidArguments(self._advice(error)) from error
        bound = {name: getattr(valid, name) for name in self.names}
        for name, kind in self._injected.items():
            bound[name] = call if kind is Call else upstream
        return bound

    def on_record(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as the audit may keep them."""
        shown: dict[str, Any] = {}
        for name, value in raw.items():
            if name not in self.names:
                shown[name[:64]] = "<unknown argument>"
            elif name in self._on_record:
                shown[name] = self._on_record[name].show(value)
            else:
                shown[name] = value
        return shown

    def _unquoted(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Models send objects, lists and numbers as JSON strings: read those where no string is meant."""
        values = dict(raw)
        for name, value in raw.items():
            if isinstance(value, str) and name in self.names and name not in self._takes_text:
                try:
                    values[name] = json.loads(value)
                except (ValueError, RecursionError):
                    continue
        return values

    def _advice(self, error: ValidationError) -> str:
        sentences: list[str] = []
        for fault in error.errors(include_url=False):
            path = ".".join(str(part) for part in fault["loc"]) or "arguments"
            match fault["type"]:
                case "extra_forbidden":
                    name = str(fault["loc"][-1])
                    close = get_close_matches(name, self.names, n=1)
                    known = ", ".join(f"`{name}`" for name in self.names) or "none"
                    meant = f"did you mean `{close[0]}`?" if close else f"known are {known}."
                    sentences.append(f"Unknown argument `{path}`; {meant}")
                case "missing":
                    sentences.append(f"`{path}` is required.")
                case _:
                    sentences.append(f"`{path}`: {fault['msg']} (got {_clipped(fault['input'])}).")
        return " ".join(sentences)


def _metadata(hint: Any) -> tuple[Any, ...]:
    return hint.__metadata__ if typing.get_origin(hint) is Annotated else ()


def _takes_text(schema: JsonSchema) -> bool:
    alternatives = cast("list[JsonSchema]", schema.get("anyOf") or schema.get("oneOf") or [schema])
    return any(
        alternative.get("type") in ("string", None) or "string" in alternative.get("type", ())
        for alternative in alternatives
    )


def _clipped(value: Any, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"
