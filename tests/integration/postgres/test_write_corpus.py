"""Harmful and tricky changes: each is refused for its reason, or tried and taken back, as a superuser."""

import importlib
import json
from typing import Any

import pytest
from mcp_types import CallToolResult
from pydantic import SecretStr

from integration.postgres.conftest import DATA, SETUPS, create_database
from ringmain_core.testing import bench
from ringmain_postgres import connector
from ringmain_postgres.settings import PostgresSettings

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

pytestmark = pytest.mark.anyio

CASES: list[dict[str, str]] = [
    json.loads(line) for line in (DATA / "sql_corpus_writes.jsonl").read_text(encoding="utf-8").splitlines()
]
UNLIMITED = """
[roles.all]
allow = ["*:*"]
limits = { rate = "10000/s", burst = 10000 }
[[agents]]
id = "local"
roles = ["all"]
"""
CONTENTS = """
SELECT (SELECT array_agg(l ORDER BY id) FROM ledger l)::text,
       (SELECT array_agg(v ORDER BY id) FROM victim v)::text,
       (SELECT count(*) FROM fnlog), (SELECT count(*) FROM routed), (SELECT array_agg(m) FROM moods m)::text,
       (SELECT count(*) FROM pg_class), (SELECT last_value FROM victim_seq)
"""


@pytest.fixture(scope="session")
def ledger(server: str) -> str:
    """The URL of a database with the objects that these statements attack, as the superuser."""
    names = (*SETUPS, "sql_corpus_writes_setup.sql")
    return create_database(
        server, "ledgers", "\n".join((DATA / name).read_text(encoding="utf-8") for name in names)
    )


def verdict(result: CallToolResult) -> tuple[str, str | None]:
    if not result.is_error:
        return "allow", None
    assert result.meta is not None
    error = result.meta["dev.ringmain/error"]
    if error["code"] == "statement_refused":
        return "refuse", error["reason"]
    return "error", error.get("sqlstate", error["code"])


async def test_every_statement_gets_its_verdict_and_nothing_of_it_stays(
    ledger: str, server_version: int
) -> None:
    configured = PostgresSettings(url=SecretStr(ledger), writes=True)
    admin = await asyncpg.connect(ledger)
    try:
        before = await admin.fetchrow(CONTENTS)
        merge = ("allow", None) if server_version >= 17 else ("refuse", "merge")
        expected: dict[str, Any] = {}
        found: dict[str, Any] = {}
        async with bench(connector.configured(configured), settings=configured, policy=UNLIMITED) as at:
            for case in CASES:
                wanted = merge if case["expect"] == "merge" else (case["expect"], case.get("code"))
                expected[case["sql"]] = wanted
                found[case["sql"]] = verdict(await at.client.call_tool("write", {"sql": case["sql"]}))
        assert found == expected
        assert await admin.fetchrow(CONTENTS) == before
    finally:
        await admin.close()
