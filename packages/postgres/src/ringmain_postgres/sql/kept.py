"""What of a statement may be kept: neither its constants nor its comments, for both can be rows."""

import re
from functools import lru_cache

from ringmain_postgres.sql.parse import normalize

_TOKEN = re.compile(
    r"""
      (?P<name> "(?:[^"]|"")*" )
    | (?P<string> \b[eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*' | \$(?P<tag>[^\W\d]\w*|)\$.*?\$(?P=tag)\$ )
    | (?P<line> --[^\r\n]* )
    | (?P<block> /\* )
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")


_SHORT = 4_000  # characters; what longer texts come to is not remembered


def keepable(sql: str) -> str:
    """The statement with `$n` or `'…'` for its constants, and without its comments.

    Postgres' own normalisation leaves comments alone, and the constants of DDL.

    Raises:
        SqlRefused: not valid SQL.
    """
    return _again(sql) if len(sql) <= _SHORT else _without_values(sql)


def _without_values(sql: str) -> str:
    text = normalize(sql)
    kept: list[str] = []
    at = 0
    while (token := _TOKEN.search(text, at)) is not None:
        kept.append(text[at : token.start()])
        at = token.end()
        match token.lastgroup:
            case "name":
                kept.append(token[0])
            case "line":
                pass
            case "block":
                at = _end_of_comment(text, at)
                kept.append(" ")
            case _:
                kept.append("'…'")
    kept.append(text[at:])
    return "".join(kept).strip()


_again = lru_cache(maxsize=256)(_without_values)


def _end_of_comment(text: str, at: int) -> int:
    depth = 1
    while depth and (edge := _BLOCK_EDGE.search(text, at)) is not None:
        depth += 1 if edge[0] == "/*" else -1
        at = edge.end()
    return at if depth == 0 else len(text)
