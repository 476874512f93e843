"""Read-only SQL is enforced whatever the statement says, also where the role is a superuser."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from security.conftest import DATA, Behind
from security.programs import ANN, Target, postgres_target
from security.wire import ERAS, Caller

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

EFFECTS = """
SELECT (SELECT count(*) FROM pg_class) AS relations, (SELECT count(*) FROM pg_proc) AS functions,
    (SELECT array_agg(t ORDER BY id)::text FROM public.victim t) AS victim,
    (SELECT count(*) FROM public.fnlog) AS logged, (SELECT last_value FROM public.victim_seq) AS sequence,
    (SELECT array_agg(rolname::text || rolsuper ORDER BY 1)::text FROM pg_roles) AS roles,
    (SELECT count(*) FROM pg_largeobject_metadata) AS large_objects
"""


@pytest.fixture(scope="module")
def target(behind: Behind, folder: Path) -> Iterator[Target]:
    settings = {"RINGMAIN_POSTGRES_STATEMENT_TIMEOUT": "1.5", "RINGMAIN_POSTGRES_POOL_SIZE": "1"}
    with postgres_target(folder, behind.attacked, **settings) as target:
        yield target


def effects(url: str) -> dict[str, Any]:
    async def asked() -> dict[str, Any]:
        connection = await asyncpg.connect(url)
        try:
            return dict(await connection.fetchrow(EFFECTS))
        finally:
            await connection.close()

    return anyio.run(asked)


def sample() -> list[dict[str, Any]]:
    """Every seventh of the harmful statements; `tests/integration/postgres` tries them all."""
    lines = [
        line
        for name in ("sql_corpus.jsonl", "sql_corpus_more.jsonl")
        for line in (DATA / name).read_text(encoding="utf-8").splitlines()
    ]
    return [case for case in map(json.loads, lines) if case["expect"] == "refuse"][::7]


@pytest.mark.parametrize("era", ERAS)
def test_cve_2026_5322_ghsa_65hm_pwj5_73pw_read_only_sql_as_superuser(
    behind: Behind, target: Target, era: str
) -> None:
    before, cases = effects(behind.attacked), sample()
    caller = Caller(target.port, ANN, era)
    passed = [
        case["id"]
        for case in cases
        if not caller.tool("query", sql=case["sql"]).json["result"].get("isError")
    ]
    assert (len(cases) > 60, passed) == (True, [])
    assert effects(behind.attacked) == before
    # And the only session there is, is as it was.
    shown = caller.tool("query", sql="SELECT current_user, current_setting('transaction_read_only')").text
    assert '["postgres","on"]' in shown.replace(" ", "")
