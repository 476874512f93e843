"""How requests reach GitHub: known answers cost nothing, limits are honoured, writes are sent once."""

import re
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

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
