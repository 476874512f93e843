import asyncio
import logging
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from pydantic import SecretStr

from ringmain_core.connector import Check
from ringmain_core.log import Redactor
from ringmain_core.secrets import Reference, Secrets, Unresolved
from ringmain_core.secrets.doctor import check_references
from ringmain_core.secrets.sources import Sources
from ringmain_core.settings import CoreSettings

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Watched(Sources):
    """Says when it is asked, can be held up, and has a login that ends."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_for: list[list[str]] = []
        self.asked = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.login_ends: float | None = None

    def resolve(self, references: Iterable[Reference]) -> dict[Reference, str | Unresolved]:
        self.asked_for.append([str(reference) for reference in references])
        self.asked.set()
        assert self.may_go_on.wait(10)
        return super().resolve(references)

    def due(self) -> float | None:
        return self.login_ends


class Kept:
    """A secret in a file, and the secret that follows it."""

    def __init__(self, path: Path, value: str) -> None:
        self.path = path
        self.clock = Clock()
        self.sources = Watched()
        self.secrets = Secrets(self.clock, self.sources)
        self.write(value)
        self.secret: SecretStr = self.secrets.open(f"file:{path}")

    def write(self, value: str) -> None:
        self.path.write_text(value)
        self.path.chmod(0o600)

    async def refreshed(self) -> bool:
        self.clock.now += 10
        return await self.secrets.refresh()


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "secret", "the first")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [f"{record.levelname} {record.getMessage()}" for record in caplog.records]


async def test_a_secret_has_its_newest_value(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    told: list[str] = []
    stop = kept.secrets.on_change(lambda: told.append(kept.secret.get_secret_value()))
    assert not await kept.refreshed()
    kept.write("the second")
    assert kept.secret.get_secret_value() == "the first"
    assert await kept.refreshed()
    assert kept.secret.get_secret_value() == "the second"
    assert len(kept.secret) == len("the second")
    stop()
    kept.write("the third")
    assert await kept.refreshed()
    assert told == ["the second"]
    assert said(caplog) == [f"INFO file:{kept.path}: has a new value"] * 2


async def test_whoever_asks_again_soon_gets_the_same_answer(kept: Kept) -> None:
    kept.write("the second")
    assert await kept.secrets.refresh()
    kept.write("the third")
    kept.clock.now += 2.9
    assert await kept.secrets.refresh()
    assert kept.secret.get_secret_value() == "the second"
    kept.clock.now += 0.2
    assert await kept.secrets.refresh()
    assert kept.secret.get_secret_value() == "the third"
    kept.clock.now += 3.1
    assert not await kept.secrets.refresh()
    assert not await kept.secrets.refresh()


async def test_many_who_ask_at_once_cause_one_look_and_nobody_waits_for_it_but_they(
    kept: Kept,
) -> None:
    kept.write("the second")
    kept.sources.asked_for.clear()
    kept.sources.asked.clear()
    kept.sources.may_go_on.clear()
    askers = [asyncio.create_task(kept.secrets.refresh()) for _ in range(5)]
    assert await asyncio.to_thread(kept.sources.asked.wait, 10)  # the event loop goes on meanwhile
    askers[0].cancel()  # the others still get their answer
    await asyncio.sleep(0)
    kept.sources.may_go_on.set()
    answers = await asyncio.gather(*askers, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [True] * 4
    assert kept.sources.asked_for == [[f"file:{kept.path}"]]


async def test_an_outage_keeps_the_last_value_and_is_logged_once(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept.path.unlink()
    for _ in range(3):
        assert not await kept.refreshed()
    assert kept.secret.get_secret_value() == "the first"
    kept.write("the first")
    assert not await kept.refreshed()
    kept.path.unlink()
    assert not await kept.refreshed()
    lost = f"WARNING file:{kept.path}: it cannot be read: No such file or directory; the last value stays"
    assert said(caplog) == [lost, f"INFO file:{kept.path}: can be had again", lost]


async def test_a_listener_that_fails_harms_nobody(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise LookupError

    kept.secrets.on_change(fail)
    kept.write("the second")
    await kept.refreshed()
    assert kept.secret.get_secret_value() == "the second"
    kept.write("the third")
    await kept.refreshed()
    assert kept.secret.get_secret_value() == "the third"
    errors = [line for line in said(caplog) if line.startswith("ERROR")]
    assert errors == ["ERROR a listener of changed secrets failed"] * 2


async def test_in_the_background_a_change_is_found(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = asyncio.Event()
    kept.secrets.on_change(changed.set)
    pauses: list[float] = []

    def at_once(every: float) -> float:
        pauses.append(every)
        return 0

    monkeypatch.setattr(kept.secrets, "pause", at_once)
    kept.write("the second")
    before = asyncio.all_tasks()
    async with kept.secrets.kept_fresh(300):
        await asyncio.wait_for(changed.wait(), 10)
    assert kept.secret.get_secret_value() == "the second"
    assert set(pauses) == {300}
    assert asyncio.all_tasks() == before


def test_the_next_look_comes_a_little_early_or_before_a_login_ends(
    kept: Kept,
) -> None:
    def spread(every: float) -> tuple[bool, bool]:
        pauses = [kept.secrets.pause(every) for _ in range(200)]
        return 0.8 * every <= min(pauses) <= max(pauses) <= every, len(set(pauses)) > 100

    assert spread(300) == (True, True)
    kept.sources.login_ends = 60
    assert [48 <= kept.secrets.pause(300) <= 60, 24 <= kept.secrets.pause(30) <= 30] == [True, True]
    kept.sources.login_ends = 0
    assert 4 <= kept.secrets.pause(300) <= 5


async def test_while_something_cannot_be_had_nobody_is_pressed_for_it(kept: Kept) -> None:
    kept.sources.login_ends = 0
    kept.path.unlink()
    await kept.refreshed()
    assert [12 <= kept.secrets.pause(300) <= 15, 8 <= kept.secrets.pause(10) <= 10] == [True, True]


async def test_the_log_hides_old_and_new_values(kept: Kept) -> None:
    kept.write("postgresql://ann:hunter%32@db/x")
    await kept.refreshed()
    redactor = Redactor()
    kept.secrets.teach(redactor.learn)
    kept.secrets.open("plain-password")
    kept.write("postgresql://ann:swordfish@db/x")
    await kept.refreshed()
    lines = ["hunter%32", "hunter2", "swordfish", "plain-password", "nothing special"]
    assert [redactor(line) for line in lines] == ["[hidden]"] * 4 + ["nothing special"]
    assert redactor("as postgresql://ann:hunter%32@db/x") == "as [hidden]"


async def test_a_value_is_known_to_the_log_before_anybody_can_use_it(kept: Kept) -> None:
    order: list[str] = []
    kept.secrets.teach(
        lambda values: order.extend(f"{value}/{kept.secret.get_secret_value()}" for value in values)
    )
    kept.write("the second")
    await kept.refreshed()
    assert order == ["the first/the first", "the second/the first"]


async def test_doctor_says_of_each_reference_whether_it_leads_to_a_secret(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELSEWHERE", "k" * 32)
    monkeypatch.setenv("RINGMAIN_SECRET_KEY", f"file:{kept.path}")
    monkeypatch.setenv("RINGMAIN_AUDIT_KEY", "env:ELSEWHERE")
    kept.write("k" * 32)
    secrets = Secrets()
    with secrets.reading():
        core = CoreSettings()
    of_policy = secrets.open("env:PATH")
    assert of_policy.get_secret_value()
    kept.path.unlink()
    assert [check async for check in check_references(secrets, core)] == [
        Check(
            "RINGMAIN_SECRET_KEY",
            "failed",
            f"file:{kept.path}: it cannot be read: No such file or directory",
            "Mend the reference, or what it leads to.",
        ),
        Check("RINGMAIN_AUDIT_KEY", "ok", "env:ELSEWHERE: there"),
        Check("policy", "ok", "env:PATH: there"),
    ]
