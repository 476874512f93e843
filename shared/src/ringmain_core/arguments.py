"""Arguments of tools, resources and prompts: their schema, their validation, and errors that help."""

import inspect
import json
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.schema import JsonSchema, slim_schema
from ringmain_core.transport.strict_json import NotStrictJson, loads_strict

_MOST_FAULTS = 10


class Upstream:
    """Base of a connector's client: one for the process, given to every function that asks for its type."""


@dataclass(frozen=True, slots=True)
class OnRecord:
    """How the audit shows an argument: as what `show` makes of it (`Annotated[str, OnRecord(…)]`)."""

    show: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Marks the parameter of a write that says whether it is only to show its effect."""

    when: Callable[[Any], bool] = bool


@dataclass(frozen=True, slots=True)
class _OncePerKey:
    """Marks the parameter of a write that makes it safe to repeat."""


DryRun = Annotated[bool, Field(description="Only show the exact effect."), Rehearsal()]
IdempotencyKey = Annotated[
    str | None,
    Field(min_length=1, max_length=200, description="The same key is done once, however often sent."),
    _OncePerKey(),
]


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
        self._rehearsal: tuple[str, Rehearsal] | None = None
        self.idempotency_key: str | None = None
        names: list[str] = []
        fields: dict[str, Any] = {}
        for name, parameter in inspect.signature(function).parameters.items():
            hint = hints[name]
            if isinstance(hint, type) and issubclass(hint, (Call, Upstream)):
                self._injected[name] = hint
                continue
            default: Any = ... if parameter.default is inspect.Parameter.empty else parameter.default
            # Named by position inside the model, so that no name (`schema`, `json`) meets one of pydantic's.
            fields[f"argument_{len(fields)}"] = (Annotated[hint, Field(alias=name)], default)
            names.append(name)
            for mark in _metadata(hint):
                if isinstance(mark, OnRecord):
                    self._on_record[name] = mark
                elif isinstance(mark, Rehearsal):
                    self._rehearsal = (name, mark)
                elif isinstance(mark, _OncePerKey):
                    self.idempotency_key = name
        self.names: tuple[str, ...] = tuple(names)
        config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)
        self._model: type[BaseModel] = create_model("Arguments", __config__=config, **fields)
        self.schema: JsonSchema = slim_schema(self._model)
        properties = cast("Mapping[str, JsonSchema]", self.schema.get("properties", {}))
        self._without_text = [name for name, schema in properties.items() if not _takes_text(schema)]

    def bind(self, raw: Mapping[str, Any], call: Call, upstream: object) -> dict[str, Any]:
        """Validate what the caller sent and add what the server gives.

        Raises:
            InvalidArguments: Naming every argument that does not fit, and how to mend it.
        """
        try:
            valid = self._model.model_validate(self._unquoted(raw))
        except ValidationError as error:
            raise InvalidArguments(self._advice(error)) from error
        bound = dict(zip(self.names, valid.__dict__.values(), strict=True))
        for name, kind in self._injected.items():
            bound[name] = call if kind is Call else upstream
        return bound

    @property
    def can_rehearse(self) -> bool:
        """Whether a call can ask to be shown the effect only."""
        return self._rehearsal is not None

    def rehearses(self, bound: Mapping[str, Any]) -> bool:
        """Whether this call does."""
        if self._rehearsal is None:
            return False
        name, mark = self._rehearsal
        return mark.when(bound[name])

    def on_record(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as the audit may keep them."""
        shown: dict[str, Any] = {}
        for name in self._kept_names(raw):
            if name not in self.names:
                shown[name[:64]] = "<unknown argument>"
            elif name in self._on_record:
                shown[name] = _shown(self._on_record[name], raw[name])
            else:
                shown[name] = raw[name]
        return shown

    def _kept_names(self, raw: Mapping[str, Any]) -> list[str]:
        """The arguments that are looked at: all known ones, and the first few unknown ones."""
        known = [name for name in self.names if name in raw]
        if len(known) == len(raw):
            return known
        return known + [name for name in raw if name not in self.names][:_MOST_FAULTS]

    def _unquoted(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Models send objects, lists and numbers as JSON strings: read those where no string is meant."""
        values = {name: raw[name] for name in self._kept_names(raw)}
        for name in self._without_text:
            value = values.get(name)
            if isinstance(value, str):
                with suppress(NotStrictJson):
                    values[name] = loads_strict(value.encode("utf-8", "surrogatepass"))
        return values

    def _advice(self, error: ValidationError) -> str:
        if error.error_count() > 100 * _MOST_FAULTS:
            return f"The arguments have {error.error_count():,} faults. Compare them with the schema."
        sentences: list[str] = []
        faults = error.errors(include_url=False)
        for fault in faults[:_MOST_FAULTS]:
            path = _clipped(".".join(str(part) for part in fault["loc"]) or "arguments")
            match fault["type"]:
                case "extra_forbidden":
                    close = get_close_matches(path, self.names, n=1)
                    known = ", ".join(f"`{name}`" for name in self.names) or "none"
                    meant = f"did you mean `{close[0]}`?" if close else f"known are {known}."
                    sentences.append(f"Unknown argument `{path}`; {meant}")
                case "missing":
                    sentences.append(f"`{path}` is required.")
                case _:
                    sentences.append(f"`{path}`: {fault['msg']} (got {_clipped(repr(fault['input']))}).")
        if len(faults) > _MOST_FAULTS:
            sentences.append(f"There are {len(faults) - _MOST_FAULTS} more faults.")
        return " ".join(sentences)


def _metadata(hint: Any) -> tuple[Any, ...]:
    return hint.__metadata__ if typing.get_origin(hint) is Annotated else ()


def _takes_text(schema: JsonSchema) -> bool:
    alternatives = cast("list[JsonSchema]", schema.get("anyOf") or schema.get("oneOf") or [schema])
    return any(
        alternative.get("type") in ("string", None) or "string" in alternative.get("type", ())
        for alternative in alternatives
    )


def _shown(mark: OnRecord, value: Any) -> Any:
    try:
        return mark.show(value)
    except Exception as error:  # noqa: BLE001 (the value is not validated yet; the record must not go missing)
        return f"<not shown, {type(error).__name__}>"


def _clipped(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
