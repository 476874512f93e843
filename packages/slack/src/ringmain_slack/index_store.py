"""The search index in SQLite: what was read of each conversation, by whom, and how far."""

import json
import sqlite3
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager

from ringmain_slack.index_rows import Entry, Found, Holder, Span, Thread, Wanted

_RECENCY = 30 * 86_400 * 1_000_000  # microseconds after which being new counts half as much
_PUT = """
INSERT INTO messages (place, ts, thread, author, edited, text, replies, latest)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (place, ts) DO UPDATE SET
    text = CASE WHEN excluded.edited >= edited THEN excluded.text ELSE text END,
    edited = max(edited, excluded.edited),
    replies = CASE WHEN excluded.replies >= 0 THEN excluded.replies ELSE replies END,
    latest = CASE WHEN excluded.replies >= 0 THEN excluded.latest ELSE latest END
"""
_FITS = """
JOIN places p ON p.id = m.place WHERE p.team = :team AND p.user = :user AND m.text <> ''
AND p.channel IN (SELECT value FROM json_each(:channels))
AND (:authors = '[]' OR m.author IN (SELECT value FROM json_each(:authors)))
AND m.ts >= :since AND (:until = 0 OR m.ts <= :until)
"""
_NEWEST = (
    "SELECT p.channel, m.ts, m.thread, m.author, m.text FROM messages m"  # noqa: S608 (a constant)
    f"{_FITS} ORDER BY m.ts DESC LIMIT :most OFFSET :skip"
)
_BEST = (
    "SELECT p.channel, m.ts, m.thread, m.author, m.text"  # noqa: S608 (a constant)
    " FROM words JOIN messages m ON m.id = words.rowid"
    f"{_FITS} AND words MATCH :words"
    " ORDER BY bm25(words) * (1.0 + 1.0 / (1.0 + max(0.0, :now - m.ts) / :recency)), m.ts DESC"
    " LIMIT :most OFFSET :skip"
)


class Store:
    """One connection; every method is one transaction, and may raise what `sqlite3` raises.

    Args:
        db: As `opened` gives it.
        most: Messages; the oldest go first.
    """

    def __init__(self, db: sqlite3.Connection, most: int) -> None:
        self._db = db
        self._most = most

    def close(self) -> None:
        self._db.close()

    def spans(self, holder: Holder, channels: Collection[str]) -> Mapping[str, Span]:
        """How far each of these conversations was read, of those that were."""
        rows = self._db.execute(
            "SELECT channel, oldest, newest, whole,"
            " (SELECT count(*) FROM messages WHERE place = places.id),"
            " (SELECT count(*) FROM messages WHERE place = places.id"
            "  AND replies > 0 AND (latest > latest_read OR replies <> replies_read))"
            " FROM places WHERE team = ? AND user = ? AND channel IN (SELECT value FROM json_each(?))",
            (holder.team, holder.user, _listed(channels)),
        )
        return {row[0]: Span(row[1], row[2], bool(row[3]), row[4], row[5]) for row in rows}

    def has_room(self) -> bool:
        """Whether older messages can come in without others going."""
        return self._count() < self._most

    def put(
        self, holder: Holder, channel: str, entries: Sequence[Entry], span: Span, low: int, high: int
    ) -> None:
        """Take in what a conversation shows between two moments, and forget what it shows there no more.

        Args:
            holder: Who has read it.
            channel: The conversation.
            entries: All that it shows from `low` to `high`.
            span: What has been read of it now.
            low: Where the entries begin.
            high: Where they end, inclusive.
        """
        with self._writing():
            place = self._place(holder, channel, span)
            self._put(place, entries)
            self._db.execute(
                "DELETE FROM messages WHERE place = ? AND thread = 0 AND ts BETWEEN ? AND ?"
                " AND ts NOT IN (SELECT value FROM json_each(?))",
                (place, low, high, _listed(one.ts for one in entries)),
            )
            self._db.execute(
                "DELETE FROM messages WHERE place = ? AND thread > 0"
                " AND thread IN (SELECT value FROM json_each(?))",
                (place, _listed(one.ts for one in entries if one.replies == 0)),
            )
            self._trim()

    def put_thread(self, holder: Holder, thread: Thread, entries: Sequence[Entry], *, whole: bool) -> None:
        """Take in replies; `whole` says that these are all there are."""
        with self._writing():
            known = self._db.execute(
                "SELECT id FROM places WHERE team = ? AND user = ? AND channel = ?",
                (holder.team, holder.user, thread.channel),
            ).fetchone()
            if known is None:
                return
            (place,) = known
            self._put(place, entries)
            if whole:
                self._db.execute(
                    "DELETE FROM messages WHERE place = ? AND thread = ? AND ts <= ?"
                    " AND ts NOT IN (SELECT value FROM json_each(?))",
                    (place, thread.ts, thread.latest, _listed(one.ts for one in entries)),
                )
            self._db.execute(
                "UPDATE messages SET replies_read = ?, latest_read = ? WHERE place = ? AND ts = ?",
                (thread.replies, thread.latest, place, thread.ts),
            )
            self._trim()

    def unread_threads(self, holder: Holder, channels: Collection[str], most: int) -> Sequence[Thread]:
        """Threads with replies that were not read, those with the latest ones first."""
        rows = self._db.execute(
            "SELECT p.channel, m.ts, m.replies, m.latest_read, m.latest"
            " FROM places p JOIN messages m ON m.place = p.id"
            " WHERE p.team = ? AND p.user = ? AND p.channel IN (SELECT value FROM json_each(?))"
            " AND m.replies > 0 AND (m.latest > m.latest_read OR m.replies <> m.replies_read)"
            " ORDER BY m.latest DESC LIMIT ?",
            (holder.team, holder.user, _listed(channels), most),
        )
        return [Thread(*row) for row in rows]

    def hear(self, team: str, channel: str, entry: Entry) -> None:
        """A message is new, changed or gone, for all who have read the conversation.

        How far it was read stays as it is: what came before may not have been heard.
        """
        with self._writing():
            places = self._db.execute(
                "SELECT id FROM places WHERE team = ? AND channel = ?", (team, channel)
            ).fetchall()
            for (place,) in places:
                self._put(place, [entry])
            self._trim()

    def find(self, holder: Holder, wanted: Wanted, now: int, skip: int, most: int) -> Sequence[Found]:
        """What fits, the best first: by how well the words fit, and how new it is."""
        given: dict[str, object] = {
            "team": holder.team,
            "user": holder.user,
            "channels": _listed(wanted.channels),
            "authors": _listed(wanted.authors),
            "since": wanted.since,
            "until": wanted.until,
            "words": wanted.expression,
            "now": now,
            "recency": _RECENCY,
            "most": most,
            "skip": skip,
        }
        rows = self._db.execute(_BEST if wanted.expression else _NEWEST, given)
        return [Found(*row) for row in rows]

    def _put(self, place: int, entries: Sequence[Entry]) -> None:
        self._db.executemany(
            _PUT,
            (
                (place, one.ts, one.thread, one.author, one.edited, one.text, one.replies, one.latest)
                for one in entries
            ),
        )

    def _place(self, holder: Holder, channel: str, span: Span) -> int:
        (place,) = self._db.execute(
            "INSERT INTO places (team, user, channel, oldest, newest, whole) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (team, user, channel) DO UPDATE SET"
            " oldest = excluded.oldest, newest = excluded.newest, whole = excluded.whole RETURNING id",
            (holder.team, holder.user, channel, span.oldest, span.newest, span.whole),
        ).fetchone()
        return place

    def _count(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM messages").fetchone()
        return count

    def _trim(self) -> None:
        excess = self._count() - self._most
        if excess <= 0:
            return
        (first,) = self._db.execute(
            "SELECT ts FROM messages ORDER BY ts LIMIT 1 OFFSET ?", (excess,)
        ).fetchone()
        self._db.execute("DELETE FROM messages WHERE ts < ?", (first,))
        self._db.execute(
            "UPDATE places SET oldest = ?, newest = max(newest, ?), whole = 0 WHERE oldest < ?",
            (first, first, first),
        )

    @contextmanager
    def _writing(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _listed(values: Iterable[object]) -> str:
    return json.dumps(list(values))
