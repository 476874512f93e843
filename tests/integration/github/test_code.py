"""Repositories, files, history, search, commits and releases, as a model asks for them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp.client import Client

from integration.github.working import settings_for
from ringmain_core.testing import bench
from ringmain_github import connector
from standins.asking import ask, fault, fenced
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio

REPO = {"repo": "acme/widgets"}
POLICY = """
[roles.all]
allow = ["github:*"]
{more}
[[agents]]
id = "local"
roles = ["all"]
"""


@asynccontextmanager
async def client_of(fake: FakeGitHub, more: str = "", **settings: Any) -> AsyncGenerator[Client]:
    connected = settings_for(fake.url, fake.token(), **settings)
    async with bench(connector, settings=connected, policy=POLICY.format(more=more)) as at:
        yield at.client


async def structured(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return dict(result.structured_content or {})


def writes(fake: FakeGitHub) -> list[str]:
    """What was sent to change something."""
    return [
        one.path
        for one in fake.requests
        if one.method != "GET" and not (one.path == "/graphql" and "mutation" not in one.body["query"])
    ]


async def test_an_overview_has_parts_where_they_are_asked_for(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        bare = await structured(client, "get_repo", **REPO)
        full = await structured(
            client, "get_repo", **REPO, include=["readme", "languages", "branches", "tags", "releases"]
        )
    assert bare["facts"]["description"] == "Widgets that spin"
    assert bare["facts"]["default_branch"] == "main"
    assert bare["parts"] == {}
    assert "They spin fast." in full["parts"]["readme"]
    assert [line.split(" ")[0] for line in full["parts"]["branches"].splitlines()] == ["feature", "main"]
    assert full["parts"]["tags"].startswith("v1.0 ")
    assert full["parts"]["releases"].startswith("v1.0 ")


async def test_files_are_listed_by_folder_depth_and_pattern(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        top = await structured(client, "list_files", **REPO)
        src = await structured(client, "list_files", **REPO, path="src", depth=3)
        python = await structured(client, "list_files", **REPO, glob="*.py")
        code, said = await fault(client, "list_files", **REPO, path="nowhere")
    assert [row[0] for row in top["rows"]] == [".github", "README.md", "logo.png", "src", "tests"]
    assert ["src/deep/er/data.txt", "file", 6] in src["rows"]
    assert [row[0] for row in python["rows"]] == ["src/spin.py", "tests/test_spin.py"]
    assert (code, said) == ("not_found", "acme/widgets has no folder `nowhere` at `main`.")


async def test_a_large_tree_is_told_page_by_page_and_a_cut_one_says_so(fake: FakeGitHub) -> None:
    files = {f"generated/{number:04}/a-rather-long-name.txt": "x\n" for number in range(700)}
    fake.repositories["acme/widgets"].commit("main", files, "Generate")
    seen: list[str] = []
    cursor: str | None = None
    async with client_of(fake) as client:
        for _ in range(20):
            more = {"cursor": cursor} if cursor else {}
            page = await structured(client, "list_files", **REPO, glob="*.txt", **more)
            seen += [row[0] for row in page["rows"]]
            cursor = page.get("next_cursor")
            if cursor is None:
                break
        fake.tree_limit = 3
        cut = await structured(client, "list_files", **REPO, glob="*.txt", ref="main")
    assert len(seen) == len(set(seen)) == 701
    assert cut["note"] == (
        "GitHub has cut this tree, so entries are missing: list its folders one by one, with depth=1."
    )


async def test_a_file_is_read_with_its_lines_and_its_blob(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        said = await ask(client, "read_file", **REPO, path="src/spin.py")
        part = await ask(client, "read_file", **REPO, path="src/spin.py", start=2, lines=1)
        link = f"{fake.url}/acme/widgets/blob/main/src/spin.py#L2"
        linked = await ask(client, "read_file", **REPO, path=link)
    assert fenced(said) == "def spin(times: int) -> int:\n    return times * 360"
    assert said.splitlines()[-1].startswith("Lines 1 to 2 of 2; blob ")
    assert fenced(part) == fenced(linked) == "    return times * 360"


async def test_what_cannot_be_read_says_why(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        image = await ask(client, "read_file", **REPO, path="logo.png")
        folder = await fault(client, "read_file", **REPO, path="src")
        absent = await fault(client, "read_file", **REPO, path="src/none.py")
        beyond = await fault(client, "read_file", **REPO, path="README.md", start=99)
        escape = await fault(client, "read_file", **REPO, path="../secret/README.md")
    assert image.startswith("acme/widgets/logo.png is no text: 12 bytes, blob ")
    assert folder == ("not_found", "`src` is a folder: use `list_files`.")
    assert absent == (
        "not_found",
        "acme/widgets has no file `src/none.py`; `list_files` shows what there is.",
    )
    assert beyond == ("invalid_arguments", "`start`: the file has 3 lines.")
    assert escape[0] == "invalid_arguments"


async def test_a_long_file_says_where_to_go_on(fake: FakeGitHub) -> None:
    text = "".join(f"line {number}\n" for number in range(1, 5_001))
    fake.repositories["acme/widgets"].commit("main", {"long.txt": text, "wide.txt": "x" * 50_000}, "Long")
    async with client_of(fake) as client:
        first = await ask(client, "read_file", **REPO, path="long.txt")
        wide = await ask(client, "read_file", **REPO, path="wide.txt")
    shown = fenced(first).splitlines()
    assert f"Lines 1 to {len(shown):,} of 5,000" in first
    assert first.endswith(f"Truncated to what fits: go on with start={len(shown) + 1}.")
    assert len(first.encode()) <= 24_000
    assert wide.endswith("Line 1 has 50,000 characters and is cut.")


async def test_invisible_characters_of_files_are_removed(fake: FakeGitHub) -> None:
    fake.repositories["acme/widgets"].commit("main", {"x.py": "a\u200b = 1 # \u202ereversed\n"}, "X")
    async with client_of(fake) as client:
        assert fenced(await ask(client, "read_file", **REPO, path="x.py")) == "a = 1 # reversed"


async def test_commits_are_rows_to_the_end(fake: FakeGitHub) -> None:
    for number in range(45):
        fake.repositories["acme/widgets"].commit(
            "main", {"n.txt": f"{number}\n"}, f"Step {number}\n\nLong text."
        )
    async with client_of(fake) as client:
        page = await structured(client, "list_commits", **REPO)
        rest = await structured(client, "list_commits", **REPO, cursor=page["next_cursor"])
        of_mona = await structured(client, "list_commits", **REPO, author="mona")
        code, said = await fault(client, "list_commits", **REPO, ref="nowhere")
        stray = await fault(client, "list_commits", **REPO, author="mona", cursor=page["next_cursor"])
    messages = [row[3] for row in [*page["rows"], *rest["rows"]]]
    assert messages == [*(f"Step {number}" for number in reversed(range(45))), "Say how they spin", "Begin"]
    assert "next_cursor" not in rest
    assert [row[3] for row in of_mona["rows"]] == ["Say how they spin"]
    assert (code, said) == ("not_found", "acme/widgets has no branch, tag or commit `nowhere`.")
    assert stray[0] == "invalid_cursor"


async def test_a_diff_begins_with_all_its_files(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        pull = await ask(client, "get_diff", **REPO, number=4)
        span = await ask(client, "get_diff", **REPO, range="main..feature", paths=["src/*"])
        nothing = await fault(client, "get_diff", **REPO)
    assert fenced(pull).split("\n\n")[0].splitlines() == [
        "added src/new.py +1 -0",
        "modified src/spin.py +1 -1",
        "removed tests/test_spin.py +0 -1",
    ]
    assert "+    return times * 361" in pull
    assert pull.endswith("3 files.")
    assert "test_spin.py" not in span
    assert nothing == ("invalid_arguments", "Give one of `number`, `sha` and `range`.")


async def test_a_diff_of_thousands_of_lines_goes_on_by_its_cursor_to_the_last_file(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    files = {f"big/{number:03}.txt": "".join(f"{line}\n" for line in range(60)) for number in range(120)}
    files["big/huge.txt"] = "".join(f"a line that is a little longer {line}\n" for line in range(3_000))
    repo.commit("feature", files, "Big", author="mona")
    patched: list[str] = []
    lines: list[str] = []
    cursor: str | None = None
    async with client_of(fake) as client:
        for _ in range(60):
            more = {"cursor": cursor} if cursor else {}
            said = await ask(client, "get_diff", **REPO, number=4, **more)
            assert len(said.encode()) <= 24_000
            patched += [line[4:] for line in said.splitlines() if line.startswith("--- ")]
            lines += [line for line in said.splitlines() if line.startswith("+a line")]
            cursor = said.rpartition("next_cursor=")[2] if "next_cursor=" in said else None
            if cursor is None:
                break
    begun = [name for name in patched if " (from line " not in name]
    assert begun == [*sorted(files), "src/new.py", "src/spin.py", "tests/test_spin.py"]
    assert lines == [f"+a line that is a little longer {line}" for line in range(3_000)]


async def test_search_keeps_to_the_fence_before_and_after(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        everywhere = await structured(client, "search", kind="issues", query="issue OR wobbles OR blue")
        code = await structured(client, "search", kind="code", query="spin")
        users = await structured(client, "search", kind="users", query="mona")
        repos = await structured(client, "search", kind="repos", query="widgets")
    async with client_of(fake, 'fence = { "github.repo" = ["acme/widgets"] }') as client:
        await structured(client, "search", kind="issues", query="issue")
        smuggled = await fault(client, "search", kind="issues", query="secret repo:acme/secret")
        code_, said = await fault(client, "search", kind="issues", query="x", repo="acme/secret")
    assert everywhere["columns"] == ["repository", "number", "title", "state", "author", "updated"]
    assert {row[0] for row in code["rows"]} == {"acme/widgets"}
    assert users["rows"][0][0] == "mona"
    assert repos["rows"][0][0] == "acme/widgets"
    asked = [one.query["q"] for one in fake.asked("GET", "/search/issues")]
    assert asked[1] == "issue is:issue repo:acme/widgets"
    assert len(asked) == 2
    assert smuggled[0] == "outside_fence"
    assert code_ == "outside_fence"
    assert said.startswith("The repository `acme/secret` is not there, or not among")


HEAD_EDIT = [{"path": "src/spin.py", "edits": [{"old": "times * 360", "new": "times * 720"}]}]


def commit(fake: FakeGitHub, **more: Any) -> dict[str, Any]:
    head = fake.repositories["acme/widgets"].sha("feature")
    return {**REPO, "branch": "feature", "message": "Twice", "head_sha": head, "changes": HEAD_EDIT, **more}


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
        absent = await fault(client, "commit_files", **commit(fake))
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


async def test_a_release_is_made_as_a_draft_and_then_published_once(fake: FakeGitHub) -> None:
    release = {**REPO, "tag": "v2.0", "name": "Two", "notes": "Faster."}
    async with client_of(fake) as client:
        rehearsed = await structured(client, "save_release", **release, dry_run=True)
        assert writes(fake) == []
        drafted = await structured(client, "save_release", **release)
        published = await structured(client, "save_release", **REPO, tag="v2.0", draft=False)
    assert rehearsed["requests"][0]["draft"] is True
    assert drafted["summary"] == "Draft v2.0 of acme/widgets is saved."
    assert published["summary"] == "Release v2.0 of acme/widgets is saved."
    assert published["id"] == drafted["id"]


async def test_a_release_whose_answer_was_lost_is_found(fake: FakeGitHub) -> None:
    fake.fault("/repos/acme/widgets/releases", "POST", "done-cut")
    async with client_of(fake) as client:
        made = await structured(client, "save_release", **REPO, tag="v2.0")
    assert made["done"] is True
    assert len(fake.asked("POST", "/repos/acme/widgets/releases")) == 1
