"""How requests reach GitHub: known answers cost nothing, limits are honoured, writes are sent once."""

import re
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from pydantic import SecretStr

from integration.github.pulling import POLICY, call, client_of, refusal, structured
from integration.github.working import connected, settings_for
from ringmain_core.errors import (
    InvalidArguments,
    NotFound,
    OutcomeUnknown,
    UpstreamRefused,
    UpstreamUnavailable,
)
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio

ISSUE = "/repos/acme/widgets/issues/1"
COMMENT = "/repos/acme/widgets/issues/1/comments"


async def test_an_answer_that_still_holds_costs_no_quota(fake: FakeGitHub) -> None:
    async with connected(settings_for(fake.url, fake.token())) as github:
        first = await github.get(ISSUE)
        second = await github.get(ISSUE)
    assert second.json() == first.json()
    assert [one.status for one in fake.asked("GET", ISSUE)] == [200, 304]
    assert [token.used for token in fake.tokens.values()] == [1]


async def test_what_has_changed_is_read_anew(fake: FakeGitHub) -> None:
    async with connected(settings_for(fake.url, fake.token())) as github:
        await github.get(ISSUE)
        await github.send("PATCH", ISSUE, {"title": "It wobbles at 90 rpm"})
        assert (await github.get(ISSUE)).json()["title"] == "It wobbles at 90 rpm"


async def test_equal_reads_at_once_are_one_request(fake: FakeGitHub) -> None:
    fake.fault(ISSUE, "GET", "slow", seconds=0.2)
    titles: list[str] = []
    async with connected(settings_for(fake.url, fake.token())) as github, anyio.create_task_group() as group:

        async def read() -> None:
            titles.append((await github.get(ISSUE)).json()["title"])

        for _ in range(5):
            group.start_soon(read)
    assert titles == ["It wobbles"] * 5
    assert len(fake.asked("GET", ISSUE)) == 1


@pytest.mark.parametrize("kind", ["500", "502", "503", "cut"])
async def test_a_read_is_tried_again_where_github_breaks(fake: FakeGitHub, kind: str) -> None:
    fake.fault(ISSUE, "GET", kind)
    async with connected(settings_for(fake.url, fake.token())) as github:
        assert (await github.get(ISSUE)).json()["number"] == 1
    assert len(fake.asked("GET", ISSUE)) == 2


@pytest.mark.parametrize("kind", ["500", "502", "cut", "done-cut"])
async def test_a_write_is_sent_once_and_its_loss_is_called_unknown(fake: FakeGitHub, kind: str) -> None:
    fake.fault(COMMENT, "POST", kind)
    async with connected(settings_for(fake.url, fake.token())) as github:
        with pytest.raises(OutcomeUnknown, match="whether this has happened is not known"):
            await github.send("POST", COMMENT, {"body": "Once"})
    assert len(fake.asked("POST", COMMENT)) == 1


async def test_an_answer_that_does_not_come_is_not_waited_for_without_end(fake: FakeGitHub) -> None:
    fake.fault(ISSUE, "PATCH", "done-slow", seconds=5)
    async with connected(settings_for(fake.url, fake.token(), request_timeout=0.2)) as github:
        with pytest.raises(OutcomeUnknown):
            await github.send("PATCH", ISSUE, {"title": "New"})


@pytest.mark.parametrize("kind", ["secondary", "secondary-429", "primary", "primary-429"])
async def test_a_short_pause_is_kept_and_the_read_done_after_it(fake: FakeGitHub, kind: str) -> None:
    fake.fault(ISSUE, "GET", kind, seconds=1)
    async with connected(settings_for(fake.url, fake.token(), limit_patience=3)) as github:
        assert (await github.get(ISSUE)).json()["number"] == 1
    assert len(fake.asked("GET", ISSUE)) == 2


@pytest.mark.parametrize(("kind", "name"), [("secondary", "secondary rate limit"), ("primary", "rate limit")])
async def test_a_long_pause_is_told_at_once_with_the_time_to_come_back(
    fake: FakeGitHub, kind: str, name: str
) -> None:
    fake.fault(ISSUE, "GET", kind, seconds=900)
    async with connected(settings_for(fake.url, fake.token())) as github:
        with pytest.raises(UpstreamUnavailable) as caught:
            await github.get(ISSUE)
    assert len(fake.asked("GET", ISSUE)) == 1
    assert re.fullmatch(
        rf"GitHub's {name} for this token is reached\. Come back in \d+ s \(at \d\d:\d\d:\d\d UTC\); until "
        r"then nothing will be answered\.",
        caught.value.message,
    )
    assert caught.value.retry_after_ms == pytest.approx(900_000, abs=3_000)
    assert caught.value.fields()["limit"] == name


async def test_a_write_that_a_limit_turns_away_is_not_repeated_and_not_called_unknown(
    fake: FakeGitHub,
) -> None:
    fake.fault(COMMENT, "POST", "secondary", seconds=1)
    async with connected(settings_for(fake.url, fake.token())) as github:
        with pytest.raises(UpstreamUnavailable, match="secondary rate limit"):
            await github.send("POST", COMMENT, {"body": "Once"})
    assert len(fake.asked("POST", COMMENT)) == 1


async def test_an_unknown_token_is_refused_with_what_to_do(fake: FakeGitHub) -> None:
    async with connected(settings_for(fake.url, "ghp_unknown")) as github:
        with pytest.raises(UpstreamRefused, match="does not accept the token"):
            await github.get(ISSUE)


async def test_graphql_says_no_in_the_same_words(fake: FakeGitHub) -> None:
    document = "query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { id } }"
    async with connected(settings_for(fake.url, fake.token())) as github:
        found = await github.query(document, owner="acme", name="widgets")
        assert found["repository"]["id"]
        with pytest.raises(NotFound, match="no such thing on GitHub"):
            await github.query(document, owner="acme", name="nothing")


async def test_a_name_never_leads_to_another_path(fake: FakeGitHub) -> None:
    async with connected(settings_for(fake.url, fake.token())) as github:
        with pytest.raises(NotFound):
            await github.get("/repos/acme/widgets/issues/" + "1%2Fcomments")
        from ringmain_github.references import path

        with pytest.raises(InvalidArguments):
            path("repos", "acme", "widgets", "..", "secret")
    assert [one.path for one in fake.requests if one.path == COMMENT and one.status == 200] == []


async def test_neither_the_log_nor_an_error_holds_the_token(
    fake: FakeGitHub, caplog: pytest.LogCaptureFixture
) -> None:
    token = fake.token()
    fake.fault("*", "GET", "cut", times=None)
    caplog.set_level("DEBUG")
    async with connected(settings_for(fake.url, token)) as github:
        with pytest.raises(UpstreamUnavailable) as caught:
            await github.get(ISSUE)
    said: list[Any] = [caught.value, caught.value.__cause__, caplog.text, github.settings]
    assert token not in " ".join(map(repr, said))
    assert SecretStr(token) == github.settings.token


async def test_an_answer_that_still_holds_has_the_pages_that_there_are_now(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    for number in range(100 - len(repo.issues[1].comments)):
        repo.comment(1, f"Comment {number}")
    async with connected(settings_for(fake.url, fake.token())) as github:
        before = await github.get(COMMENT, params={"per_page": 100})
        repo.comment(1, "One more")
        now = await github.get(COMMENT, params={"per_page": 100})
        repo.issues[1].comments.pop()
        again = await github.get(COMMENT, params={"per_page": 100})
    assert [before.next_page, now.next_page, again.next_page] == [None, 2, None]
    assert before.text == now.text == again.text
    assert [one.status for one in fake.asked("GET", COMMENT)] == [200, 304, 304]


_VIEWER = "{ viewer { login } }"
_RESOLVE = "mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { id } } }"


async def test_a_query_that_went_wrong_is_asked_again_and_a_mutation_is_unknown(fake: FakeGitHub) -> None:
    (thread, *_) = fake.repositories["acme/widgets"].pull_of(4).threads
    async with connected(settings_for(fake.url, fake.token())) as github:
        fake.fault("/graphql", "POST", "graphql-lost")
        assert await github.query(_VIEWER) == {"viewer": {"login": "octocat"}}
        fake.fault("/graphql", "POST", "graphql-lost")
        with pytest.raises(OutcomeUnknown):
            await github.mutate(_RESOLVE, id=thread.id)
    assert thread.resolved
    assert len(fake.asked("POST", "/graphql")) == 3


@pytest.mark.parametrize(
    ("kind", "name"), [("graphql-secondary", "secondary rate limit"), ("graphql-limit", "rate limit")]
)
async def test_limits_of_graphql_are_told_with_the_time_to_come_back(
    fake: FakeGitHub, kind: str, name: str
) -> None:
    fake.fault("/graphql", "POST", kind, times=None, seconds=900)
    async with connected(settings_for(fake.url, fake.token())) as github:
        with pytest.raises(UpstreamUnavailable) as caught:
            await github.query(_VIEWER)
    assert caught.value.fields()["limit"] == name
    assert caught.value.retry_after_ms == pytest.approx(900_000, abs=3_000)


async def test_what_one_node_lacks_does_not_hide_the_others(fake: FakeGitHub) -> None:
    thread = fake.repositories["acme/widgets"].pull_of(4).threads[0].id
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    async with connected(settings_for(fake.url, fake.token())) as github:
        found = await github.query(document, ids=[thread, "PRRT_0"])
    assert found == {"nodes": [{"id": thread}, None]}


async def test_a_write_that_is_led_elsewhere_counts_as_not_done(fake: FakeGitHub) -> None:
    fake.fault(ISSUE, "PATCH", "redirect")
    async with connected(settings_for(fake.url, fake.token())) as github:
        with pytest.raises(UpstreamRefused, match=r"leads elsewhere \(status 302\), so nothing was done"):
            await github.send("PATCH", ISSUE, {"title": "New"})


async def test_a_repository_that_is_renamed_meanwhile_is_read_and_written_under_its_new_name(
    fake: FakeGitHub,
) -> None:
    arguments = {"repo": "acme/widgets", "state": "closed"}
    async with client_of(fake) as client:
        before = await structured(client, "list_issues", **arguments)
        fake.rename("acme/widgets", "acme/gadgets")
        now = await structured(client, "list_issues", **arguments)
        again = await structured(client, "save_issue", repo="acme/widgets", number=1, state="closed")
    assert now["rows"] == before["rows"] != []
    assert again["summary"].startswith("Changed acme/gadgets#1")


async def test_a_write_right_after_a_renaming_is_not_done_and_the_next_one_is(fake: FakeGitHub) -> None:
    arguments = {"repo": "acme/widgets", "number": 1, "body": "Hello"}
    async with client_of(fake) as client:
        await call(client, "get_issue", {"repo": "acme/widgets", "number": 1})
        repo = fake.rename("acme/widgets", "acme/gadgets")
        said = await refusal(client, "comment", arguments)
        comments = len(repo.issues[1].comments)
        made = await structured(client, "comment", **arguments)
    assert said.startswith(
        "This leads elsewhere (status 307), so nothing was done. The repository may have been"
    )
    assert made["summary"] == "Commented on acme/gadgets#1."
    assert len(repo.issues[1].comments) == comments + 1


async def test_a_repository_that_leaves_the_fence_is_not_followed(fake: FakeGitHub) -> None:
    policy = POLICY.replace("confirm = []", 'confirm = []\nfence = { "github.repo" = ["acme/widgets"] }')
    async with client_of(fake, policy) as client:
        await call(client, "list_issues", {"repo": "acme/widgets"})
        fake.rename("acme/widgets", "acme/gadgets")
        said = await refusal(client, "get_issue", {"repo": "acme/widgets", "number": 1})
    assert said.startswith("The repository `acme/widgets` is not there, or not among those")


async def test_a_read_is_not_followed_to_another_server(fake: FakeGitHub) -> None:
    fake.fault(ISSUE, "GET", "moved-away")
    async with connected(settings_for(fake.url, fake.token())) as github:
        with pytest.raises(UpstreamRefused, match="GitHub is somewhere else now"):
            await github.get(ISSUE)


@pytest.mark.parametrize("kind", ["page", "redirect"])
async def test_a_page_of_something_in_between_is_called_that(fake: FakeGitHub, kind: str) -> None:
    fake.fault(ISSUE, "GET", kind, times=None)
    async with connected(settings_for(fake.url, fake.token())) as github:
        with pytest.raises(UpstreamUnavailable, match="Something between here and GitHub answers"):
            await github.get(ISSUE)
    assert len(fake.asked("GET", ISSUE)) == 3


async def test_a_write_that_is_answered_by_a_page_is_unknown(fake: FakeGitHub) -> None:
    fake.fault(COMMENT, "POST", "page")
    async with connected(settings_for(fake.url, fake.token())) as github:
        with pytest.raises(OutcomeUnknown):
            await github.send("POST", COMMENT, {"body": "Once"})


async def test_work_that_needs_many_requests_does_not_crowd_itself_out(fake: FakeGitHub) -> None:
    at_work: set[int] = set()
    most = 0

    async def work(number: int) -> None:
        nonlocal most
        at_work.add(number)
        most = max(most, len(at_work))
        await anyio.lowlevel.checkpoint()
        at_work.remove(number)
        if number == 50:
            raise NotFound("50")

    async with connected(settings_for(fake.url, fake.token(), at_once=3)) as github:
        with pytest.raises(NotFound, match="50"):
            await github.for_each(range(100), work)
    assert most == 3
