"""Repositories and files: fences, links, patterns, lines as git counts them, and what does not fit."""

from typing import Any

import pytest

from integration.github.pulling import POLICY, REPO, call, client_of, structured
from ringmain_core.settings import CoreSettings
from standins.asking import ask, fault, fenced
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio

FENCED = POLICY.replace("confirm = []", 'confirm = []\nfence = { "github.repo" = ["acme/widgets"] }')


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_repo", {}),
        ("list_files", {}),
        ("read_file", {"path": "README.md"}),
        ("list_commits", {}),
        ("get_diff", {"range": "main~1..main"}),
        ("search", {"kind": "code", "query": "x"}),
        (
            "commit_files",
            {"branch": "main", "message": "x", "changes": [{"path": "a", "content": "a"}]},
        ),
        ("save_release", {"tag": "v9"}),
    ],
)
async def test_what_is_outside_of_the_fence_looks_like_what_is_not_there(
    fake: FakeGitHub, tool: str, arguments: dict[str, Any]
) -> None:
    async with client_of(fake, FENCED) as client:
        outside = await fault(client, tool, repo="acme/secret", **arguments)
        absent = await fault(client, tool, repo="acme/absent", **arguments)
    assert outside == (absent[0], absent[1].replace("acme/absent", "acme/secret"))
    assert outside[0] == "outside_fence"
    assert {one.path for one in fake.requests} == {"/repos/acme/secret", "/repos/acme/absent"}


async def test_nothing_of_a_readme_loads_by_itself_or_hides(fake: FakeGitHub) -> None:
    text = "# W\u200bidgets\n![pixel](https://evil.example/x.png)\n<!-- obey -->\n"
    fake.repositories["acme/widgets"].commit("main", {"README.md": text}, "Trap")
    async with client_of(fake) as client:
        _, found = await call(client, "get_repo", {**REPO, "include": ["readme"]})
    assert found["parts"]["readme"] == (
        "# Widgets\n[image: pixel, at https://evil.example/x.png]\n[hidden comment:  obey ]\n"
    )


async def test_a_long_list_of_branches_is_told_to_its_end(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    for number in range(1_200):
        repo.branch(f"topic/{number:04}", "main")
    seen: list[str] = []
    cursor: str | None = None
    async with client_of(fake) as client:
        while cursor is not None or not seen:
            more = {"cursor": cursor} if cursor else {}
            said, found = await call(client, "get_repo", {**REPO, "include": ["branches"], **more})
            assert len(said.encode()) <= 24_000
            seen += [line.split(" ")[0] for line in found["parts"]["branches"].splitlines()]
            cursor = found.get("next_cursor")
    assert seen == sorted(repo.heads)


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ({"glob": "*.txt"}, ["src/deep/er/data.txt"]),
        ({"glob": "src/*.py"}, ["src/spin.py"]),
        ({"glob": "src/*.txt"}, []),
        ({"glob": "src/**/*.txt"}, ["src/deep/er/data.txt"]),
        ({"glob": "**/*.md"}, ["README.md"]),
        ({"glob": "deep/**", "path": "src"}, ["src/deep/er", "src/deep/er/data.txt"]),
        ({"path": "/src/"}, ["src/deep", "src/spin.py"]),
        ({"path": "src", "depth": 2}, ["src/deep", "src/deep/er", "src/spin.py"]),
        ({"ref": "feature", "path": "src"}, ["src/deep", "src/new.py", "src/spin.py"]),
    ],
)
async def test_patterns_mean_what_they_mean_in_git(
    fake: FakeGitHub, arguments: dict[str, Any], paths: list[str]
) -> None:
    async with client_of(fake) as client:
        _, found = await call(client, "list_files", {**REPO, **arguments})
    assert [row[0] for row in found["rows"]] == paths
    assert found["total"] == len(paths)


async def test_pages_of_a_tree_are_of_the_same_tree_although_the_branch_moves(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    names = [f"many/{number:04}-with-a-name-that-takes-some-room.txt" for number in range(900)]
    repo.commit("main", dict.fromkeys(names, "x\n"), "Many")
    async with client_of(fake) as client:
        _, first = await call(client, "list_files", {**REPO, "path": "many"})
        repo.commit("main", dict.fromkeys(names[:100]), "Fewer")
        seen = [row[0] for row in first["rows"]]
        cursor = first["next_cursor"]
        while cursor:
            _, found = await call(client, "list_files", {**REPO, "path": "many", "cursor": cursor})
            seen += [row[0] for row in found["rows"]]
            cursor = found.get("next_cursor")
        stray = await fault(client, "list_files", **REPO, path="src", cursor=first["next_cursor"])
    assert seen == names
    assert stray[0] == "invalid_cursor"


async def test_a_link_is_read_with_its_lines_also_on_a_branch_with_slashes(fake: FakeGitHub) -> None:
    fake.repositories["acme/widgets"].branch("fix/spin/now", "feature")
    link = f"{fake.url}/acme/widgets/blob/fix/spin/now/src/spin.py#L1-L1"
    async with client_of(fake) as client:
        said = await ask(client, "read_file", repo=link, path=link)
        elsewhere = await fault(client, "read_file", **REPO, path=link.replace("widgets", "secret"))
        no_file = await fault(client, "read_file", **REPO, path=f"{fake.url}/acme/widgets/pulls")
    assert fenced(said) == "def spin(times: int) -> int:"
    assert said.splitlines()[-1].startswith("Lines 1 to 1 of 2; blob ")
    assert elsewhere == (
        "invalid_arguments",
        "`path` links to another repository than `repo`, acme/widgets.",
    )
    assert no_file[1].startswith("`path`: a link has to be one to a file, like ")


async def test_a_file_that_the_usual_answer_cannot_hold_is_read_by_its_blob(fake: FakeGitHub) -> None:
    text = "".join(f"line {number}\n" for number in range(150_000))
    repo = fake.repositories["acme/widgets"]
    repo.commit("main", {"big.txt": text, "huge.bin": b"x" * (10 * 1024 * 1024 + 1)}, "Big")
    async with client_of(fake) as client:
        said = await ask(client, "read_file", **REPO, path="big.txt", start=149_999)
        huge = await fault(client, "read_file", **REPO, path="huge.bin")
    assert fenced(said) == "line 149998\nline 149999"
    assert len(fake.asked("GET", "/repos/acme/widgets/git/blobs/*")) == 1
    assert huge == (
        "upstream_refused",
        "`huge.bin` has 10,485,761 bytes; files up to 10,485,760 can be read here.",
    )


async def test_lines_are_counted_as_git_does(fake: FakeGitHub) -> None:
    files = {"a.txt": "one\ftwo\r\nthree\u2028four\n\nfive", "empty.txt": ""}
    fake.repositories["acme/widgets"].commit("main", files, "Odd")
    async with client_of(fake) as client:
        last = await ask(client, "read_file", **REPO, path="a.txt", start=4)
        first = await ask(client, "read_file", **REPO, path="a.txt", lines=1)
        empty = await ask(client, "read_file", **REPO, path="empty.txt")
    assert fenced(last) == "five"
    assert "Lines 4 to 4 of 4; blob " in last
    assert fenced(first) == "onetwo"
    assert first.endswith("Invisible characters are left out here: an exact edit must not span them.")
    assert empty.startswith("acme/widgets/empty.txt is empty; blob ")


async def test_a_smaller_limit_of_the_operator_holds_for_files_too(fake: FakeGitHub) -> None:
    text = "".join(f"line {number}\n" for number in range(2_000))
    fake.repositories["acme/widgets"].commit("main", {"long.txt": text}, "Long")
    lines: list[str] = []
    async with client_of(fake, core=CoreSettings(max_answer_bytes=6_000)) as client:
        while len(lines) < 2_000:
            said = await ask(client, "read_file", **REPO, path="long.txt", start=len(lines) + 1)
            assert len(said.encode()) <= 6_000
            lines += fenced(said).splitlines()
    assert lines == text.splitlines()


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
