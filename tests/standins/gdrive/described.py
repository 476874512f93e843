"""The vendor's own description of Drive v3, read once: its methods, their parameters, its schemas."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_DOCUMENT = "discovery_cache/documents/drive.v3.json"
_SCOPE = "https://www.googleapis.com/auth/"


@dataclass(frozen=True)
class Parameter:
    """Attributes: lowest, highest: Of a number; `None` where nothing is said."""

    name: str
    kind: str
    required: bool
    default: str | None
    lowest: int | None
    highest: int | None
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Method:
    """A method of the API.

    Attributes:
        id: `drive.files.list`.
        verb: Of HTTP.
        path: Its segments; those in braces are parameters, with `:verb` perhaps behind.
        parameters: Its own and the common ones.
        request: The name of the body's schema; empty without a body.
        response: Likewise.
        scopes: Any of these lets a token in.
    """

    id: str
    verb: str
    path: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    request: str
    response: str
    scopes: frozenset[str]
    uploads: bool
    downloads: bool


@cache
def document() -> dict[str, Any]:
    """The discovery document as it comes with google-api-python-client."""
    return json.loads(files("googleapiclient").joinpath(_DOCUMENT).read_text(encoding="utf-8"))


@cache
def methods() -> Mapping[str, Method]:
    """All methods, by id."""
    common = {name: _parameter(name, one) for name, one in document()["parameters"].items()}
    made: dict[str, Method] = {}
    for raw in _raw_methods():
        own = {name: _parameter(name, one) for name, one in raw.get("parameters", {}).items()}
        made[raw["id"]] = Method(
            raw["id"],
            raw["httpMethod"],
            tuple(raw["path"].split("/")),
            common | own,
            raw.get("request", {}).get("$ref", ""),
            raw.get("response", {}).get("$ref", ""),
            frozenset(one.removeprefix(_SCOPE) for one in raw.get("scopes", ())),
            bool(raw.get("supportsMediaUpload")),
            bool(raw.get("supportsMediaDownload")),
        )
    return made


def _raw_methods() -> Iterator[dict[str, Any]]:
    for resource in document()["resources"].values():
        yield from resource.get("methods", {}).values()


def _parameter(name: str, raw: Mapping[str, Any]) -> Parameter:
    lowest, highest = raw.get("minimum"), raw.get("maximum")
    return Parameter(
        name,
        raw["type"],
        bool(raw.get("required")),
        raw.get("default"),
        None if lowest is None else int(lowest),
        None if highest is None else int(highest),
        tuple(raw.get("enum", ())),
    )


@cache
def by_shape() -> Mapping[tuple[str, int], tuple[Method, ...]]:
    """Methods by verb and number of segments; those with the fewest parameters in the path first."""
    made: dict[tuple[str, int], list[Method]] = {}
    for one in methods().values():
        made.setdefault((one.verb, len(one.path)), []).append(one)
    return {
        shape: tuple(sorted(some, key=lambda one: sum("{" in part for part in one.path)))
        for shape, some in made.items()
    }


def find(verb: str, segments: tuple[str, ...]) -> tuple[Method, dict[str, str]] | None:
    """The method that answers this path below `/drive/v3/`, and the parameters of the path."""
    for method in by_shape().get((verb, len(segments)), ()):
        given: dict[str, str] = {}
        for wanted, part in zip(method.path, segments, strict=True):
            if wanted == part:
                continue
            match = re.fullmatch(r"\{(\w+)\}(:\w+)?", wanted)
            if match is None or not part.endswith(match[2] or ""):
                break
            given[match[1]] = part.removesuffix(match[2] or "")
        else:
            return method, given
    return None


@cache
def schema(name: str) -> Mapping[str, Any]:
    return document()["schemas"][name]


def full_scope(name: str) -> str:
    return f"{_SCOPE}{name}"


def short_scope(name: str) -> str:
    return name.removeprefix(_SCOPE)
