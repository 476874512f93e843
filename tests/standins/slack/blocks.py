"""What Slack does not take as blocks, as far as it is known from its refusals."""

from collections.abc import Iterator
from typing import Any, cast

from standins.slack.web import Refusal

_MOST_BLOCKS, _MOST_CHARACTERS = 50, 12_000
_MOST_ROWS, _MOST_COLUMNS, _MOST_IN_TABLES = 100, 20, 10_000
_LONGEST = {"header": 150, "section": 3000}


def check_blocks(given: Any) -> None:
    """Refuse what is no list of blocks, too much, or empty where Slack wants something.

    Raises:
        Refusal: `invalid_blocks_format`, `invalid_blocks`, `msg_blocks_too_long`, `msg_too_long`.
    """
    if not isinstance(given, list):
        raise Refusal("invalid_blocks_format")
    blocks = [
        cast("dict[str, Any]", one if isinstance(one, dict) else {}) for one in cast("list[Any]", given)
    ]
    if len(blocks) > _MOST_BLOCKS:
        raise _invalid("no more than 50 items allowed [json-pointer:/blocks]")
    for block in blocks:
        if "type" not in block:
            raise _invalid("missing required field: type [json-pointer:/blocks/0]")
        _check(block)
    for kind, error in (("markdown", "msg_too_long"), ("rich_text", "msg_blocks_too_long")):
        if sum(_characters(one) for one in blocks if one["type"] == kind) > _MOST_CHARACTERS:
            raise Refusal(error)
    tables = [one for one in blocks if one["type"] == "table"]
    if len(tables) > 1:
        raise _invalid("only_one_table_allowed")


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in some blocks."""
    if isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from nodes(each)
    elif isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        yield found
        for each in found.values():
            yield from nodes(each)


def _check(block: dict[str, Any]) -> None:
    most = _LONGEST.get(block["type"])
    if most is not None and len(_text(block)) > most:
        raise _invalid(f"must be less than {most + 1} characters")
    if block["type"] == "table":
        rows: list[list[Any]] = block["rows"]
        if len(rows) > _MOST_ROWS or any(len(row) > _MOST_COLUMNS for row in rows):
            raise _invalid("no more than 100 rows of 20 cells allowed")
        if _characters(block) > _MOST_IN_TABLES:
            raise _invalid("too many characters in table")
    for node in nodes(block):
        if node.get("text") == "":
            raise _invalid("must be more than 0 characters [json-pointer:/blocks/0]")
        if node.get("elements") == []:
            raise _invalid("missing element [json-pointer:/blocks/0]")


def _text(block: dict[str, Any]) -> str:
    inner: Any = block.get("text")
    return str(cast("dict[str, Any]", inner).get("text", "") if isinstance(inner, dict) else inner or "")


def _characters(block: dict[str, Any]) -> int:
    return sum(len(node["text"]) for node in nodes(block) if isinstance(node.get("text"), str))


def _invalid(error: str) -> Refusal:
    return Refusal("invalid_blocks", errors=[error])
