"""How statements that change something are read: what they consist of, and what they name."""

from typing import Any

import pytest

from ringmain_postgres.sql import SqlRefused, changes, migrations
from ringmain_postgres.sql.changes import read_change
from ringmain_postgres.sql.grammar import NODE, PLAIN
from ringmain_postgres.sql.migrations import read_migration

# Plain fields that are nodes in the parser's description, and hold names and numbers only.
NAMES = {
    ("AlterEnumStmt", "typeName"),
    ("CommentStmt", "object"),
    ("CompositeTypeStmt", "typevar"),
    ("Constraint", "fk_attrs"),
    ("Constraint", "fk_del_set_cols"),
    ("Constraint", "including"),
    ("Constraint", "keys"),
    ("Constraint", "pk_attrs"),
    ("CreateDomainStmt", "domainname"),
    ("CreateEnumStmt", "typeName"),
    ("CreateEnumStmt", "vals"),
    ("DropStmt", "objects"),
    ("IndexElem", "collation"),
    ("IndexElem", "opclass"),
    ("ViewStmt", "aliases"),
    ("ViewStmt", "view"),
}
TABLES = {
    **changes.PARTS,
    **changes.STATEMENTS,
    **migrations.PARTS,
    **migrations.STATEMENTS,
}


@pytest.fixture(scope="module")
def messages() -> Any:
    from postgast import pg_query_pb2  # the slow import, for its description only

    return pg_query_pb2


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_every_field_is_described_as_the_parser_has_it(messages: Any, kind: str) -> None:
    described = {field.json_name: field for field in getattr(messages, kind).DESCRIPTOR.fields}
    for name, child in TABLES[kind].items():
        if name == "location" and name not in described:
            continue
        message = described[name].message_type
        if child == NODE:
            assert message.name == "Node", name
        elif child == PLAIN:
            assert message is None or (kind, name) in NAMES, name
        else:
            assert message.name == child, name


def test_a_change_names_its_table_whatever_its_with_queries_are_called() -> None:
    stated = read_change(
        "WITH t AS (SELECT * FROM u) UPDATE s.t AS x SET a = f(b) FROM t, v WHERE x.id = t.id "
        "RETURNING g(x.a);"
    )
    assert (stated.verb, stated.schema, stated.table, stated.alias) == ("UPDATE", "s", "t", "x")
    assert (stated.may_update, stated.returns, stated.all_rows) == (True, True, False)
    assert stated.references.relations == {("s", "t"), ("", "u"), ("", "v")}
    assert {call.name for call in stated.references.functions} == {"f", "g"}
    assert read_change("WITH t AS (SELECT 1) DELETE FROM t").references.relations == {("", "t")}


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT 1", "not_a_change"),
        ("DELETE FROM t; DELETE FROM t", "several_statements"),
        ("WITH d AS (DELETE FROM t RETURNING 1) DELETE FROM u", "several_changes"),
        ("DELETE FROM t WHERE CURRENT OF c", "unknown_syntax"),
        ("DELETE FROM a.b.t", "unknown_syntax"),
    ],
)
def test_what_is_no_single_change_is_refused(sql: str, code: str) -> None:
    with pytest.raises(SqlRefused) as refused:
        read_change(sql)
    assert refused.value.code == code


def test_a_migration_is_read_statement_by_statement() -> None:
    first, second = read_migration(
        "CREATE TABLE s.t (a int DEFAULT f(1)); ALTER TABLE u DROP COLUMN a -- end"
    )
    assert (first.kind, first.alters, first.names, first.warnings) == ("CreateStmt", None, (("s", "t"),), ())
    assert {call.name for call in first.references.functions} == {"f"}
    assert (second.alters, second.warnings) == (("", "u"), ("What the column a holds is gone.",))
