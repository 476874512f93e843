import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream
from pydantic import SecretStr

from ringmain_core.errors import ConfigurationError
from ringmain_core.notify import Outages
from ringmain_core.settings import CoreSettings
from ringmain_core.upstream.background import Background, background
from ringmain_core.webhooks import Notice, Webhook, webhooks
from unit.core.upstream.parts import Clock, SharedState

pytestmark = pytest.mark.anyio
SINCE = 1_767_225_600.0  # 2026-01-01 00:00:00 UTC
OPENED = Notice("outage.opened", "postgres", "postgres:crm", SINCE)


class Receiver:
    """Takes webhooks on loopback and answers with the statuses that a test sets."""

    def __init__(self) -> None:
        self.statuses: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.port = 0

    async def serve(self, stream: SocketStream) -> None:
        async with stream:
            received = b""
            while b"\r\n\r\n" not in received:
                received += await stream.receive()
            head, _, body = received.partition(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            )
            while len(body) < length:
                body += await stream.receive()
            self.paths.append(head.split(b" ")[1].decode())
            self.bodies.append(json.loads(body))
            status = self.statuses.pop(0) if self.statuses else "204 No Content"
            location = f"Location: http://127.0.0.1:{self.port}/elsewhere\r\n" if status[0] == "3" else ""
            await stream.send(f"HTTP/1.1 {status}\r\n{location}Content-Length: 0\r\n\r\n".encode())


@asynccontextmanager
async def receiver() -> AsyncGenerator[Receiver]:
    listening = Receiver()
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    listening.port = listener.listeners[0].extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 (no Django)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(partial(listener.serve, listening.serve))
        yield listening
        tasks.cancel_scope.cancel()


def hook_at(port: int, scheme: str = "http") -> Webhook:
    (webhook,) = webhooks([SecretStr(f"{scheme}://127.0.0.1:{port}/T0/secret-path")])
    return webhook


async def test_a_program_gets_all_fields_and_slack_its_text() -> None:
    with anyio.fail_after(10):
        async with receiver() as at:
            await hook_at(at.port).send(OPENED, Clock().pause)
            over = Notice("outage.resolved", "postgres", "postgres:<crm>", SINCE, 3725.4)
            await hook_at(at.port, "slack+http").send(over, Clock().pause)
    assert at.paths == ["/T0/secret-path"] * 2
    assert at.bodies == [
        {
            "event": "outage.opened",
            "connector": "postgres",
            "system": "postgres:crm",
            "since": "2026-01-01T00:00:00+00:00",
            "text": "ringmain-postgres: postgres:crm has not answered since 2026-01-01 00:00:00 UTC.",
        },
        {"text": "ringmain-postgres: postgres:&lt;crm&gt; answers again, after 1 h 2 min."},
    ]
    assert over.fields()["duration_seconds"] == 3725


async def test_a_failing_webhook_is_tried_again_a_few_times_and_then_only_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    with anyio.fail_after(10):
        async with receiver() as at:
            at.statuses = ["503 Away", "429 Slow", "200 OK", *["500 No"] * 3, "404 No", "302 Found"]
            for _ in range(4):
                await hook_at(at.port).send(OPENED, clock.pause)
        await hook_at(at.port).send(OPENED, clock.pause)  # nobody listens any more
    assert at.paths == ["/T0/secret-path"] * 8  # a redirect is not followed
    assert [1 <= clock.slept[at] <= 10 for at in range(len(clock.slept))] == [True] * 6
    host = f"the webhook at 127.0.0.1:{at.port} was not told (outage.opened): "
    assert caplog.messages == [
        f"{host}it answered 500",
        f"{host}it answered 404",
        f"{host}it answered 302",
        f"{host}ConnectError",
    ]


@pytest.mark.parametrize(
    "url",
    ["http://example.com/secret", "ftp://127.0.0.1/secret", "https:///secret", "secret", "https://[secret"],
)
def test_only_https_and_loopback_are_taken_and_a_refusal_does_not_quote(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        webhooks([SecretStr("https://hooks.example.com/a"), SecretStr(url)])
    assert str(caught.value) == (
        "RINGMAIN_WEBHOOKS: entry 2 is not a URL that begins with https:// or, for Slack and what takes the "
        "same, slack+https://."
    )


def test_webhooks_come_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGMAIN_WEBHOOKS", "https://a.example.com/s1, slack+https://b.example.com:444/s2")
    core = CoreSettings()
    assert "s1" not in repr(core)
    assert [str(webhook) for webhook in webhooks(core.webhooks)] == ["a.example.com", "b.example.com:444"]


class Kept(Webhook):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__("kept", SecretStr("https://kept.example.com"), slack=False, direct=False)
        self.told: list[tuple[str, str, float | None]] = []

    async def send(self, notice: Notice, pause: Any) -> None:
        del pause
        self.told.append((notice.event, notice.system, notice.seconds))


class Patience:
    """Pauses that end when a test says so."""

    def __init__(self) -> None:
        self.waiting: list[anyio.Event] = []

    async def __call__(self, seconds: float) -> bool:
        assert seconds == 30.0
        self.waiting.append(anyio.Event())
        await self.waiting[-1].wait()
        return True

    async def pass_by(self) -> None:
        await anyio.wait_all_tasks_blocked()
        for event in self.waiting:
            event.set()
        await anyio.wait_all_tasks_blocked()


def outages_of(
    state: SharedState, webhook: Webhook, work: Background, clock: Clock, patience: Patience
) -> Outages:
    return Outages("demo", [webhook], state, work, wall=clock, pause=patience)


async def test_of_several_replicas_one_tells_and_one_says_when_it_is_over() -> None:
    state, kept, clock, patience = SharedState(), Kept(), Clock(), Patience()
    async with background() as work:
        replicas = [outages_of(state, kept, work, clock, patience) for _ in range(3)]
        for outages in replicas:
            outages.begun("demo:a")
        await anyio.wait_all_tasks_blocked()
        assert kept.told == [("outage.opened", "demo:a", None)]
        clock.now += 120
        for outages in replicas:
            outages.over("demo:a")
        await patience.pass_by()
        assert kept.told[1:] == [("outage.resolved", "demo:a", 120.0)]
        assert state.values == {}
        replicas[2].begun("demo:a")
        await anyio.wait_all_tasks_blocked()
        assert kept.told[2:] == [("outage.opened", "demo:a", None)]


async def test_a_system_that_comes_and_goes_is_one_outage() -> None:
    state, kept, clock, patience = SharedState(), Kept(), Clock(), Patience()
    async with background() as work:
        outages = outages_of(state, kept, work, clock, patience)
        for _ in range(3):
            outages.over("demo:a")
            await anyio.wait_all_tasks_blocked()
            outages.begun("demo:a")
            await patience.pass_by()
            assert kept.told == [("outage.opened", "demo:a", None)]
        outages.over("demo:a")
        await patience.pass_by()
    assert kept.told[1:] == [("outage.resolved", "demo:a", 0.0)]


async def test_an_outage_that_a_process_did_not_live_to_see_the_end_of_is_ended_by_the_next() -> None:
    state, kept, clock, patience = SharedState(), Kept(), Clock(), Patience()
    async with background() as work:
        outages_of(state, kept, work, clock, patience).begun("demo:a")
        await anyio.wait_all_tasks_blocked()
        clock.now += 60
        outages_of(state, kept, work, clock, patience).over("demo:a")
        await patience.pass_by()
    assert kept.told[1:] == [("outage.resolved", "demo:a", 60.0)]


async def test_without_the_shared_state_a_replica_tells_by_itself() -> None:
    state, kept, clock, patience = SharedState(), Kept(), Clock(), Patience()
    state.away = True
    async with background() as work:
        outages = outages_of(state, kept, work, clock, patience)
        for _ in range(2):
            outages.begun("demo:a")
            await anyio.wait_all_tasks_blocked()
        clock.now += 5
        outages.over("demo:a")
        await patience.pass_by()
    assert kept.told == [("outage.opened", "demo:a", None), ("outage.resolved", "demo:a", 5.0)]
