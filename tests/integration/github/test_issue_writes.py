"""Issues opened and changed: checked first, step by step, and never twice."""

from typing import Any

import pytest

from integration.github.pulling import POLICY, REPO, call, client_of, refusal, writes
from integration.github.working import settings_for
from ringmain_core.testing import bench
from ringmain_github import connector
from standins.github.models import Issue
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio

ISSUE = {**REPO, "number": 1}
NEW = {**REPO, "title": "It hums", "body": "Since today, @mona.\n", "add_labels": ["BUG"]}
ISSUES = "/repos/acme/widgets/issues"
FENCED = POLICY.replace("confirm = []", 'confirm = []\nfence = { "github.repo" = ["acme/widgets"] }')


def one(fake: FakeGitHub, number: int = 1) -> Issue:
    return fake.repositories["acme/widgets"].issues[number]


async def save(fake: FakeGitHub, **arguments: Any) -> tuple[str, dict[str, Any]]:
    async with client_of(fake) as client:
        return await call(client, "save_issue", {**ISSUE, **arguments})


async def refused(fake: FakeGitHub, arguments: dict[str, Any], policy: str = POLICY) -> str:
    async with client_of(fake, policy) as client:
        return await refusal(client, "save_issue", arguments)


async def test_one_is_opened_once(fake: FakeGitHub) -> None:
    wanted = {**NEW, "add_assignees": ["mona"], "milestone": "Round"}
    async with client_of(fake) as client:
        said, _ = await call(client, "save_issue", {**wanted, "idempotency_key": "k"})
        again, _ = await call(client, "save_issue", {**wanted, "idempotency_key": "k"})
    made = one(fake, 5)
    assert (
        said == again == f"Opened acme/widgets#5 “It hums”.\nurl: {fake.url}/acme/widgets/issues/5\nnumber: 5"
    )
    assert (made.title, made.body, made.labels, made.assignees, made.milestone) == (
        "It hums",
        "Since today, @mona.\n",
        ["bug"],
        ["mona"],
        1,
    )
    assert writes(fake) == [("POST", ISSUES)]


async def test_a_rehearsal_shows_the_request_and_whom_it_notifies(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        said, shown = await call(client, "save_issue", {**NEW, "dry_run": True})
    assert said.startswith("Dry run, nothing was done. A new issue in acme/widgets: “It hums”.")
    assert shown["requests"] == [
        {"POST": ISSUES, "title": "It hums", "body": "Since today, @mona.\n", "labels": ["bug"]}
    ]
    assert shown["warnings"] == ["mona will be notified"]
    assert writes(fake) == []


async def test_one_whose_answer_was_lost_is_found_and_not_opened_again(fake: FakeGitHub) -> None:
    fake.repositories["acme/widgets"].issue("It hums", author="octocat")
    fake.fault(ISSUES, "POST", "done-cut")
    async with client_of(fake) as client:
        _, made = await call(client, "save_issue", NEW)
    assert made["number"] == 6
    assert writes(fake) == [("POST", ISSUES)]


async def test_one_that_was_not_opened_stays_unknown_until_the_key_settles_it(fake: FakeGitHub) -> None:
    fake.fault(ISSUES, "POST", "cut")
    async with client_of(fake) as client:
        said = await refusal(client, "save_issue", {**NEW, "idempotency_key": "k"})
        assert "not known" in said
        _, made = await call(client, "save_issue", {**NEW, "idempotency_key": "k"})
    assert made["number"] == 5
    assert len(fake.repositories["acme/widgets"].issues) == 5


async def test_a_change_takes_one_step_for_each_kind_and_replaces_nothing(fake: FakeGitHub) -> None:
    one(fake).labels.append("enhancement")
    fake.repositories["acme/widgets"].label("odd/name & more", "ffffff")
    said, _ = await save(
        fake,
        title="It wobbles no more",
        state="closed",
        reason="not_planned",
        add_labels=["odd/name & more", "Bug"],
        remove_labels=["ENHANCEMENT", "strange"],
        add_assignees=["mona", "octocat"],
        remove_assignees=["Octocat", "hubot"],
        milestone="none",
    )
    assert said.splitlines()[0] == (
        "Changed acme/widgets#1: title changed, state set to closed, reason set to not_planned, milestone "
        "removed; labels added: odd/name & more; label removed: enhancement; assigned: mona; "
        "unassigned: octocat."
    )
    assert said.splitlines()[-2:] == [
        "Warning: It has no label `strange`.",
        "Warning: `hubot` is not assigned.",
    ]
    assert [(each.method, each.path, each.body) for each in fake.requests if each.method != "GET"] == [
        (
            "PATCH",
            f"{ISSUES}/1",
            {
                "title": "It wobbles no more",
                "state": "closed",
                "state_reason": "not_planned",
                "milestone": None,
            },
        ),
        ("POST", f"{ISSUES}/1/labels", {"labels": ["odd/name & more"]}),
        ("DELETE", f"{ISSUES}/1/labels/enhancement", None),
        ("POST", f"{ISSUES}/1/assignees", {"assignees": ["mona"]}),
        ("DELETE", f"{ISSUES}/1/assignees", {"assignees": ["octocat"]}),
    ]
    assert (one(fake).labels, one(fake).assignees) == (["bug", "odd/name & more"], ["mona"])


async def test_a_rehearsed_change_shows_before_and_after(fake: FakeGitHub) -> None:
    one(fake).body = "At 100 rpm.\n\n![x](https://evil.test/?q=1)"
    said, shown = await save(
        fake, body="At 90 rpm.", add_labels=["enhancement"], remove_labels=["bug"], dry_run=True
    )
    assert shown["requests"] == [
        {"PATCH": f"{ISSUES}/1", "body": "At 90 rpm."},
        {"POST": f"{ISSUES}/1/labels", "labels": ["enhancement"]},
        {"DELETE": f"{ISSUES}/1/labels/bug"},
    ]
    assert shown["preview"].splitlines() == [
        "--- body before",
        "+++ body after",
        "@@ -1,3 +1 @@",
        "-At 100 rpm.",
        "-",
        "-[image: x, at https://evil.test/?q=1]",
        "+At 90 rpm.",
        "labels: bug -> enhancement",
    ]
    assert "![" not in said
    assert writes(fake) == []


async def test_a_rehearsal_of_a_long_text_fits_the_budget(fake: FakeGitHub) -> None:
    said, shown = await save(fake, body="ö" * 60_000, dry_run=True)
    assert len(said.encode()) <= 24_000
    assert shown["requests"][0]["body"].endswith("… (and 58,000 characters more, sent as you gave them)")


async def test_what_is_so_already_is_not_sent(fake: FakeGitHub) -> None:
    said, _ = await save(fake, title="It wobbles", add_labels=["bug"], milestone="1")
    assert said.splitlines()[0] == "Changed acme/widgets#1: nothing, for it is so already."
    assert writes(fake) == []


async def test_names_that_do_not_exist_are_told_before_anything_is_written(fake: FakeGitHub) -> None:
    change = {**ISSUE, "title": "New"}
    assert await refused(fake, {**change, "add_labels": ["bug", "enhancment", "zzz"]}) == (
        "Nothing was done: there is no label `enhancment`; did you mean `enhancement`? there is no label "
        "`zzz`; none is alike. An existing one has to be taken."
    )
    assert await refused(fake, {**change, "add_assignees": ["mona", "nobody", "no-one"]}) == (
        "Nothing was done: `nobody`, `no-one` cannot be assigned in acme/widgets."
    )
    assert await refused(fake, {**change, "milestone": "Rond"}) == (
        "Nothing was done: there is no open milestone `Rond`; did you mean `Round`?"
    )
    assert await refused(fake, {**NEW, "add_labels": ["bgu"]}) == (
        "Nothing was done: there is no label `bgu`; did you mean `bug`? An existing one has to be taken."
    )
    assert writes(fake) == []


async def test_arguments_that_do_not_go_together_are_refused(fake: FakeGitHub) -> None:
    new = "A new issue needs a `title`, and nothing to close or remove; an old one needs its `number`."
    assert await refused(fake, {**REPO, "body": "x"}) == new
    assert await refused(fake, {**NEW, "state": "closed"}) == new
    assert await refused(fake, {**ISSUE, "reason": "completed"}) == "`reason` goes with state='closed'."
    assert await refused(fake, ISSUE) == "There is nothing to change: say what, like `title` or `add_labels`."
    assert await refused(fake, {**REPO, "number": 4, "title": "x"}) == (
        "#4 of acme/widgets is a pull request: use `get_pull_request`."
    )


async def test_a_step_that_fails_says_what_was_done_and_what_was_not(fake: FakeGitHub) -> None:
    fake.fault(f"{ISSUES}/1/labels", "POST", "422")
    said = await refused(
        fake, {**ISSUE, "state": "closed", "add_labels": ["enhancement"], "add_assignees": ["mona"]}
    )
    assert said.endswith(
        "Done: state set to closed. Not done, or not known: labels added: enhancement; assigned: mona."
    )
    assert (one(fake).state, one(fake).labels, one(fake).assignees) == ("closed", ["bug"], ["octocat"])


async def test_a_label_that_somebody_else_has_removed_meanwhile_is_removed(fake: FakeGitHub) -> None:
    fake.fault(f"{ISSUES}/1/labels/bug", "DELETE", "done-cut")
    said, _ = await save(fake, remove_labels=["bug"])
    assert said.splitlines()[0] == "Changed acme/widgets#1: label removed: bug."
    assert one(fake).labels == []


async def test_what_github_leaves_out_in_silence_is_told(
    fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = fake.repositories["acme/widgets"]
    opening = repo.issue

    def without_labels(title: str, **more: Any) -> Issue:
        more["labels"] = []
        return opening(title, **more)

    monkeypatch.setattr(repo, "issue", without_labels)
    async with client_of(fake) as client:
        _, made = await call(client, "save_issue", NEW)
    assert made["warnings"] == ["GitHub has left out what this token may not set: label bug."]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("403", "GitHub does not allow this: Resource not accessible by integration."),
        ("422", "GitHub refuses this: Validation Failed; title: invalid."),
        ("404", "acme/widgets has its issues switched off, or this token may not open any there."),
    ],
)
async def test_refusals_of_github_are_told_in_words(fake: FakeGitHub, kind: str, said: str) -> None:
    fake.fault(ISSUES, "POST", kind)
    assert (await refused(fake, NEW)).startswith(said)


async def test_a_repository_without_issues_says_so(fake: FakeGitHub) -> None:
    fake.repositories["acme/widgets"].has_issues = False
    assert await refused(fake, NEW) == (
        "acme/widgets has its issues switched off, or this token may not open any there."
    )


async def test_nothing_is_written_outside_the_fence_or_where_an_issue_was_moved_to(fake: FakeGitHub) -> None:
    fake.repositories["acme/widgets"].moved[1] = ("acme/secret", 1)
    moved = await refused(fake, {**ISSUE, "title": "x"}, FENCED)
    outside = await refused(fake, {**NEW, "repo": "acme/secret"}, FENCED)
    assert moved == "#1 of acme/widgets was moved to another repository."
    assert "is not there, or not among those that you may use" in outside
    assert writes(fake) == []


async def test_texts_do_not_reach_the_audit(fake: FakeGitHub) -> None:
    async with bench(connector, settings=settings_for(fake.url, fake.token()), policy=POLICY) as at:
        await call(at.client, "save_issue", {**NEW, "body": "a private word"})
    assert "a private word" not in str(at.audit.records)
    assert "<withheld, 16 characters>" in str(at.audit.records)
