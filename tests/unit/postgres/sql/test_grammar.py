"""The table of allowed syntax, against the parser's own description of its trees."""

import subprocess
import sys
from typing import Any

import pytest

from ringmain_postgres.sql.grammar import NODE, PLAIN, SHAPES

HARMLESS = {
    "String",
    "Integer",
    "Float",
    "Boolean",
    "BitString",
}
"""Kinds of node that a `PLAIN` field may hold: names and literals."""

NAMES = {
    ("A_Expr", "name"),
    ("Alias", "colnames"),
    ("CTECycleClause", "cycle_col_list"),
    ("CTESearchClause", "search_col_list"),
    ("CollateClause", "collname"),
    ("ColumnRef", "fields"),
    ("CommonTableExpr", "aliascolnames"),
    ("FuncCall", "funcname"),
    ("JoinExpr", "usingClause"),
    ("RangeTableSample", "method"),
    ("SortBy", "useOp"),
    ("SubLink", "operName"),
    ("TypeName", "names"),
    ("TypeName", "arrayBounds"),
    ("XmlExpr", "arg_names"),
}
"""Lists of nodes in which the grammar only ever puts names (or `*`, or array bounds)."""


@pytest.fixture(scope="module")
def messages() -> Any:
    from postgast import pg_query_pb2  # the slow import, for its description only

    return pg_query_pb2


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_every_field_is_described_as_it_is(messages: Any, kind: str) -> None:
    described = {field.json_name: field for field in getattr(messages, kind).DESCRIPTOR.fields}
    for name, child in SHAPES[kind].items():
        if name == "location" and name not in described:
            continue
        message = described[name].message_type
        if child == NODE:
            assert message.name == "Node", name
        elif child == PLAIN:
            assert message is None or message.name in HARMLESS or (kind, name) in NAMES, name
        else:
            assert message.name == child, name


def test_no_statement_but_select_is_in_the_table() -> None:
    assert {kind for kind in SHAPES if kind.endswith("Stmt")} == {"SelectStmt"}


def test_importing_the_guard_loads_neither_the_parser_nor_a_driver() -> None:
    program = (
        "import sys, ringmain_postgres.sql as s; s.keepable('SELECT 1')\n"
        "slow = {'postgast', 'google.protobuf', 'asyncpg', 'postgast.nodes'} & set(sys.modules)\n"
        "assert not slow, slow\n"
        "import postgast; assert postgast.parse('SELECT 1').stmts"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
