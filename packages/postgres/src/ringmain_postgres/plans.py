"""EXPLAIN, read for people in a hurry: the plan in short lines, and what in it is worth a look."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ringmain_postgres.models import Plan
from ringmain_postgres.session import Session
from ringmain_postgres.sql import Checked

_MANY_ROWS = 10_000
_FAR_OFF = 10.0
_SHOWN = (
    ("Index Cond", "on"),
    ("Hash Cond", "on"),
    ("Merge Cond", "on"),
    ("Join Filter", "filter"),
    ("Filter", "filter"),
    ("Sort Key", "by"),
    ("Group Key", "by"),
)


async def explain(
    session: Session, database: str, checked: Checked, parameters: Sequence[Any], *, analyze: bool
) -> Plan:
    """Plan a checked statement; with `analyze` also run it, in a read-only transaction like any query."""
    options = "FORMAT JSON, COSTS, BUFFERS, ANALYZE" if analyze else "FORMAT JSON, COSTS"
    signature = await session.describe(checked)
    rows = await session.run(
        f"EXPLAIN ({options}) {checked.sql}\n{signature.mark}", parameters, signature.parameters
    )
    answer = next(iter(rows[0].values()))
    top: dict[str, Any] = (json.loads(answer) if isinstance(answer, str) else answer)[0]
    root: dict[str, Any] = top["Plan"]
    return Plan(
        database=database,
        plan=list(_lines(root, 0)),
        warnings=list(dict.fromkeys(_warnings(root))),
        cost=root["Total Cost"],
        rows=root["Plan Rows"],
        actual_ms=top.get("Execution Time"),
    )


def _lines(node: dict[str, Any], depth: int) -> Iterator[str]:
    line = f"{'  ' * depth}{_name(node)}  cost {node['Total Cost']:,.0f}, rows {node['Plan Rows']:,}"
    if "Actual Rows" in node:
        loops = node.get("Actual Loops", 1)
        each = f", each of {loops:,} times" if loops > 1 else ""
        line += f" (really {node['Actual Rows']:,.0f}, {node['Actual Total Time']:,.1f} ms{each})"
    for key, word in _SHOWN:
        if key in node:
            value: str | list[str] = node[key]
            line += f"  {word} {value if isinstance(value, str) else ', '.join(value)}"
    yield line
    for child in node.get("Plans", ()):
        yield from _lines(child, depth + 1)


def _name(node: dict[str, Any]) -> str:
    parallel = "Parallel " if node.get("Parallel Aware") else ""
    on = node.get("Relation Name") or node.get("CTE Name") or node.get("Function Name") or ""
    index = f" using {node['Index Name']}" if "Index Name" in node else ""
    return f"{parallel}{node['Node Type']}{f' on {on}' if on else ''}{index}"


def _warnings(node: dict[str, Any]) -> Iterator[str]:
    kind: str = node["Node Type"]
    removed = node.get("Rows Removed by Filter", 0) * node.get("Actual Loops", 1)
    if kind == "Seq Scan" and "Filter" in node and max(removed, node["Total Cost"]) > _MANY_ROWS:
        thrown = f": {removed:,.0f} rows are read and thrown away" if removed else " reads the whole table"
        yield f"{_name(node)}{thrown}. Would an index that serves the filter help?"
    if node.get("Actual Loops"):
        planned, actual = max(1, node["Plan Rows"]), max(1, node["Actual Rows"])
        if max(planned / actual, actual / planned) >= _FAR_OFF and max(planned, actual) > 100:
            yield (
                f"{_name(node)}: {planned:,} rows expected, {actual:,.0f} came. The statistics are old "
                "(ANALYZE), or cannot know the condition (CREATE STATISTICS on its columns or expression)."
            )
    if node.get("Sort Space Type") == "Disk":
        used = node["Sort Space Used"]
        yield f"A sort went to disk ({used:,} kB): more work_mem, or fewer columns and rows."
    if node.get("Hash Batches", 1) > 1:
        batches = node["Hash Batches"]
        yield f"A hash did not fit in memory ({batches} batches): more work_mem, or a filter before."
    if kind == "Nested Loop" and node["Plan Rows"] > _MANY_ROWS * 10 and "Join Filter" in node:
        yield "A nested loop compares very many pairs: is a join condition missing?"
    for child in node.get("Plans", ()):
        yield from _warnings(child)
