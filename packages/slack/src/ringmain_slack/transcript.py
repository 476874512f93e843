"""Messages as an answer: rows for programs, lines for a model, people by name, as many as fit."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import Field

from ringmain_core.answers import size_of
from ringmain_core.call import Call
from ringmain_core.results import Answer
from ringmain_core.text import clean, untrusted
from ringmain_slack.conversations import Person, one_line
from ringmain_slack.incoming import author_of, people_in, raw_of, text_of
from ringmain_slack.references import when
from ringmain_slack.workspace import Workspace

_FRAME = 1_200  # bytes for what stands around the messages
_LEAST = 500  # bytes of a message that are shown, however little room there is
_OVERHEAD = 120  # bytes of a line beside its text
COLUMNS = ["ts", "time", "author", "text", "replies", "latest_reply", "reactions", "files"]

Line = list[Any]
"""A row of `COLUMNS`; what does not apply is an empty text, list or 0."""


class Transcript(Answer):
    """Messages, the oldest first.

    `people` says who is who: name and id, for mentions. `note` says what is not there.
    """

    source: str = Field(exclude=True)
    channel: str
    columns: list[str] = COLUMNS
    messages: list[Line]
    people: dict[str, str]
    note: str | None = None
    next_cursor: str | None = None

    def text(self) -> str:
        """One message a line, with its `ts`, for a model."""
        body = "\n".join(shown(line) for line in self.messages) or "no messages"
        said = [untrusted(body, self.source), f"{len(self.messages)} messages, times in UTC."]
        if self.people:
            said.append(f"People: {', '.join(f'{name} ({id_})' for id_, name in self.people.items())}.")
        if self.note:
            said.append(self.note)
        if self.next_cursor:
            said.append(f"There are more: next_cursor={self.next_cursor}")
        return "\n".join(said)


def shown(line: Line) -> str:
    """A message for a model; further lines of it are indented, so that none can pass for the next message."""
    ts, at, author, text, replies, latest, reactions, files = line
    about: list[str] = []
    if replies:
        about.append(f"{replies} replies, latest {latest}")
    about += [", ".join(reactions)] if reactions else []
    about += [f"files {', '.join(files)}"] if files else []
    more = f" ({'; '.join(about)})" if about else ""
    return f"{ts} {at} {author}: {text.replace(chr(10), chr(10) + '  ')}{more}"


async def lines_of(
    at: Workspace, messages: Sequence[Mapping[str, Any]]
) -> tuple[list[Line], dict[str, Person]]:
    """Messages as rows, in their order, and the people who wrote them or are named."""
    said = [(message, raw_of(message)) for message in messages]
    people = await at.directory.people(
        at, (name for message, raw in said for name in people_in(message, raw))
    )
    return [_line(message, raw, people) for message, raw in said], people


def newest_fitting(call: Call, lines: Sequence[Line]) -> list[Line]:
    """As many of the last lines as fit the answer, but at least one; where that is cut, it says so."""
    room = call.room - _FRAME
    if _size_of_all(lines) <= room:
        return list(lines)
    kept: list[Line] = []
    for line in reversed(lines):
        if _size(line) > room and kept:
            break
        whole = line[3]
        if _size(line) > room:
            beginning = _beginning(whole, room)
            left = f"[… {len(beginning):,} of {len(whole):,} characters; `read_thread` with its ts reads all]"
            kept.append(_with_text(line, f"{beginning} {left}"))
            break
        kept.append(line)
        room -= _size(line)
    return kept[::-1]


def oldest_fitting(
    call: Call, lines: Sequence[Line], skip: int = 0
) -> tuple[list[Line], tuple[str, int] | None]:
    """As many of the first lines as fit, and where to go on: the `ts` and character of what is left.

    `skip` is how many characters of the first line were shown before.
    """
    room = call.room - _FRAME
    if not skip and _size_of_all(lines) <= room:
        return list(lines), None
    kept: list[Line] = []
    for line in lines:
        begin = skip if not kept else 0
        rest = _with_text(line, line[3][begin:]) if begin else line
        if _size(rest) <= room:
            kept.append(rest)
            room -= _size(rest)
            continue
        if kept:
            return kept, (line[0], 0)
        beginning = _beginning(rest[3], room)
        return [_with_text(line, f"{beginning} …")], (line[0], begin + len(beginning))
    return kept, None


def legend(people: Mapping[str, Person], lines: Iterable[Line]) -> dict[str, str]:
    """Ids and names of those who are in these lines."""
    said = "\n".join(f"{line[2]}\n{line[3]}" for line in lines)
    return {person.id: person.name for person in people.values() if person.name in said}


def _size_of_all(lines: Sequence[Line]) -> int:
    return size_of(lines) + len(lines) * _OVERHEAD


def _size(line: Line) -> int:
    return size_of(line) + _OVERHEAD


def _with_text(line: Line, text: str) -> Line:
    return [*line[:3], text, *line[4:]]


def _beginning(text: str, room: int) -> str:
    """As much of a text as fits a number of bytes, once it is JSON."""
    kept = text[: max(room, _LEAST)]
    while size_of(kept) > max(room - 2 * _OVERHEAD, _LEAST):
        kept = kept[: len(kept) * 7 // 8]
    return kept


def _line(message: Mapping[str, Any], raw: str, people: Mapping[str, Person]) -> Line:
    ts = str(message["ts"])
    latest = message.get("latest_reply")
    text = text_of(message, people, raw)
    if message.get("edited"):
        text = f"{text} (edited)"
    subtype = message.get("subtype")
    if subtype == "thread_broadcast":
        text = f"{text} (from thread {message.get('thread_ts')})"
    return [
        ts,
        when(ts),
        author_of(message, people),
        text,
        int(message.get("reply_count", 0)),
        when(str(latest)) if latest else "",
        [f":{clean(str(one['name']))}: {one['count']}" for one in message.get("reactions") or ()],
        [_file(one) for one in message.get("files") or ()],
    ]


def _file(file: Mapping[str, Any]) -> str:
    return f"{file['id']} {one_line(str(file.get('title') or file.get('name') or 'file'))}"
