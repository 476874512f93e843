"""Messages and events as the search index keeps them."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ringmain_slack.incoming import NOISE, author_of, people_in, text_of
from ringmain_slack.index_rows import Entry
from ringmain_slack.references import micros


def entry_of(message: Mapping[str, Any], people: Mapping[str, Any]) -> Entry | None:
    """A message as it is kept; `None` for what nobody has said."""
    if message.get("subtype") in NOISE:
        return None
    ts, root = micros(str(message["ts"])), micros(str(message.get("thread_ts") or "0"))
    edited: Mapping[str, Any] = message.get("edited") or {}
    return Entry(
        ts=ts,
        thread=0 if root == ts else root,
        author=str(message.get("user") or author_of(message, people)),
        edited=micros(str(edited.get("ts") or "0")),
        text=text_of(message, people),
        replies=int(message.get("reply_count", 0)),
        latest=micros(str(message.get("latest_reply") or "0")),
    )


def entry_of_event(
    event: Mapping[str, Any], names: Callable[[Collection[str]], Mapping[str, Any]]
) -> Entry | None:
    """What an event has changed; an edit or deletion counts more than what was read before it."""
    changed = micros(str(event.get("event_ts") or event.get("ts") or "0"))
    subtype = event.get("subtype")
    if subtype == "message_deleted":
        before: Mapping[str, Any] = event.get("previous_message") or {}
        root = micros(str(before.get("thread_ts") or "0"))
        ts = micros(str(event["deleted_ts"]))
        return Entry(ts, 0 if root == ts else root, "", changed, "")
    message: Mapping[str, Any] = event["message"] if subtype == "message_changed" else event
    entry = entry_of(message, names(list(people_in(message))))
    if entry is None:
        return None
    edited = changed if subtype == "message_changed" else entry.edited
    return Entry(entry.ts, entry.thread, entry.author, edited, entry.text)
