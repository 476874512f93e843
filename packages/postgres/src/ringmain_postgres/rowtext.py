"""SQL expressions that make text of rows: JSON arrays, CSV or Markdown, with long cells cut and marked."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Format = Literal["json", "csv", "markdown"]

CELL_CHARACTERS = 2_000
_BLOB_BYTES = 32
_MOST_ARGUMENTS = 100  # that a Postgres function takes

# Numbers and booleans keep their JSON type; their text is short.
_JSON_SCALARS = frozenset({"bool", "int2", "int4", "int8", "oid", "float4", "float8", "numeric"})
# The text of these is short, and their cast to text is Postgres' own.
_SHORT = _JSON_SCALARS | {"date", "time", "timetz", "timestamp", "timestamptz", "interval", "uuid", "money"}
_TEXT = frozenset({"text", "varchar", "bpchar", "name", "char"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result: its name, its type's name, and whether Postgres ships that type."""

    name: str
    type: str
    built_in: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """How a format is made: expressions for a cell and a row, the text between rows, the finished page."""

    cell: Callable[[str, Column], str]
    row: Callable[[Sequence[str]], str]
    separator: str
    page: Callable[[Sequence[str], str], str]


def _as_text(name: str, column: Column) -> str:
    """A value as text, by the type's output function and by nobody's cast; NULL stays NULL."""
    kind = column.type if column.built_in else ""
    if kind in _SHORT:
        return f"{name}::text"
    if kind == "bytea":
        hexadecimal = f"'\\x' || pg_catalog.encode(pg_catalog.substr({name}, 1, {_BLOB_BYTES}), 'hex')"
        size = f"pg_catalog.octet_length({name})"
        rest = f"CASE WHEN {size} > {_BLOB_BYTES} THEN '... [' || {size} || ' bytes]' ELSE '' END"
        return f"{hexadecimal} || {rest}"
    if kind in _TEXT:
        return _cut(f"{name}::text")
    return _cut(f"CASE WHEN {name} IS NULL THEN NULL ELSE pg_catalog.format('%s', {name}) END")


def _cut(text: str) -> str:
    length = f"pg_catalog.length({text})"
    cut = f"pg_catalog.left({text}, {CELL_CHARACTERS}) || '... [' || {length} || ' characters]'"
    return f"CASE WHEN {length} > {CELL_CHARACTERS} THEN {cut} ELSE {text} END"


def _json_cell(name: str, column: Column) -> str:
    if not column.built_in:
        return _as_text(name, column)
    if column.type in _JSON_SCALARS:
        return name
    is_array = column.type.endswith("[]") and column.type.removesuffix("[]") in _SHORT | _TEXT
    if not is_array and column.type not in ("json", "jsonb"):
        return _as_text(name, column)
    text = f"{name}::text"
    long = f"pg_catalog.length({text}) > {CELL_CHARACTERS}"
    return f"CASE WHEN {long} THEN pg_catalog.to_json({_cut(text)}) ELSE pg_catalog.to_json({name}) END"


def _json_row(cells: Sequence[str]) -> str:
    parts = [cells[start : start + _MOST_ARGUMENTS] for start in range(0, len(cells), _MOST_ARGUMENTS)] or [
        []
    ]
    arrays = [f"pg_catalog.json_build_array({', '.join(part)})::text" for part in parts]
    inner = [f"pg_catalog.substr({array}, 2, pg_catalog.length({array}) - 2)" for array in arrays]
    return arrays[0] if len(arrays) == 1 else "'[' || " + " || ', ' || ".join(inner) + " || ']'"


def _json_page(names: Sequence[str], body: str) -> str:
    return f'{{"columns": {json.dumps(list(names), ensure_ascii=False)},\n"rows": [\n{body}\n]}}'


def _csv_cell(name: str, column: Column) -> str:
    text = _as_text(name, column)
    if column.built_in and column.type in _SHORT and column.type != "money":  # `$1,234.50`
        return f"COALESCE({text}, '')"
    quoted = f"""'"' || pg_catalog.replace({text}, '"', '""') || '"'"""
    needs = f"""({text}) = '' OR ({text}) ~ '[",\\r\\n]'"""
    return f"CASE WHEN {name} IS NULL THEN '' WHEN {needs} THEN {quoted} ELSE {text} END"


def _csv_row(cells: Sequence[str]) -> str:
    return " || ',' || ".join(f"({cell})" for cell in cells) or "''"


def _csv_page(names: Sequence[str], body: str) -> str:
    quoted = ['"' + name.replace('"', '""') + '"' if set(name) & set('",\r\n') else name for name in names]
    return f"{','.join(quoted)}\n{body}"


def _markdown_cell(name: str, column: Column) -> str:
    text = f"pg_catalog.replace({_as_text(name, column)}, '|', '\\|')"
    return f"COALESCE(pg_catalog.translate({text}, E'\\r\\n', '  '), '')"


def _markdown_row(cells: Sequence[str]) -> str:
    return "'| ' || " + " || ' | ' || ".join(f"({cell})" for cell in cells or ["''"]) + " || ' |'"


def _markdown_page(names: Sequence[str], body: str) -> str:
    escaped = [name.replace("|", "\\|") for name in names]
    return f"| {' | '.join(escaped)} |\n|{' --- |' * max(1, len(names))}\n{body}"


SHAPES: dict[Format, Shape] = {
    "json": Shape(_json_cell, _json_row, r"E',\n'", _json_page),
    "csv": Shape(_csv_cell, _csv_row, r"E'\n'", _csv_page),
    "markdown": Shape(_markdown_cell, _markdown_row, r"E'\n'", _markdown_page),
}
