"""GitHub's refusals in words that say what to do next."""

import json
import time
from typing import Any

import pytest
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from ringmain_core.errors import NotFound, UpstreamRefused
from ringmain_github.client import NotGitHub, Reply
from ringmain_github.failures import (
    Broke,
    Limited,
    lacking,
    require_done,
    require_json,
    require_success,
    trouble,
)


def reply(status: int, body: Any = None, **headers: str) -> Reply:
    text = body if isinstance(body, str) else json.dumps(body or {})
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, text)


@pytest.mark.parametrize("status", [200, 201, 204, 302, 304])
def test_an_answer_passes(status: int) -> None:
    require_success(reply(status))


def test_a_used_up_limit_says_when_to_come_back() -> None:
    reset = str(int(time.time()) + 90)
    with pytest.raises(Limited) as caught:
        require_success(reply(403, x_ratelimit_remaining="0", x_ratelimit_reset=reset))
    found = trouble(caught.value)
    assert found is not None
    assert found.kind == "throttled"
    assert found.retry_after == pytest.approx(90, abs=2)
    assert found.message.startswith("GitHub's rate limit for this token is reached. Come back in ")
    assert found.detail == {"limit": "rate limit"}


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (reply(403, {"message": "You have exceeded a secondary rate limit."}), 60.0),
        (reply(403, {"message": "anything"}, retry_after="7"), 7.0),
        (reply(429), 60.0),
    ],
)
def test_a_secondary_limit_is_known_by_its_header_its_words_or_its_status(
    answer: Reply, seconds: float
) -> None:
    with pytest.raises(Limited) as caught:
        require_success(answer)
    found = trouble(caught.value)
    assert found is not None
    assert (found.kind, found.retry_after, found.detail) == (
        "throttled",
        seconds,
        {"limit": "secondary rate limit"},
    )


def test_a_refusal_without_limits_names_the_missing_permission() -> None:
    fine = reply(
        403,
        {"message": "Resource not accessible by personal access token"},
        x_accepted_github_permissions="issues=write; pull_requests=write",
        x_ratelimit_remaining="4999",
    )
    with pytest.raises(UpstreamRefused) as caught:
        require_success(fine)
    assert caught.value.message == (
        "GitHub does not allow this: Resource not accessible by personal access token. It wants the "
        "permission issues=write or pull_requests=write."
    )
    assert caught.value.detail == {"status": 403}


def test_a_classic_tokens_missing_scope_is_named_and_one_that_it_has_is_not() -> None:
    missing = reply(403, x_accepted_oauth_scopes="repo, workflow", x_oauth_scopes="gist")
    held = reply(403, x_accepted_oauth_scopes="repo", x_oauth_scopes="repo, gist")
    assert lacking(missing) == "the scope repo or workflow"
    assert lacking(held) is None


def test_a_refused_token_is_told_apart_for_those_who_can_renew_it() -> None:
    with pytest.raises(UpstreamRefused) as caught:
        require_success(reply(401, {"message": "Bad credentials"}))
    assert caught.value.detail["cause"] == "auth"


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_and_what_may_not_be_seen_look_alike(status: int) -> None:
    with pytest.raises(NotFound, match="or this token may not see it"):
        require_success(reply(status))


def test_faults_of_the_input_are_named_field_by_field() -> None:
    body = {
        "message": "Validation Failed",
        "errors": [{"field": "title", "code": "missing_field"}, {"message": "No commits between main and x"}],
    }
    with pytest.raises(UpstreamRefused) as caught:
        require_success(reply(422, body))
    assert caught.value.message == (
        "GitHub refuses this: Validation Failed; title: missing_field; No commits between main and x."
    )


def test_a_conflict_asks_to_read_again() -> None:
    with pytest.raises(
        UpstreamRefused, match=r"conflicts with what is there: Head has moved\. Read it again"
    ):
        require_success(reply(409, {"message": "Head has moved."}))


def test_a_page_in_html_is_no_reason_to_repeat_its_words() -> None:
    with pytest.raises(UpstreamRefused) as caught:
        require_success(reply(418, "<html>secret proxy name</html>"))
    assert caught.value.message == "GitHub refuses this: status 418."


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Broke(502), "transient"),
        (NotGitHub(200), "transient"),
        (ConnectTimeoutError(), "down"),
        (NewConnectionError(HTTPConnection(""), "refused"), "down"),
        (ReadTimeoutError(HTTPConnectionPool("github.test"), "/", "too late"), "transient"),
        (ProtocolError("Connection aborted.", ConnectionResetError()), "transient"),
        (SSLError("certificate verify failed"), "transient"),
        (OSError("no certificates"), "transient"),
    ],
)
def test_what_breaks_on_the_way_is_judged_by_whether_it_may_have_arrived(error: Exception, kind: str) -> None:
    found = trouble(error)
    assert found is not None
    assert found.kind == kind


def test_a_defect_of_ours_is_nobodys_trouble() -> None:
    assert trouble(KeyError("x")) is None


def test_an_empty_repository_is_called_that() -> None:
    with pytest.raises(UpstreamRefused) as caught:
        require_success(reply(409, {"message": "Git Repository is empty."}))
    assert caught.value.message == "The repository is empty: it has no branch and no commit."


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_write_that_leads_elsewhere_is_not_done(status: int) -> None:
    with pytest.raises(UpstreamRefused, match="so nothing was done"):
        require_done(reply(status))


@pytest.mark.parametrize("text", ["", "<html></html>", "log in"])
def test_what_is_no_json_is_not_githubs(text: str) -> None:
    with pytest.raises(NotGitHub):
        require_json(reply(200, text))
    require_json(reply(200, ' {"a": 1}'))
