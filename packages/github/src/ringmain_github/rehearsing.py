"""Rehearsals of writes within the byte budget of answers."""

from typing import Any, cast

from ringmain_core.answers import size_of
from ringmain_core.call import Call
from ringmain_github.issues import excerpt
from ringmain_github.models import Outcome

_LONGEST, _SHORTEST = 8_000, 10
_FRAME = 500  # bytes for what stands around the texts


def fitted(call: Call, outcome: Outcome) -> Outcome:
    """A rehearsal whose longest texts, which the caller has, are as short as the budget wants it."""
    most = _LONGEST
    while size_of([outcome.text(), outcome.requests]) > call.room - _FRAME and most > _SHORTEST:
        most //= 2
        shortened = {
            "summary": excerpt(outcome.summary, most),
            "requests": _shortened(outcome.requests, most),
            "preview": _shortened(outcome.preview, most),
        }
        outcome = outcome.model_copy(update=shortened)
    return outcome


def _shortened(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return excerpt(value, most)
    if isinstance(value, list):
        return [_shortened(each, most) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: _shortened(each, most) for name, each in cast("dict[str, Any]", value).items()}
    return value
