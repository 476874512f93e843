"""README.md and the tests say the same."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

# What the pack is made from; a new incident is added here and gets a row, or a reason.
INCIDENTS = {
    "CVE-2025-49596", "CVE-2025-66416", "CVE-2025-66414", "CVE-2025-9611", "CVE-2026-42559",
    "CVE-2026-59950", "CVE-2026-25536", "GHSA-345p-7cg4-v4c7", "CVE-2026-52870", "GHSA-hvrp-rf83-w775",
    "GHSA-qvqr-5cv7-wh35", "CVE-2026-27896", "CVE-2026-33252", "GHSA-j975-95f5-7wqh", "CVE-2026-27124",
    "GHSA-6x8h-498w-gv8c", "CVE-2026-32871", "CVE-2025-64340", "CVE-2025-6514", "CVE-2026-30623",
    "CVE-2026-30617", "CVE-2025-69872", "CVE-2026-27825", "CVE-2026-32211", "CVE-2026-33032",
    "CVE-2026-23744", "CVE-2026-26118", "CVE-2026-5323", "CVE-2025-68143", "CVE-2025-68144",
    "CVE-2025-68145", "CVE-2026-5322", "GHSA-65hm-pwj5-73pw", "CVE-2025-34072",
}  # fmt: skip
RULES = (
    "Host and Origin on every route",
    "no listener off loopback without authentication",
    "two principals with the same JSON-RPC ids",
    "a task, account, cached result or cursor belongs to its principal",
    "ids from arguments are encoded",
    "no file path or URL from an argument is opened",
    "no redirect is followed with credentials",
    "no pickle anywhere",
    "duplicate keys, wrong-case keys, NaN, deep nesting and huge numbers",
    "link unfurling is off",
    "a cache key holds principal, role and fence",
    "read-only SQL",
    "tokens with no `exp`, wrong `aud`/`iss`, future `nbf` or `alg=none` are refused",
    "secrets are `SecretStr` from end to end and never printed",
)


def rows() -> Iterator[tuple[str, list[tuple[Path, str]], str]]:
    """What a row is about, the tests that it names, and what they show."""
    for line in (HERE / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or cells[0] in ("Rule or identifier", "---"):
            continue
        about, tests, shows = cells
        named = [name.split("::") for name in re.findall(r"`([^`]+)`", tests)]
        yield about, [((ROOT if "/" in file else HERE) / file, test) for file, test in named], shows


def names_in(path: Path) -> set[str]:
    found = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in found if isinstance(node, kinds) and node.name.startswith("test_")}


def test_every_row_names_tests_that_exist() -> None:
    missing = {
        f"{path.name}::{test}"
        for _, tests, _ in rows()
        for path, test in tests
        if not path.is_file() or test not in names_in(path)
    }
    assert missing == set()
    assert [about for about, _, shows in rows() if not shows] == []


def test_every_test_of_the_pack_has_a_row() -> None:
    named = {(path.name, test) for _, tests, _ in rows() for path, test in tests if path.parent == HERE}
    there = {(path.name, test) for path in HERE.glob("test_*.py") for test in names_in(path)}
    assert there - named == set()


def test_every_identifier_and_every_rule_has_a_row() -> None:
    about = [cell for cell, _, _ in rows()]
    rules = [rule for rule in RULES if rule not in about]
    identifiers = set(re.findall(r"(?:CVE|GHSA)-[0-9a-zA-Z-]+", " ".join(about)))
    assert (rules, identifiers) == ([], INCIDENTS)
