"""What belongs to a principal is not there for another one: “not yours” looks like “not there”."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringmain_core.errors import AccountNeeded
from ringmain_core.testing import bench
from security.conftest import Behind
from security.programs import ANN, BOB, Target, demo_target, postgres_target
from security.safe import ANN as ANN_IN_MEMORY
from security.safe import BOB as BOB_IN_MEMORY
from security.safe import POLICY, Safe, beside, connector
from security.wire import ERAS, LEGACY, MODERN, Answer, Caller, send
from standins.asking import ask, fault
from unit.core.accounts.desk import at_desk, call_of
from unit.core.http_bench import http_bench

YES: dict[str, Any] = {"call": {"action": "accept", "content": {"confirm": True}}}
FORMS: dict[str, Any] = {"elicitation": {"form": {}}}


@pytest.fixture(scope="module")
def target(folder: Path) -> Iterator[Target]:
    with demo_target(folder) as target:
        yield target


@pytest.fixture(scope="module")
def postgres(behind: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with postgres_target(tmp_path_factory.mktemp("postgres"), behind.shop) as target:
        yield target


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_ghsa_qvqr_5cv7_wh35_a_session_of_another_principal_looks_like_none(
    target: Target, method: str
) -> None:
    ann = Caller(target.port, ANN, LEGACY).shake_hands()

    def tried(session: str | None, key: str) -> Answer:
        caller = Caller(target.port, key, LEGACY, session=session)
        body = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}' if method == "POST" else b""
        return send(target.port, method, caller.path, caller.headers("tools/list", {}), body)

    stolen, missing = tried(ann.session, BOB), tried("0" * 32, BOB)
    assert (stolen.status, stolen.body, missing.status) == (404, missing.body, 404)
    assert [name for name, _ in stolen.headers] == [name for name, _ in missing.headers]
    assert ann.ask("tools/list").status == 200  # and the attempt did not end it


@pytest.mark.anyio
async def test_byterover_329_there_is_no_fallback_to_the_only_session() -> None:
    async with http_bench() as at:
        only = await at.open_session("key-of-ann")
        for session in (None, "", "null", "undefined", "*", only[:-1], f"{only}, x"):
            answer = await at.call(LEGACY, "tools/list", key="key-of-bob", session=session)
            assert (session, answer.status in (400, 404)) == (session, True)


def test_cve_2026_52870_ghsa_hvrp_rf83_w775_session_ids_cannot_be_guessed(target: Target) -> None:
    sessions = [Caller(target.port, ANN, LEGACY).shake_hands().session or "" for _ in range(40)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", session) for session in sessions)
    # At no place do they agree, and at none do they count: 128 bits of noise.
    places = [{session[place] for session in sessions} for place in range(32)]
    fixed = [place for place, seen in enumerate(places) if len(seen) == 1]
    assert len(set(sessions)) == 40
    assert fixed in ([], [12])  # the version of a UUID


@pytest.mark.parametrize("era", ERAS)
def test_a_cursor_of_another_principal_is_no_cursor(postgres: Target, era: str) -> None:
    ann, bob = Caller(postgres.port, ANN, era), Caller(postgres.port, BOB, era)
    page = ann.tool("query", sql="SELECT g FROM generate_series(1, 9) g ORDER BY g", max_rows=2)
    (cursor,) = re.findall(r"[A-Za-z0-9_-]{60,}", page.text)
    stolen = bob.tool("next_page", cursor=cursor).without_ids()
    forged = bob.tool("next_page", cursor="A" * len(cursor)).without_ids()
    assert stolen == forged
    assert stolen[1]["result"]["isError"] is True
    changed = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    assert ann.tool("next_page", cursor=changed).without_ids() == forged
    assert "[3]" in ann.tool("next_page", cursor=cursor).text.replace(" ", "")


def test_a_commit_token_of_another_principal_is_none(behind: Behind, tmp_path: Path) -> None:
    sql = "UPDATE victim SET v = v WHERE id = 1"
    with postgres_target(tmp_path, behind.attacked, RINGMAIN_POSTGRES_WRITES="true") as target:
        ann, bob = (Caller(target.port, key, path="/v2/mcp") for key in (ANN, BOB))
        token = ann.tool("write", sql=sql).json["result"]["structuredContent"]["commit_token"]
        stolen = bob.tool("write", sql=sql, commit_token=token).without_ids()
        forged = bob.tool("write", sql=sql, commit_token="A" * len(token)).without_ids()
        assert stolen == forged
        assert stolen[1]["result"]["isError"] is True
        assert (
            ann.tool("write", sql=sql, commit_token=token).json["result"]["structuredContent"]["done"] is True
        )
        used = ann.tool("write", sql=sql, commit_token=token).json["result"]
        assert (used["isError"], "has been used" in used["content"][0]["text"]) == (True, True)


def wiped(caller: Caller, **more: Any) -> Answer:
    return caller.ask("tools/call", {"name": "wipe", "arguments": {}, **more})


def test_request_state_of_another_principal_confirms_nothing(target: Target) -> None:
    ann = Caller(target.port, ANN, capabilities=FORMS)
    bob = Caller(target.port, BOB, capabilities=FORMS)
    asked = wiped(ann).json["result"]
    assert asked["resultType"] == "input_required"
    state = asked["requestState"]
    for caller, given in ((bob, state), (ann, state[:-2] + "AA"), (ann, "x"), (bob, "ringmain:{}")):
        answer = wiped(caller, requestState=given, inputResponses=YES)
        assert "result" not in answer.json, answer.json
    other = ann.ask(
        "tools/call",
        {"name": "note", "arguments": {"text": "x"}, "requestState": state, "inputResponses": YES},
    )
    assert "result" not in other.json, other.json
    assert [record["target"] for record in target.trail() if record["phase"] == "intent"] == []
    assert wiped(ann, requestState=state, inputResponses=YES).text == "gone"
    assert [record["target"] for record in target.trail() if record["phase"] == "intent"] == ["wipe"]


@pytest.mark.anyio
async def test_an_idempotency_key_belongs_to_its_principal() -> None:
    safe = Safe()
    async with (
        bench(connector, upstream=safe, principal=ANN_IN_MEMORY, policy=POLICY) as at,
        beside(at, safe, BOB_IN_MEMORY) as bob,
    ):
        first = await ask(at.client, "keep", text="a", idempotency_key="k")
        assert (first, await ask(bob, "keep", text="a", idempotency_key="k")) == (
            "kept for ann",
            "kept for bob",
        )
        # Nor can it be found out which keys somebody has used.
        assert await ask(bob, "keep", text="b", idempotency_key="k2") == "kept for bob"
        code, _ = await fault(at.client, "keep", text="b", idempotency_key="k")
        assert code == "idempotency_key_reused"
        assert safe.kept == [("ann", "a"), ("bob", "a"), ("bob", "b")]


@pytest.mark.anyio
async def test_asana_a_cache_key_holds_principal_role_and_fence() -> None:
    safe = Safe()
    async with (
        bench(connector, upstream=safe, principal=ANN_IN_MEMORY, policy=POLICY) as at,
        beside(at, safe, BOB_IN_MEMORY) as bob,
    ):
        answers = [await ask(client, "look", box="low-1") for client in (at.client, bob, at.client, bob)]
    assert answers == ["low-1, as ann sees it (*)", "low-1, as bob sees it (low-*)"] * 2
    assert safe.asked == ["ann", "bob"]  # so it does keep them


@pytest.mark.anyio
async def test_an_account_of_another_principal_is_none() -> None:
    async def told() -> str:
        with pytest.raises(AccountNeeded) as caught:
            await at.accounts.token(call_of(BOB_IN_MEMORY))
        return re.sub(r"https://\S+", "<link>", caught.value.message)

    async with at_desk() as at:
        without = await told()
        await at.has(ANN_IN_MEMORY)
        assert await told() == without
        assert (await at.accounts.token(call_of(ANN_IN_MEMORY))).identity.id == "ann"


@pytest.mark.parametrize("era", ERAS)
def test_cve_2026_52870_there_are_no_tasks_to_take_from_others(target: Target, era: str) -> None:
    """Long work has no handle of its own yet; methods for it must not appear unguarded."""
    caller = Caller(target.port, BOB, era)
    if era == LEGACY:
        caller.shake_hands()
    for method in ("tasks/get", "tasks/list", "tasks/update", "tasks/cancel", "tasks/result"):
        answer = caller.ask(method, {"taskId": "1"})
        assert (method, answer.json["error"]["code"]) == (method, -32601)


def test_context_forge_3891_an_unknown_name_is_nothing_and_never_a_default(
    target: Target, postgres: Target
) -> None:
    ann = Caller(target.port, ANN, MODERN)
    for path in ("/v3/mcp", "/v0/mcp", "/mcp", "/v1/mcp/x", "/servers/x/mcp"):
        assert Caller(target.port, ANN, path=path).ask("tools/list").status == 404
    assert ann.ask("tools/call", {"name": "nothing", "arguments": {}}).status == 400
    unknown = Caller(postgres.port, ANN).tool("query", sql="SELECT 1", database="nowhere").json["result"]
    assert (unknown["isError"], unknown["_meta"]["dev.ringmain/error"]["code"]) == (True, "not_found")
