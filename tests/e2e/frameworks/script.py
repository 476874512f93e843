"""What a model does that plays a part: it looks for the table, asks for the number, and says it.

It reads the tools' answers as a model would, so that a wrong answer, or an error, makes another end.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

QUESTION = "How many orders has Ada placed?"
ANSWER = "Ada has placed 100 orders, says sales.orders."

_COUNT = "SELECT count(*) FROM {table} o JOIN customers c ON c.id = o.customer WHERE c.name = $1"


@dataclass(frozen=True)
class Call:
    """A call that the model wants."""

    tool: str
    arguments: dict[str, Any]


def next_move(tools: set[str], heard: Sequence[str]) -> Call | str:
    """The model's next move: a call, or what it says in the end.

    Args:
        tools: The names of the functions that it was given.
        heard: The results of its calls so far.
    """
    assert {"search_objects", "query"} <= tools, tools
    if not heard:
        return Call("search_objects", {"pattern": "orders", "kinds": ["table"]})
    table = re.search(r"\b[a-z]+\.orders\b", heard[0])
    if table is None:
        return f"I cannot find the table: {heard[0]}"
    if len(heard) == 1:
        return Call("query", {"sql": _COUNT.format(table=table[0]), "params": ["Ada"]})
    rows = re.search(r'"rows": (\[.*\])}', heard[1], re.DOTALL)
    if rows is None:
        return f"I cannot read the number: {heard[1]}"
    return f"Ada has placed {json.loads(rows[1])[0][0]} orders, says {table[0]}."
