"""Keys of writes that were cut off before they noted anything: they are good for another try."""

from typing import Any

import pytest

from integration.github.pulling import PULL, REPO, call, client_of, code_of, head
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio

NEW = [{"path": "a.txt", "content": "a\n"}]


@pytest.mark.parametrize(
    ("tool", "arguments", "odd"),
    [
        ("commit_files", {**REPO, "branch": "feature", "message": "T", "changes": NEW}, "*/contents/*"),
        ("save_pull_request", {**PULL, "title": "New"}, "*/pulls/4"),
        ("merge_pull_request", PULL, "*/pulls/4"),
        ("review_pull_request", {**PULL, "event": "comment", "body": "Hm"}, "*/pulls/4"),
        ("resolve_threads", {**PULL, "thread_ids": ["PRRT_1020"]}, "/graphql"),
        ("save_release", {**REPO, "tag": "v9"}, "*/releases/tags/v9"),
        ("save_issue", {**REPO, "number": 1, "title": "New"}, "*/issues/1"),
        ("comment", {**REPO, "number": 1, "body": "Hi"}, "*/issues/1"),
        ("run_workflow", {**REPO, "action": "dispatch", "workflow": "ci.yml"}, "*/actions/workflows"),
    ],
)
async def test_a_try_that_ended_before_its_note_leaves_its_key_usable(
    fake: FakeGitHub, tool: str, arguments: dict[str, Any], odd: str
) -> None:
    needs_head = tool in {"commit_files", "merge_pull_request", "review_pull_request"}
    given = arguments | ({"head_sha": head(fake)} if needs_head else {}) | {"idempotency_key": "k"}
    fake.fault(odd, "*", "odd")
    async with client_of(fake) as client:
        first = await client.call_tool(tool, given)
        _, second = await call(client, tool, given)
    assert code_of(first) == "internal"
    assert second["done"] is True
