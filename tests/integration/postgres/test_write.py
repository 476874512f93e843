"""`write`: tried, shown and taken back; then done exactly as shown, once, or not at all."""

import importlib
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ringmain_core.testing import Bench, bench
from ringmain_postgres import connector
from ringmain_postgres.settings import PostgresSettings
from standins.asking import ask, fault, fenced, rows_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("tidied")]

TABLES = """
DROP SCHEMA IF EXISTS desk CASCADE;
CREATE SCHEMA desk;
CREATE TABLE desk.notes (id integer PRIMARY KEY, body text, rank integer NOT NULL DEFAULT 0);
INSERT INTO desk.notes VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30);
CREATE TABLE desk.tickets (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text);
CREATE TABLE desk.replies (note integer REFERENCES desk.notes ON DELETE CASCADE, body text);
INSERT INTO desk.replies VALUES (3, 'a'), (3, 'b');
CREATE TABLE desk.heap (word text);
INSERT INTO desk.heap VALUES ('x'), ('y');
CREATE TABLE desk.watched (id integer PRIMARY KEY, v integer);
INSERT INTO desk.watched VALUES (1, 1);
CREATE TABLE desk.log (what text);
CREATE FUNCTION desk.logs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO desk.log VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER logs AFTER UPDATE ON desk.watched FOR EACH ROW EXECUTE FUNCTION desk.logs();
CREATE TABLE desk.parts (at integer PRIMARY KEY, body text) PARTITION BY RANGE (at);
CREATE TABLE desk.parts_low PARTITION OF desk.parts FOR VALUES FROM (0) TO (10);
CREATE TABLE desk.parts_high PARTITION OF desk.parts FOR VALUES FROM (10) TO (20);
INSERT INTO desk.parts VALUES (1, 'low');
"""

AGAIN = "Nothing was done. Call again without `commit_token` to see the effect as it would be now."
TRIGGERS = (
    "Triggers of the table, code of its owner: logs. They run in a rehearsal, too; "
    "what they do outside of the database is not rolled back."
)
OUTSIDE = (
    "A table of this statement is not there, or not among what you may write to "
    "(desk.notes, desk.watched, desk.heap)."
)


def settings(dsn: str, **more: Any) -> PostgresSettings:
    return PostgresSettings(url=SecretStr(dsn), writes=True, **more)


@asynccontextmanager
async def desk(dsn: str, *, policy: str | None = None, **more: Any) -> AsyncGenerator[Bench]:
    """A server over fresh tables."""
    admin = await asyncpg.connect(dsn)
    await admin.execute(TABLES)
    await admin.close()
    configured = settings(dsn, **more)
    async with bench(connector.configured(configured), settings=configured, policy=policy) as at:
        yield at


async def structured(at: Bench, **arguments: Any) -> dict[str, Any]:
    result = await at.client.call_tool("write", arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


async def rows(at: Bench, sql: str) -> list[list[Any]]:
    return rows_of(await ask(at.client, "query", sql=sql))


async def test_an_update_is_shown_as_a_diff_and_done_only_with_its_token(shop: str) -> None:
    sql = "UPDATE desk.notes SET rank = rank + $1 WHERE id < 3"
    async with desk(shop) as at:
        rehearsed = await structured(at, sql=sql, params=[5])
        token = rehearsed.pop("commit_token")
        expected = {
            "database": "shop",
            "table": "desk.notes",
            "done": False,
            "inserted": 0,
            "updated": 2,
            "deleted": 0,
            "diff": ["~ 1=: "],
            "notes": [],
        }
        expected["diff"] = ['~ id=1: rank: "10" -> "15"', '~ id=2: rank: "20" -> "25"']
        assert rehearsed == expected
        assert await rows(at, "SELECT rank FROM desk.notes ORDER BY id") == [[10], [20], [30]]
        done = await structured(at, sql=sql, params=[5], commit_token=token, idempotency_key="a")
        assert done == expected | {"done": True}
        again = await structured(at, sql=sql, params=[5], commit_token=token, idempotency_key="a")
        assert again == done
        assert await rows(at, "SELECT rank FROM desk.notes ORDER BY id") == [[15], [25], [30]]


async def test_the_answer_says_in_words_what_would_be_and_how_to_do_it(shop: str) -> None:
    async with desk(shop) as at:
        text = await ask(at.client, "write", sql="DELETE FROM desk.heap")
        assert fenced(text) == '- word: "x"\n- word: "y"'
        words = re.sub(r"<untrusted.*</untrusted-\w+>", "…", text, flags=re.DOTALL)
        words = re.sub(r"commit_token='[^']+'", "commit_token=T", words)
    assert words == (
        "Tried and rolled back; it would be: 2 deleted in desk.heap (shop).\n…\n"
        "- It has no WHERE: it is about every row.\n"
        "Nothing has changed yet. To do exactly this within 10 minutes, call again with the same arguments "
        "and commit_token=T, and an `idempotency_key` of your own."
    )


STATEMENTS: list[tuple[str, tuple[int, int, int], list[str]]] = [
    (
        "INSERT INTO desk.tickets (body) VALUES ('new') RETURNING id, upper(body) AS loud",
        (1, 0, 0),
        [r'\+ id: "\d+", body: "new" returning \{"id": \d+, "loud": "NEW"\}'],
    ),
    (
        "INSERT INTO desk.notes VALUES (1, 'uno'), (9, 'nueve') ON CONFLICT (id) DO UPDATE SET body = 'uno'",
        (1, 1, 0),
        ['~ id=1: body: "one" -> "uno"', r'\+ id: "9", body: "nueve", rank: "0"'],
    ),
    ("WITH low AS (SELECT 1 AS id) DELETE FROM desk.notes n USING low WHERE n.id = low.id -- end",
     (0, 0, 1), ['- id: "1", body: "one", rank: "10"']),
    ("UPDATE desk.parts SET at = 15 WHERE at = 1", (0, 1, 0), ['~ now at: "15", body: "low"']),
    ("UPDATE desk.heap AS h SET word = h.word || '!' WHERE word = 'x'", (0, 1, 0), ['~ now word: "x!"']),
    ("UPDATE desk.notes SET (body, rank) = (SELECT NULL, 7) WHERE id = 2",
     (0, 1, 0), ['~ id=2: body: "two" -> null, rank: "20" -> "7"']),
    ("INSERT INTO desk.heap SELECT body FROM desk.notes WHERE id = 1;", (1, 0, 0), [r'\+ word: "one"']),
    ("UPDATE desk.notes SET rank = DEFAULT WHERE id = 77", (0, 0, 0), []),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "counts", "diff"), STATEMENTS, ids=range(len(STATEMENTS)))
async def test_every_kind_of_change_is_shown_and_then_done(
    shop: str, sql: str, counts: tuple[int, int, int], diff: list[str]
) -> None:
    async with desk(shop) as at:
        shown = await structured(at, sql=sql)
        done = await structured(at, sql=sql, commit_token=shown["commit_token"])
        for answer in (shown, done):
            assert (answer["inserted"], answer["updated"], answer["deleted"]) == counts
            assert len(answer["diff"]) == len(diff)
            assert all(map(re.fullmatch, diff, answer["diff"])), answer["diff"]
        code, text = await fault(at.client, "write", sql=sql, commit_token=shown["commit_token"])
        assert (code, "has been used" in text) == ("invalid_arguments", True)


async def test_merge_is_shown_where_the_server_can_say_what_it_did(shop: str, server_version: int) -> None:
    sql = (
        "MERGE INTO desk.notes n USING (VALUES (1, 'x'), (8, 'y')) AS v(id, body) ON n.id = v.id "
        "WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.body, 1)"
    )
    async with desk(shop) as at:
        if server_version < 17:
            code, _ = await fault(at.client, "write", sql=sql)
            assert code == "statement_refused"
            return
        shown = await structured(at, sql=sql)
        assert shown["diff"] == ['- id: "1", body: "one", rank: "10"', '+ id: "8", body: "y", rank: "1"']
        await structured(at, sql=sql, commit_token=shown["commit_token"])
        assert await rows(at, "SELECT id FROM desk.notes ORDER BY 1") == [[2], [3], [8]]


async def test_what_was_not_shown_is_not_done(shop: str) -> None:
    sql = "UPDATE desk.notes SET rank = rank - 1 WHERE id = 1"
    every = "DELETE FROM desk.heap"
    async with desk(shop) as at:
        first = (await structured(at, sql=sql))["commit_token"]
        second = (await structured(at, sql=every))["commit_token"]
        admin = await asyncpg.connect(shop)
        await admin.execute("UPDATE desk.notes SET rank = 0 WHERE id = 1; INSERT INTO desk.heap VALUES ('z')")
        await admin.close()
        assert await fault(at.client, "write", sql=sql, commit_token=first) == (
            "changed_meanwhile",
            f"The rows that it would change are others than were shown, or not what they were. {AGAIN}",
        )
        code, text = await fault(at.client, "write", sql=every, commit_token=second)
        assert code == "changed_meanwhile"
        assert text.startswith(
            "It would change other numbers of rows than were shown: 0 / 0 / 2 inserted, updated"
        )
        assert await rows(
            at, "SELECT (SELECT count(*) FROM desk.heap), rank FROM desk.notes WHERE id = 1"
        ) == [[3, 0]]


async def test_a_token_is_good_for_its_own_statement_only(shop: str) -> None:
    sql = "DELETE FROM desk.notes WHERE id = $1"
    async with desk(shop) as at:
        token = (await structured(at, sql=sql, params=[1]))["commit_token"]
        for arguments in ({"sql": sql, "params": [2]}, {"sql": f"{sql} OR true", "params": [1]}):
            code, text = await fault(at.client, "write", **arguments, commit_token=token)
            assert (code, "belongs to another statement" in text) == ("invalid_arguments", True)
        code, text = await fault(at.client, "write", sql=sql, params=[1], commit_token="made-up")
        assert (code, "was not made for you" in text) == ("invalid_arguments", True)
        assert await rows(at, "SELECT count(*) FROM desk.notes") == [[3]]


async def test_what_comes_with_a_change_is_said_and_has_to_be_the_same_again(shop: str) -> None:
    async with desk(shop) as at:
        watched = await structured(at, sql="UPDATE desk.watched SET v = 2")
        assert watched["notes"] == [
            "It has no WHERE: it is about every row.",
            "Triggers and foreign keys come with it: desk.log: 1 inserted.",
            TRIGGERS,
        ]
        await structured(at, sql="UPDATE desk.watched SET v = 2", commit_token=watched["commit_token"])
        assert await rows(at, "SELECT count(*) FROM desk.log") == [[1]]
        sql = "DELETE FROM desk.notes WHERE id = 3"
        cascade = await structured(at, sql=sql)
        assert cascade["notes"] == ["Triggers and foreign keys come with it: desk.replies: 2 deleted."]
        admin = await asyncpg.connect(shop)
        await admin.execute("INSERT INTO desk.replies VALUES (3, 'c')")
        await admin.close()
        code, text = await fault(at.client, "write", sql=sql, commit_token=cascade["commit_token"])
        assert (code, text.partition(".")[0]) == (
            "changed_meanwhile",
            "What triggers and foreign keys would do is not what was shown",
        )


async def test_more_rows_than_allowed_are_refused_with_their_number(shop: str) -> None:
    async with desk(shop, write_max_rows=2) as at:
        code, text = await fault(at.client, "write", sql="DELETE FROM desk.notes")
        assert (code, text.partition(":")[0]) == (
            "invalid_arguments",
            "This would change 3 rows, and one call may change 2",
        )


FENCED = """
[roles.clerk]
allow = ["postgres:*"]
fence = { "postgres.table" = ["desk.notes", "desk.watched", "desk.heap"] }
[[agents]]
id = "local"
roles = ["clerk"]
"""


async def test_the_fence_holds_for_the_target_for_what_is_read_and_for_what_comes_with_it(shop: str) -> None:
    async with desk(shop, policy=FENCED) as at:
        for sql in (
            "INSERT INTO desk.tickets (body) VALUES ('x')",
            "INSERT INTO desk.not_there VALUES (1)",
            "INSERT INTO desk.heap SELECT person FROM hr.salaries",
            "UPDATE desk.notes SET body = (SELECT max(person) FROM hr.salaries)",
            "UPDATE desk.notes SET body = s.person FROM hr.salaries s",
            "DELETE FROM desk.notes WHERE EXISTS (SELECT FROM hr.salaries)",
            "INSERT INTO desk.heap VALUES ('x') RETURNING (SELECT max(person) FROM hr.salaries)",
            "WITH s AS (SELECT * FROM hr.salaries) DELETE FROM desk.notes USING s",
            "WITH notes AS (SELECT 1) UPDATE desk.tickets SET body = ''",
            "UPDATE sales.paid SET amount = 0",
        ):
            assert await fault(at.client, "write", sql=sql) == (
                "outside_fence",
                OUTSIDE,
            )
        code, text = await fault(at.client, "write", sql="DELETE FROM desk.notes WHERE id = 3")
        assert (code, "Triggers or foreign keys" in text) == ("outside_fence", True)
        watched = await structured(at, sql="UPDATE desk.watched SET v = 2 WHERE id = 1")
        assert watched["notes"][0] == "Triggers and foreign keys come with it: other tables: 1 inserted."


FLOWING = """
[roles.all]
allow = ["*:*"]
flow = "ask"
[[agents]]
id = "local"
roles = ["all"]
"""


async def test_nothing_is_offered_where_the_operator_has_not_said_so(shop: str, tmp_path: Path) -> None:
    off = PostgresSettings(url=SecretStr(shop))
    async with bench(connector.configured(off), settings=off) as at:
        assert "write" not in [tool.name for tool in (await at.client.list_tools()).tools]
    path = tmp_path / "postgres.toml"
    path.write_text(
        f'[databases.open]\nurl = "{shop}"\nwrites = true\naudience = "public"\n'
        f'[databases.closed]\nurl = "{shop}"\n'
        'audience = "self"\n',
        encoding="utf-8",
    )
    both = PostgresSettings(config=path)
    async with bench(connector.configured(both), settings=both, policy=FLOWING) as at:
        code, text = await fault(at.client, "write", sql="DELETE FROM wide", database="closed")
        assert (code, text) == (
            "not_found",
            "'closed' cannot be written to here. Only its operator can change that.",
        )
        assert "1 deleted" in await ask(at.client, "write", sql="DELETE FROM wide", database="open")
        await ask(at.client, "query", sql="TABLE wide", database="closed")
        code, _ = await fault(at.client, "write", sql="DELETE FROM wide", database="open")
        assert code == "confirmation_needed"


MORE_TABLES = """
CREATE TABLE desk.tree (id integer PRIMARY KEY, parent integer REFERENCES desk.tree ON DELETE CASCADE);
INSERT INTO desk.tree SELECT n, CASE WHEN n > 1 THEN n / 2 END FROM generate_series(1, 5) n;
CREATE TABLE desk.same (id integer PRIMARY KEY, v integer);
INSERT INTO desk.same SELECT n, 0 FROM generate_series(1, 4) n;
CREATE FUNCTION desk.spreads() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF pg_trigger_depth() = 1 THEN UPDATE desk.same SET v = 9 WHERE id > NEW.id; END IF; RETURN NULL;
END $$;
CREATE TRIGGER spreads AFTER UPDATE ON desk.same FOR EACH ROW EXECUTE FUNCTION desk.spreads();
CREATE FUNCTION desk.empties() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN TRUNCATE desk.replies; RETURN NULL; END $$;
CREATE TRIGGER empties AFTER INSERT ON desk.heap FOR EACH ROW EXECUTE FUNCTION desk.empties();
CREATE TABLE desk.later (id integer PRIMARY KEY, v integer);
INSERT INTO desk.later VALUES (1, 1);
CREATE FUNCTION desk.forgets() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM desk.replies; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER forgets AFTER UPDATE ON desk.later DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION desk.forgets();
CREATE TABLE desk.late (note integer REFERENCES desk.notes DEFERRABLE INITIALLY DEFERRED);
CREATE DOMAIN desk.code AS text;
CREATE TABLE desk.unique (k text UNIQUE, body text);
INSERT INTO desk.unique VALUES ('a', 'precious');
CREATE TABLE desk.coded (k desk.code PRIMARY KEY, body text);
INSERT INTO desk.coded VALUES ('a', 'precious');
CREATE TABLE desk.spread (k text PRIMARY KEY, body text) PARTITION BY LIST (k);
CREATE TABLE desk.spread_a (body text, k text NOT NULL);
ALTER TABLE desk.spread ATTACH PARTITION desk.spread_a FOR VALUES IN ('a', 'b');
INSERT INTO desk.spread VALUES ('a', 'precious');
CREATE TABLE desk.priced (id integer PRIMARY KEY, price integer, at timestamptz, seen timestamp, token text);
INSERT INTO desk.priced VALUES (1, 0);
CREATE TABLE desk.heirs () INHERITS (desk.priced);
INSERT INTO desk.heirs VALUES (1, 5);
"""


async def run_sql(dsn: str, sql: str) -> None:
    admin = await asyncpg.connect(dsn)
    await admin.execute(sql)
    await admin.close()


async def test_other_rows_of_the_same_table_are_counted_shown_limited_and_have_to_be_the_same(
    shop: str,
) -> None:
    tree, same = "DELETE FROM desk.tree WHERE id = 2", "UPDATE desk.same SET v = 1 WHERE id = 2"
    async with desk(shop, write_max_rows=3) as at:
        await run_sql(shop, MORE_TABLES)
        code, text = await fault(at.client, "write", sql="DELETE FROM desk.tree WHERE id = 1")
        assert (code, text.partition(",")[0]) == ("invalid_arguments", "This would change 5 rows")
        shown = await structured(at, sql=tree)
        assert (shown["deleted"], shown["notes"]) == (
            1,
            ["Triggers and foreign keys come with it: desk.tree: 2 deleted."],
        )
        await structured(at, sql=tree, commit_token=shown["commit_token"])
        assert await rows(at, "SELECT id FROM desk.tree ORDER BY 1") == [[1], [3]]
        shown = await structured(at, sql=same)
        assert shown["notes"][0] == "Triggers and foreign keys come with it: desk.same: 2 updated."
        await run_sql(shop, "DELETE FROM desk.same WHERE id = 4")
        code, _ = await fault(at.client, "write", sql=same, commit_token=shown["commit_token"])
        assert code == "changed_meanwhile"
        assert await rows(at, "SELECT max(v) FROM desk.same") == [[0]]


async def test_a_trigger_that_empties_a_table_is_not_let_through(shop: str) -> None:
    async with desk(shop) as at:
        await run_sql(shop, MORE_TABLES)
        assert await fault(at.client, "write", sql="INSERT INTO desk.heap VALUES ('z')") == (
            "statement_refused",
            (
                "Triggers would empty or rebuild whole tables (desk.replies), which cannot be shown row by "
                "row. Nothing was done. Ask a person to do it."
            ),
        )
        assert await rows(at, "SELECT count(*) FROM desk.replies") == [[2]]


async def test_what_is_deferred_happens_in_the_rehearsal(shop: str) -> None:
    update = "UPDATE desk.later SET v = 2"
    async with desk(shop) as at:
        await run_sql(shop, MORE_TABLES)
        shown = await structured(at, sql=update)
        assert shown["notes"][1] == "Triggers and foreign keys come with it: desk.replies: 2 deleted."
        assert (await structured(at, sql=update, commit_token=shown["commit_token"]))["done"]
        code, text = await fault(at.client, "write", sql="INSERT INTO desk.late VALUES (99)")
        assert (code, "violates foreign key constraint" in text) == ("upstream_refused", True)
    fenced_off = FENCED.replace('"desk.heap"', '"desk.later"')
    async with desk(shop, policy=fenced_off) as at:
        await run_sql(shop, MORE_TABLES)
        assert (await fault(at.client, "write", sql=update))[0] == "outside_fence"


@pytest.mark.parametrize("table", ["unique", "coded", "spread"])
async def test_a_row_that_is_met_is_updated_whatever_its_key_is(shop: str, table: str) -> None:
    sql = (
        f"INSERT INTO desk.{table} VALUES ('a', 'new'), ('b', 'new') "
        "ON CONFLICT (k) DO UPDATE SET body = excluded.body"
    )
    async with desk(shop) as at:
        await run_sql(shop, MORE_TABLES)
        shown = await structured(at, sql=sql)
        assert (shown["inserted"], shown["updated"]) == (1, 1)
        done = await structured(at, sql=sql, commit_token=shown["commit_token"])
        assert (done["inserted"], done["updated"]) == (1, 1)


async def test_an_update_gives_the_values_that_were_shown_or_none(shop: str) -> None:
    sql = "UPDATE desk.priced SET price = (SELECT rank FROM desk.notes WHERE id = 1) WHERE id = 1"
    async with desk(shop) as at:
        await run_sql(shop, MORE_TABLES)
        shown = await structured(at, sql=sql)
        assert shown["diff"] == ['~ id=1: price: "0" -> "10"', '~ id=1: price: "5" -> "10"']
        await run_sql(shop, "UPDATE desk.notes SET rank = 999 WHERE id = 1")
        assert await fault(at.client, "write", sql=sql, commit_token=shown["commit_token"]) == (
            "changed_meanwhile",
            f"It would give price other values than were shown. {AGAIN}",
        )
        assert await rows(at, "SELECT price FROM ONLY desk.priced") == [[0]]


async def test_the_clock_and_chance_may_give_other_values_than_were_shown(shop: str) -> None:
    sql = (
        "UPDATE desk.priced SET price = 7, at = now(), seen = clock_timestamp() AT TIME ZONE 'UTC', "
        "token = gen_random_uuid()"
    )
    async with desk(shop) as at:
        await run_sql(shop, MORE_TABLES)
        shown = await structured(at, sql=sql)
        done = await structured(at, sql=sql, commit_token=shown["commit_token"])
        assert (done["done"], done["updated"]) == (True, 2)


async def test_a_row_that_gets_another_key_is_not_shown_as_another_row(shop: str) -> None:
    sql = "UPDATE desk.notes SET id = id + 1 WHERE id = 3"
    async with desk(shop) as at:
        await run_sql(shop, "DELETE FROM desk.replies")
        shown = await structured(at, sql=sql)
        assert shown["diff"] == ['~ now id: "4", body: "three", rank: "30"']
        assert shown["notes"] == ["The primary key itself is set, so rows cannot be shown as they were."]
        await run_sql(shop, "UPDATE desk.notes SET body = 'changed' WHERE id = 3")
        code, _ = await fault(at.client, "write", sql=sql, commit_token=shown["commit_token"])
        assert code == "changed_meanwhile"


async def test_a_failing_statement_has_read_as_well(shop: str, tmp_path: Path) -> None:
    path = tmp_path / "postgres.toml"
    path.write_text(
        f'[databases.open]\nurl = "{shop}"\nwrites = true\naudience = "public"\n'
        f'[databases.closed]\nurl = "{shop}"\naudience = "self"\n',
        encoding="utf-8",
    )
    both = PostgresSettings(config=path)
    async with bench(connector.configured(both), settings=both, policy=FLOWING) as at:
        code, text = await fault(
            at.client, "query", sql="SELECT person::int FROM hr.salaries", database="closed"
        )
        assert (code, fenced(text)) == (
            "upstream_refused",
            'invalid input syntax for type integer: "Ada"',
        )
        code, _ = await fault(at.client, "write", sql="DELETE FROM wide", database="open")
        assert code == "confirmation_needed"
