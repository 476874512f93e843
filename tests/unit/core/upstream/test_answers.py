import json
from collections.abc import Mapping
from typing import Annotated, Any, cast

import anyio
import pytest
from pydantic import Field

from ringmain_core.call import Call
from ringmain_core.declarations import Declaration
from ringmain_core.errors import DeadlineExceeded, InvalidArguments, UpstreamRefused, UpstreamUnavailable
from ringmain_core.flow import Audience, Flow, Reading
from ringmain_core.policy import Grant
from ringmain_core.sealing import KeyRing
from ringmain_core.tooling import resource, tool
from ringmain_core.upstream.answers import Answers
from ringmain_core.upstream.background import background
from ringmain_core.upstream.cache import Cache, Copies, Copy
from ringmain_core.upstream.shared_copies import SharedCopies
from unit.core.upstream.parts import Clock, Heard, SharedState, call_of

pytestmark = pytest.mark.anyio
CACHE = Cache(ttl=15, stale=300)


@tool(access="read", title="Search", cache=CACHE)
async def search(query: str, limit: Annotated[int, Field(ge=1)] = 20) -> str:
    """Search."""
    return f"{query} {limit}"


@resource("demo://item/{item}", title="Item", cache=CACHE)
async def item(item: str) -> str:
    """One item."""
    return item


def answer(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "structuredContent": {"n": text}}


def kept(text: str, age: float) -> dict[str, Any]:
    return answer(text) | {"_meta": {"dev.ringmain/cache": {"age_seconds": age}}}


class Rig:
    """Answers whose clock a test controls, and an upstream that counts."""

    def __init__(self, shared: SharedCopies | None = None, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.heard = Heard()
        self.answers = Answers(
            copies=Copies(clock=self.clock), shared=shared, signals=self.heard, clock=self.clock
        )
        self.asked = 0
        self.failure: Exception | None = None
        self.result: dict[str, Any] | None = None
        self.audience: Audience | None = None

    async def ask(
        self,
        arguments: Mapping[str, Any] | None = None,
        *,
        declaration: Declaration = search,
        **call: Any,
    ) -> dict[str, Any]:
        raw = {"query": "x"} if arguments is None else arguments
        made = call.pop("call", None) or call_of(declaration, raw, **call)

        async def run() -> dict[str, Any]:
            self.asked += 1
            if self.failure is not None:
                raise self.failure
            if self.audience is not None:
                await made.saw(self.audience)
            return answer(str(self.asked)) if self.result is None else self.result

        return await self.answers(declaration, raw, made, run)


async def test_an_answer_is_given_again_while_it_is_new_and_says_its_age() -> None:
    rig = Rig()
    assert await rig.ask() == answer("1")
    rig.clock.now += 14.96
    assert await rig.ask({"query": "x", "limit": "20"}) == kept("1", 15.0)  # the same, once validated
    rig.clock.now += 0.04
    assert await rig.ask() == answer("2")
    assert rig.heard.caches == ["miss", "hit", "miss"]


async def test_nobody_gets_what_was_answered_to_another_question() -> None:
    rig = Rig()
    fenced = Grant(allowed=True, because="policy.toml:3", fences=({"demo.item": ["a*"]},))
    asked = [
        await rig.ask(),
        await rig.ask({"query": "y"}),
        await rig.ask({"query": "x", "limit": 1}),
        await rig.ask(agent="other"),
        await rig.ask(grant=fenced),
        await rig.ask(grant=Grant(allowed=True, because="policy.toml:4", fences=fenced.fences)),
        await rig.ask(grant=Grant(allowed=True, because="policy.toml:3", fences=({},))),
        await rig.ask({"item": "x"}, declaration=item, method="resources/read", target="demo://item/x"),
        await rig.ask({"item": "x"}, declaration=item, method="resources/read", target="demo://item/%78"),
        await rig.ask(answer_bytes=5_000),
    ]
    assert asked == [answer(str(number)) for number in range(1, 11)]
    assert await rig.ask() == kept("1", 0.0)
    with pytest.raises(InvalidArguments):
        await rig.ask({"query": "x", "limit": 0})


async def test_a_request_can_ask_for_a_new_answer_which_then_is_kept() -> None:
    rig = Rig()
    await rig.ask()
    assert await rig.ask(meta={"dev.ringmain/fresh": True}) == answer("2")
    assert await rig.ask(meta={"dev.ringmain/fresh": "yes"}) == kept("2", 0.0)
    rig.failure = UpstreamUnavailable("Gone.")
    with pytest.raises(UpstreamUnavailable):
        await rig.ask(meta={"dev.ringmain/fresh": True})


async def test_while_the_system_behind_is_away_an_old_answer_is_given_and_says_so() -> None:
    rig = Rig()
    await rig.ask()
    rig.clock.now += 100
    rig.failure = UpstreamUnavailable("`demo` cannot be reached now.")
    line = "[An older answer, from 100 s ago, because there is none now: `demo` cannot be reached now.]"
    assert await rig.ask() == {
        "content": [{"type": "text", "text": f"{line}\n1"}],
        "structuredContent": {"n": "1"},
        "_meta": {
            "dev.ringmain/cache": {"age_seconds": 100.0},
            "dev.ringmain/stale": {"age_seconds": 100.0, "cause": "upstream_unavailable"},
        },
    }
    rig.failure = DeadlineExceeded("Too long.")
    stale = (await rig.ask())["_meta"]["dev.ringmain/stale"]
    assert stale == {"age_seconds": 100.0, "cause": "deadline_exceeded"}
    rig.failure = UpstreamRefused("No such column.")
    with pytest.raises(UpstreamRefused):
        await rig.ask()
    rig.failure = UpstreamUnavailable("Gone.")
    rig.clock.now += 200
    with pytest.raises(UpstreamUnavailable):
        await rig.ask()
    assert rig.heard.caches == ["miss", "stale", "stale", "miss"]
    rig.failure = None
    assert await rig.ask() == answer("6")


async def test_an_old_resource_says_so_where_its_form_allows_it() -> None:
    rig = Rig()
    rig.result = {
        "contents": [
            {"uri": "demo://item/a", "mimeType": "text/plain", "text": "a"},
            {"uri": "demo://item/a", "mimeType": "application/json", "text": "{}"},
            {"uri": "demo://item/a", "mimeType": "image/png", "blob": "AA=="},
        ]
    }
    await rig.ask({"item": "a"}, declaration=item)
    rig.failure = UpstreamUnavailable("Gone.")
    rig.clock.now += 20
    result = await rig.ask({"item": "a"}, declaration=item)
    assert [each.get("text") for each in result["contents"]] == [
        "[An older answer, from 20 s ago, because there is none now: Gone.]\na",
        "{}",
        None,
    ]


@pytest.mark.parametrize(
    "result",
    [
        answer("1") | {"isError": True},
        {"resultType": "input_required", "requestState": "s"},
        answer("half \ud83d"),
    ],
)
async def test_failures_questions_and_what_is_no_text_are_not_kept(result: dict[str, Any]) -> None:
    rig = Rig()
    rig.result = result
    for _ in range(2):
        assert await rig.ask() == result
    assert rig.asked == 2
    rig.result = None
    await rig.ask(request_state="s")
    await rig.ask(input_responses={"a": 1})
    await rig.ask(confirmed={"a": "b"})
    assert rig.asked == 5


async def test_equal_calls_at_the_same_time_are_done_once_also_when_they_fail() -> None:
    rig = Rig()
    results: list[object] = []

    for failure, expected in (
        (UpstreamUnavailable("Gone."), ["Gone."] * 5),
        (None, [answer("1"), *[kept("1", 0.0)] * 4]),
    ):
        go_on = anyio.Event()

        async def run(go_on: anyio.Event = go_on, failure: Exception | None = failure) -> dict[str, Any]:
            rig.asked += 1
            await go_on.wait()
            if failure is not None:
                raise failure
            return answer(str(rig.asked))

        rig.asked = 0
        results.clear()

        async def call(run: Any = run) -> None:
            try:
                results.append(await rig.answers(search, {"query": "x"}, call_of(search), run))
            except UpstreamUnavailable as error:
                results.append(error.message)

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(call)
            await anyio.wait_all_tasks_blocked()
            go_on.set()
        assert (rig.asked, results) == (1, expected)
    assert rig.heard.caches == ["miss"] * 6 + ["joined"] * 4


class Read(Flow):
    def __init__(self) -> None:
        self.by: list[tuple[str, Audience]] = []

    async def saw(self, call: Call, reading: Reading) -> None:
        self.by.append((call.id, reading.audience))


async def test_who_gets_a_kept_answer_has_read_what_is_in_it() -> None:
    rig = Rig()
    rig.audience = "group"
    read = Read()
    for name in ("first", "second"):
        call = call_of(search, {"query": "x"}, id=name, flow=read)
        await rig.ask(call=call)
        assert call.flow is read
    assert (rig.asked, read.by) == (1, [("first", "group"), ("second", "group")])


async def test_replicas_share_answers_that_are_sealed_and_bound_to_their_question() -> None:
    state, clock = SharedState(), Clock()
    keys = KeyRing([b"k" * 32])
    async with background() as work:
        shared = SharedCopies(state, keys, work, clock=clock, wall=lambda: clock() + 5e8)
        one, two = Rig(shared, clock), Rig(shared, clock)
        one.audience = two.audience = "self"
        await one.ask()
        await one.ask({"query": "y"})
        await anyio.wait_all_tasks_blocked()
        clock.now += 5
        assert await two.ask() == kept("1", 5.0)

        assert all(b"content" not in value for value in state.values.values())
        (first, of_first), (second, of_second) = state.values.items()
        state.values.update({first: of_second, second: of_first})
        three = Rig(shared, clock)
        assert await three.ask() == answer("1")
        await anyio.wait_all_tasks_blocked()

        clock.now += 20  # the other replica has a newer one than ours, which is too old
        assert await three.ask() == answer("2")
        await anyio.wait_all_tasks_blocked()
        read = Read()
        assert await two.ask(call=call_of(search, {"query": "x"}, flow=read)) == kept("2", 0.0)
        assert (two.asked, read.by) == (0, [])  # the third replica said nothing of an audience


async def test_without_the_shared_state_each_replica_has_its_own_answers() -> None:
    state, clock = SharedState(), Clock()
    state.away = True
    async with background() as work:
        shared = SharedCopies(state, KeyRing([b"k" * 32]), work, clock=clock)
        rig = Rig(shared, clock)
        assert [await rig.ask(), await rig.ask()] == [answer("1"), kept("1", 0.0)]


def test_answers_of_a_write_cannot_be_kept() -> None:
    async def note() -> str:
        """Note."""
        return "noted"

    with pytest.raises(ValueError, match="note is no read"):
        tool(access="write", title="Note", cache=Cache())(note)


def copy_of(clock: Clock, size: int) -> Copy:
    return Copy({}, clock(), size)


def test_copies_are_bounded_by_number_and_bytes_and_those_not_asked_for_go_first() -> None:
    clock = Clock()
    copies = Copies(most=3, most_bytes=800, clock=clock)
    for key in "abc":
        copies.put(key, copy_of(clock, 10), 60)
    assert copies.get("a") is not None
    copies.put("d", copy_of(clock, 10), 60)
    assert [key for key in "abcd" if copies.get(key)] == ["a", "c", "d"]
    copies.put("large", copy_of(clock, 101), 60)
    assert copies.get("large") is None
    wide = Copies(most=100, most_bytes=800, clock=clock)
    for key in range(20):
        wide.put(str(key), copy_of(clock, 100), 60)
    wide.put("19", copy_of(clock, 50), 60)
    assert len(wide) == 8
    clock.now += 60
    assert copies.get("a") is None
    wide.put("new", copy_of(clock, 1), 60)
    assert len(wide) == 1
    assert json.dumps(cast("Any", wide.get("new")).result) == "{}"
