"""SQL text to a syntax tree, by Postgres' own grammar; the only module that knows the parser's library."""

import hashlib
import importlib
import importlib.util
import json
import re
import sys
from dataclasses import dataclass
from functools import cache, lru_cache
from types import ModuleType
from typing import Any

from ringmain_postgres.sql.depth import is_too_deep
from ringmain_postgres.sql.refused import SqlRefused

Tree = dict[str, Any]
MAX_BYTES = 100_000
NESTED_COMMENT = re.compile(r"/\*(?:(?!\*/).)*?/\*", re.DOTALL)
MAX_STATEMENTS_IN_BODY = 50

# Places and values that are not of a shape. In a JSON string, a quote has a backslash before it: none of this
# matches there.
_NOT_SHAPE = (
    (re.compile(rb'location":\d+'), b""),
    (re.compile(rb'stmt_len":\d+'), b""),
    (re.compile(rb'rexpr_list_(?:start|end)":\d+'), b""),
    (re.compile(rb'"A_Const":\{"sval":\{"sval":"(?:[^"\\]|\\.)*"'), b'"text'),
    (re.compile(rb'"A_Const":\{"ival":\{(?:"ival":-?\d+)?'), b'"integer'),
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """One statement: its node kind (`SelectStmt` …), its tree, and exactly the text it was read from.

    Statements of one `shape` differ at most in the values of texts and of integers of four bytes.
    """

    kind: str
    tree: Tree
    sql: str
    shape: bytes = b""


@cache
def _native() -> ModuleType:
    # postgast's own __init__ builds every message class (0.5 s); the C bindings alone need none of it, so the
    # package stands in empty while they load, and whoever imports it later gets the real one.
    if "postgast" in sys.modules:
        return importlib.import_module("postgast.native")
    spec = importlib.util.find_spec("postgast")
    if spec is None:
        raise ModuleNotFoundError(
            "postgast is not installed; install ringmain-postgres with its dependencies."
        )
    sys.modules["postgast"] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module("postgast.native")
    finally:
        del sys.modules["postgast"]


def _encode(text: str) -> bytes:
    if "\0" in text:
        raise SqlRefused(
            "syntax", "The statement contains a NUL character.", "Remove it and send the text again."
        )
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise SqlRefused(
            "syntax", "The statement contains half of a surrogate pair.", "Send valid Unicode text."
        ) from None
    if len(data) > MAX_BYTES:
        raise SqlRefused(
            "too_long",
            f"The statement is longer than {MAX_BYTES} bytes.",
            "Pass long lists as one array parameter (`= ANY($1)`) instead of writing them out.",
        )
    if is_too_deep(text):
        raise too_deep()
    return data


def _tree_text(data: bytes) -> bytes:
    lib = _native().lib
    result = lib.pg_query_parse(data)
    try:
        if result.error:
            error = result.error.contents
            raise _syntax_error(data, error.message.decode(errors="replace"), error.cursorpos)
        return result.parse_tree
    finally:
        lib.pg_query_free_parse_result(result)


def _trees(text: bytes) -> list[Tree]:
    try:
        return json.loads(text)["stmts"]
    except RecursionError:
        raise too_deep() from None


def _shape(tree_text: bytes) -> bytes:
    for pattern, instead in _NOT_SHAPE:
        tree_text = pattern.sub(instead, tree_text)
    return hashlib.blake2b(tree_text, digest_size=16).digest()


def too_deep() -> SqlRefused:
    return SqlRefused(
        "too_deep",
        "The statement is nested too deeply.",
        "Split it with WITH queries, and write long chains as lists: `= ANY(ARRAY[…])`, `concat(…)`.",
    )


def _syntax_error(data: bytes, message: str, position: int) -> SqlRefused:
    if message.startswith("memory exhausted"):
        return too_deep()
    if position <= 0:
        return SqlRefused(
            "syntax", f"Postgres cannot read the statement: {message}.", "Correct it and try again."
        )
    before = data.decode()[: position - 1]  # counted in characters, unlike the places of statements
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return SqlRefused(
        "syntax",
        f"Postgres cannot read the statement: {message} (line {line}, column {column}).",
        "Correct it and try again.",
    )


def _parsed(data: bytes, raw: Tree, shape: bytes = b"") -> Parsed:
    (kind, tree), *_ = raw["stmt"].items()
    start = raw.get("stmt_location", 0)
    length = raw.get("stmt_len", 0)
    text = data[start : start + length] if length else data[start:]
    return Parsed(kind, tree, text.decode().strip(), shape)


def parse(text: str) -> Parsed:
    """Read exactly one statement.

    Raises:
        SqlRefused: not valid SQL, no statement, several, or one too long or too deep to judge.
    """
    if NESTED_COMMENT.search(text):
        raise SqlRefused(
            "nested_comment",
            "The text has a comment inside a comment, which not every program reads the same way.",
            "Send the statement without comments.",
        )
    data = _encode(text)
    tree_text = _tree_text(data)
    trees = _trees(tree_text)
    if not trees:
        raise SqlRefused("empty", "There is no statement in the text.", "Send one SELECT.")
    if len(trees) > 1:
        raise SqlRefused(
            "several_statements",
            f"The text holds {len(trees)} statements; only one is run at a time.",
            "Send them one by one, without transaction control.",
        )
    return _parsed(data, trees[0], _shape(tree_text))


@lru_cache(maxsize=512)
def parse_body(text: str) -> tuple[Parsed, ...]:
    """Read the statements of a view, a SQL function or an expression, as the server's catalogue printed them.

    The trees are shared between calls: do not change them.
    """
    data = _encode(text)
    trees = _trees(_tree_text(data))
    if len(trees) > MAX_STATEMENTS_IN_BODY:
        raise too_deep()
    return tuple(_parsed(data, raw) for raw in trees)


def normalize(text: str) -> str:
    """Return the statement with `$n` for its constants, so that it can be kept without its values.

    Raises:
        SqlRefused: not valid SQL, or too long or too deep to read.
    """
    lib = _native().lib
    result = lib.pg_query_normalize(_encode(text))
    try:
        if result.error:
            raise SqlRefused("syntax", "Postgres cannot read the statement.", "Correct it and try again.")
        return result.normalized_query.decode()
    finally:
        lib.pg_query_free_normalize_result(result)
