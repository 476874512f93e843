"""Waiting for a pipeline: progress while it goes on, failing logs at its end, a handle when time is up."""

import itertools
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from integration.github.test_logs import failing_run
from integration.github.working import settings_for
from ringmain_core.testing import Bench, bench
from ringmain_github import checks, connector
from ringmain_github.tools import monitor
from standins.asking import fenced, text_of
from standins.github.repository import Repository
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio

Heard = list[tuple[float, float | None, str | None]]


@pytest.fixture(autouse=True)
def _hardly_any_waiting(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(monitor, "PAUSES", (0.001, 0.002))


@asynccontextmanager
async def at_work(fake: FakeGitHub, **permissions: str) -> AsyncGenerator[Bench]:
    token = fake.token("fine", kind="fine", permissions=permissions) if permissions else fake.token()
    async with bench(connector, settings=settings_for(fake.url, token)) as at:
        yield at


async def wait_for(
    at: Bench, then: Callable[[int], None] | None = None, **arguments: Any
) -> tuple[Any, Heard]:
    """Call it; `then` is told of each progress, and may change the world."""
    heard: Heard = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))
        if then is not None:
            then(len(heard))

    arguments = {"repo": "acme/widgets"} | arguments
    return await at.client.call_tool("monitor_pipeline", arguments, progress_callback=hear), heard


def widgets(fake: FakeGitHub) -> Repository:
    return fake.repositories["acme/widgets"]


def facts_of(result: Any) -> dict[str, Any]:
    assert not result.is_error, text_of(result)
    return cast("dict[str, Any]", result.structured_content["facts"])


async def test_a_run_is_followed_to_its_end(fake: FakeGitHub) -> None:
    run = widgets(fake).run(
        "ci.yml", jobs=[("build", "success"), ("test", None)], status="queued", script=["in_progress"] * 6
    )
    run.script.append("success")
    async with at_work(fake) as at:
        result, heard = await wait_for(at, run_id=run.id)
    assert heard == [
        (1.0, 2.0, "1 of 2 done; build: success, test: in_progress"),
        (2.0, 2.0, "2 of 2 done; test: success"),
    ]
    assert result.structured_content == {
        "facts": {
            "pipeline": f"run {run.id}",
            "head sha": run.sha,
            "result": "success: 0 failed, 0 going, 2 fine of 2",
            "url": f"{fake.url}/acme/widgets/actions/runs/{run.id}",
        },
        "parts": {"checks": "name | result | detail\nbuild | success | \ntest | success | "},
        "truncated": [],
    }


async def test_the_looks_in_between_cost_nothing(fake: FakeGitHub) -> None:
    run = widgets(fake).run(
        "ci.yml", jobs=[("test", None)], status="in_progress", script=["in_progress"] * 40
    )
    run.script.append("success")
    async with at_work(fake) as at:
        await wait_for(at, run_id=run.id)
    looks = [sent.status for sent in fake.asked("GET", f"*/runs/{run.id}*")]
    assert len(looks) > 40
    assert looks.count(200) == 4


async def test_failing_steps_are_shown_at_the_end(fake: FakeGitHub) -> None:
    run = failing_run(fake)
    async with at_work(fake) as at:
        result, _ = await wait_for(at, run_id=run.id)
    assert facts_of(result)["result"] == "failure: 1 failed, 0 going, 1 fine of 2"
    text = fenced(text_of(result))
    assert "\ntest | failure | failed: Run pytest\nbuild | success |" in text
    assert f"\n## log of test ({run.jobs[1].id}), step Run pytest\ntest 53 ok\n" in text
    assert text.endswith("FAILED test_spin: 361 is not 360\n##[error]Process completed with exit code 1.")


async def test_the_first_failure_ends_the_waiting_where_that_is_wanted(fake: FakeGitHub) -> None:
    run = failing_run(fake)
    run.jobs[0].status, run.jobs[0].conclusion = "in_progress", None
    run.status, run.conclusion = "in_progress", None
    async with at_work(fake) as at:
        result, _ = await wait_for(at, run_id=run.id, until="first_failure")
    assert facts_of(result)["result"] == (
        "still going: 1 failed, 1 going, 0 fine of 2; call again with next_cursor to go on waiting"
    )
    assert result.structured_content["next_cursor"]
    assert "FAILED test_spin" in fenced(text_of(result))


async def test_when_time_is_up_a_handle_leads_on(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "PAUSES", (5.0, 5.0))
    run = widgets(fake).run("ci.yml", jobs=[("test", None)], status="in_progress")
    async with at_work(fake) as at:
        first, _ = await wait_for(at, run_id=run.id, timeout_s=1)
        cursor = first.structured_content["next_cursor"]
        run.script = ["failure"]
        second, _ = await wait_for(at, cursor=cursor)
        elsewhere, _ = await wait_for(at, cursor=cursor, run_id=1)
        nothing, _ = await wait_for(at)
        two, _ = await wait_for(at, run_id=run.id, number=4)
        other = await at.client.call_tool("monitor_pipeline", {"repo": "acme/secret", "cursor": cursor})
    assert facts_of(first)["result"] == (
        "still going: 0 failed, 1 going, 0 fine of 1; call again with next_cursor to go on waiting"
    )
    assert facts_of(second)["result"] == "failure: 1 failed, 0 going, 0 fine of 1"
    assert "next_cursor" not in second.structured_content
    assert text_of(elsewhere) == "`cursor` belongs to something else: leave the other names out."
    assert text_of(nothing) == text_of(two) == "Give one of `run_id`, `number` and `sha`."
    assert text_of(other) == "This cursor is not valid here. Leave it out to start from the first page."


async def test_the_checks_of_a_pull_request_are_followed(fake: FakeGitHub) -> None:
    repo = widgets(fake)
    run = repo.runs[1]

    def deploy(_: int) -> None:
        repo.statuses[-1].status = "success"

    async with at_work(fake) as at:
        result, heard = await wait_for(at, deploy, number=4)
    assert [message for _, _, message in heard] == [
        "2 of 3 done; lint: success, test: failure, ci/deploy: pending",
        "3 of 3 done; ci/deploy: success",
    ]
    assert facts_of(result)["result"] == "failure: 1 failed, 0 going, 2 fine of 3"
    assert result.structured_content["parts"]["checks"].splitlines()[1].startswith("test | failure")
    (log,) = [name for name in result.structured_content["parts"] if name.startswith("log of")]
    assert log.startswith(f"log of test ({run.jobs[1].id})")


async def test_a_new_head_is_told_and_followed(fake: FakeGitHub) -> None:
    repo = widgets(fake)
    before = repo.sha("feature")

    def push(count: int) -> None:
        if count == 1:
            repo.commit("feature", {"more.txt": "x"}, "More")
            repo.check("feature", "lint")

    async with at_work(fake) as at:
        result, heard = await wait_for(at, push, number=4)
    after = repo.sha("feature")
    assert facts_of(result)["head sha"] == after
    assert facts_of(result)["note"] == f"A new head was pushed meanwhile: {before} before, now {after}."
    assert facts_of(result)["result"] == "success: 0 failed, 0 going, 1 fine of 1"
    assert all(one[0] < two[0] for one, two in itertools.pairwise(heard))


async def test_a_commit_is_over_only_when_its_queued_runs_are(fake: FakeGitHub) -> None:
    repo = widgets(fake)
    repo.commit("main", {"a.txt": "1"}, "One")
    repo.check("main", "lint")
    run = repo.run("ci.yml", jobs=[], status="queued")

    def finish(_: int) -> None:
        run.status, run.conclusion = "completed", "success"

    async with at_work(fake) as at:
        result, heard = await wait_for(at, finish, sha="main")
    assert heard[0][2] == f"1 of 2 done; lint: success, CI (run {run.id}): queued"
    assert facts_of(result)["result"] == "success: 0 failed, 0 going, 1 fine of 1"


async def test_a_commit_that_nothing_checks_is_not_waited_for_without_end(
    fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "GRACE", 0.01)
    sha = widgets(fake).commit("main", {"a.txt": "1"}, "One")
    async with at_work(fake) as at:
        result, _ = await wait_for(at, sha=sha)
    assert facts_of(result)["result"] == "nothing checks this commit"
    assert "next_cursor" not in result.structured_content


async def test_a_token_that_may_not_see_runs_still_sees_checks(fake: FakeGitHub) -> None:
    secret = fake.repositories["acme/secret"]
    secret.check("main", "lint")
    held = {"metadata": "read", "checks": "read", "statuses": "read", "contents": "read"}
    async with at_work(fake, **held) as at:
        result, _ = await wait_for(at, repo="acme/secret", sha="main")
    assert facts_of(result)["result"] == "success: 0 failed, 0 going, 1 fine of 1"


async def test_a_token_that_may_not_see_checks_sees_runs_and_says_so(fake: FakeGitHub) -> None:
    """GitHub has no permission to read checks that a fine-grained token could be given."""
    secret = fake.repositories["acme/secret"]
    secret.check("main", "lint")
    secret.workflow("ci.yml")
    run = secret.run("ci.yml", jobs=[("test", None)], status="in_progress")
    held = {"metadata": "read", "actions": "read", "statuses": "read", "contents": "read"}

    def finish(_: int) -> None:
        run.status, run.conclusion = "completed", "success"

    async with at_work(fake, **held) as at:
        result, heard = await wait_for(at, finish, repo="acme/secret", sha="main")
    assert heard[0][2] == "1 of 2 done; CI: in_progress, check runs: neutral"
    assert facts_of(result)["result"] == (
        "no failure is known, but not all checks are: 0 failed, 0 going, 2 fine of 2"
    )
    lacking = "Checks that are no workflows are missing: this token may not read check runs."
    assert lacking in result.structured_content["parts"]["checks"]


async def test_a_limit_that_outlasts_the_waiting_ends_it_with_what_is_known(fake: FakeGitHub) -> None:
    run = widgets(fake).run("ci.yml", jobs=[("test", None)], status="in_progress")

    def limit(_: int) -> None:
        fake.fault("*/runs/*", "GET", "primary", times=None, seconds=3600)

    async with at_work(fake) as at:
        result, _ = await wait_for(at, limit, run_id=run.id)
    assert facts_of(result)["result"].startswith("still going: 0 failed, 1 going, 0 fine of 1; call again")
    assert facts_of(result)["note"].startswith("The last look failed: GitHub's rate limit for this token is")
    assert result.structured_content["next_cursor"]
    assert len(fake.asked("GET", f"*/runs/{run.id}")) == 2


async def test_many_checks_stay_within_the_budget_failures_first(fake: FakeGitHub) -> None:
    jobs = [(f"job {at} {'x' * 300}", "failure" if at == 119 else "success") for at in range(120)]
    run = widgets(fake).run("ci.yml", jobs=jobs)
    async with at_work(fake) as at:
        result, _ = await wait_for(at, run_id=run.id)
    answer = result.structured_content
    assert answer["parts"]["checks"].splitlines()[1].startswith("job 119 ")
    assert len(text_of(result).encode()) < 24_000
    assert answer["truncated"][0].endswith("more checks: `get_run`, or `get_pull_request` with checks.")


async def test_what_was_not_seen_whole_is_not_called_a_success(
    fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_MOST", 2)
    sha = widgets(fake).commit("main", {"x": "y"}, "Many checks")
    for number in range(3):
        widgets(fake).check("main", f"matrix {number}", conclusion="failure" if number == 2 else "success")
    async with at_work(fake) as at:
        result, _ = await wait_for(at, sha=sha)
    assert facts_of(result)["result"].startswith("no failure is known, but not all checks are: 0 failed")
    assert (
        "There are more checks than the 2 that were looked at."
        in result.structured_content["parts"]["checks"]
    )


async def test_a_pipeline_that_leaves_the_fence_is_not_followed(fake: FakeGitHub) -> None:
    run = widgets(fake).run("ci.yml", jobs=[("test", None)], status="in_progress")
    policy = """
[roles.all]
allow = ["github:*"]
fence = { "github.repo" = ["acme/widgets"] }
[[agents]]
id = "local"
roles = ["all"]
"""

    def transfer(_: int) -> None:
        if "acme/widgets" in fake.repositories:
            fake.rename("acme/widgets", "mona/widgets")

    async with bench(connector, settings=settings_for(fake.url, fake.token()), policy=policy) as at:
        result, _ = await wait_for(at, transfer, run_id=run.id)
    assert text_of(result).startswith("The repository `acme/widgets` is not there, or not among those")
