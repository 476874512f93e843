"""Everything that a statement names and Postgres would resolve: relations, functions, operators, types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

from ringmain_postgres.sql import families
from ringmain_postgres.sql.grammar import NODE, PLAIN, SHAPES
from ringmain_postgres.sql.literals import check_selections, check_setting, growth
from ringmain_postgres.sql.parse import Parsed, Tree, parse_body, too_deep
from ringmain_postgres.sql.refused import SqlRefused

MAX_DEPTH = 150

Name = tuple[str, str]
"""Schema (empty: by search path) and name."""

NO_CTES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Call:
    """A function as it is written; `arity` is -1 where the number of arguments is no help
    (ordered-set aggregates).
    """

    schema: str
    name: str
    arity: int


@dataclass(slots=True)
class References:
    """What one statement (or several that belong together) names; filled by `collect`."""

    relations: set[Name] = field(default_factory=set[Name])
    functions: set[Call] = field(default_factory=set[Call])
    selections: set[str] = field(default_factory=set[str])
    """`(expression).name`: a field, or a function of one argument of any type."""
    columns: set[str] = field(default_factory=set[str])
    """`table.name`: a column, or a function of the table's whole row."""
    old_functions: set[str] = field(default_factory=set[str])
    """SQL/JSON syntax that older servers read as calls of functions of that name."""
    operators: set[Call] = field(default_factory=set[Call])
    types: set[Name] = field(default_factory=set[Name])
    maybe_types: set[Name] = field(default_factory=set[Name])
    """Functions of one argument: `typename(x)` is a cast."""


def collect(statements: tuple[Parsed, ...]) -> References:
    """Walk statements that must all be plain queries.

    Raises:
        SqlRefused: something in them writes, locks, or is unknown.
    """
    found = References()
    walker = Walker(found)
    try:
        for statement in statements:
            if statement.kind != "SelectStmt":
                raise not_a_query(statement.kind)
            walker.select(statement.tree, NO_CTES, 0, 1)
    except RecursionError:
        raise too_deep() from None
    return found


@lru_cache(maxsize=512)
def references_of_body(text: str) -> References:
    """Return what a view, function body or expression names. The result is shared: do not change it."""
    return collect(parse_body(text))


def not_a_query(kind: str) -> SqlRefused:
    words, hint = families.STATEMENTS.get(kind, (kind.removesuffix("Stmt"), families.ONLY_QUERIES))
    return SqlRefused("not_a_query", f"{words} is not allowed here: this tool only reads.", hint)


def _strings(nodes: list[Tree]) -> list[str]:
    return [node["String"].get("sval", "") for node in nodes if "String" in node]


def _qualified(nodes: list[Tree]) -> Name:
    parts = _strings(nodes)
    if len(parts) > 2 or not parts:
        raise SqlRefused(
            "cross_database",
            f"`{'.'.join(parts)}` has more than two parts.",
            "Write `schema.name`; another database needs another connection.",
        )
    return (parts[0], parts[1]) if len(parts) == 2 else ("", parts[0])


class Walker:
    """One pass over the tree; `shapes` says of which nodes it may consist.

    `ctes` are the WITH names in scope, `size` is how often a value is repeated around here.
    """

    def __init__(self, found: References, shapes: Mapping[str, Mapping[str, str]] = SHAPES) -> None:
        self.found = found
        self.shapes = shapes

    def node(self, wrapped: Tree, ctes: frozenset[str], depth: int, size: int) -> None:
        for kind, value in wrapped.items():  # exactly one, or none for an absent element
            self.typed(kind, value, ctes, depth + 1, size)

    def typed(self, kind: str, value: Tree, ctes: frozenset[str], depth: int, size: int) -> None:
        if depth > MAX_DEPTH:
            raise too_deep()
        if kind == "SelectStmt":
            self.select(value, ctes, depth, size)
            return
        if kind in families.OLD_CALLS:
            self.found.old_functions.update(families.OLD_CALLS[kind])
        if kind == "RangeVar":
            self.range_var(value, ctes)
        elif kind == "FuncCall":
            size *= self.func_call(value, size)
        elif kind in _HANDLERS:
            _HANDLERS[kind](self, value)
        self.children(kind, value, ctes, depth, size)

    def children(self, kind: str, value: Tree, ctes: frozenset[str], depth: int, size: int) -> None:
        shape = self.shapes.get(kind)
        if shape is None:
            raise not_a_query(kind) if kind.endswith("Stmt") else _unknown(kind)
        self.fields(shape, kind, value, ctes, depth, size)

    def fields(
        self, shape: Mapping[str, str], kind: str, value: Tree, ctes: frozenset[str], depth: int, size: int
    ) -> None:
        for name, child in value.items():
            child_kind = shape.get(name)
            if child_kind == PLAIN:
                continue
            if child_kind is None:
                raise _unknown(f"{kind}.{name}")
            if child_kind != NODE:
                self.typed(child_kind, child, ctes, depth + 1, size)
            elif isinstance(child, list):
                for element in cast("list[Tree]", child):
                    self.node(element, ctes, depth, size)
            else:
                self.node(child, ctes, depth, size)

    def select(self, select: Tree, ctes: frozenset[str], depth: int, size: int) -> None:
        if "intoClause" in select:
            raise SqlRefused(
                "select_into", "SELECT INTO creates a table.", "Leave INTO out; the rows are returned to you."
            )
        if "lockingClause" in select:
            raise SqlRefused("locks", "FOR UPDATE and FOR SHARE lock rows.", "Leave the locking clause out.")
        clause = select.get("withClause")
        if clause is not None:
            ctes = self.with_queries(clause, ctes, depth, size)
            select = {name: child for name, child in select.items() if name != "withClause"}
        self.children("SelectStmt", select, ctes, depth, size)

    def with_queries(self, clause: Tree, ctes: frozenset[str], depth: int, size: int) -> frozenset[str]:
        queries: list[Tree] = [wrapped["CommonTableExpr"] for wrapped in clause["ctes"]]
        recursive = clause.get("recursive", False)
        if recursive:  # every name is visible in every query, also in itself
            ctes = ctes | {query["ctename"] for query in queries}
        for query in queries:
            self.typed("CommonTableExpr", query, ctes, depth + 1, size)
            if not recursive:  # a query sees those before it, and not itself
                ctes = ctes | {query["ctename"]}
        return ctes

    def operator(self, name: Name, arity: int) -> None:
        self.found.operators.add(Call(name[0], name[1], arity))

    def range_var(self, value: Tree, ctes: frozenset[str]) -> None:
        schema, name = value.get("schemaname", ""), value["relname"]
        if schema or name not in ctes:
            self.found.relations.add((schema, name))

    def func_call(self, value: Tree, size: int) -> int:
        """Note the call; return by how much it multiplies the size of its arguments."""
        schema, name = _qualified(value["funcname"])
        arguments: list[Tree] = value.get("args", [])
        arity = -1 if value.get("agg_within_group") else len(arguments)
        self.found.functions.add(Call(schema, name, arity))
        if len(arguments) == 1:
            self.found.maybe_types.add((schema, name))
        if schema in ("", "pg_catalog"):
            if name == "current_setting":
                check_setting(arguments)
            position = families.SIZED.get(name)
            if position is not None and position < len(arguments):
                return growth(name, arguments[position], size)
        return 1

    def a_expr(self, value: Tree) -> None:
        kind = value["kind"]
        if kind.startswith(("AEXPR_BETWEEN", "AEXPR_NOT_BETWEEN")):
            for name in ("<", ">", "<=", ">="):
                self.operator(("", name), 2)
        else:
            self.operator(_qualified(value["name"]), 2 if "lexpr" in value else 1)

    def sub_link(self, value: Tree) -> None:
        if "testexpr" in value:
            self.operator(_qualified(value["operName"]) if "operName" in value else ("", "="), 2)

    def case_expr(self, value: Tree) -> None:
        if "arg" in value:
            self.operator(("", "="), 2)

    def join_expr(self, value: Tree) -> None:
        if "usingClause" in value or value.get("isNatural"):
            self.operator(("", "="), 2)

    def sort_by(self, value: Tree) -> None:
        if "useOp" in value:
            self.operator(_qualified(value["useOp"]), 2)

    def cycle(self, _: Tree) -> None:
        for name in ("=", "<>"):
            self.operator(("", name), 2)

    def column_ref(self, value: Tree) -> None:
        fields: list[Tree] = value["fields"]
        if len(fields) > 1:
            names = _strings(fields)[1:]
            check_selections(names)
            self.found.columns.update(names)

    def indirection(self, value: Tree) -> None:
        names = _strings(value["indirection"])
        check_selections(names)
        self.found.selections.update(names)

    def type_name(self, value: Tree) -> None:
        self.found.types.add(_qualified(value["names"]))

    def sample(self, value: Tree) -> None:
        schema, name = _qualified(value["method"])
        if schema not in ("", "pg_catalog") or name not in families.SAMPLING:
            raise SqlRefused(
                "sampling", f"The sampling method `{name}` is not a known one.", "Use SYSTEM or BERNOULLI."
            )
        if name not in families.BUILT_IN_SAMPLING:
            self.found.functions.add(Call(schema, name, 1))


def _unknown(what: str) -> SqlRefused:
    return SqlRefused(
        "unknown_syntax",
        f"The statement uses syntax that is not known to be harmless ({what}).",
        "Say it with plain SELECT syntax.",
    )


_HANDLERS = {
    "A_Expr": Walker.a_expr,
    "SubLink": Walker.sub_link,
    "CaseExpr": Walker.case_expr,
    "JoinExpr": Walker.join_expr,
    "SortBy": Walker.sort_by,
    "CTECycleClause": Walker.cycle,
    "ColumnRef": Walker.column_ref,
    "A_Indirection": Walker.indirection,
    "TypeName": Walker.type_name,
    "RangeTableSample": Walker.sample,
}
