"""Merges, of the head that was looked at and no other."""

import pytest
from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestParams, ElicitResult

from integration.github.pulling import PULL, REPO, call, client_of, code_of, head, lose, refusal, writes
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio


async def test_it_is_merged_with_the_head_that_was_looked_at(fake: FakeGitHub) -> None:
    arguments = {**PULL, "head_sha": head(fake), "method": "squash", "title": "Spin further (#4)"}
    async with client_of(fake) as client:
        rehearsed, shown = await call(client, "merge_pull_request", {**arguments, "dry_run": True})
        assert writes(fake) == []
        assert shown["requests"] == [
            {
                "PUT": "/repos/acme/widgets/pulls/4/merge",
                "sha": head(fake),
                "merge_method": "squash",
                "commit_title": "Spin further (#4)",
            }
        ]
        assert "failure: test" in rehearsed
        stale = await refusal(client, "merge_pull_request", {**arguments, "head_sha": "0" * 40})
        said, _ = await call(client, "merge_pull_request", arguments)
        again = await refusal(client, "merge_pull_request", arguments)
    assert stale.startswith("The head of #4 is ")
    assert said.startswith("Merged acme/widgets#4 into main.")
    assert again == "acme/widgets#4 has been merged already."
    assert len(fake.asked("PUT", "/repos/acme/widgets/pulls/4/merge")) == 1


async def test_a_merge_whose_answer_was_lost_is_found_and_not_repeated(fake: FakeGitHub) -> None:
    fake.fault("/repos/acme/widgets/pulls/4/merge", "PUT", "done-cut")
    async with client_of(fake) as client:
        said, _ = await call(client, "merge_pull_request", {**PULL, "head_sha": head(fake)})
    assert said.startswith("Merged acme/widgets#4 into main.")
    assert len(fake.asked("PUT", "/repos/acme/widgets/pulls/4/merge")) == 1


async def test_a_head_that_moves_while_it_is_merged_is_left_alone(fake: FakeGitHub) -> None:
    fake.fault("/repos/acme/widgets/pulls/4/merge", "PUT", "409")
    async with client_of(fake) as client:
        said = await refusal(client, "merge_pull_request", {**PULL, "head_sha": head(fake)})
    assert said.startswith("GitHub says that this conflicts with what is there")


async def test_it_can_be_merged_once_its_checks_have_passed(fake: FakeGitHub) -> None:
    arguments = {**PULL, "head_sha": head(fake), "auto": True}
    async with client_of(fake) as client:
        needless = await refusal(client, "merge_pull_request", arguments)
        fake.repositories["acme/widgets"].required_checks.append("test")
        said, _ = await call(client, "merge_pull_request", arguments)
    assert needless.endswith("Nothing was merged. It waits for nothing: merge it without `auto`.")
    assert said.startswith("acme/widgets#4 will be merged once its checks have passed.")
    assert fake.asked("PUT", "/repos/acme/widgets/pulls/4/merge") == []


async def test_a_person_is_asked_before_a_merge_with_what_will_be_merged(fake: FakeGitHub) -> None:
    asked: list[str] = []

    async def person(_: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={"confirm": False})

    async with client_of(fake, None, elicitation_callback=person) as client:
        await refusal(client, "merge_pull_request", {**PULL, "head_sha": head(fake)})
    (question,) = asked
    assert f"Merge acme/widgets#4 “Spin further” by mona (head {head(fake)[:10]}) into main?" in question
    assert writes(fake) == []


async def test_what_cannot_be_merged_says_why_and_what_to_do(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    pull = repo.pull_of(4)
    arguments = {**PULL, "head_sha": head(fake)}
    async with client_of(fake) as client:
        pull.mergeable, pull.mergeable_state = False, "dirty"
        conflict = await refusal(client, "merge_pull_request", arguments)
        pull.draft = True
        draft = await refusal(client, "merge_pull_request", arguments)
        repo.issues[4].state = "closed"
        closed = await refusal(client, "merge_pull_request", arguments)
    assert conflict == (
        "GitHub refuses this: Pull Request is not mergeable. Nothing was merged. It conflicts with its base: "
        "solve that in its branch first."
    )
    assert draft == "acme/widgets#4 is a draft: `save_pull_request` with draft=false makes it ready."
    assert closed == "acme/widgets#4 is closed: `save_pull_request` with state='open' opens it again."


async def test_a_merge_whose_outcome_stayed_unknown_is_looked_up_by_its_key(fake: FakeGitHub) -> None:
    arguments = {**PULL, "head_sha": head(fake), "idempotency_key": "k"}
    lose(fake, "/repos/acme/widgets/pulls/4/merge", "PUT", "/repos/acme/widgets/pulls/4")
    async with client_of(fake) as client:
        unknown = await client.call_tool("merge_pull_request", arguments)
        said, _ = await call(client, "merge_pull_request", arguments)
    assert code_of(unknown) == "outcome_unknown"
    assert said.startswith("Merged acme/widgets#4 into main.")
    assert len(fake.asked("PUT", "/repos/acme/widgets/pulls/4/merge")) == 1


async def test_an_automatic_merge_is_not_asked_for_twice(fake: FakeGitHub) -> None:
    fake.repositories["acme/widgets"].required_checks.append("test")
    fake.fault("/graphql", "POST", "done-cut")
    async with client_of(fake) as client:
        _, made = await call(
            client, "merge_pull_request", {**PULL, "head_sha": head(fake), "auto": True, "message": "All."}
        )
    assert made["done"] is True
    assert len(fake.asked("POST", "/graphql")) == 1


async def test_a_rehearsal_of_a_private_one_counts_as_having_read_it(fake: FakeGitHub) -> None:
    secret = fake.repositories["acme/secret"]
    secret.branch("b", "main")
    sha = secret.commit("b", {"x": "y"}, "m")
    pull = secret.pull("Q3 numbers", head="b", author="mona")
    async with client_of(fake) as client:
        arguments = {"repo": "acme/secret", "number": pull.number, "head_sha": sha, "dry_run": True}
        said, _ = await call(client, "merge_pull_request", arguments)
        shared = await client.call_tool("comment", {**REPO, "number": 1, "body": "Q3 numbers"})
    assert "Q3 numbers" in said
    assert code_of(shared) == "confirmation_needed"
