"""No text makes the parser's library walk a tree that is higher than its stack."""

import resource
import subprocess
import sys

import pytest

from ringmain_postgres.sql.depth import is_too_deep
from unit.postgres.sql.test_parse import BOMBS

HIDDEN = {
    "left of parentheses": "SELECT " + "(" * 50 + "1" + ("+1" * 900 + ")") * 50,
    "words that are names": "SELECT 1" + " + a.and" * 12_000,
    "a number with a dot": "SELECT 1." + " UNION SELECT 1." * 6_000,
    "AND of BETWEEN": "SELECT 1." + " BETWEEN 1 AND 1 IS NULL + 1." * 3_000,
    "a function named join": "SELECT " + ("- + " * 300 + "join(1) -+") * 60 + "1",
    "a column named end": "SELECT " + "CASE WHEN a.end THEN " * 3_000 + "1" + " END" * 3_000,
    "a string that goes on": "SELECT E'a'\n'b\\''" + "+1" * 40_000 + "+'x'",
    "a joined condition": "SELECT 1 FROM a" + " JOIN b ON true AND true" * 4_000,
    "united parentheses": "(" * 2_500 + "SELECT 1" + " UNION SELECT 1)" * 2_500,
    "dollars in a name": "SELECT a$x$" + "+1" * 40_000 + "+'$x$'",
}
ALL = [*BOMBS.values(), *HIDDEN.values(), "SELECT " + "NOT " * 998 + "true", "SELECT 1" + "+1" * 1_990]

# What crashes takes its process with it.
ALONE = """
import ast, sys
from ringmain_postgres.sql.parse import SqlRefused, normalize, parse
for text in ast.literal_eval(sys.stdin.read()):
    for read in (parse, normalize):
        try:
            read(text)
        except SqlRefused:
            pass
"""


def test_a_small_stack_is_enough_for_every_text() -> None:
    small = 2 * 1024 * 1024
    ran = subprocess.run(
        [sys.executable, "-c", ALONE],
        input=repr(ALL),
        encoding="utf-8",
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (small, resource.RLIM_INFINITY)),
    )
    assert ran.returncode == 0


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_height_cannot_be_hidden(text: str) -> None:
    assert is_too_deep(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + ",".join(["a + b * c"] * 9_000),
        "SELECT 1 WHERE " + " OR ".join(["a.b = 1 AND NOT c"] * 4_000),
        "SELECT 1 WHERE " + " AND ".join(["a BETWEEN 1 AND 2"] * 4_000),
        "INSERT INTO t VALUES " + ",".join(["(1, -2, 'it''s (+ - * /) and more')"] * 2_000),
        "INSERT INTO t VALUES ('" + "- (a + b) | c\n" * 6_000 + "')",
        "SELECT $$" + "(" * 50_000 + "$$",
        "SELECT 1 -- " + "(" * 50_000 + "\n/* " + "[" * 40_000 + " */",
        "SELECT CASE " + "WHEN a = 1 THEN 2 " * 4_000 + "END",
        ";".join(["CREATE TABLE a (b int)"] * 4_000),
        "SELECT 1 FROM a " + "LEFT JOIN s.b AS c ON c.id = a.id " * 100 + "-- " + "x" * 4_000,
    ],
)
def test_what_is_long_and_flat_is_not_deep(text: str) -> None:
    assert not is_too_deep(text)
