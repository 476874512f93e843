"""What the catalogue said about some names, and how a server is asked whether it still says so."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ringmain_postgres.sql.lookup import names_sql

Rows = Sequence[Mapping[str, Any]]

_MOST_ANSWERS = 256
_LONGEST_ANSWER = 64_000  # bytes

# The digest is made of the facts in an order of bytes, which no plan, collation or encoding changes.
_HOLDS = """
PREPARE ringmain_holds (name[], name[], name[], name[], text) AS
SELECT pg_catalog.set_config('plan_cache_mode', 'auto', true)
FROM (
    SELECT pg_catalog.encode(pg_catalog.sha256(
        COALESCE(pg_catalog.string_agg(fact, pg_catalog.decode('0a', 'hex') ORDER BY fact), '')
    ), 'hex') AS digest
    FROM (
        SELECT pg_catalog.convert_to(kind || ' ' || item, 'UTF8') AS fact FROM ({question}) AS said
    ) AS facts
) AS found
WHERE digest = $5
"""


def holds_sql(major: int) -> str:
    """The statement that a session of a server of this version needs before it can be asked."""
    return _HOLDS.format(question=names_sql(major * 10_000))


@dataclass(frozen=True, slots=True)
class Known:
    """An answer, and the statement that returns one row if the catalogue still gives it, else none.

    The statement has no parameters, so that it can travel with others. Where the answer holds, it also turns
    `plan_cache_mode` to `auto` for the rest of the transaction, for the guard's look-ups are then over.
    """

    rows: Rows
    still_holds: str


class Recall:
    """Answers to the guard's question about names, by those names. They are bounded, the oldest go first."""

    def __init__(self) -> None:
        self._answers: dict[tuple[tuple[str, ...], ...], Known] = {}

    def find(self, question: str, arguments: Sequence[Sequence[str]]) -> Known | None:
        """What was answered once; whether it holds is still to be asked."""
        return self._answers.get(_key(arguments)) if question in _about_names() else None

    def keep(self, question: str, arguments: Sequence[Sequence[str]], rows: Rows) -> None:
        """Remember an answer, unless it is to another question or very long."""
        if question not in _about_names():
            return
        facts = [f"{row['kind']} {row['item']}".encode() for row in rows]
        if sum(map(len, facts)) > _LONGEST_ANSWER:
            return
        digest = hashlib.sha256(b"\n".join(sorted(facts))).hexdigest()
        literals = ", ".join(_names(names) for names in arguments)
        key = _key(arguments)
        self._answers.pop(key, None)
        if len(self._answers) >= _MOST_ANSWERS:
            del self._answers[next(iter(self._answers))]
        self._answers[key] = Known(rows, f"EXECUTE ringmain_holds ({literals}, '{digest}')")


@cache
def _about_names() -> tuple[str, ...]:
    return names_sql(130_000), names_sql(140_000)


def _key(arguments: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(map(tuple, arguments))


def _names(names: Sequence[str]) -> str:
    """An array of names as an expression in which no name is ever read as SQL: it is all hexadecimal."""
    quoted = (name.replace("\\", "\\\\").replace('"', '\\"') for name in names)
    array = "{" + ",".join(f'"{name}"' for name in quoted) + "}"
    return f"pg_catalog.convert_from(pg_catalog.decode('{array.encode().hex()}', 'hex'), 'UTF8')::name[]"
