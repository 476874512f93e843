"""Writes: rehearsed, confirmed, done once for each key, and honest about outcomes that are not known."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import pytest
from mcp.client import Client, ClientRequestContext
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult

from ringmain_core.arguments import DryRun, IdempotencyKey, Upstream
from ringmain_core.call import Call
from ringmain_core.connector import Check, Connector
from ringmain_core.errors import NotFound, OutcomeUnknown
from ringmain_core.policy import open_to
from ringmain_core.principal import Principal
from ringmain_core.results import Answer
from ringmain_core.server import build_server
from ringmain_core.services import Services
from ringmain_core.settings import ConnectorSettings
from ringmain_core.state import StateUnavailable
from ringmain_core.testing import Bench, bench
from ringmain_core.tooling import tool
from standins.asking import fault, text_of

pytestmark = pytest.mark.anyio


class Wall(Upstream):
    def __init__(self) -> None:
        self.posts: list[str] = []
        self.fail: BaseException | None = None
        self.fail_after: BaseException | None = None
        self.entered = anyio.Event()
        self.go_on = anyio.Event()
        self.go_on.set()


class Posted(Answer):
    number: int

    def text(self) -> str:
        return f"post {self.number}"


async def _what_became(wall: Wall, _: Call, note: Any) -> Posted | None:
    if note is None:
        raise OutcomeUnknown("It left no note.")
    return Posted(number=wall.posts.index(note["text"]) + 1) if note["text"] in wall.posts else None


@tool(access="write", title="Post", settle=_what_became)
async def post(
    wall: Wall,
    call: Call,
    text: str,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core acts on it)
) -> Posted:
    """Post a text."""
    if dry_run:
        return Posted(number=len(wall.posts) + 1)
    wall.entered.set()
    await wall.go_on.wait()
    if wall.fail:
        raise wall.fail
    await call.note({"text": text})
    wall.posts.append(text)
    if wall.fail_after:
        raise wall.fail_after
    return Posted(number=len(wall.posts))


@tool(access="write", title="Shout", timeout=0.05)
async def shout(wall: Wall, text: str, idempotency_key: IdempotencyKey = None) -> str:  # noqa: ARG001
    """Post without ever ending."""
    wall.posts.append(text)
    await anyio.sleep_forever()
    return ""


async def _what_goes(wall: Wall, number: int) -> str:
    return f"Remove {wall.posts[number - 1]!r} for ever?"


@tool(access="destructive", title="Remove", question=_what_goes)
async def remove(wall: Wall, number: int) -> str:
    """Remove a post."""
    return f"removed {wall.posts.pop(number - 1)}"


@tool(access="read", title="Look")
async def look(wall: Wall, call: Call) -> str:
    """Read what only the group can read."""
    await call.saw("group")
    return "; ".join(wall.posts)


@tool(access="write", title="Publish")
async def publish(wall: Wall, call: Call, text: str) -> str:
    """Post to everybody."""
    await call.may_share("public", "Publish a text")
    wall.posts.append(text)
    return "published"


@tool(access="write", title="Tell")
async def tell(wall: Wall, call: Call, text: str) -> str:
    """Post to the group."""
    await call.may_share("group", "Tell the group")
    wall.posts.append(text)
    return "told"


@tool(access="read", title="Visit")
async def visit(wall: Wall, call: Call, room: str) -> str:
    """Read what only those in one room can read."""
    await call.saw("group", room)
    return "; ".join(wall.posts)


@tool(access="write", title="Whisper")
async def whisper(wall: Wall, call: Call, room: str, text: str) -> str:
    """Post to one room."""
    await call.may_share("group", f"Whisper in {room}", room)
    wall.posts.append(text)
    return "whispered"


@asynccontextmanager
async def _connect(_: ConnectorSettings, __: Services) -> AsyncGenerator[Wall]:
    yield Wall()


async def _ready(_: Wall) -> None: ...


async def _diagnose(_: Wall) -> AsyncIterator[Check]:
    yield Check("wall", "ok", "stands")


class WallConnector(Connector[ConnectorSettings, Wall]):
    @property
    def version(self) -> str:
        return "1.2.3"


CONNECTOR = WallConnector(
    name="wall",
    title="Wall",
    instructions="",
    settings=ConnectorSettings,
    connect=_connect,
    ready=_ready,
    diagnose=_diagnose,
    tools=(post, shout, remove, look, publish, tell, visit, whisper),
)
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


class Person:
    """Answers what the client is asked, and remembers it."""

    def __init__(self, action: str = "accept", **content: Any) -> None:
        self.asked: list[str] = []
        self._answer: dict[str, Any] = {"action": action, "content": content or None}

    async def __call__(self, _: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.asked.append(params.message)
        return ElicitResult(**self._answer)


def _asked(mode: str) -> list[tuple[str, str | None]]:
    """What a question leaves: it ends a request of its own since 2026-07-28."""
    return [] if mode == "legacy" else [("call", "asked")]


def _phases(at: Bench) -> list[tuple[str, str | None]]:
    return [
        (record["phase"], record.get("outcome"))
        for record in at.audit.records
        if record.get("method") == "tools/call"
    ]


def _replayed(result: CallToolResult) -> bool:
    return (result.meta or {}).get("dev.ringmain/replayed", False)


async def _post(at: Bench | Client, **arguments: Any) -> CallToolResult:
    client = at.client if isinstance(at, Bench) else at
    return await client.call_tool("post", arguments)


async def test_a_rehearsal_shows_the_effect_and_is_no_intent() -> None:
    wall = Wall()
    async with bench(CONNECTOR, upstream=wall) as at:
        result = await _post(at, text="a", dry_run=True, idempotency_key="k")
        assert text_of(result) == "post 1"
        assert wall.posts == []
        assert _phases(at) == [("call", "ok")]
        assert text_of(await _post(at, text="a", idempotency_key="k")) == "post 1"
        assert wall.posts == ["a"]


async def test_the_same_key_is_done_once_and_answers_the_same() -> None:
    wall = Wall()
    async with bench(CONNECTOR, upstream=wall) as at:
        first = await _post(at, text="a", idempotency_key="k")
        again = await _post(at, text="a", idempotency_key="k")
        assert wall.posts == ["a"]
        assert (first.content, first.structured_content) == (again.content, again.structured_content)
        assert _replayed(again)
        assert _phases(at) == [("intent", None), ("outcome", "ok"), ("call", "ok")]
        other = await _post(at, text="a", idempotency_key="another")
        assert (text_of(other), wall.posts) == ("post 2", ["a", "a"])


async def test_a_key_used_for_other_arguments_is_refused() -> None:
    wall = Wall()
    async with bench(CONNECTOR, upstream=wall) as at:
        await _post(at, text="a", idempotency_key="k")
        code, text = await fault(at.client, "post", text="b", idempotency_key="k")
        assert (code, wall.posts) == ("idempotency_key_reused", ["a"])
        assert "new key" in text


async def test_a_key_belongs_to_its_principal_and_tool() -> None:
    wall = Wall()
    ann, bob = Principal("ann", "api_key"), Principal("bob", "api_key")
    async with bench(CONNECTOR, upstream=wall, principal=ann) as at:
        await _post(at, text="a", idempotency_key="k")
        await fault(at.client, "shout", text="b", idempotency_key="k")
        server = build_server(CONNECTOR, wall, replace(at.runtime, local=bob, policy=lambda: open_to("bob")))
        async with Client(server) as client:
            again = await _post(client, text="a", idempotency_key="k")
    assert (_replayed(again), wall.posts) == (False, ["a", "b", "a"])


async def test_a_failure_that_certainly_had_no_effect_frees_the_key() -> None:
    wall = Wall()
    wall.fail = NotFound("There is no wall.")
    async with bench(CONNECTOR, upstream=wall) as at:
        assert (await fault(at.client, "post", text="a", idempotency_key="k"))[0] == "not_found"
        wall.fail = None
        assert text_of(await _post(at, text="a", idempotency_key="k")) == "post 1"
        assert wall.posts == ["a"]


async def test_two_at_once_with_one_key_are_one() -> None:
    wall = Wall()
    wall.go_on = anyio.Event()
    async with bench(CONNECTOR, upstream=wall) as at, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: _post(at, text="a", idempotency_key="k"))
        with anyio.fail_after(5):
            await wall.entered.wait()
        code, _ = await fault(at.client, "post", text="a", idempotency_key="k")
        assert code == "in_progress"
        wall.go_on.set()
        with anyio.fail_after(5):
            while len(_phases(at)) < 3:
                await anyio.lowlevel.checkpoint()
        assert wall.posts == ["a"]


@pytest.mark.parametrize("error", [OutcomeUnknown("The line went dead."), RuntimeError("boom")], ids=str)
async def test_after_a_lost_outcome_the_same_key_finds_what_became_of_it(error: BaseException) -> None:
    wall = Wall()
    wall.fail_after = error
    async with bench(CONNECTOR, upstream=wall) as at:
        code, _ = await fault(at.client, "post", text="a", idempotency_key="k")
        assert code in ("outcome_unknown", "internal")
        wall.fail_after = None
        again = await _post(at, text="a", idempotency_key="k")
        assert (text_of(again), wall.posts) == ("post 1", ["a"])
        once_more = await _post(at, text="a", idempotency_key="k")
        assert (_replayed(once_more), wall.posts) == (True, ["a"])


async def test_what_certainly_did_not_happen_is_done_when_tried_again() -> None:
    wall = Wall()
    wall.fail_after = OutcomeUnknown("The line went dead.")
    async with bench(CONNECTOR, upstream=wall) as at:
        await fault(at.client, "post", text="a", idempotency_key="k")
        wall.posts.clear()  # it had not been taken after all
        wall.fail_after = None
        assert text_of(await _post(at, text="a", idempotency_key="k")) == "post 1"
        assert wall.posts == ["a"]


async def test_a_lost_outcome_nobody_can_settle_stays_unknown_and_is_not_repeated() -> None:
    wall = Wall()
    async with bench(CONNECTOR, upstream=wall) as at:
        for _ in range(3):
            code, text = await fault(at.client, "shout", text="a", idempotency_key="k")
            assert (code, wall.posts) == ("outcome_unknown", ["a"])
            assert "Check whether it has happened" in text


async def test_a_cancelled_write_is_settled_by_its_key() -> None:
    wall = Wall()
    wall.go_on = anyio.Event()
    async with bench(CONNECTOR, upstream=wall) as at:
        with anyio.move_on_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: _post(at, text="a", idempotency_key="k"))
                await wall.entered.wait()
                tasks.cancel_scope.cancel()
        wall.go_on.set()
        with anyio.fail_after(5):
            while (await _post(at, text="b", idempotency_key="x")).is_error:
                await anyio.lowlevel.checkpoint()
        code, _ = await fault(at.client, "post", text="a", idempotency_key="k")
        assert (code, wall.posts) == ("outcome_unknown", ["b"])


async def test_without_the_state_nothing_is_done_under_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = Wall()
    async with bench(CONNECTOR, upstream=wall) as at:

        async def away(*_: Any, **__: Any) -> Any:
            raise StateUnavailable("gone")

        monkeypatch.setattr(at.runtime.state, "get", away)
        code, _ = await fault(at.client, "post", text="a", idempotency_key="k")
        assert (code, wall.posts) == ("state_unavailable", [])
        assert text_of(await _post(at, text="a")) == "post 1"


async def test_what_is_kept_for_a_key_is_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bytes] = []
    async with bench(CONNECTOR, upstream=Wall()) as at:
        put = at.runtime.state.put

        async def seen(key: str, value: bytes, ttl: float, **how: Any) -> bool:
            kept.append(key.encode() + value)
            return await put(key, value, ttl, **how)

        monkeypatch.setattr(at.runtime.state, "put", seen)
        await _post(at, text="hush-hush", idempotency_key="k-secret")
    assert kept
    assert not [value for value in kept if b"hush" in value or b"post" in value or b"k-secret" in value]


@ERAS
async def test_a_destructive_call_asks_a_person_about_exactly_this(mode: str) -> None:
    wall, person = Wall(), Person(confirm=True)
    wall.posts = ["a", "b"]
    async with bench(CONNECTOR, upstream=wall, mode=mode, elicitation_callback=person) as at:
        result = await at.client.call_tool("remove", {"number": 2})
        assert text_of(result) == "removed b"
        assert (person.asked, wall.posts) == (["Remove 'b' for ever?"], ["a"])
        assert _phases(at) == [*_asked(mode), ("intent", None), ("outcome", "ok")]


@ERAS
@pytest.mark.parametrize(
    "person", [Person("decline"), Person("cancel"), Person(confirm=False)], ids=["decline", "cancel", "no"]
)
async def test_a_no_is_a_no(mode: str, person: Person) -> None:
    wall = Wall()
    wall.posts = ["a"]
    async with bench(CONNECTOR, upstream=wall, mode=mode, elicitation_callback=person) as at:
        code, _ = await fault(at.client, "remove", number=1)
        assert (code, wall.posts) == ("declined", ["a"])
        assert _phases(at) == [*_asked(mode), ("call", "refused")]


@ERAS
async def test_a_client_that_cannot_ask_is_told_what_would_help(mode: str) -> None:
    wall = Wall()
    wall.posts = ["a"]
    async with bench(CONNECTOR, upstream=wall, mode=mode) as at:
        code, text = await fault(at.client, "remove", number=1)
        assert (code, wall.posts) == ("confirmation_needed", ["a"])
        assert "policy" in text


POLICY = """
[roles.all]
allow = ["*:*"]
{more}
[[agents]]
id = "local"
roles = ["all"]
"""


async def test_policy_waives_and_demands_confirmation() -> None:
    wall, person = Wall(), Person(confirm=True)
    wall.posts = ["a"]
    waived = POLICY.format(more="confirm = []")
    async with bench(CONNECTOR, upstream=wall, policy=waived, elicitation_callback=person) as at:
        await at.client.call_tool("remove", {"number": 1})
    assert (wall.posts, person.asked) == ([], [])
    demanded = POLICY.format(more='confirm = ["wall.post"]')
    async with bench(CONNECTOR, upstream=wall, policy=demanded, elicitation_callback=person) as at:
        await _post(at, text="a")
    assert (wall.posts, person.asked) == (["a"], ['Post (wall.post) with {"text": "a"}?'])


@ERAS
async def test_telling_more_people_than_could_read_it_asks_first(mode: str) -> None:
    wall, person = Wall(), Person(confirm=True)
    async with bench(CONNECTOR, upstream=wall, mode=mode, elicitation_callback=person) as at:
        await at.client.call_tool("publish", {"text": "before"})
        assert person.asked == []
        await at.client.call_tool("look", {})
        await at.client.call_tool("tell", {"text": "to the group"})
        assert person.asked == []
        await at.client.call_tool("publish", {"text": "after"})
        (question,) = person.asked
        assert "(public)" in question
        assert "(group)" in question
        assert wall.posts == ["before", "to the group", "after"]


@ERAS
async def test_a_place_as_narrow_as_the_one_that_was_read_is_asked_about_unless_it_is_the_same(
    mode: str,
) -> None:
    wall, person = Wall(), Person(confirm=True)
    async with bench(CONNECTOR, upstream=wall, mode=mode, elicitation_callback=person) as at:
        await at.client.call_tool("visit", {"room": "red"})
        await at.client.call_tool("whisper", {"room": "red", "text": "1"})
        await at.client.call_tool("tell", {"text": "2"})
        assert person.asked == []
        await at.client.call_tool("whisper", {"room": "blue", "text": "3"})
        await at.client.call_tool("visit", {"room": "blue"})
        await at.client.call_tool("whisper", {"room": "blue", "text": "4"})
    assert wall.posts == ["1", "2", "3", "4"]
    assert [question.partition("?")[0] for question in person.asked] == ["Whisper in blue"] * 2
    assert "(red)" in person.asked[0]
    assert "(several places)" in person.asked[1]


async def test_policy_can_switch_the_flow_rule_off() -> None:
    wall, person = Wall(), Person("decline")
    policy = POLICY.format(more='flow = "off"')
    async with bench(CONNECTOR, upstream=wall, policy=policy, elicitation_callback=person) as at:
        await at.client.call_tool("look", {})
        await at.client.call_tool("publish", {"text": "a"})
    assert (wall.posts, person.asked) == (["a"], [])


async def test_what_one_caller_has_read_does_not_hold_back_another() -> None:
    wall, person = Wall(), Person("decline")
    async with bench(CONNECTOR, upstream=wall, elicitation_callback=person) as at:
        await at.client.call_tool("look", {})
        assert (await fault(at.client, "publish", text="a"))[0] == "declined"
    other = Principal("other", "api_key")
    async with bench(CONNECTOR, upstream=wall, principal=other, elicitation_callback=person) as at:
        await at.client.call_tool("publish", {"text": "a"})
    assert wall.posts == ["a"]
