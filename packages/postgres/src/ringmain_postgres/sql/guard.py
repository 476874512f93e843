"""The guard: one statement in, a judgement out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal, TypeVar

from ringmain_postgres.sql import families
from ringmain_postgres.sql.catalogue import BuiltIns, Fetch, load_built_ins
from ringmain_postgres.sql.closure import Closure
from ringmain_postgres.sql.literals import check_setting_name
from ringmain_postgres.sql.parse import Parsed, Tree, parse
from ringmain_postgres.sql.policy import Policy
from ringmain_postgres.sql.references import References, collect, not_a_query
from ringmain_postgres.sql.refused import SqlRefused

_SHORT = 4_000  # characters; what longer texts say is not remembered
_MOST_REMEMBERED = 256

Kind = Literal["query", "explain", "show"]
K = TypeVar("K")
T = TypeVar("T")

SESSION_SETTINGS = {
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "row_security": "on",
    "xmloption": "content",
}
"""What the judgement takes for granted besides the search path: set it before the statement is run."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Shape:
    """What statements have in common whose columns and parameters have the same names and types.

    They are built alike, name the same things, and rest on the same facts of the catalogue.
    """


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Checked:
    """A statement that may run; the same object comes again while nothing has changed that it rests on.

    `sql` is exactly the part of the text that was judged, without a closing semicolon. A `query` may be
    wrapped as a subquery; put a line break after it then, since it may end in a comment. `relations` are
    those that it names (`schema.name`), `underlying` those that views and SQL functions read on its behalf.
    `reached` is what a caller's fence has to admit: `relations`, what inherits from them, and functions.
    """

    kind: Kind
    sql: str
    relations: tuple[str, ...]
    underlying: tuple[str, ...]
    reached: frozenset[str] = frozenset()
    shape: Shape = field(default_factory=Shape)

    @property
    def wrappable(self) -> bool:
        return self.kind == "query"


class Guard:
    """Judges statements for one database.

    What the server ships is read once, everything else with each statement.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._built_ins: BuiltIns | None = None
        self._judgements: dict[_Names, _Judgement] = {}
        self._settled: dict[str, _Settled] = {}

    @property
    def search_path(self) -> tuple[str, ...]:
        """The search path that the session must have; temporary objects come last."""
        return ("pg_catalog", *self.policy.search_path, "pg_temp")

    async def check(self, sql: str, fetch: Fetch) -> Checked:
        """Judge one statement, looking its names up through `fetch`.

        Let `fetch` make the first queries of the very transaction that will run the statement, with the
        search path of this guard set: then what was judged is what runs. Under `plan_cache_mode =
        force_generic_plan` the look-ups are planned once per connection, which is most of their cost.

        Raises:
            SqlRefused: with a stable code, the reason, and what to do instead.
        """
        settled = self._settled.get(sql)
        if settled is not None and await settled.judgement.holds(fetch):
            return settled.checked
        short = len(sql) <= _SHORT
        reading = _read_again(sql) if short else _read(sql)
        if reading.references is None:
            return Checked(reading.kind, reading.sql, (), ())
        # What is refused for its constants was refused when it was read; the rest is about names alone.
        judgement = self._judgements.get(reading.names)
        outdated = settled is not None and settled.judgement is judgement
        if judgement is None or outdated or not await judgement.holds(fetch):
            judgement = await self._judge(reading.references, fetch)
        shape = judgement.shape(reading.shape)
        checked = Checked(
            reading.kind, reading.sql, judgement.relations, judgement.underlying, judgement.reached, shape
        )
        if short and len(judgement.answers) <= 1:
            _remember(self._judgements, reading.names, judgement)
            _remember(self._settled, sql, _Settled(checked, judgement))
        return checked

    async def follow(self, references: References, fetch: Fetch, assigned: Iterable[int] = ()) -> Closure:
        """Judge names of whatever statement, and return what they were found to be.

        `assigned` are the types of the columns that the statement gives values to: casts to them happen
        without being written.

        Raises:
            SqlRefused: as `check` does.
        """
        if self._built_ins is None:
            self._built_ins = await load_built_ins(fetch)
        closure = Closure(self.policy, self._built_ins, fetch)
        closure.targets.update(assigned)
        await closure.judge(references)
        return closure

    async def _judge(self, references: References, fetch: Fetch) -> "_Judgement":
        asked = _Asked(fetch)
        closure = await self.follow(references, asked)
        direct = {f"{relation.schema}.{relation.name}" for relation in closure.direct.values()}
        underlying = {f"{relation.schema}.{relation.name}" for relation in closure.underlying.values()}
        return _Judgement(tuple(sorted(direct)), tuple(sorted(underlying)), closure.reached, asked.answers)


@dataclass(frozen=True, slots=True)
class _Answer:
    """One look-up and what it found."""

    question: str
    arguments: tuple[Any, ...]
    rows: Sequence[Mapping[str, Any]]


class _Asked:
    """Looks things up, and keeps what was found."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self.answers: list[_Answer] = []

    async def __call__(self, question: str, *arguments: Any) -> Sequence[Mapping[str, Any]]:
        rows = await self._fetch(question, *arguments)
        self.answers.append(_Answer(question, arguments, rows))
        return rows


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What some names amount to, and everything of the catalogue that it rests on."""

    relations: tuple[str, ...]
    underlying: tuple[str, ...]
    reached: frozenset[str]
    answers: list[_Answer]
    shapes: dict[bytes, Shape] = field(default_factory=dict[bytes, Shape])

    def shape(self, digest: bytes) -> Shape:
        """What statements of this shape and with these names share as long as the judgement holds."""
        known = self.shapes.get(digest)
        if known is None:
            known = Shape()
            _remember(self.shapes, digest, known)
        return known

    async def holds(self, fetch: Fetch) -> bool:
        """Whether the catalogue, asked again in the present transaction, says what it said."""
        for answer in self.answers:
            rows = await fetch(answer.question, *answer.arguments)
            if rows is not answer.rows and _facts(rows) != _facts(answer.rows):
                return False
        return True


@dataclass(frozen=True, slots=True)
class _Settled:
    """A text, and the judgement of its names."""

    checked: Checked
    judgement: _Judgement


def _remember(memory: dict[K, T], key: K, value: T) -> None:
    memory.pop(key, None)
    if len(memory) >= _MOST_REMEMBERED:
        del memory[next(iter(memory))]
    memory[key] = value


def _facts(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(row["kind"], row["item"]) for row in rows]


_Names = tuple[frozenset[Any], ...]
_all_of = attrgetter(*(each.name for each in fields(References)))


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a text says, before anybody has asked the server; without names where it is about a setting."""

    kind: Kind
    sql: str
    references: References | None
    shape: bytes = b""

    @property
    def names(self) -> _Names:
        return tuple(map(frozenset, _all_of(self.references)))


def _read(sql: str) -> _Reading:
    parsed = parse(sql)
    if parsed.kind == "VariableShowStmt":
        check_setting_name(parsed.tree.get("name", ""))
        return _Reading("show", parsed.sql, None)
    if parsed.kind == "ExplainStmt":
        return _Reading("explain", parsed.sql, collect((_explained(parsed.tree),)), parsed.shape)
    return _Reading("query", parsed.sql, collect((parsed,)), parsed.shape)


_read_again = lru_cache(maxsize=256)(_read)


def _explained(tree: Tree) -> Parsed:
    for option in tree.get("options", ()):
        name = option["DefElem"]["defname"].lower()
        if name not in families.EXPLAIN_OPTIONS:
            raise SqlRefused(
                "explain",
                f"EXPLAIN with {name.upper()} is not allowed here"
                + (": it runs the statement." if name == "analyze" else "."),
                "Use plain EXPLAIN, or EXPLAIN (VERBOSE, FORMAT JSON).",
            )
    (kind, query), *_ = tree["query"].items()
    if kind != "SelectStmt":
        raise not_a_query(kind)
    return Parsed(kind, query, "")
