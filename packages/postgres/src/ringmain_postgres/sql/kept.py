"""What of a statement may be kept: neither its constants nor its comments, for both can be rows."""

from functools import lru_cache

from ringmain_postgres.sql.lexemes import lexemes
from ringmain_postgres.sql.parse import normalize

_SHORT = 4_000  # characters; what longer texts come to is not remembered
_INSTEAD = {"string": "'…'", "block": " ", "line": ""}


def keepable(sql: str) -> str:
    """The statement with `$n` or `'…'` for its constants, and without its comments.

    Postgres' own normalisation leaves comments alone, and the constants of DDL.

    Raises:
        SqlRefused: not valid SQL, or too long or too deep to read.
    """
    return _again(sql) if len(sql) <= _SHORT else _without_values(sql)


def _without_values(sql: str) -> str:
    return "".join(_INSTEAD.get(kind, lexeme) for kind, lexeme in lexemes(normalize(sql))).strip()


_again = lru_cache(maxsize=256)(_without_values)
