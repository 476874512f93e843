"""What GraphQL answers with status 200: data, limits, refusals, and failures after which it may be done."""

import json
from typing import Any

import pytest

from ringmain_core.errors import NotFound, UpstreamRefused
from ringmain_github.client import Reply
from ringmain_github.failures import Broke, Limited
from ringmain_github.graphql import data_of

LOST = {"message": "Something went wrong while executing your query."}


def answer(data: Any, *errors: dict[str, Any], **headers: str) -> Reply:
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(200, shown, json.dumps({"data": data, "errors": errors}))


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("errors", [[LOST], [LOST, {"type": "FORBIDDEN", "message": "No"}]])
def test_an_error_of_no_kind_says_nothing_of_what_was_done(errors: list[Any], write: bool) -> None:
    with pytest.raises(Broke):
        data_of(answer(None, *errors), {}, write=write)


def test_a_document_that_github_does_not_know_is_refused() -> None:
    error = {"message": "Field 'x' doesn't exist", "extensions": {"code": "undefinedField"}}
    with pytest.raises(UpstreamRefused, match="Field 'x' doesn't exist"):
        data_of(answer(None, error), {}, write=True)


@pytest.mark.parametrize(
    ("reply", "secondary", "pause"),
    [
        (answer(None, {"type": "RATE_LIMITED", "message": "x"}, retry_after="7"), False, 7.0),
        (answer(None, {"code": "graphql_rate_limit", "message": "x"}), False, 60.0),
        (answer(None, {"message": "You have exceeded a secondary rate limit."}), True, 60.0),
        (answer(None, {"message": "x"}, retry_after="9"), True, 9.0),
    ],
)
def test_limits_are_known_by_their_kind_their_code_or_their_words(
    reply: Reply, secondary: bool, pause: float
) -> None:
    with pytest.raises(Limited) as caught:
        data_of(reply, {}, write=True)
    assert (caught.value.secondary, caught.value.retry_after) == (secondary, pause)


def test_what_a_mutation_has_done_is_not_undone_by_what_it_cannot_tell() -> None:
    error = {"type": "FORBIDDEN", "message": "No", "path": ["createCommitOnBranch", "commit", "url"]}
    data = {"createCommitOnBranch": {"commit": {"oid": "abc", "url": None}}}
    assert data_of(answer(data, error), {}, write=True) == data
    with pytest.raises(UpstreamRefused):
        data_of(answer({"createCommitOnBranch": None}, error), {}, write=True)


def test_a_thing_that_is_not_there_is_not_found_though_its_repository_is() -> None:
    error = {"type": "NOT_FOUND", "message": "No", "path": ["repository", "issue"]}
    with pytest.raises(NotFound):
        data_of(answer({"repository": {"issue": None}}, error), {}, write=False)


def test_a_forbidden_thing_names_what_the_tool_needs() -> None:
    error = {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}
    with pytest.raises(UpstreamRefused) as caught:
        data_of(answer(None, error), {"contents": "write", "checks": "read"}, write=True)
    assert caught.value.message == (
        "GitHub refuses this: Resource not accessible by integration. The tool needs contents: write, "
        "checks: read."
    )
