"""History and diffs: filters, links, what GitHub leaves out, and going on to the last line."""

from typing import Any

import pytest

from integration.github.pulling import POLICY, PULL, REPO, call, client_of, structured
from ringmain_github.tools import history
from standins.asking import ask, fault, fenced
from standins.github import pulls
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio


async def test_commits_are_found_by_branch_path_author_and_time(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    feature = repo.at("feature")
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"ref": "feature", "limit": 1}, ["Spin further"]),
        ({"ref": "v1.0"}, ["Begin"]),
        ({"ref": "feature", "path": "src"}, ["Spin further", "Begin"]),
        ({"ref": "feature", "author": "octocat"}, ["Begin"]),
        ({"ref": "feature", "since": feature.date}, ["Spin further"]),
        ({"ref": "feature", "until": repo.at("v1.0").date}, ["Begin"]),
        ({"path": "nowhere"}, []),
    ]
    async with client_of(fake) as client:
        for arguments, messages in cases:
            _, found = await call(client, "list_commits", {**REPO, **arguments})
            assert [row[3] for row in found["rows"]] == messages
        said, _ = await call(client, "list_commits", {**REPO, "ref": "v1.0"})
    assert fenced(said).splitlines() == [
        "sha | author | date | message",
        f"{repo.sha('v1.0')} | octocat | {repo.at('v1.0').date} | Begin",
    ]


async def test_what_a_message_hides_is_not_told(fake: FakeGitHub) -> None:
    message = "Fix\u202e it\n\n" + "\U000e0041" * 10
    fake.repositories["acme/widgets"].commit("main", {"a": "a"}, message, author="mona")
    async with client_of(fake) as client:
        _, found = await call(client, "list_commits", {**REPO, "limit": 1})
    assert [row[3] for row in found["rows"]] == ["Fix it"]


async def test_a_diff_is_read_as_a_model_would(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        said = await ask(client, "get_diff", **PULL, paths=["src/**"])
    assert fenced(said).splitlines() == [
        "added src/new.py +1 -0",
        "modified src/spin.py +1 -1",
        "",
        "--- src/new.py",
        "@@ -0,0 +1 @@",
        "+NEW = 1",
        "--- src/spin.py",
        "@@ -1,2 +1,2 @@",
        " def spin(times: int) -> int:",
        "-    return times * 360",
        "+    return times * 361",
    ]
    assert said.splitlines()[-1] == "2 of 3 files."


async def test_a_commit_and_a_comparison_can_be_given_as_links(fake: FakeGitHub) -> None:
    sha = fake.repositories["acme/widgets"].sha("feature")
    web = f"{fake.url}/acme/widgets"
    async with client_of(fake) as client:
        plain = await ask(client, "get_diff", **REPO, sha=sha)
        linked = await ask(client, "get_diff", **REPO, sha=f"{web}/commit/{sha}")
        span = await ask(client, "get_diff", **REPO, range="main..feature")
        compared = await ask(client, "get_diff", **REPO, range=f"{web}/compare/main...feature?w=1")
        pull = await ask(client, "get_diff", **REPO, number=f"{web}/pull/4/files")
    assert fenced(plain) == fenced(linked) == fenced(span) == fenced(compared) == fenced(pull)
    assert span.splitlines()[-1] == "What `feature` has changed since it left `main`."


async def test_what_is_not_there_is_said(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        ref = await fault(client, "get_diff", **REPO, range="main..nowhere")
        commit = await fault(client, "get_diff", **REPO, sha="f" * 40)
        half = await fault(client, "get_diff", **REPO, range="main")
        two = await fault(client, "get_diff", **PULL, sha="f" * 40)
    assert ref[1] == "acme/widgets has no `main`, or no `nowhere`, or they have nothing in common."
    assert commit == (
        "upstream_refused",
        f"GitHub refuses this: No commit found for SHA: {'f' * 40}.",
    )
    assert half[1] == "`range`: write it as `base..head`, like `v1.0..main`."
    assert two[1] == "Give one of `number`, `sha` and `range`."


@pytest.mark.parametrize("span", ["main..mona:main", "mona:widgets:main..main", "main...mona:secret:main"])
async def test_a_comparison_never_leads_into_another_repository(fake: FakeGitHub, span: str) -> None:
    async with client_of(fake, POLICY) as client:
        said = await fault(client, "get_diff", **REPO, range=span)
    assert said == (
        "invalid_arguments",
        "`range`: both ends have to be in this repository; for a fork give a `number`.",
    )
    assert fake.asked("GET", "/repos/acme/widgets/compare/*") == []


async def test_files_without_a_patch_say_so(fake: FakeGitHub) -> None:
    fake.repositories["acme/widgets"].commit("feature", {"logo.png": b"\x89PNG\0\1"}, "Logo")
    async with client_of(fake) as client:
        said = await ask(client, "get_diff", **REPO, sha="feature")
    assert fenced(said).splitlines()[-1] == (
        "(GitHub shows no patch: the file is no text, empty, or its change too large; see `read_file`)"
    )


async def test_a_comparison_of_more_files_than_github_shows_says_so(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    repo.commit("feature", {f"n/{number:03}": "x\n" for number in range(320)}, "Many", author="mona")
    async with client_of(fake) as client:
        said = await ask(client, "get_diff", **REPO, range="main..feature")
    assert "\n300 files.\n" in said
    assert "GitHub shows the first 300 files of it only." in said


async def test_pages_of_few_lines_make_up_the_whole_diff(fake: FakeGitHub) -> None:
    text = "".join(f"{line}\n" for line in range(100))
    fake.repositories["acme/widgets"].commit("feature", {"long.txt": text, "wide.txt": "x" * 90_000}, "Long")
    pages: list[str] = []
    cursor: str | None = None
    async with client_of(fake) as client:
        while cursor is not None or not pages:
            more = {"cursor": cursor} if cursor else {}
            said = await ask(client, "get_diff", **REPO, sha="feature", max_lines=30, **more)
            assert len(said.encode()) <= 24_000
            pages.append(fenced(said))
            cursor = said.rpartition("next_cursor=")[2] if "next_cursor=" in said else None
        stray = await fault(client, "get_diff", **PULL, cursor="x" * 40)
    lines = [line for page in pages for line in page.splitlines()]
    assert [line[1:] for line in lines if line.startswith("+") and line[1:].isdigit()] == text.splitlines()
    assert "--- long.txt (from line 31 of 101 of its patch)" in lines
    assert lines[-1].endswith("[… the line has 90,001 characters; `read_file` may show more]")
    assert stray[0] == "invalid_cursor"


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


async def test_pages_of_a_diff_begin_anew_after_a_push(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    files = {f"f{number}.txt": "x\n" * 60 for number in range(8)}
    repo.commit("feature", dict(files), "Many", author="mona")
    async with client_of(fake) as client:
        first = await ask(client, "get_diff", **PULL, max_lines=200)
        cursor = first.rpartition("next_cursor=")[2]
        same = await ask(client, "get_diff", **PULL, max_lines=200, cursor=cursor)
        repo.commit("feature", {"a.txt": "malware\n", "f0.txt": None}, "Sneak", author="mona")
        other = await ask(client, "get_diff", **PULL, max_lines=200, cursor=cursor)
        fresh = await ask(client, "get_diff", **PULL, max_lines=200)
    assert "begins anew" not in same
    assert "It is another diff than on the page before, so it begins anew." in other
    assert fenced(other) == fenced(fresh)


async def test_a_pull_request_of_more_files_than_github_lists_says_so(
    fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_MOST_FILES", 2)
    monkeypatch.setattr(pulls, "_MOST_FILES", 2)
    async with client_of(fake) as client:
        said = await ask(client, "get_diff", **PULL, paths=["nothing"])
        fake.repositories["acme/widgets"].commit("feature", {"src/new.py": None}, "Fewer", author="mona")
        all_of_it = await ask(client, "get_diff", **PULL)
    assert said.splitlines()[-1] == "GitHub shows the first 2 files of it only."
    assert "GitHub shows" not in all_of_it


@pytest.mark.parametrize("name", ["since", "until"])
async def test_a_moment_is_one(fake: FakeGitHub, name: str) -> None:
    async with client_of(fake) as client:
        code, said = await fault(client, "list_commits", **REPO, **{name: "last tuesday"})
        await ask(client, "list_commits", **REPO, **{name: "2026-01-31"})
    assert (code, said) == (
        "invalid_arguments",
        f"`{name}`: write it like 2026-01-31 or 2026-01-31T12:00:00Z.",
    )
    (sent,) = fake.asked("GET", "/repos/acme/widgets/commits")
    assert sent.query[name] == "2026-01-31T00:00:00Z"
