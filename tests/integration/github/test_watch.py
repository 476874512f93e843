"""Pull requests and runs tell when they change, to those who may see them, at no cost."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest
from mcp.client.subscriptions import ResourceUpdated, Subscription
from mcp.shared.exceptions import MCPError

from integration.github.working import connected, settings_for
from ringmain_core.errors import NotFound, UpstreamRefused
from ringmain_core.testing import Bench, bench
from ringmain_github import connector, watch
from ringmain_github.credentials import OwnAccounts
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio

PULL = "github://acme/widgets/pull/4"
FENCED = """
[roles.reader]
allow = ["github:read"]
fence = { "github.repo" = ["acme/widgets"] }

[[agents]]
id = "local"
roles = ["reader"]
"""


@pytest.fixture(autouse=True)
def _hardly_any_waiting(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(watch, "PAUSES", (0.001, 0.01))
    monkeypatch.setattr(watch, "ENDED", 0.01)


@asynccontextmanager
async def at_work(fake: FakeGitHub, policy: str | None = None) -> AsyncGenerator[Bench]:
    async with bench(connector, settings=settings_for(fake.url, fake.token()), policy=policy) as at:
        yield at


async def told(stream: Subscription) -> object:
    with anyio.fail_after(10):
        return await anext(stream)


async def refused(at: Bench, uri: str) -> str:
    with pytest.raises(MCPError) as caught:
        async with at.client.listen(resource_subscriptions=[uri]):
            pass
    return caught.value.error.message


async def test_a_pull_request_tells_of_comments_and_of_pushes(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    async with at_work(fake, FENCED) as at, at.client.listen(resource_subscriptions=[PULL]) as stream:
        repo.comment(4, "Once more")
        assert await told(stream) == ResourceUpdated(PULL)
        repo.commit("feature", {"more.txt": "x"}, "More")
        assert await told(stream) == ResourceUpdated(PULL)


async def test_a_run_tells_of_its_end_and_of_a_new_attempt(fake: FakeGitHub) -> None:
    run = fake.repositories["acme/widgets"].run("ci.yml", status="in_progress", jobs=[("test", None)])
    uri = f"github://acme/widgets/actions/runs/{run.id}"
    async with at_work(fake) as at, at.client.listen(resource_subscriptions=[uri]) as stream:
        run.status, run.conclusion = "completed", "success"
        assert await told(stream) == ResourceUpdated(uri)
        run.attempt, run.status, run.conclusion = 2, "queued", None
        assert await told(stream) == ResourceUpdated(uri)


async def test_looking_costs_nothing_while_nothing_changes(fake: FakeGitHub) -> None:
    async with at_work(fake) as at, at.client.listen(resource_subscriptions=[PULL]):
        with anyio.fail_after(10):
            while len(fake.asked("GET", "*/pulls/4")) < 20:  # noqa: ASYNC110 (the stand-in is in a thread)
                await anyio.sleep(0.005)
    assert {sent.status for sent in fake.asked("GET", "*/pulls/4")[1:]} == {304}


async def test_what_a_caller_may_not_see_cannot_be_listened_to(fake: FakeGitHub) -> None:
    fake.repositories["acme/secret"].issue("Another")
    async with at_work(fake, FENCED) as at:
        said = {
            await refused(at, uri)
            for uri in (
                "github://acme/secret/pull/1",
                "github://acme/widgets/pull/99",
                "github://acme/widgets/pull/1",
                "github://acme/widgets/actions/runs/7",
            )
        }
    async with at_work(fake) as at:
        cased = await refused(at, "github://Acme/Widgets/pull/4")
    assert said == {"There is no such resource here. `resources/templates/list` shows what there is."}
    assert cased == "This repository is called `acme/widgets`: listen to it by that name."


async def test_without_credentials_of_the_process_that_is_said() -> None:
    accounts = OwnAccounts(None, None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(UpstreamRefused, match="only where the operator has set a token or an app, too"):
        await accounts.token(None, "acme")


async def test_a_pull_request_tells_of_its_checks(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    async with at_work(fake) as at, at.client.listen(resource_subscriptions=[PULL]) as stream:
        repo.check("feature", "deploy", conclusion="failure")
        assert await told(stream) == ResourceUpdated(PULL)


async def test_what_is_called_otherwise_now_is_watched_no_more(fake: FakeGitHub) -> None:
    async with connected(settings_for(fake.url, fake.token())) as github:
        changes = watch.WATCHES["pull"].changes(github, {"owner": "acme", "repo": "widgets", "number": "4"})
        await anext(changes)
        fake.rename("acme/widgets", "mona/widgets")
        with anyio.fail_after(10), pytest.raises(NotFound, match="is called `mona/widgets` now"):
            await anext(changes)
