"""Our lexemes are cut where Postgres' own scanner cuts."""

import importlib
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ringmain_postgres.sql.lexemes import lexemes

postgast: Any = importlib.import_module("postgast")  # its types are not for strict checks

PIECES = [
    "'", "''", "\\", "\\'", '"', '""', "$", "$$", "$x$", "$1",
    "E'", "e", "U&", "N", "a", "é", "_1", "1", "1.", ".5",
    "1e5", ".", "..", "(", ")", "+", "-", "--", "/*", "*/", "*", "/", "::", " ", "\n", "\r", "\t",
    ",", "x'", "--c\n'",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


QUOTED = re.compile(r"""[^'"]{0,2}['"]|\$[^0-9]|--|/\*""")


def scanned(text: str) -> list[tuple[int, int]] | None:
    """Where Postgres sees strings, quoted names and comments; None where it cannot read the text."""
    try:
        tokens = postgast.scan(text).tokens
    except postgast.PgQueryError:
        return None
    data = text.encode()
    spans = [(len(data[: token.start].decode()), len(data[: token.end].decode())) for token in tokens]
    return [(first, last) for first, last in spans if QUOTED.match(text[first:last])]


@given(texts)
def test_strings_names_and_comments_are_where_postgres_sees_them(text: str) -> None:
    found = list(lexemes(text))
    assert "".join(lexeme for _, lexeme in found) == text
    expected = scanned(text)
    if expected is None:
        return
    at, quoted = 0, list[tuple[int, int]]()
    for kind, lexeme in found:
        start, at = at, at + len(lexeme)
        if kind in ("string", "name", "line", "block"):
            quoted.append((start, at))
    assert {last for _, last in expected} <= {last for _, last in quoted}
    # A string that goes on may be several here, and a prefix (N, U&) stands by itself.
    assert all(any(first <= start and end <= last for first, last in expected) for start, end in quoted)
