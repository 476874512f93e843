"""After something private was read, a person decides whether anything is told to more people."""

from typing import Any, Literal

import pytest
from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestParams, ElicitResult

from integration.github.pulling import REPO, call, client_of, writes
from standins.asking import fault
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio

SECRET = {"repo": "acme/secret"}
TOLD: list[Any] = [
    pytest.param(
        "comment", {"number": 1, "body": "As I have read"}, "Comment on acme/widgets#1", id="comment"
    ),
    pytest.param(
        "comment",
        {"number": 4, "body": "As I have read", "reply_to": "thread"},
        "Comment on acme/widgets#4",
        id="reply",
    ),
    pytest.param("save_issue", {"title": "As I have read"}, "Open an issue in acme/widgets", id="new issue"),
    pytest.param(
        "save_issue", {"number": 1, "body": "As I have read"}, "Change acme/widgets#1", id="changed issue"
    ),
]
READ: list[Any] = [
    pytest.param("list_issues", {}, id="rows"),
    pytest.param("get_issue", {"number": 1, "include": ["body"]}, id="an issue"),
    pytest.param("save_issue", {"number": 1, "title": "x", "dry_run": True}, id="a rehearsal"),
]


class Person:
    """Answers what the client is asked, and remembers it."""

    def __init__(self, action: Literal["accept", "decline"]) -> None:
        self.asked: list[str] = []
        self._action: Literal["accept", "decline"] = action

    async def __call__(self, _: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.asked.append(params.message)
        content: dict[str, Any] | None = {"confirm": True} if self._action == "accept" else None
        return ElicitResult(action=self._action, content=content)


def filled(fake: FakeGitHub, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments for the public repository, with the id of its thread."""
    if arguments.get("reply_to") == "thread":
        arguments = arguments | {"reply_to": fake.repositories["acme/widgets"].pull_of(4).threads[0].id}
    return REPO | arguments


@pytest.mark.parametrize(("tool", "arguments", "_what"), TOLD)
async def test_where_nobody_can_be_asked_nothing_is_told(
    fake: FakeGitHub, tool: str, arguments: dict[str, Any], _what: str
) -> None:
    async with client_of(fake) as client:
        await call(client, "get_issue", {**SECRET, "number": 1})
        for _ in range(2):  # insisting does not help
            code, _ = await fault(client, tool, **filled(fake, arguments))
            assert code == "confirmation_needed"
    assert writes(fake) == []


@pytest.mark.parametrize(("tool", "arguments", "what"), TOLD)
@pytest.mark.parametrize(("action", "times"), [("accept", 1), ("decline", 0)])
async def test_a_person_is_asked_and_decides(
    fake: FakeGitHub,
    tool: str,
    arguments: dict[str, Any],
    what: str,
    action: Literal["accept", "decline"],
    times: int,
) -> None:
    person = Person(action)
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "get_issue", {**SECRET, "number": 1})
        result = await client.call_tool(tool, filled(fake, arguments))
    (question,) = person.asked
    assert question.startswith(f"{what}? More people will see it (public) than may read")
    assert result.is_error is (times == 0)
    assert len(writes(fake)) == times


@pytest.mark.parametrize(("tool", "arguments"), READ)
async def test_every_way_to_read_something_private_counts(
    fake: FakeGitHub, tool: str, arguments: dict[str, Any]
) -> None:
    async with client_of(fake) as client:
        await call(client, tool, SECRET | arguments)
        code, _ = await fault(client, "comment", **REPO, number=1, body="As I have read")
    assert code == "confirmation_needed"
    assert writes(fake) == []


@pytest.mark.parametrize(("tool", "arguments", "what"), TOLD)
async def test_what_was_read_in_public_may_be_told_there(
    fake: FakeGitHub, tool: str, arguments: dict[str, Any], what: str
) -> None:
    async with client_of(fake) as client:
        await call(client, "get_issue", {**REPO, "number": 1})
        said, _ = await call(client, tool, filled(fake, arguments))
    assert what.rpartition(" ")[2] in said
    assert len(writes(fake)) == 1


async def test_a_rehearsal_and_what_tells_nothing_need_nobody(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        await call(client, "get_issue", {**SECRET, "number": 1})
        await call(client, "comment", {**REPO, "number": 1, "body": "x", "dry_run": True})
        await call(client, "save_issue", {**REPO, "number": 1, "state": "closed", "add_labels": ["bug"]})
        await call(client, "comment", {**SECRET, "number": 1, "body": "Between us."})
    assert [path for _, path in writes(fake)] == [
        "/repos/acme/widgets/issues/1",
        "/repos/acme/secret/issues/1/comments",
    ]
