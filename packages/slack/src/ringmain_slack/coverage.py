"""How far a search of the index looks, in words."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ringmain_slack.index_lacks import Lack
from ringmain_slack.index_rows import Span
from ringmain_slack.workspace import Place

_MOST_NAMED = 8


def coverage(
    places: Sequence[Place], spans: Mapping[str, Span], lack: Lack, *, since: int, full: bool
) -> str:
    """What was looked through, how far back, and what was not.

    Args:
        places: In question.
        spans: How far each was read.
        lack: What was not read.
        since: How far back was asked for, in microseconds since 1970.
        full: Whether the index takes nothing older.
    """
    if not places:
        return "There is no conversation that you are in and may use."
    read = [place for place in places if place.id in spans]
    count = sum(spans[place.id].messages for place in read)
    unread = sum(spans[place.id].unread for place in read)
    short = [place for place in read if not spans[place.id].whole and spans[place.id].oldest > since]
    said = f"Looked through {count:,} messages of {len(read)} conversation{'' if len(read) == 1 else 's'}"
    if short:
        worst = max(short, key=lambda place: spans[place.id].oldest)
        why = f"; {lack.older}" if lack.older else ""
        said += f", back to {_day(spans[worst.id].oldest)} in the shortest ({worst.title}{why})"
    elif read:
        said += f", back to {_day(since)}" if since else ", back to their beginning"
    if unread:
        said += f"; without the new replies of {unread:,} thread{'' if unread == 1 else 's'}"
    for ids, since_then in ((lack.heard, "only listened to since"), (lack.lately, "not again")):
        if ids:
            said += f"; {len(ids):,} of them read within the last minute, {since_then}"
    stale = [place for place in read if place.id in lack.newest]
    if stale:
        said += f"; without what is new in {_named(stale, lack)}"
    missing = [place for place in places if place.id not in spans]
    if missing:
        said += f"; not yet: {_named(missing, lack)}"
    if short and full:
        return f"{said}. The index is full: older messages are not kept."
    left = [place for place in (*stale, *missing) if place.id not in lack.refused]
    if short or unread or left:
        return f"{said}. Searching again looks further."
    return f"{said}."


def _named(places: Sequence[Place], lack: Lack) -> str:
    names = [f"{place.title} ({lack.newest.get(place.id, 'no time')})" for place in places[:_MOST_NAMED]]
    if len(places) > _MOST_NAMED:
        names.append(f"{len(places) - _MOST_NAMED:,} more")
    return ", ".join(names)


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment // 1_000_000, UTC).strftime("%Y-%m-%d")
