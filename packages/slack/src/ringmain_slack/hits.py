"""Messages that a search has found, as an answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ringmain_core.answers import Rows, fitting
from ringmain_core.call import Call
from ringmain_slack.references import when
from ringmain_slack.workspace import Place, Workspace

COLUMNS = ["channel", "ts", "time", "author", "text", "link"]
_LONGEST = 400  # characters of a text
_BEFORE = 80  # characters before the first word that was looked for


@dataclass(frozen=True, slots=True)
class Hit:
    """A message.

    Attributes:
        thread: The `ts` of its thread's first message, where it is a reply.
        author: An id, or a name where there is no id.
    """

    place: Place
    ts: str
    thread: str
    author: str
    text: str


async def answer_of(
    call: Call, at: Workspace, hits: Sequence[Hit], words: Sequence[str], note: str | None
) -> tuple[Rows, int]:
    """As many of the hits as fit, and how many those are; each conversation counts as read."""
    people = await at.directory.people(at, (hit.author for hit in hits))
    named = [
        replace(hit, author=people[hit.author].name if hit.author in people else hit.author) for hit in hits
    ]
    rows = fitting([_row(hit, words) for hit in named], call.room) if hits else []
    for place in {hit.place.id: hit.place for hit in hits[: len(rows)]}.values():
        await place.saw(call)
    return Rows(source=f"Slack {at.about.domain}", columns=COLUMNS, rows=rows, note=note), len(rows)


def permalink(place: Place, ts: str, thread: str = "") -> str:
    """Where browsers find a message."""
    link = f"{place.workspace.about.url}archives/{place.id}/p{ts.replace('.', '')}"
    return f"{link}?thread_ts={thread}&cid={place.id}" if thread else link


def excerpt(text: str, words: Sequence[str]) -> str:
    """The part of a text around the first of some words, on one line."""
    text = " ".join(text.split())
    if len(text) <= _LONGEST:
        return text
    folded = text.casefold()
    places = [found for word in words if (found := folded.find(word)) >= 0]
    begin = max(0, min(places, default=0) - _BEFORE)
    begin = min(begin, len(text) - _LONGEST)
    part = text[begin : begin + _LONGEST].strip()
    return f"{'… ' if begin else ''}{part}{' …' if begin + _LONGEST < len(text) else ''}"


def _row(hit: Hit, words: Sequence[str]) -> list[str]:
    return [
        hit.place.title,
        hit.ts,
        when(hit.ts),
        hit.author,
        excerpt(hit.text, words),
        permalink(hit.place, hit.ts, hit.thread),
    ]
