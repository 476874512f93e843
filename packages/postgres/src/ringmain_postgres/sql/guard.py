"""The guard: one statement in, a judgement out."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ringmain_postgres.sql import families
from ringmain_postgres.sql.catalogue import BuiltIns, Fetch, load_built_ins
from ringmain_postgres.sql.closure import Closure
from ringmain_postgres.sql.literals import check_setting_name
from ringmain_postgres.sql.parse import Parsed, Tree, parse
from ringmain_postgres.sql.policy import Policy
from ringmain_postgres.sql.references import References, collect, not_a_query
from ringmain_postgres.sql.refused import SqlRefused

_SHORT = 4_000  # characters; what longer texts say is not remembered

Kind = Literal["query", "explain", "show"]

SESSION_SETTINGS = {
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "row_security": "on",
    "xmloption": "content",
}
"""What the judgement takes for granted besides the search path: set it before the statement is run."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement that may run.

    `sql` is exactly the part of the text that was judged, without a closing semicolon. A `query` may be
    wrapped as a subquery; put a line break after it then, since it may end in a comment. `relations` are
    those that it names (`schema.name`), `underlying` those that views and SQL functions read on its behalf.
    """

    kind: Kind
    sql: str
    relations: tuple[str, ...]
    underlying: tuple[str, ...]

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
        reading = _read_again(sql) if len(sql) <= _SHORT else _read(sql)
        if reading.references is None:
            return Checked(reading.kind, reading.sql, (), ())
        if self._built_ins is None:
            self._built_ins = await load_built_ins(fetch)
        closure = Closure(self.policy, self._built_ins, fetch)
        await closure.judge(reading.references)
        direct = {f"{relation.schema}.{relation.name}" for relation in closure.direct.values()}
        underlying = {f"{relation.schema}.{relation.name}" for relation in closure.underlying.values()}
        return Checked(reading.kind, reading.sql, tuple(sorted(direct)), tuple(sorted(underlying)))


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a text says, before anybody has asked the server; without names where it is about a setting."""

    kind: Kind
    sql: str
    references: References | None


def _read(sql: str) -> _Reading:
    parsed = parse(sql)
    if parsed.kind == "VariableShowStmt":
        check_setting_name(parsed.tree.get("name", ""))
        return _Reading("show", parsed.sql, None)
    if parsed.kind == "ExplainStmt":
        return _Reading("explain", parsed.sql, collect((_explained(parsed.tree),)))
    return _Reading("query", parsed.sql, collect((parsed,)))


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
