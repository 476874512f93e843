"""Commits of exact edits: on the head that was read, once, and honest about what was done."""

import base64
from dataclasses import dataclass
from typing import Any

import pytest

from integration.github.pulling import POLICY, REPO, call, client_of, structured, writes
from integration.github.working import settings_for
from ringmain_core.testing import bench
from ringmain_github import connector
from standins.asking import ask, fault, fenced, text_of
from standins.github.faults import Fault
from standins.github.repository import Repository
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio

NEW = [{"path": "a.txt", "content": "a\n"}]
ABSENT = [{"path": "src/spin.py", "edits": [{"old": "times * 360", "new": "times * 720"}]}]
TWICE = [{"path": "src/spin.py", "edits": [{"old": "times * 361", "new": "times * 722"}]}]


def commit(fake: FakeGitHub, **more: Any) -> dict[str, Any]:
    head = fake.repositories["acme/widgets"].sha("feature")
    return {**REPO, "branch": "feature", "message": "Change it", "head_sha": head, "changes": NEW, **more}


async def test_a_rehearsal_shows_the_diff_and_the_requests(fake: FakeGitHub) -> None:
    arguments = commit(
        fake, branch="fix/it", create_from="feature", changes=[*TWICE, {"path": "logo.png", "delete": True}]
    )
    head = arguments["head_sha"]
    async with client_of(fake) as client:
        said, shown = await call(client, "commit_files", {**arguments, "dry_run": True})
    assert writes(fake) == []
    assert fenced(said).splitlines() == [
        "--- a/src/spin.py",
        "+++ b/src/spin.py",
        "@@ -1,2 +1,2 @@",
        " def spin(times: int) -> int:",
        "-    return times * 361",
        "+    return times * 722",
        "--- /dev/null",
        "+++ /dev/null",
        "(nothing to show of `logo.png`)",
    ]
    assert shown["requests"] == [
        {"POST": "/repos/acme/widgets/git/refs", "ref": "refs/heads/fix/it", "sha": head},
        {
            "GraphQL": "createCommitOnBranch",
            "branch": {"repositoryNameWithOwner": "acme/widgets", "branchName": "fix/it"},
            "message": {"headline": "Change it", "body": ""},
            "expectedHeadOid": head,
            "fileChanges": "1 files written, 1 deleted",
        },
    ]


async def test_it_is_said_which_branch_that_is_and_what_workflows_need(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    repo.protected.add("main")
    changes = [{"path": "/.github/workflows/new.yml", "content": "on: push\n"}]
    arguments = commit(fake, branch="main", head_sha=repo.sha("main"), changes=changes)
    async with client_of(fake) as client:
        said, made = await call(client, "commit_files", arguments)
    assert made == {
        "done": True,
        "summary": "Committed to main of acme/widgets.",
        "url": f"{fake.url}/acme/widgets/commit/{repo.sha('main')}",
        "sha": repo.sha("main"),
        "warnings": [
            "main is the default branch.",
            "main is protected.",
            "For files in .github/workflows the token needs the permission workflows: write.",
        ],
    }
    assert said.startswith("Committed to main of acme/widgets.\n")


async def test_without_the_permission_for_workflows_nothing_happens(fake: FakeGitHub) -> None:
    changes = [{"path": ".github/workflows/ci.yml", "delete": True}]
    arguments = commit(fake, changes=changes)
    settings = settings_for(fake.url, fake.token("weak", scopes=["repo"]))
    async with bench(connector, settings=settings, policy=POLICY) as at:
        code, said = await fault(at.client, "commit_files", **arguments)
    assert code == "upstream_refused"
    assert "without `workflow` scope" in said
    assert fake.repositories["acme/widgets"].sha("feature") == arguments["head_sha"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            [*NEW, {"path": "/a.txt", "content": "b"}],
            "Each path may come once: put all edits of a file together.",
        ),
        ([{"path": "a.txt"}], "`a.txt`: give one of `content`, `edits` and `delete`."),
        (
            [{"path": "src/new.py", "content": "x", "delete": True}],
            "`src/new.py`: give one of `content`, `edits` and `delete`.",
        ),
        (
            [{"path": "logo.png", "edits": [{"old": "P", "new": "Q"}]}],
            "`logo.png` is no text, so it cannot be edited; nothing was committed.",
        ),
        ([{"path": "src", "delete": True}], "`src` is a folder: use `list_files`."),
        (
            [{"path": "gone.py", "delete": True}],
            "acme/widgets has no file `gone.py` at {head}; nothing was committed.",
        ),
        (
            [{"path": "src/new.py", "content": "NEW = 1\n"}],
            "Nothing was committed: the files are like that already at {head}.",
        ),
        (
            [
                *NEW,
                {"path": "src/spin.py", "edits": [{"old": "return", "new": "x"}, {"old": "in", "new": "y"}]},
            ],
            (
                "Nothing was committed: edit 2 of `src/spin.py`: `old` stands there 3 times (lines 1, 1, 1); "
                "add what is around the one meant."
            ),
        ),
    ],
)
async def test_changes_that_cannot_be_meant_are_refused_before_anything_is_sent(
    fake: FakeGitHub, changes: list[dict[str, Any]], said: str
) -> None:
    arguments = commit(fake, changes=changes)
    async with client_of(fake) as client:
        _, text = await fault(client, "commit_files", **arguments)
    assert text == said.format(head=arguments["head_sha"])
    assert writes(fake) == []


@dataclass
class Moving(Fault):
    """Breaks nothing: somebody else commits just before the request is answered."""

    repository: Repository | None = None

    def take(self, method: str, path: str) -> bool:
        if self.fits(method, path) and self.repository is not None:
            self.repository.commit("feature", {"late.txt": "x\n"}, "Late", author="mona")
            self.repository = None
        return False


class OthersCommit(Moving):
    """Somebody else commits something else, under the same message."""

    def take(self, method: str, path: str) -> bool:
        if self.fits(method, path) and self.repository is not None:
            self.repository.commit("feature", {"a.txt": "theirs\n"}, "Change it", author="mona")
            self.repository = None
        return False


async def test_a_head_that_moves_meanwhile_is_told_like_one_that_moved_before(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    arguments = commit(fake)
    fake.faults.append(Moving("/graphql", "POST", "500", None, repository=repo))
    async with client_of(fake) as client:
        _, said = await fault(client, "commit_files", **arguments)
    assert repo.at("feature").message == "Late"
    assert said == (
        f"The head of `feature` is {repo.sha('feature')} now, not {arguments['head_sha']}, so nothing was "
        "committed. Look at what is new, then use the new `head_sha`."
    )


async def test_lines_that_end_as_on_windows_stay_so(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    repo.commit("feature", {"w.txt": "one\r\ntwo\r\nthree\r\n"}, "W", author="mona")
    edits = [{"old": "one\ntwo", "new": "1\n2"}, {"old": "three", "new": "“3”"}]
    arguments = commit(fake, changes=[{"path": "w.txt", "edits": edits}])
    arguments["head_sha"] = arguments["head_sha"][:10]
    async with client_of(fake) as client:
        await call(client, "commit_files", arguments)
    assert repo.read("w.txt", "feature").decode() == "1\r\n2\r\n“3”\r\n"
    (sent,) = fake.asked("POST", "/graphql")
    assert sent.body["variables"]["input"]["fileChanges"] == {
        "additions": [{"path": "w.txt", "contents": base64.b64encode("1\r\n2\r\n“3”\r\n".encode()).decode()}],
        "deletions": [],
    }


async def test_a_branch_that_was_made_for_a_commit_that_failed_is_named_and_used_by_the_next_try(
    fake: FakeGitHub,
) -> None:
    repo = fake.repositories["acme/widgets"]
    arguments = commit(fake, branch="fix/it", create_from="main")
    del arguments["head_sha"]
    fake.fault("/graphql", "POST", "403")
    async with client_of(fake) as client:
        code, said = await fault(client, "commit_files", **arguments)
        assert repo.sha("fix/it") == repo.sha("main")
        _, made = await call(client, "commit_files", arguments)
    assert code == "upstream_refused"
    assert said.endswith(f" The branch `fix/it` was made before, at {repo.sha('main')}: use or delete it.")
    assert made["sha"] == repo.sha("fix/it")
    assert repo.at("fix/it").parents == (repo.sha("main"),)


async def test_a_branch_whose_making_was_not_answered_is_found(fake: FakeGitHub) -> None:
    arguments = commit(fake, branch="fix/it", create_from="feature")
    fake.fault("/repos/acme/widgets/git/refs", "POST", "done-cut")
    async with client_of(fake) as client:
        _, made = await call(client, "commit_files", arguments)
    assert made["sha"] == fake.repositories["acme/widgets"].sha("fix/it")
    assert len(fake.asked("POST", "/repos/acme/widgets/git/refs")) == 1


async def test_the_same_key_commits_once_also_where_the_first_answer_was_lost(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    arguments = commit(fake, message="Change it\n\nBecause.\n", idempotency_key="change-1")
    fake.fault("/graphql", "POST", "done-cut")
    lost = fake.fault("/repos/acme/widgets/commits", "GET", "500", None)
    async with client_of(fake) as client:
        code, _ = await fault(client, "commit_files", **arguments)
        lost.times = 0
        _, settled = await call(client, "commit_files", arguments)
        _, again = await call(client, "commit_files", arguments)
    assert code == "outcome_unknown"
    assert settled["sha"] == again["sha"] == repo.sha("feature")
    assert repo.at("feature").parents == (arguments["head_sha"],)
    assert len(fake.asked("POST", "/graphql")) == 1


async def test_what_was_read_in_private_is_not_committed_in_public_without_a_person(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        await ask(client, "read_file", repo="acme/secret", path="README.md")
        code, _ = await fault(client, "commit_files", **commit(fake))
    assert code == "confirmation_needed"
    assert writes(fake) == []


async def test_the_audit_does_not_keep_what_was_written(fake: FakeGitHub) -> None:
    changes = [{"path": "a.txt", "content": "very private"}]
    settings = settings_for(fake.url, fake.token())
    async with bench(connector, settings=settings, policy=POLICY) as at:
        result = await at.client.call_tool("commit_files", commit(fake, changes=changes))
        records = list(at.audit.records)
    assert not result.is_error, text_of(result)
    assert "very private" not in str(records)
    assert "withheld" in str(records)


async def test_exact_edits_are_committed_and_the_file_does_not_travel(fake: FakeGitHub) -> None:
    edits = [{"path": "src/spin.py", "edits": [{"old": "times * 361", "new": "times * 720"}]}]
    changes = [*edits, {"path": "notes/new.md", "content": "# New\n"}, {"path": "src/new.py", "delete": True}]
    async with client_of(fake) as client:
        rehearsed = await structured(client, "commit_files", **commit(fake, changes=changes, dry_run=True))
        assert writes(fake) == []
        made = await structured(client, "commit_files", **commit(fake, changes=changes))
    repo = fake.repositories["acme/widgets"]
    assert "-    return times * 361\n+    return times * 720" in rehearsed["preview"]
    assert rehearsed["summary"] == "2 files written, 1 deleted on feature of acme/widgets."
    assert made["sha"] == repo.sha("feature")
    assert repo.read("src/spin.py", "feature") == b"def spin(times: int) -> int:\n    return times * 720\n"
    assert repo.read("notes/new.md", "feature") == b"# New\n"


async def test_an_edit_that_is_not_exact_commits_nothing(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        absent = await fault(client, "commit_files", **commit(fake, changes=ABSENT))
        twice = [{"path": "src/spin.py", "edits": [{"old": "t", "new": "x"}]}]
        several = await fault(client, "commit_files", **commit(fake, changes=twice))
    assert absent[1] == (
        "Nothing was committed: edit 1 of `src/spin.py`: `old` does not stand there; it has to be exact. "
        "Line 2 is the most alike."
    )
    assert several[1].startswith("Nothing was committed: edit 1 of `src/spin.py`: `old` stands there ")
    assert writes(fake) == []


async def test_a_moved_head_commits_nothing(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    stale = commit(fake, changes=[{"path": "a.txt", "content": "a\n"}])
    repo.commit("feature", {"late.txt": "x\n"}, "Late", author="mona")
    async with client_of(fake) as client:
        said = await fault(client, "commit_files", **stale)
        without = await fault(client, "commit_files", **{**stale, "head_sha": None})
    assert said[1].startswith(f"The head of `feature` is {repo.sha('feature')} now, not {stale['head_sha']}")
    assert without[1].startswith("Give `head_sha`")
    assert writes(fake) == []


async def test_a_commit_whose_answer_was_lost_is_found_on_the_branch(fake: FakeGitHub) -> None:
    fake.fault("/graphql", "POST", "done-cut")
    content = [{"path": "a.txt", "content": "a\n"}]
    async with client_of(fake) as client:
        made = await structured(client, "commit_files", **commit(fake, changes=content))
    assert made["sha"] == fake.repositories["acme/widgets"].sha("feature")
    assert len(fake.asked("POST", "/graphql")) == 1


async def test_a_branch_is_made_where_that_is_asked_for(fake: FakeGitHub) -> None:
    content = {"branch": "fix/one", "head_sha": None, "changes": [{"path": "a.txt", "content": "a\n"}]}
    async with client_of(fake) as client:
        code, said = await fault(client, "commit_files", **commit(fake, **content))
        made = await structured(client, "commit_files", **commit(fake, **content, create_from="main"))
    assert (code, said) == (
        "not_found",
        "acme/widgets has no branch `fix/one`; `create_from` makes one, from a ref.",
    )
    assert made["sha"] == fake.repositories["acme/widgets"].sha("fix/one")


async def test_many_files_are_read_in_turn_and_committed_at_once(fake: FakeGitHub) -> None:
    changes = [{"path": f"many/{number}.txt", "content": f"{number}\n"} for number in range(100)]
    async with client_of(fake) as client:
        made = await structured(client, "commit_files", **commit(fake, changes=changes))
    assert made["sha"] == fake.repositories["acme/widgets"].sha("feature")
    assert len(fake.repositories["acme/widgets"].at("feature").files) > 100


async def test_a_commit_that_graphql_says_went_wrong_is_found_on_the_branch(fake: FakeGitHub) -> None:
    fake.fault("/graphql", "POST", "graphql-lost")
    async with client_of(fake) as client:
        made = await structured(client, "commit_files", **commit(fake))
    assert made["sha"] == fake.repositories["acme/widgets"].sha("feature")
    assert len(fake.asked("POST", "/graphql")) == 1


async def test_a_commit_that_went_wrong_and_is_not_found_keeps_its_key(fake: FakeGitHub) -> None:
    arguments = commit(fake, idempotency_key="change-2")
    fake.fault("/graphql", "POST", "graphql-lost")
    lost = fake.fault("/repos/acme/widgets/commits", "GET", "500", None)
    async with client_of(fake) as client:
        code, _ = await fault(client, "commit_files", **arguments)
        lost.times = 0
        made = await structured(client, "commit_files", **arguments)
    assert code == "outcome_unknown"
    assert made["sha"] == fake.repositories["acme/widgets"].sha("feature")
    assert len(fake.asked("POST", "/graphql")) == 1


async def test_a_commit_of_others_with_the_same_message_is_not_taken_for_ours(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    arguments = commit(fake, changes=[{"path": "a.txt", "content": "ours\n"}])
    fake.faults.append(OthersCommit("/graphql", "POST", "500", None, repository=repo))
    async with client_of(fake) as client:
        code, said = await fault(client, "commit_files", **arguments)
    assert code == "upstream_refused"
    assert said.startswith(f"The head of `feature` is {repo.sha('feature')} now, not {arguments['head_sha']}")


async def test_a_refused_commit_names_the_permission_that_it_needs(fake: FakeGitHub) -> None:
    held = {"metadata": "read", "contents": "read"}
    settings = settings_for(fake.url, fake.token("weak", kind="fine", permissions=held))
    async with bench(connector, settings=settings, policy=POLICY) as at:
        _, said = await fault(at.client, "commit_files", **commit(fake))
    assert said.endswith("Resource not accessible by personal access token. The tool needs contents: write.")


async def test_a_link_is_not_edited_as_if_it_were_the_file_that_it_leads_to(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    repo.link("feature", "src/same.py", "spin.py")
    edits = [{"path": "src/same.py", "edits": [{"old": "361", "new": "360"}]}]
    async with client_of(fake) as client:
        code, said = await fault(client, "commit_files", **commit(fake, changes=edits))
    assert (code, said) == (
        "invalid_arguments",
        "`src/same.py` is a link: edit the file that it leads to; nothing was committed.",
    )
    assert writes(fake) == []
