"""Search: kept inside of the fence without telling of what is outside, and honest about what is missing."""

from typing import Any

import pytest

from integration.github.pulling import POLICY, REPO, call, client_of, writes
from standins.asking import fault, fenced
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio


def inside(*patterns: str) -> str:
    fence = ", ".join(f'"{pattern}"' for pattern in patterns)
    return POLICY.replace("confirm = []", f'confirm = []\nfence = {{ "github.repo" = [{fence}] }}')


def asked(fake: FakeGitHub) -> list[str]:
    return [one.query["q"] for one in fake.requests if one.path.startswith("/search/")]


@pytest.mark.parametrize(
    ("kind", "query", "said"),
    [
        (
            "issues",
            "wobbles",
            [
                "repository | number | title | state | author | updated",
                "acme/widgets | 1 | It wobbles | open | mona | ",
            ],
        ),
        (
            "prs",
            "further",
            [
                "repository | number | title | state | author | updated",
                "acme/widgets | 4 | Spin further | open | mona | ",
            ],
        ),
        (
            "code",
            "NEW path:src",
            ["repository | path | fragments"],
        ),
        (
            "code",
            "rpm360 OR times filename:spin.py",
            ["repository | path | fragments"],
        ),
        (
            "repos",
            "widgets",
            [
                "repository | description | language | stars | pushed",
                "acme/widgets | Widgets that spin | ",
            ],
        ),
        (
            "commits",
            "begin",
            ["repository | sha | author | date | message", "acme/widgets | ", "acme/secret | "],
        ),
        ("users", "mona", ["login | kind | url", "mona | User | "]),
    ],
)
async def test_every_kind_is_told_as_rows(fake: FakeGitHub, kind: str, query: str, said: list[str]) -> None:
    async with client_of(fake) as client:
        text, _ = await call(client, "search", {"kind": kind, "query": query})
    lines = fenced(text).splitlines()
    assert len(lines) == len(said)
    assert all(line.startswith(begin) for line, begin in zip(lines, said, strict=True))


async def test_code_is_found_with_what_matches(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        _, found = await call(client, "search", {"kind": "code", "query": "times filename:spin.py", **REPO})
    assert found["rows"] == [
        ["acme/widgets", "src/spin.py", ["def spin(times: int) -> int:\n    return times * 360\n"]]
    ]
    assert asked(fake) == ["times filename:spin.py repo:acme/widgets"]


@pytest.mark.parametrize(
    ("patterns", "qualifiers"),
    [
        (["acme/*"], " user:acme"),
        (["acme/widgets", "mona/*"], " (repo:acme/widgets OR user:mona)"),
        (["acme/wid*", "nonsense"], " user:acme"),
        (["*/widgets"], ""),
        ([f"acme/{letter}" for letter in "abcdefg"], ""),
    ],
)
async def test_a_fence_is_part_of_the_question_where_it_can_be_said(
    fake: FakeGitHub, patterns: list[str], qualifiers: str
) -> None:
    async with client_of(fake, inside(*patterns)) as client:
        await call(client, "search", {"kind": "issues", "query": "a"})
    assert asked(fake) == [f"(a) is:issue{qualifiers}"]


async def test_a_fence_of_several_places_is_searched_in_all_of_them(fake: FakeGitHub) -> None:
    fake.repository("mona/toys").issue("It wobbles, too")
    async with client_of(fake, inside("acme/widgets", "mona/*")) as client:
        _, found = await call(client, "search", {"kind": "issues", "query": "wobbles"})
    assert [row[0] for row in found["rows"]] == ["mona/toys", "acme/widgets"]


async def test_of_what_is_outside_not_even_the_number_is_told(fake: FakeGitHub) -> None:
    async with client_of(fake, inside("*/widgets")) as client:
        some, found = await call(client, "search", {"kind": "issues", "query": "secret"})
        none, nothing = await call(client, "search", {"kind": "issues", "query": "unheard-of"})
    assert found == nothing
    assert found["rows"] == []
    assert found["note"] == (
        "Only what you may use is shown (*/widgets); the rest is left out, uncounted. GitHub gives out the "
        "first 1,000 results only: narrow the query for others."
    )
    assert some.splitlines()[1:2] == none.splitlines()[1:2]
    assert "acme/secret" not in some


@pytest.mark.parametrize(
    "query",
    [
        "a repo:acme/secret",
        "a REPO:acme/secret",
        'a repo:"acme/secret"',
        "a (repo:acme/secret)",
        "a -repo:acme/secret",
        "x) OR (a repo:acme/secret",
        "a org:acme",
        "a user:acme",
        "a owner:mona",
        "a repo:acme/widgets repo:acme/secret",
    ],
)
@pytest.mark.parametrize("more", [{}, REPO])
async def test_a_qualifier_cannot_lead_out_of_the_fence(
    fake: FakeGitHub, query: str, more: dict[str, str]
) -> None:
    async with client_of(fake, inside("acme/widgets")) as client:
        code, said = await fault(client, "search", kind="issues", query=query, **more)
    assert code == "outside_fence"
    assert "is not there, or not among" in said
    assert asked(fake) == []


async def test_a_qualifier_inside_of_the_fence_is_taken(fake: FakeGitHub) -> None:
    async with client_of(fake, inside("acme/widgets")) as client:
        _, found = await call(client, "search", {"kind": "issues", "query": "wobbles repo:Acme/Widgets"})
    assert [row[:2] for row in found["rows"]] == [["acme/widgets", 1]]
    assert asked(fake) == ["(wobbles repo:Acme/Widgets) is:issue repo:acme/widgets"]


@pytest.mark.parametrize("kind", ["issues", "code", "commits", "repos"])
@pytest.mark.parametrize("patterns", [["acme/widgets"], ["acme/wid*"], ["*/widgets"]])
@pytest.mark.parametrize("more", ["", " -repo:acme/widgets"])
async def test_how_much_there_is_outside_of_the_fence_shows_in_nothing(
    fake: FakeGitHub, kind: str, patterns: list[str], more: str
) -> None:
    secret = fake.repositories["acme/secret"]
    secret.commit("main", {f"{number}.txt": "payroll" for number in range(3)}, "payroll")
    for number in range(3):
        secret.issue(f"payroll {number}")
        fake.repository(f"acme/payroll-{number}", private=True).commit("main", {"a": "b"}, "Begin")
    async with client_of(fake, inside(*patterns)) as client:
        found, nothing = [
            (await call(client, "search", {"kind": kind, "query": query + more, "limit": 1}))[1]
            for query in ("payroll", "unheard-of")
        ]
    assert found == nothing
    assert found["rows"] == []


async def test_what_is_inside_is_told_page_by_page_whatever_stands_between(fake: FakeGitHub) -> None:
    for number in range(150):
        fake.repositories["acme/widgets" if number % 50 == 0 else "acme/secret"].issue(f"payroll {number}")
    titles: list[str] = []
    cursor: str | None = None
    async with client_of(fake, inside("acme/wid*")) as client:
        while cursor is not None or not titles:
            more = {"cursor": cursor} if cursor else {}
            arguments = {"kind": "issues", "query": "payroll", "limit": 2, **more}
            _, found = await call(client, "search", arguments)
            titles += [row[2] for row in found["rows"]]
            cursor = found.get("next_cursor")
    assert titles == ["payroll 100", "payroll 50", "payroll 0"]
    assert [one.query["page"] for one in fake.requests if one.path == "/search/issues"] == ["1", "2", "2"]


@pytest.mark.parametrize(
    "query", ["x) OR (payroll", "(payroll", 'payroll "', '"(" ) OR (payroll ")"', '")" (']
)
async def test_a_query_that_could_leave_its_place_is_refused(fake: FakeGitHub, query: str) -> None:
    async with client_of(fake, inside("acme/widgets")) as client:
        code, said = await fault(client, "search", kind="issues", query=query)
    assert (code, said) == ("invalid_arguments", "`query`: quotes and parentheses have to come in pairs.")
    assert asked(fake) == []


async def test_places_of_the_query_are_not_widened_to_the_fence(fake: FakeGitHub) -> None:
    async with client_of(fake, inside("acme/widgets", "mona/*")) as client:
        _, found = await call(client, "search", {"kind": "code", "query": "times repo:acme/widgets"})
    assert {row[0] for row in found["rows"]} == {"acme/widgets"}
    assert asked(fake) == ["times repo:acme/widgets"]


async def test_who_can_read_much_that_was_found_is_looked_up_in_turn(fake: FakeGitHub) -> None:
    for number in range(60):
        fake.repository(f"pub/r{number}").issue("quux problem")
    fake.fault("/repos/pub/*", "GET", "slow", times=None, seconds=0.05)
    async with client_of(fake) as client:
        _, found = await call(client, "search", {"kind": "issues", "query": "quux", "limit": 100})
        await call(client, "comment", {**REPO, "number": 1, "body": "All of that is public"})
    assert len(found["rows"]) == 60


async def test_alternatives_do_not_lead_out_of_a_repository(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        await call(client, "search", {"kind": "issues", "query": "a OR b", **REPO})
    assert asked(fake) == ["(a OR b) is:issue repo:acme/widgets"]


async def test_results_are_told_page_by_page_and_beyond_a_thousand_it_is_said_that_there_are_more(
    fake: FakeGitHub,
) -> None:
    repo = fake.repository("acme/busy")
    for number in range(1_010):
        repo.issue(f"Busy {number}")
    arguments = {"kind": "issues", "query": "busy", "repo": "acme/busy", "limit": 100}
    titles: list[str] = []
    found: dict[str, Any] = {}
    cursor: str | None = None
    async with client_of(fake) as client:
        while cursor is not None or not titles:
            more = {"cursor": cursor} if cursor else {}
            _, found = await call(client, "search", {**arguments, **more})
            titles += [row[2] for row in found["rows"]]
            cursor = found.get("next_cursor")
    assert titles == [f"Busy {number}" for number in reversed(range(10, 1_010))]
    assert found["total"] == 1_010
    assert found["note"] == ("GitHub gives out the first 1,000 results only: narrow the query for others.")


async def test_a_search_that_ran_out_of_time_is_not_passed_off_as_whole(fake: FakeGitHub) -> None:
    fake.search_ran_out = True
    async with client_of(fake) as client:
        said, _ = await call(client, "search", {"kind": "issues", "query": "wobbles"})
    assert said.splitlines()[-1] == "GitHub ran out of time, so results are missing: narrow the query."


@pytest.mark.parametrize("kind", ["issues", "code", "commits", "repos"])
async def test_what_was_found_in_private_is_not_told_in_public_without_a_person(
    fake: FakeGitHub, kind: str
) -> None:
    comment: dict[str, Any] = {**REPO, "number": 1, "body": "Look at this"}
    queries = {"issues": "secret", "code": "Secret", "commits": "begin", "repos": "secret"}
    async with client_of(fake) as client:
        await call(client, "search", {"kind": kind, "query": "nothing-like-this", **REPO})
        await call(client, "comment", comment)
        await call(client, "search", {"kind": kind, "query": queries[kind]})
        code, _ = await fault(client, "comment", **comment)
    assert code == "confirmation_needed"
    assert len(writes(fake)) == 1


async def test_what_github_makes_of_a_query_is_passed_on(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        code, said = await fault(client, "search", kind="code", query="language:python")
    assert (code, said) == (
        "upstream_refused",
        "GitHub refuses this: Validation Failed; Search text is required.",
    )
