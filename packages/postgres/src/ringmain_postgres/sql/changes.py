"""Reads one statement that changes rows: INSERT, UPDATE, DELETE or MERGE."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ringmain_postgres.sql.grammar import NODE, PLAIN, SHAPES
from ringmain_postgres.sql.parse import Parsed, Tree, parse, too_deep
from ringmain_postgres.sql.references import NO_CTES, References, Walker
from ringmain_postgres.sql.refused import SqlRefused

Verb = Literal["INSERT", "UPDATE", "DELETE", "MERGE"]

_VERBS: dict[str, Verb] = {
    "InsertStmt": "INSERT",
    "UpdateStmt": "UPDATE",
    "DeleteStmt": "DELETE",
    "MergeStmt": "MERGE",
}


def shape(nodes: str = "", plain: str = "", **kinds: str) -> dict[str, str]:
    return {
        "location": PLAIN,
        **dict.fromkeys(plain.split(), PLAIN),
        **dict.fromkeys(nodes.split(), NODE),
        **kinds,
    }


_AROUND = {"relation": "RangeVar", "withClause": "WithClause", "returningClause": "ReturningClause"}

STATEMENTS: dict[str, dict[str, str]] = {
    "InsertStmt": shape("cols selectStmt", "override", onConflictClause="OnConflictClause", **_AROUND),
    "UpdateStmt": shape("targetList fromClause whereClause", **_AROUND),
    "DeleteStmt": shape("usingClause whereClause", **_AROUND),
    "MergeStmt": shape("sourceRelation joinCondition mergeWhenClauses", **_AROUND),
}
"""The statements themselves; they may stand nowhere inside of another."""

PARTS: dict[str, dict[str, str]] = {
    "IndexElem": shape("expr", "name indexcolname collation opclass ordering nulls_ordering"),
    "InferClause": shape("indexElems whereClause", "conname"),
    "MergeSupportFunc": shape("", "msftype msfcollid"),
    "MergeWhenClause": shape("condition targetList values", "matchKind commandType override"),
    "MultiAssignRef": shape("source", "colno ncolumns"),
    "OnConflictClause": shape("targetList whereClause", "action", infer="InferClause"),
    "ResTarget": shape("val indirection", "name"),
    "ReturningClause": shape("options exprs"),
    "ReturningOption": shape("", "option value"),
    "SetToDefault": shape(),
}
"""What they consist of beyond what a query does; the table is read like that of `grammar`."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement that changes rows, as it is written.

    Attributes:
        sql: Exactly the text that was read, without a closing semicolon; it may end in a comment.
        schema: Of the table, or empty.
        table: Whose rows it changes.
        alias: What the statement calls the table.
        assigns: The columns that rows which exist can get other values in.
        may_update: Whether there can be such rows.
        returns: Whether it has a RETURNING clause, which is always its end.
        all_rows: UPDATE or DELETE without WHERE.
        references: Everything that it names, the table included.
    """

    verb: Verb
    sql: str
    schema: str
    table: str
    alias: str
    assigns: frozenset[str]
    may_update: bool
    returns: bool
    all_rows: bool
    references: References


def read_change(text: str) -> Stated:
    """Read exactly one statement that changes rows.

    Raises:
        SqlRefused: It is something else, or consists of something that is not known to be harmless.
    """
    parsed = parse(text)
    if parsed.kind not in _VERBS:
        raise SqlRefused(
            "not_a_change",
            "This is no INSERT, UPDATE, DELETE or MERGE.",
            "Send one of these; `query` reads, and nothing else can be run here.",
        )
    tree, relation = parsed.tree, parsed.tree["relation"]
    verb = _VERBS[parsed.kind]
    conflict = tree.get("onConflictClause", {})
    return Stated(
        verb=verb,
        sql=parsed.sql,
        schema=relation.get("schemaname", ""),
        table=relation["relname"],
        alias=relation.get("alias", {}).get("aliasname", relation["relname"]),
        assigns=frozenset(_assigned(parsed.kind, tree)),
        may_update=verb in ("UPDATE", "MERGE") or conflict.get("action") == "ONCONFLICT_UPDATE",
        returns="returningClause" in tree,
        all_rows=verb in ("UPDATE", "DELETE") and "whereClause" not in tree,
        references=_names(parsed),
    )


def _assigned(kind: str, tree: Tree) -> Iterator[str]:
    lists: list[list[Tree]] = [tree.get("onConflictClause", {}).get("targetList", [])]
    if kind == "UpdateStmt":
        lists.append(tree["targetList"])
    for wrapped in tree.get("mergeWhenClauses", ()):
        clause: Tree = wrapped["MergeWhenClause"]
        if clause["commandType"] == "CMD_UPDATE":
            lists.append(clause["targetList"])
    for targets in lists:
        yield from (target["ResTarget"]["name"] for target in targets)


def _names(parsed: Parsed) -> References:
    found = References()
    walker = Walker(found, _ALL_SHAPES)
    tree = dict(parsed.tree)
    try:
        # The name of a WITH query never means the table that is written to.
        walker.typed("RangeVar", tree.pop("relation"), NO_CTES, 1, 1)
        ctes = NO_CTES
        clause: Tree | None = tree.pop("withClause", None)
        if clause is not None:
            ctes = walker.with_queries(clause, ctes, 1, 1)
        walker.fields(STATEMENTS[parsed.kind], parsed.kind, tree, ctes, 1, 1)
    except RecursionError:
        raise too_deep() from None
    except SqlRefused as refused:
        if refused.code != "not_a_query":
            raise
        raise SqlRefused(
            "several_changes",
            "The statement holds another one that is no query.",
            "One statement makes one change: send the parts one by one.",
        ) from None
    return found


_ALL_SHAPES: Mapping[str, Mapping[str, str]] = SHAPES | PARTS
