"""The fake Drive's access proposals, and the ids that it takes from those who make files."""

from typing import Any

import pytest

from standins.gdrive.client import Clients, refused
from standins.gdrive.native import DOCUMENT, FOLDER, SHORTCUT
from standins.gdrive.state import FakeDrive

ADA, BO, ZOE = "ada@acme.example", "bo@acme.example", "zoe@other.example"


def test_access_is_asked_for_and_given(fake: FakeDrive, clients: Clients) -> None:
    plan = fake.named("Launch plan")
    fake.propose(plan, ZOE, "commenter", message="Please")
    proposals = clients(ADA).accessproposals()
    (asked,) = proposals.list(fileId=plan.id).execute()["accessProposals"]
    assert (asked["recipientEmailAddress"], asked["rolesAndViews"]) == (ZOE, [{"role": "commenter"}])
    body = {"action": "ACCEPT", "role": ["commenter"]}
    proposals.resolve(fileId=plan.id, proposalId=asked["proposalId"], body=body).execute()
    assert proposals.list(fileId=plan.id).execute().get("accessProposals", []) == []
    assert fake.store.access.rank(plan, ZOE)[0] == 2


def test_only_who_may_share_decides(fake: FakeDrive, clients: Clients) -> None:
    ideas = fake.named("Ideas")
    fake.propose(ideas, ZOE)
    call = clients(ADA).accessproposals().list(fileId=ideas.id)
    assert refused(call) == (403, "insufficientFilePermissions")


@pytest.mark.parametrize(
    ("kind", "space", "said"),
    [
        (FOLDER, "files", ""),
        ("text/plain", "files", ""),
        (DOCUMENT, "files", "insufficientFilePermissions"),
        (SHORTCUT, "files", "invalid"),
        (SHORTCUT, "shortcuts", ""),
    ],
)
def test_ids_are_taken_where_google_takes_them(
    fake: FakeDrive, clients: Clients, kind: str, space: str, said: str
) -> None:
    files = clients(ADA).files()
    (number,) = files.generateIds(count=1, type=space).execute()["ids"]
    body: dict[str, Any] = {"id": number, "name": "x", "mimeType": kind}
    if kind == SHORTCUT:
        body["shortcutDetails"] = {"targetId": fake.named("Launch plan").id}
    call = files.create(body=body)
    if said:
        assert refused(call)[1] == said
    else:
        assert call.execute()["id"] == number
