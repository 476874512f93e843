"""Reviews with inline comments, and threads resolved."""

import pytest
from mcp.client import Client

from integration.github.pulling import (
    PULL,
    Second,
    Third,
    call,
    client_of,
    code_of,
    head,
    lose,
    refusal,
    writes,
)
from integration.github.working import text_of
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio


REVIEW = {**PULL, "event": "comment", "body": "See below"}
INLINE = [{"path": "src/spin.py", "line": 2, "body": "Why?"}]


async def test_a_review_is_sent_in_one_request_with_all_its_comments(fake: FakeGitHub) -> None:
    arguments = {**REVIEW, "head_sha": head(fake), "comments": INLINE}
    async with client_of(fake) as client:
        _, shown = await call(client, "review_pull_request", {**arguments, "dry_run": True})
        assert writes(fake) == []
        assert shown["preview"] == "See below\nsrc/spin.py:2: Why?"
        _, made = await call(client, "review_pull_request", arguments)
        _, state = await call(client, "get_pull_request", {**PULL, "include": ["threads"]})
    assert made["done"] is True
    (sent,) = fake.asked("POST", "/repos/acme/widgets/pulls/4/reviews")
    assert sent.body == {
        "commit_id": head(fake),
        "event": "COMMENT",
        "body": "See below",
        "comments": [{"path": "src/spin.py", "line": 2, "side": "RIGHT", "body": "Why?"}],
    }
    assert "Why?" in state["parts"]["threads"]


async def test_lines_outside_of_the_diff_are_named_before_anything_is_sent(fake: FakeGitHub) -> None:
    comments = [
        *INLINE,
        {"path": "src/spin.py", "line": 99, "body": "?"},
        {"path": "nowhere", "line": 1, "body": "?"},
    ]
    async with client_of(fake) as client:
        said = await refusal(
            client, "review_pull_request", {**REVIEW, "head_sha": head(fake), "comments": comments}
        )
    assert said == (
        "Nothing was sent: src/spin.py:99 (RIGHT) is not in the diff; nowhere is not changed here. "
        "`get_diff` shows which lines can be commented on."
    )
    assert writes(fake) == []


async def test_a_review_of_an_old_head_is_not_sent(fake: FakeGitHub) -> None:
    old = head(fake)
    fake.repositories["acme/widgets"].commit("feature", {"late.txt": "x\n"}, "Late", author="mona")
    async with client_of(fake) as client:
        said = await refusal(client, "review_pull_request", {**REVIEW, "event": "approve", "head_sha": old})
    assert said.startswith("The head of #4 is ")
    assert writes(fake) == []


async def test_a_review_whose_answer_was_lost_is_found(fake: FakeGitHub) -> None:
    fake.fault("/repos/acme/widgets/pulls/4/reviews", "POST", "done-cut")
    async with client_of(fake) as client:
        _, made = await call(client, "review_pull_request", {**REVIEW, "head_sha": head(fake)})
    assert made["done"] is True
    assert len(fake.asked("POST", "/repos/acme/widgets/pulls/4/reviews")) == 1


async def threads(client: Client) -> dict[str, str]:
    _, state = await call(client, "get_pull_request", {**PULL, "include": ["threads"]})
    heads = [line for line in state["parts"]["threads"].splitlines() if line.startswith("PRRT_")]
    return {line.split(" ")[0]: line.split(" ")[1] for line in heads}


async def test_threads_are_resolved_and_opened_again_with_a_reply(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        before = await threads(client)
        assert sorted(before.values()) == ["open", "resolved"]
        arguments = {**PULL, "thread_ids": list(before), "reply": "Done."}
        _, shown = await call(client, "resolve_threads", {**arguments, "dry_run": True})
        assert len(shown["requests"]) == 3  # two replies; one of them is resolved already
        await call(client, "resolve_threads", arguments)
        assert set((await threads(client)).values()) == {"resolved"}
        await call(client, "resolve_threads", {**PULL, "thread_ids": list(before)[:1], "resolved": False})
        assert sorted((await threads(client)).values()) == ["open", "resolved"]


async def test_a_thread_of_another_pull_request_is_not_touched(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        said = await refusal(client, "resolve_threads", {**PULL, "thread_ids": ["PRRT_elsewhere"]})
    assert said.startswith("acme/widgets#4 has no thread PRRT_elsewhere: nothing was done.")
    assert writes(fake) == []


async def test_a_reply_whose_answer_was_lost_is_found_and_not_said_twice(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        (waiting,) = [name for name, state in (await threads(client)).items() if state == "open"]
        fake.faults.append(Second("/graphql", "POST", "done-cut", None))  # the first one reads the threads
        await call(client, "resolve_threads", {**PULL, "thread_ids": [waiting], "reply": "Done."})
        _, state = await call(client, "get_pull_request", {**PULL, "include": ["threads"]})
    assert state["parts"]["threads"].count(": Done.") == 1
    assert len([path for _, path in writes(fake) if path == "/graphql"]) == 2


async def test_a_review_whose_outcome_stayed_unknown_is_looked_up_by_its_key(fake: FakeGitHub) -> None:
    url = "/repos/acme/widgets/pulls/4/reviews"
    wanted = {**PULL, "event": "approve", "head_sha": head(fake), "idempotency_key": "k"}
    lose(fake, url, "POST", url)
    async with client_of(fake) as client:
        unknown = await client.call_tool("review_pull_request", wanted)
        _, made = await call(client, "review_pull_request", wanted)
    assert code_of(unknown) == "outcome_unknown"
    assert made["done"] is True
    assert len(fake.asked("POST", url)) == 1


async def test_a_review_of_somebody_else_with_the_same_words_is_not_taken_for_ours(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    url = "/repos/acme/widgets/pulls/4/reviews"
    wanted = {**PULL, "event": "approve", "head_sha": head(fake), "idempotency_key": "k"}
    fake.fault(url, "POST", "cut")
    async with client_of(fake) as client:
        unknown = await client.call_tool("review_pull_request", wanted)
        repo.review(4, "hubot", "APPROVED", "")
        _, made = await call(client, "review_pull_request", wanted)
    assert code_of(unknown) == "outcome_unknown"
    assert made["done"] is True
    assert [one.author for one in repo.pull_of(4).reviews][-2:] == ["hubot", "octocat"]


async def test_a_token_that_may_not_review_is_told_what_it_lacks(fake: FakeGitHub) -> None:
    fake.fault("/repos/acme/widgets/pulls/4/reviews", "POST", "403")
    async with client_of(fake) as client:
        said = await refusal(client, "review_pull_request", {**REVIEW, "head_sha": head(fake)})
    assert said.startswith("GitHub does not allow this: Resource not accessible by integration.")


async def test_a_review_that_asks_for_changes_has_to_say_which(fake: FakeGitHub) -> None:
    wanted = {**PULL, "event": "request_changes", "head_sha": head(fake)}
    async with client_of(fake) as client:
        said = await refusal(client, "review_pull_request", wanted)
    assert said == "A review with event='request_changes' needs a `body`."


async def test_comments_on_several_lines_and_on_the_old_file_are_sent_as_such(fake: FakeGitHub) -> None:
    comments = [
        {"path": "src/spin.py", "start_line": 1, "line": 2, "body": "Both."},
        {"path": "src/spin.py", "line": 2, "side": "LEFT", "body": "It was better."},
    ]
    wanted = {**REVIEW, "head_sha": head(fake), "comments": comments, "dry_run": True}
    backwards = [{"path": "src/spin.py", "start_line": 2, "line": 1, "body": "?"}]
    async with client_of(fake) as client:
        _, shown = await call(client, "review_pull_request", wanted)
        said = await refusal(client, "review_pull_request", {**wanted, "comments": backwards})
    assert shown["requests"][0]["comments"] == [
        {
            "path": "src/spin.py",
            "line": 2,
            "side": "RIGHT",
            "body": "Both.",
            "start_line": 1,
            "start_side": "RIGHT",
        },
        {"path": "src/spin.py", "line": 2, "side": "LEFT", "body": "It was better."},
    ]
    assert said.startswith("Nothing was sent: src/spin.py:2-1 ends before it starts.")


async def test_a_step_that_is_refused_says_what_was_said_and_resolved_before(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        first, second = await threads(client)
        fake.repositories["acme/widgets"].pull_of(4).threads[1].resolved = False
        fake.faults += [Third("/graphql", "POST", "403", None)]
        said = await refusal(client, "resolve_threads", {**PULL, "thread_ids": [first, second]})
        assert list((await threads(client)).values()) == ["resolved", "open"]
    assert said.endswith(f"Done: {first} resolved. Not done, or not known: {second} resolved.")


async def test_a_half_done_try_whose_outcome_stayed_unknown_says_what_is_left(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        (waiting,) = [name for name, state in (await threads(client)).items() if state == "open"]
        wanted = {**PULL, "thread_ids": [waiting], "reply": "Done.", "idempotency_key": "k"}
        # The reply's answer gets lost, and then the look for it.
        fake.faults += [Second("/graphql", "POST", "done-cut", None), Second("/graphql", "POST", "403", None)]
        unknown = await client.call_tool("resolve_threads", wanted)
        again = await client.call_tool("resolve_threads", wanted)
        await call(client, "resolve_threads", {**PULL, "thread_ids": [waiting]})
        done, _ = await call(client, "resolve_threads", wanted)
    assert code_of(unknown) == code_of(again) == "outcome_unknown"
    assert text_of(again) == (
        f"An earlier try was cut off. Done: reply in {waiting}. Not done: {waiting} resolved. Do what is "
        "left with a new `idempotency_key`."
    )
    assert done.startswith("acme/widgets#4: the threads are resolved.")


async def test_threads_that_are_as_wanted_are_left_alone(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        (over,) = [name for name, state in (await threads(client)).items() if state == "resolved"]
        said, _ = await call(client, "resolve_threads", {**PULL, "thread_ids": [over]})
    assert said == "acme/widgets#4: they are resolved already.\nnumber: 4"
    assert writes(fake) == []


async def test_what_is_said_in_threads_and_reviews_neither_hides_nor_loads(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    evil = "a\u202eb ![x](https://evil.test/?q=S)"
    repo.thread(4, "src/spin.py", 1, [evil], authors=["mona"])
    repo.review(4, "mona", "COMMENTED", evil)
    async with client_of(fake) as client:
        said, _ = await call(client, "get_pull_request", {**PULL, "include": ["reviews", "threads"]})
    assert said.count("ab [image: x, at https://evil.test/?q=S]") == 2
    assert "\u202e" not in said


async def test_an_outdated_thread_says_so_and_where_it_was(fake: FakeGitHub) -> None:
    thread = fake.repositories["acme/widgets"].pull_of(4).threads[0]
    thread.outdated = True
    async with client_of(fake) as client:
        _, told = await call(client, "get_pull_request", {**PULL, "include": ["threads"]})
    assert told["parts"]["threads"].splitlines()[0] == f"{thread.id} open, outdated src/spin.py:2"
    assert told["parts"]["threads"].splitlines()[1].startswith(f"  [{thread.comments[0].id}] octocat, ")
