"""What a workflow's file says about starting it by hand: as much of its YAML as that takes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ringmain_core.errors import InvalidArguments

_KEY = re.compile(r"""(?:"([^"]+)"|'([^']+)'|([\w.-]+))\s*:(?:\s+(.*))?""")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_EMPTY = ("", "{}", "null", "~")
_TRIGGER = "workflow_dispatch"


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a workflow.

    Attributes:
        required: Whether it has to be given, for there is no default.
        options: The values it takes; empty for any.
    """

    required: bool
    options: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Entry:
    value: str
    below: list[str]


def inputs_of(text: str) -> Mapping[str, Input] | None:
    """The inputs that a workflow declares; `None` where it is written in a way that is not read here."""
    top = _mapping(text.splitlines())
    on = (top or {}).get("on")
    if on is None or "{" in on.value:
        return None
    if on.value or _is_list(on.below):
        return {} if _TRIGGER in _items(on) else None
    trigger = (_mapping(on.below) or {}).get(_TRIGGER)
    if trigger is None or trigger.value not in _EMPTY:
        return None
    within = _mapping(trigger.below)
    if within is None:
        return None
    declared = within.get("inputs", _Entry("", []))
    named = _mapping(declared.below)
    if named is None or declared.value not in _EMPTY:
        return None
    inputs: dict[str, Input] = {}
    for name, entry in named.items():
        about = _mapping(entry.below)
        if about is None or entry.value not in _EMPTY:
            return None
        needed = about.get("required", _Entry("", [])).value == "true" and "default" not in about
        options = _options(about["options"]) if "options" in about else []
        inputs[name] = Input(needed, options)
    return inputs


def require_fitting(inputs: Mapping[str, str], declared: Mapping[str, Input]) -> None:
    """Hold inputs against what a workflow declares.

    Raises:
        InvalidArguments: Where they do not fit.
    """
    known = ", ".join(f"`{name}`" for name in declared) or "none"
    faults = [f"`{name}` is none of them" for name in inputs if name not in declared]
    faults += [
        f"`{name}` is required" for name, each in declared.items() if each.required and not inputs.get(name)
    ]
    for name, value in inputs.items():
        options = declared[name].options if name in declared else ()
        if options and value not in options:
            faults.append(f"`{name}` takes one of {', '.join(options)}")
    if faults:
        raise InvalidArguments(f"`inputs`: the workflow declares {known}; {'; '.join(faults)}.")


def _mapping(lines: Iterable[str]) -> dict[str, _Entry] | None:
    """The keys of a block, each with what stands beside and below it; `None` where it is no mapping."""
    found: dict[str, _Entry] = {}
    depth: int | None = None
    current: _Entry | None = None
    for line in lines:
        bare = line.strip()
        if not bare or bare.startswith(("#", "---", "%")):
            continue
        indent = len(line) - len(line.lstrip(" "))
        depth = indent if depth is None else depth
        if current is not None and (indent > depth or bare.startswith("- ")):
            current.below.append(line)
            continue
        key = _KEY.fullmatch(bare)
        if key is None or indent != depth:
            return None
        current = _Entry(_plain(key[4] or ""), [])
        found[key[1] or key[2] or key[3]] = current
    return found


def _is_list(lines: Sequence[str]) -> bool:
    return any(line.strip().startswith("- ") for line in lines[:1])


def _items(entry: _Entry) -> list[str]:
    if entry.value:
        return [_plain(part) for part in entry.value.strip("[]").split(",")]
    return [_plain(line.strip().removeprefix("- ")) for line in entry.below if line.strip()]


def _options(entry: _Entry) -> list[str]:
    """The values of a list; none, so any will do, where it is written in a way that is not read here."""
    is_plain = entry.value.startswith("[") and entry.value.endswith("]") and not {'"', "'"} & {*entry.value}
    return _items(entry) if is_plain or not entry.value else []


def _plain(value: str) -> str:
    value = value.strip()
    if value[:1] in {'"', "'"} and value.find(value[0], 1) > 0:
        return value[1 : value.find(value[0], 1)]
    return _COMMENT.sub("", value).strip()
