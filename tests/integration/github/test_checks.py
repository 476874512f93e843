"""Check runs and commit statuses of a commit as one list."""

import pytest

from integration.github.pulling import client_of, parts_of
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio


async def test_all_pages_of_both_are_one_list(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    for number in range(130):
        repo.check("feature", f"matrix {number}")
        repo.status("feature", f"ci/{number}", "failure" if number == 129 else "success")
    repo.check("feature", "slow", conclusion=None)
    async with client_of(fake) as client:
        pages = await parts_of(client, "checks")
    lines = "\n".join(pages).splitlines()
    assert len(lines) == 3 + 1 + 2 * 130
    assert lines[:3] == ["success: lint", "failure: test", "success: matrix 0"]
    assert lines[132:134] == ["in_progress: slow", "pending: ci/deploy, Waiting"]
    assert lines[-1] == "failure: ci/129"


async def test_the_last_status_of_a_context_counts(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    repo.status("feature", "ci/deploy", "success", "There\u200b it is")
    async with client_of(fake) as client:
        (page,) = await parts_of(client, "checks")
    assert page.splitlines() == ["success: lint", "failure: test", "success: ci/deploy, There it is"]


async def test_a_check_names_the_run_that_it_is_of(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    made = repo.check("feature", "build", conclusion="timed_out")
    made.details_url = "https://github.com/acme/widgets/actions/runs/77/job/78"
    async with client_of(fake) as client:
        (page,) = await parts_of(client, "checks")
    assert page.splitlines()[2] == "timed_out: build (run 77)"
