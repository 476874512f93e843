"""A page of rows: Postgres writes it, as text that fits its budget, and says whether there is more."""

from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, Self

from ringmain_core.errors import AnswerTooLarge
from ringmain_core.text import untrusted
from ringmain_postgres.rowtext import SHAPES, Column, Format
from ringmain_postgres.session import Session, Signature
from ringmain_postgres.sql import Checked

_AROUND_ROWS = 4096  # bytes
_MOST_WRAPPED = 4


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
        budget = max(512, answer_bytes - _AROUND_ROWS)
        return self if self.max_bytes <= budget else replace(self, max_bytes=budget)

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
    (row,) = await session.run(
        _wrapped(checked.sql, signature, request), request.params, signature.parameters
    )
    seen, shown = row["seen"], row["shown"]
    if seen and not shown:
        raise AnswerTooLarge(
            f"The first row alone is larger than {request.max_bytes:,} bytes. Select fewer columns, shorten "
            "long ones with left(column, n), or raise `max_bytes`."
        )
    body = SHAPES[request.format].page([column.name for column in signature.columns], row["body"])
    return Page(body, shown, more=shown < seen, cut_by_bytes=shown < min(seen, request.max_rows))


async def _whole_answer(session: Session, checked: Checked, request: PageRequest) -> Page:
    """SHOW and EXPLAIN cannot stand in a FROM clause; their answers are a few lines of text."""
    if request.params:
        signature = await session.describe(checked)
        sql, types = f"{checked.sql}\n{signature.mark}", signature.parameters
    else:
        sql, types = checked.sql, ()
    rows = await session.run(sql, request.params, types)
    lines = [str(value) for row in rows for value in row.values()]
    body = "\n".join(lines)
    if len(body) > request.max_bytes:
        raise AnswerTooLarge("The answer is larger than `max_bytes`. Raise it, or ask a smaller question.")
    return Page(body, len(lines))


def _wrapped(sql: str, signature: Signature, request: PageRequest) -> str:
    """The statement that makes this page; most statements are asked for the same pages again and again."""
    key = (request.format, request.max_rows, request.max_bytes, request.offset)
    known = signature.wrapped.get(key)
    if known is not None:
        return known
    wrapped = _counted(sql, *_row(request.format, signature.columns), request, signature.mark)
    if len(signature.wrapped) >= _MOST_WRAPPED:
        signature.wrapped.clear()
    signature.wrapped[key] = wrapped
    return wrapped


@lru_cache(maxsize=256)
def _row(form: Format, columns: tuple[Column, ...]) -> tuple[str, str, str]:
    """Names for the columns, in parentheses; the expression that makes text of them; what separates rows."""
    shape = SHAPES[form]
    names = [f"c{number}" for number in range(1, len(columns) + 1)]
    cells = [shape.cell(name, column) for name, column in zip(names, columns, strict=True)]
    return f"({', '.join(names)})" if names else "", shape.row(cells), shape.separator


def _counted(sql: str, names: str, row: str, separator: str, request: PageRequest, mark: str) -> str:
    """The statement, wrapped: rows as text, numbered, summed up until the budget is used up, and joined.

    One row more than asked for is looked at, to know whether there are more. Every function is named with its
    schema, and no operator or cast meets a value of a type that Postgres does not ship: nothing runs that was
    not judged.
    """
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
                ) AS given{names}
            ) AS written
        ) AS measured {mark}"""  # noqa: S608 (the statement is judged; the rest is our own)
