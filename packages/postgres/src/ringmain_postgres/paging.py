"""A page of rows: Postgres writes it, as text that fits its budget, and says whether there is more."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from ringmain_core.errors import AnswerTooLarge
from ringmain_core.text import untrusted
from ringmain_postgres.rowtext import SHAPES, Format
from ringmain_postgres.session import Session
from ringmain_postgres.sql import Checked

_AROUND_ROWS = 4096  # bytes


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What to run and which part of its rows to return; it is also what a cursor remembers."""

    database: str
    sql: str
    params: list[Any] = field(default_factory=list[Any])
    max_rows: int = 200
    max_bytes: int = 65_536
    format: Format = "json"
    timeout_ms: int | None = None
    offset: int = 0

    def fitted(self, answer_bytes: int) -> Self:
        """The request, with a budget that leaves room in the answer for fence, column names and cursor."""
        return replace(self, max_bytes=min(self.max_bytes, max(512, answer_bytes - _AROUND_ROWS)))

    def state(self) -> dict[str, Any]:
        """The request as a JSON value, without what is as usual: a cursor of it should be short."""
        usual = {each.name: each.default for each in fields(self)}
        return {name: value for name, value in asdict(self).items() if value and value != usual[name]}


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as text.

    Attributes:
        body: The rows in the format asked for, with their column names.
        rows: How many there are.
        more: Whether the statement has rows after these.
        cut_by_bytes: Whether the byte budget ended the page before the row limit did.
    """

    body: str
    rows: int
    more: bool = False
    cut_by_bytes: bool = False

    def text(self, source: str, next_cursor: str | None) -> str:
        """The page for a model: the rows fenced as data, then what they are and how to go on."""
        count = f"{self.rows:,} row{'' if self.rows == 1 else 's'}"
        if not self.more:
            return f"{untrusted(self.body, source)}\n{count}, complete."
        why = "max_bytes" if self.cut_by_bytes else "max_rows"
        follow = f" The next page: next_page(cursor={next_cursor!r})" if next_cursor else ""
        return f"{untrusted(self.body, source)}\n{count}, truncated by {why}: there are more.{follow}"


async def fetch_page(session: Session, checked: Checked, request: PageRequest) -> Page:
    """Run a checked statement and return one page of its rows.

    Raises:
        AnswerTooLarge: Where not even one row fits the budget.
    """
    if not checked.wrappable:
        return await _whole_answer(session, checked, request)
    signature = await session.describe(checked)
    columns = signature.columns
    shape = SHAPES[request.format]
    names = [f"c{number}" for number in range(1, len(columns) + 1)]
    cells = [shape.cell(name, column) for name, column in zip(names, columns, strict=True)]
    wrapped = _counted(checked.sql, names, shape.row(cells), shape.separator, request)
    (row,) = await session.run(wrapped, request.params, signature.parameters)
    seen, shown = row["seen"], row["shown"]
    if seen and not shown:
        raise AnswerTooLarge(
            f"The first row alone is larger than {request.max_bytes:,} bytes. Select fewer columns, shorten "
            "long ones with left(column, n), or raise `max_bytes`."
        )
    body = shape.page([column.name for column in columns], row["body"])
    return Page(body, shown, more=shown < seen, cut_by_bytes=shown < min(seen, request.max_rows))


async def _whole_answer(session: Session, checked: Checked, request: PageRequest) -> Page:
    """SHOW and EXPLAIN cannot stand in a FROM clause; their answers are a few lines of text."""
    rows = await session.run(checked.sql, request.params, ())
    lines = [str(value) for row in rows for value in row.values()]
    body = "\n".join(lines)
    if len(body) > request.max_bytes:
        raise AnswerTooLarge("The answer is larger than `max_bytes`. Raise it, or ask a smaller question.")
    return Page(body, len(lines))


def _counted(sql: str, names: Sequence[str], row: str, separator: str, request: PageRequest) -> str:
    """The statement, wrapped: rows as text, numbered, summed up until the budget is used up, and joined.

    One row more than asked for is looked at, to know whether there are more. Every function is named with its
    schema, and no operator or cast meets a value of a type that Postgres does not ship: nothing runs that was
    not judged.
    """
    columns = f"({', '.join(names)})" if names else ""
    return f"""
        SELECT pg_catalog.count(*)::int4 AS seen,
               pg_catalog.count(*) FILTER (WHERE fits)::int4 AS shown,
               COALESCE(pg_catalog.string_agg(r, {separator}) FILTER (WHERE fits), '') AS body
        FROM (
            SELECT r, n <= {request.max_rows:d} AND
                pg_catalog.sum(pg_catalog.octet_length(r) + 2) OVER (ROWS UNBOUNDED PRECEDING)
                    <= {request.max_bytes:d} AS fits
            FROM (
                SELECT {row} AS r, pg_catalog.row_number() OVER () AS n
                FROM (
                    SELECT * FROM ({sql}
                    ) AS stated LIMIT {request.max_rows + 1:d} OFFSET {request.offset:d}
                ) AS given{columns}
            ) AS written
        ) AS measured"""  # noqa: S608 (the statement is judged; the rest is our own)
