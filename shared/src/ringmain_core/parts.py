"""One thing with long parts: as much of them as fits the budget, and a cursor for the rest."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, TypeVar

from ringmain_core.answers import PagedItem, beginning, size_of
from ringmain_core.call import Call
from ringmain_core.cursors import Cursors

Part = Callable[[int], AsyncGenerator[str]]
"""The pieces of a part from a number on: each is whole where it fits, and nothing is asked for in vain."""

T = TypeVar("T", bound=str)

_FRAME = 1_000  # bytes for what stands around the parts
_LEAST = 200  # bytes of a text that are shown, however little room there is


async def filled(
    cursors: Cursors,
    call: Call,
    source: str,
    facts: Mapping[str, Any],
    parts: Mapping[str, Part],
    cursor: str | None,
) -> PagedItem:
    """Fill the parts, in order, until the budget is used up.

    Args:
        cursors: Seals the cursor.
        call: For whom, and with how much room.
        source: Of the text, for its fence; a cursor is good for it only.
        facts: Shown on the first page.
        parts: By name.
        cursor: Where to go on; `None` to begin.

    Raises:
        InvalidCursor: Where the cursor belongs to something else, or to other parts.
    """
    names = list(parts)
    purpose = f"{call.target} {source} {names}"
    first, number, offset = (0, 0, 0) if cursor is None else cursors.open(call, purpose, cursor)
    answer = PagedItem(source=source, facts=dict(facts) if cursor is None else {})
    room = call.room - 2 * size_of(answer.facts) - _FRAME
    for at, name in enumerate(names[first:], start=first):
        begin, skip = (number, offset) if at == first else (0, 0)
        taken: list[str] = []
        following: list[int] | None = None
        async for text in parts[name](begin):
            left = text[skip:]
            if size_of(left) <= room:
                taken.append(left)
                room -= size_of(left)
                skip = 0
                continue
            following = [at, begin + len(taken), skip]
            if not taken and not answer.parts:  # alone it is too large, too: it has to be torn
                taken.append(beginning(left, max(room, _LEAST)))
                following[2] += len(taken[0])
            break
        if taken or following is None:
            answer.parts[name] = "\n".join(taken) or "none"
        if following is not None:
            answer.next_cursor = cursors.seal(call, purpose, following)
            rest = ", ".join(names[at:])
            answer.truncated.append(f"{rest}: call again with `next_cursor` as `cursor`.")
            break
    return answer


def chosen(known: Mapping[T, Callable[[], Part]], include: Sequence[T] | None) -> dict[str, Part]:
    """The parts that were asked for, in the order of all; nothing is worked out for the others."""
    return {name: part() for name, part in known.items() if name in include} if include else {}


def whole(text: str) -> Part:
    """A text as a part."""

    async def pieces(begin: int) -> AsyncGenerator[str]:
        if text and begin == 0:
            yield text

    return pieces
