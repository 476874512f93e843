"""A person's yes is good for one request, whatever the client sends again."""

from typing import Any

import anyio
import mcp_types as types
import pytest

from ringmain_core.confirmations import Ask, read_state, with_state
from ringmain_core.state import StateUnavailable
from ringmain_core.testing import Bench, bench
from standins.asking import fault, text_of
from unit.core.test_writes import CONNECTOR, POLICY, Person, Wall
from unit.core.upstream.parts import call_of

pytestmark = pytest.mark.anyio

EVERYTHING_CONFIRMED = POLICY.format(more='confirm = ["*:*"]')
_YES: types.InputResponse = types.ElicitResult(action="accept", content={"confirm": True})
Answer = types.CallToolResult | types.InputRequiredResult


async def call(
    at: Bench, tool: str, arguments: dict[str, Any], before: Answer | None = None, *, answer: bool = True
) -> Answer:
    """One round: the first, or the yes to what the one before has asked."""
    answers: types.InputResponses | None = None
    state = None
    if isinstance(before, types.InputRequiredResult):
        state = before.request_state
        if answer:
            answers = dict.fromkeys(before.input_requests or {}, _YES)
    return await at.client.session.call_tool(
        tool, arguments, input_responses=answers, request_state=state, allow_input_required=True
    )


def said(answer: Answer) -> str:
    return "asks" if isinstance(answer, types.InputRequiredResult) else text_of(answer)


def asks_about(answer: Answer) -> str:
    """The one question."""
    assert isinstance(answer, types.InputRequiredResult)
    (key,) = answer.input_requests or {}
    return key


async def test_a_yes_is_good_once() -> None:
    wall = Wall()
    wall.posts = ["a", "a", "a"]
    async with bench(CONNECTOR, upstream=wall, elicitation_callback=Person()) as at:
        question = await call(at, "remove", {"number": 1})
        assert said(await call(at, "remove", {"number": 1}, question)) == "removed a"
        again = await call(at, "remove", {"number": 1}, question)
        assert (said(again), wall.posts) == ("asks", ["a", "a"])
        assert said(await call(at, "remove", {"number": 1}, again)) == "removed a"
        assert wall.posts == ["a"]


async def test_a_yes_that_is_sent_twice_at_once_is_good_once() -> None:
    wall, answers = Wall(), list[str]()
    wall.posts = ["a", "a", "a"]
    async with bench(CONNECTOR, upstream=wall, elicitation_callback=Person()) as at:
        question = await call(at, "remove", {"number": 1})

        async def go() -> None:
            answers.append(said(await call(at, "remove", {"number": 1}, question)))

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(go)
    assert (sorted(answers), wall.posts) == (["asks", "asks", "removed a"], ["a", "a"])


async def test_two_questions_of_one_call_are_good_once_together() -> None:
    wall = Wall()
    async with bench(
        CONNECTOR, upstream=wall, policy=EVERYTHING_CONFIRMED, elicitation_callback=Person()
    ) as at:
        looked = await call(at, "look", {})
        first = await call(at, "publish", {"text": "x"})
        second = await call(at, "publish", {"text": "x"}, first)
        assert [said(each) for each in (looked, first, second)] == ["", "asks", "asks"]
        assert said(await call(at, "publish", {"text": "x"}, second)) == "published"
        for earlier in (first, second):
            again = await call(at, "publish", {"text": "x"}, earlier)
            unanswered = await call(at, "publish", {"text": "x"}, again, answer=False)
            assert [asks_about(each) for each in (again, unanswered)] == ["call", "call"]
        assert wall.posts == ["x"]


async def test_a_state_that_is_good_still_is_not_copied_into_another() -> None:
    question = types.InputRequiredResult(request_state="own")
    state = with_state(call_of(confirmed={"call": "digest"}), question).request_state
    assert state != "own"
    later = call_of(request_state=state)
    read_state(later)
    assert (later.confirmed, later.request_state) == ({"call": "digest"}, "own")
    assert with_state(later, question).request_state == "own"
    copied = call_of(request_state=Ask("more", "Go on?").question(later).request_state)
    read_state(copied)
    assert (copied.confirmed, set(copied.asked)) == ({}, {"more"})


async def test_an_answer_that_was_lost_is_had_again_by_its_key() -> None:
    wall = Wall()
    arguments = {"text": "x", "idempotency_key": "k"}
    async with bench(
        CONNECTOR, upstream=wall, policy=EVERYTHING_CONFIRMED, elicitation_callback=Person()
    ) as at:
        question = await call(at, "post", arguments)
        for _ in range(2):
            assert said(await call(at, "post", arguments, question)) == "post 1"
    assert wall.posts == ["x"]


async def test_where_it_cannot_be_known_whether_a_yes_was_used_nothing_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall = Wall()
    wall.posts = ["a"]

    async def away(*_: Any, **__: Any) -> Any:
        raise StateUnavailable("gone")

    async with bench(CONNECTOR, upstream=wall, elicitation_callback=Person()) as at:
        question = await call(at, "remove", {"number": 1})
        with monkeypatch.context() as patch:
            patch.setattr(at.runtime.state, "put", away)
            refused = await call(at, "remove", {"number": 1}, question)
        assert isinstance(refused, types.CallToolResult)
        assert (refused.meta or {})["dev.ringmain/error"]["code"] == "state_unavailable"
        assert wall.posts == ["a"]
        assert said(await call(at, "remove", {"number": 1}, question)) == "removed a"


async def test_who_is_asked_in_a_session_needs_no_state(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, person = Wall(), Person(confirm=True)
    wall.posts = ["a"]

    async def away(*_: Any, **__: Any) -> Any:
        raise StateUnavailable("gone")

    async with bench(CONNECTOR, upstream=wall, mode="legacy", elicitation_callback=person) as at:
        monkeypatch.setattr(at.runtime.state, "put", away)
        assert text_of(await at.client.call_tool("remove", {"number": 1})) == "removed a"
        assert (await fault(at.client, "post", text="x", idempotency_key="k"))[0] == "state_unavailable"
