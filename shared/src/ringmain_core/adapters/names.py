"""Names of functions that every provider takes, each for one tool."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

_LONGEST = 64
_TAIL = 8


def function_names(tools: Sequence[tuple[str, str]]) -> list[str]:
    """A name for each tool, given as server and tool, in the same order.

    A tool keeps its name where it can: letters, digits, `_` and `-`, at most 64, no digit first.
    Where two servers have a tool of the same name, each is called `<server>_<tool>`.
    """
    plain = [_valid(tool) for _, tool in tools]
    often = Counter(plain)
    names = [
        name if often[name] == 1 else _valid(f"{server}_{tool}")
        for name, (server, tool) in zip(plain, tools, strict=True)
    ]
    often = Counter(names)
    return [
        name if often[name] == 1 else _cut(name, f"{server}\n{tool}")
        for name, (server, tool) in zip(names, tools, strict=True)
    ]


def _valid(name: str) -> str:
    valid = re.sub(r"[^a-zA-Z0-9_-]", "_", name)
    if not re.match(r"[a-zA-Z_]", valid):
        valid = f"_{valid}"
    return valid if len(valid) <= _LONGEST else _cut(valid, name)


def _cut(name: str, whole: str) -> str:
    """The beginning of a name, and what tells it from others that begin so."""
    tail = hashlib.sha256(whole.encode()).hexdigest()[:_TAIL]
    return f"{name[: _LONGEST - _TAIL - 1]}_{tail}"
