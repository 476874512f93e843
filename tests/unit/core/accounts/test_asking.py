"""A missing account becomes a question to the person, in each client's way."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp.client import ClientRequestContext
from mcp.shared.exceptions import MCPError

from ringmain_core.identity.accounts import asking
from ringmain_core.testing import Bench, bench
from standins.asking import ask, fault
from unit.core.accounts.connector import DeskClient, connector
from unit.core.accounts.desk import ANN, AtDesk, at_desk

pytestmark = pytest.mark.anyio

Answer = Callable[[AtDesk], Awaitable[str]]


@dataclass
class Person:
    """Somebody at a client that opens links.

    Attributes:
        asked: What they were asked.
    """

    at: AtDesk
    answer: Answer
    asked: list[types.ElicitRequestURLParams] = field(default_factory=list[types.ElicitRequestURLParams])

    async def __call__(
        self, _: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult:
        assert isinstance(params, types.ElicitRequestURLParams)
        self.asked.append(params)
        action: Any = await self.answer(self.at)
        return types.ElicitResult(action=action)


@dataclass
class Asked:
    at: AtDesk
    bench: Bench
    person: Person


@asynccontextmanager
async def asked(answer: Answer | None, mode: str = "auto") -> AsyncGenerator[Asked]:
    async with at_desk() as at:
        client = DeskClient(at.accounts)

        async def nobody(_: AtDesk) -> str:
            raise AssertionError

        person = Person(at, answer or nobody)
        options: dict[str, Any] = {} if answer is None else {"elicitation_callback": person}
        async with bench(connector, upstream=client, principal=ANN, mode=mode, **options) as running:
            yield Asked(at, running, person)
        await client.close()


async def connects(at: AtDesk) -> str:
    await at.has(ANN)
    return "accept"


async def declines(_: AtDesk) -> str:
    await anyio.lowlevel.checkpoint()
    return "decline"


async def only_opens(_: AtDesk) -> str:
    await anyio.lowlevel.checkpoint()
    return "accept"


async def test_who_connects_when_asked_gets_an_answer_to_the_same_call() -> None:
    async with asked(connects) as at:
        assert await ask(at.bench.client, "label") == "ann@example.com"
        (question,) = at.person.asked
        assert question.url.startswith("https://mcp.example.com/accounts/desk/connect?ticket=")
        assert question.message.startswith("You have not connected a Desk account yet. Open https://")
        assert await ask(at.bench.client, "label") == "ann@example.com"
        assert len(at.person.asked) == 1


async def test_the_call_waits_for_somebody_who_is_still_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_LOOK_AGAIN", 0.001)
    async with asked(only_opens) as at, anyio.create_task_group() as tasks:
        waits, looks = anyio.Event(), 0
        get = at.at.store.get

        async def watched(owner: str, provider: str) -> bytes | None:
            nonlocal looks
            looks += bool(at.person.asked)
            if looks == 5:
                waits.set()
            return await get(owner, provider)

        monkeypatch.setattr(at.at.store, "get", watched)

        async def connect_later() -> None:
            await waits.wait()
            await at.at.has(ANN)

        tasks.start_soon(connect_later)
        with anyio.fail_after(20):
            assert await ask(at.bench.client, "label") == "ann@example.com"
        assert len(at.person.asked) == 1


async def test_who_takes_too_long_is_told_to_do_it_again_and_not_asked_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "_AT_MOST", 0.01)
    async with asked(only_opens) as at:
        code, text = await fault(at.bench.client, "label")
        assert (code, len(at.person.asked)) == ("account_needed", 1)
        assert "then do this again" in text


async def test_who_declines_is_not_asked_again() -> None:
    async with asked(declines) as at:
        code, _ = await fault(at.bench.client, "label")
        assert (code, len(at.person.asked)) == ("account_needed", 1)


async def test_a_client_that_opens_no_links_gets_the_link_in_words() -> None:
    for mode in ("auto", "legacy"):
        async with asked(None, mode) as at:
            result = await at.bench.client.call_tool("label", {})
            assert result.meta is not None
            fields = result.meta["dev.ringmain/error"]
            assert result.is_error
            assert isinstance(result.content[0], types.TextContent)
            assert f"Open {fields['url']} in a browser" in result.content[0].text
            assert (fields["code"], fields["provider"]) == ("account_needed", "desk")
            await at.at.has(ANN)
            assert await ask(at.bench.client, "label") == "ann@example.com"


async def test_a_client_of_2025_gets_the_error_that_its_protocol_has_for_it() -> None:
    async with asked(connects, "legacy") as at:
        with pytest.raises(MCPError) as error:
            await at.bench.client.call_tool("label", {})
        assert error.value.code == types.URL_ELICITATION_REQUIRED == -32042
        (wanted,) = error.value.data["elicitations"]
        assert (wanted["mode"], wanted["message"]) == ("url", error.value.message)
        assert wanted["url"] == error.value.data["url"]
        assert wanted["elicitationId"] == at.bench.audit.records[-1]["id"]
        assert at.bench.audit.records[-1]["code"] == "account_needed"
        await at.at.has(ANN)
        assert await ask(at.bench.client, "label") == "ann@example.com"


async def test_the_link_of_a_question_is_not_on_record() -> None:
    async with asked(connects) as at:
        await ask(at.bench.client, "label")
        (question,) = at.person.asked
        assert question.url.partition("ticket=")[2] not in str(at.bench.audit.records)
