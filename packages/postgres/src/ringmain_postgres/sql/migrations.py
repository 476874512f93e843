"""Reads the statements of a migration: a few kinds of DDL, and nothing that runs code on its way."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ringmain_postgres.sql.changes import PARTS as CHANGE_PARTS
from ringmain_postgres.sql.changes import shape
from ringmain_postgres.sql.grammar import SHAPES
from ringmain_postgres.sql.parse import NESTED_COMMENT, Parsed, Tree, parse_body, too_deep
from ringmain_postgres.sql.references import NO_CTES, Name, References, Walker
from ringmain_postgres.sql.refused import SqlRefused

STATEMENTS: dict[str, dict[str, str]] = {
    "AlterEnumStmt": shape("", "typeName newVal newValNeighbor newValIsAfter skipIfNewValExists oldVal"),
    "AlterTableStmt": shape("cmds", "objtype missing_ok"),
    "CommentStmt": shape("", "objtype object comment"),
    "CompositeTypeStmt": shape("coldeflist", "typevar"),
    "CreateDomainStmt": shape("constraints", "domainname", typeName="TypeName", collClause="CollateClause"),
    "CreateEnumStmt": shape("", "typeName vals"),
    "CreateSchemaStmt": shape("", "schemaname if_not_exists"),
    "CreateStmt": shape(
        "tableElts inhRelations constraints",
        "if_not_exists oncommit",
        partbound="PartitionBoundSpec",
        partspec="PartitionSpec",
    ),
    "DropStmt": shape("", "objects removeType behavior missing_ok"),
    "IndexStmt": shape(
        "indexParams indexIncludingParams whereClause",
        "idxname accessMethod unique if_not_exists nulls_not_distinct",
    ),
    "RenameStmt": shape("", "renameType relationType subname newname behavior missing_ok"),
    "ViewStmt": shape("query", "view aliases replace withCheckOption"),
}
"""What a migration may consist of, besides the table that each is about."""

PARTS: dict[str, dict[str, str]] = {
    "AlterTableCmd": shape("def", "subtype name behavior missing_ok num"),
    "ColumnDef": shape(
        "constraints raw_default",
        "colname is_local identity generated",
        typeName="TypeName",
        collClause="CollateClause",
    ),
    "Constraint": shape(
        "raw_expr",
        "contype conname deferrable initdeferred skip_validation initially_valid is_enforced "
        "is_no_inherit generated_when generated_kind nulls_not_distinct keys including fk_attrs pk_attrs "
        "fk_matchtype fk_upd_action fk_del_action fk_del_set_cols",
        pktable="RangeVar",
    ),
    "PartitionBoundSpec": shape(
        "listdatums lowerdatums upperdatums", "strategy modulus remainder is_default"
    ),
    "PartitionElem": shape("expr", "name"),
    "PartitionRangeDatum": shape("value", "kind"),
    "PartitionSpec": shape("partParams", "strategy"),
}
"""What they consist of beyond what a query and a change do."""

_ALL_SHAPES: Mapping[str, Mapping[str, str]] = SHAPES | CHANGE_PARTS | PARTS

_ALTERATIONS = frozenset(
    "AT_" + name
    for name in [
        "AddColumn",
        "DropColumn",
        "AlterColumnType",
        "ColumnDefault",
        "SetNotNull",
        "DropNotNull",
        "AddConstraint",
        "DropConstraint",
        "ValidateConstraint",
    ]
)
_KINDS = frozenset(
    "OBJECT_" + name
    for name in ["TABLE", "COLUMN", "INDEX", "VIEW", "TYPE", "DOMAIN", "SCHEMA", "TABCONSTRAINT"]
)
_OPERATOR_CLASSES = frozenset(
    [
        "text_pattern_ops",
        "varchar_pattern_ops",
        "jsonb_path_ops",
        "gin_trgm_ops",
        "gist_trgm_ops",
        "vector_l2_ops",
        "vector_cosine_ops",
        "vector_ip_ops",
    ]
)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a migration.

    Attributes:
        alters: The table that it is about, which must be there.
        names: What it makes, drops or comments on.
        warnings: What can be said of it without a database.
        references: What its expressions and queries name.
    """

    kind: str
    sql: str
    alters: Name | None
    names: tuple[Name, ...]
    warnings: tuple[str, ...]
    references: References = field(repr=False)


def read_migration(text: str) -> tuple[Step, ...]:
    """Read the statements of a migration.

    Raises:
        SqlRefused: One of them is not of the kinds that are allowed.
    """
    if NESTED_COMMENT.search(text):
        raise SqlRefused("nested_comment", "The text has a comment inside a comment.", "Leave comments out.")
    steps = tuple(_step(parsed) for parsed in parse_body(text))
    if not steps:
        raise SqlRefused("empty", "There is no statement in the text.", "Send DDL statements.")
    return steps


def _step(parsed: Parsed) -> Step:
    known = STATEMENTS.get(parsed.kind)
    if known is None:
        raise _refuse(
            f"{parsed.kind.removesuffix('Stmt')} is not allowed in a migration",
            "Tables, indexes, views, types, domains, schemas and comments can be made, altered and dropped.",
        )
    tree = dict(parsed.tree)
    relation: Tree | None = tree.pop("relation", None)
    _judge(parsed.kind, tree)
    about = None if relation is None else (relation.get("schemaname", ""), relation["relname"])
    names = _names(parsed.kind, tree)
    if relation is not None and relation.get("relpersistence") == "t":
        raise _refuse("A temporary table does not outlive its session", "Leave TEMPORARY out.")
    if parsed.kind == "CreateStmt" and about is not None:
        names, about = (about,), None
    found = References()
    try:
        Walker(found, _ALL_SHAPES).fields(known, parsed.kind, tree, NO_CTES, 1, 1)
    except RecursionError:
        raise too_deep() from None
    return Step(parsed.kind, parsed.sql, about, names, tuple(_warnings(parsed.kind, tree)), found)


def _judge(kind: str, tree: Tree) -> None:
    if tree.pop("concurrent", False):
        raise _refuse(
            "CONCURRENTLY cannot run in a transaction, so it could be neither shown nor taken back",
            "Leave it out for small tables, and let a person do it for large ones.",
        )
    if tree.get("behavior") == "DROP_CASCADE" or _any(tree, "behavior", "DROP_CASCADE"):
        raise _refuse("CASCADE drops what is not named", "Drop what depends on it first, by name.")
    objects = {tree[name] for name in ("objtype", "removeType", "renameType") if name in tree}
    if (kind == "AlterTableStmt" and objects != {"OBJECT_TABLE"}) or not objects <= _KINDS:
        raise _refuse("This kind of object cannot be changed here", "Ask a person to do it.")
    if kind == "RenameStmt" and tree["renameType"] not in (
        "OBJECT_TABLE",
        "OBJECT_COLUMN",
        "OBJECT_TABCONSTRAINT",
    ):
        raise _refuse("Only tables, columns and constraints can be renamed here", "Ask a person to do it.")
    for command in tree.get("cmds", ()) if kind == "AlterTableStmt" else ():
        subtype = command["AlterTableCmd"]["subtype"]
        if subtype not in _ALTERATIONS:
            words = re.sub(r"(?<!^)(?=[A-Z])", " ", subtype.removeprefix("AT_")).upper()
            raise _refuse(f"ALTER TABLE … {words} is not allowed here", "Ask a person to do it.")
    for element in tree.get("indexParams", ()):
        classes = [part["String"]["sval"] for part in element["IndexElem"].get("opclass", ())]
        if not set(classes) <= _OPERATOR_CLASSES:
            raise _refuse(f"The operator class {'.'.join(classes)} is not a known one", "Leave it out.")


def _any(tree: Tree, name: str, value: str) -> bool:
    return any(command.get("AlterTableCmd", {}).get(name) == value for command in tree.get("cmds", ()))


def _names(kind: str, tree: Tree) -> tuple[Name, ...]:
    match kind:
        case "ViewStmt":
            return ((tree["view"].get("schemaname", ""), tree["view"]["relname"]),)
        case "CompositeTypeStmt":
            return ((tree["typevar"].get("schemaname", ""), tree["typevar"]["relname"]),)
        case "CreateEnumStmt" | "AlterEnumStmt":
            return (_qualified(tree["typeName"]),)
        case "CreateDomainStmt":
            return (_qualified(tree["domainname"]),)
        case "CreateSchemaStmt":
            return ((tree.get("schemaname", ""), ""),)
        case "DropStmt":
            return tuple(_object(each, tree["removeType"]) for each in tree["objects"])
        case "CommentStmt":
            return (_object(tree["object"], tree["objtype"]),)
        case _:
            return ()


def _object(node: Tree, kind: str) -> Name:
    if "TypeName" in node:
        return _qualified(node["TypeName"]["names"])
    if kind == "OBJECT_SCHEMA":
        return (node["String"]["sval"], "")
    parts: list[Tree] = node["List"]["items"]
    return _qualified(parts[:-1] if kind in ("OBJECT_COLUMN", "OBJECT_TABCONSTRAINT") else parts)


def _qualified(nodes: list[Tree]) -> Name:
    parts = [node["String"]["sval"] for node in nodes]
    if len(parts) > 2:
        raise _refuse(f"`{'.'.join(parts)}` has more than two parts", "Write `schema.name`.")
    return (parts[0], parts[1]) if len(parts) == 2 else ("", parts[0])


def _warnings(kind: str, tree: Tree) -> list[str]:
    if kind == "DropStmt" and tree["removeType"] in ("OBJECT_TABLE", "OBJECT_SCHEMA"):
        return ["What is dropped is gone with its rows."]
    if kind == "IndexStmt":
        return ["Nobody can write to the table while its index is built."]
    warnings: list[str] = []
    for command in tree.get("cmds", ()) if kind == "AlterTableStmt" else ():
        alteration: Tree = command["AlterTableCmd"]
        constraint: Tree = alteration.get("def", {}).get("Constraint", {})
        if alteration["subtype"] == "AT_DropColumn":
            warnings.append(f"What the column {alteration['name']} holds is gone.")
        if alteration["subtype"] == "AT_AlterColumnType" and "raw_default" in alteration["def"]["ColumnDef"]:
            warnings.append(
                f"What the column {alteration['name']} holds is replaced by what USING makes of it."
            )
        if alteration["subtype"] == "AT_SetNotNull" or (constraint and not constraint.get("skip_validation")):
            warnings.append(
                "Every row is checked while the table is locked; NOT VALID and VALIDATE do it in two steps."
            )
    return warnings


def _refuse(what: str, instead: str) -> SqlRefused:
    return SqlRefused("migration", f"{what}.", instead)
