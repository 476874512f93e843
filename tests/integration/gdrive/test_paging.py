"""Pages leave nothing out, whatever happens between them; they and their cursors keep to a size."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from mcp.client import Client
from mcp_types import TextResourceContents

from integration.gdrive.working import ADA, BO, call, client_of, fenced
from standins.gdrive.state import FakeDrive

pytestmark = pytest.mark.anyio

ROOM = 24_000
CURSOR = 3_000


async def rows_of(
    client: Client, tool: str, act: Callable[[str], None] | None = None, /, **arguments: Any
) -> list[list[Any]]:
    """All rows, page by page; something is done about each file in between, by its id."""
    found: list[list[Any]] = []
    cursor: str | None = None
    while True:
        said, answer = await call(client, tool, **arguments, **({"cursor": cursor} if cursor else {}))
        assert len(said.encode()) <= ROOM
        found += answer["rows"]
        if act is not None:
            for row in answer["rows"]:
                act(row[0])
        cursor = answer.get("next_cursor")
        if cursor is None:
            return found
        assert len(cursor) <= CURSOR


@pytest.mark.parametrize("tool", ["list_folder", "search"])
async def test_what_is_dealt_with_in_between_makes_no_hole(fake: FakeDrive, tool: str) -> None:
    inbox = fake.folder("Inbox", ADA)
    names = [f"f{number}.txt" for number in range(9)]
    for name in names:
        fake.file(name, "x", ADA, parent=inbox)
    async with client_of(fake) as client:
        found = await rows_of(
            client, tool, lambda file: fake.trash(fake.store.files[file]), folder=inbox.id, limit=2
        )
    assert sorted(row[1] for row in found) == names


async def test_what_changes_in_between_is_shown_once(fake: FakeDrive) -> None:
    inbox = fake.folder("Inbox", ADA)
    for number in range(7):
        fake.file(f"f{number}.txt", "x", ADA, parent=inbox)
    async with client_of(fake) as client:
        found = await rows_of(
            client,
            "search",
            lambda file: fake.rename(fake.store.files[file], "done", ADA),
            folder=inbox.id,
            limit=3,
        )
    assert len({row[0] for row in found}) == len(found) == 7


async def test_a_deep_walk_fits_answers_and_leaves_nothing_out(fake: FakeDrive) -> None:
    deep = fake.folder("Deep", ADA)
    for number in range(60):
        below = fake.folder(f"{number:02d} {'long name ' * 20}", ADA, parent=deep)
        fake.file(f"{number:02d} {'x' * 150}.txt", "x", ADA, parent=below)
        fake.file("last.txt", "x", ADA, parent=fake.folder("in it", ADA, parent=below))
    async with client_of(fake) as client:
        for depth, rows in ((1, 60), (2, 180), (3, 240)):
            found = await rows_of(client, "list_folder", folder=deep.id, depth=depth, limit=200)
            assert len({row[0] for row in found}) == len(found) == rows


async def test_many_folders_fit_a_cursor(fake: FakeDrive) -> None:
    many = fake.folder("Many", ADA)
    for number in range(130):
        fake.folder(f"{number:03d}", ADA, parent=many)
    async with client_of(fake) as client:
        found = await rows_of(client, "list_folder", folder=many.id, depth=2, limit=50)
    assert [row[1] for row in found] == [f"{number:03d}" for number in range(130)]


async def test_many_changes_fit_answers(fake: FakeDrive) -> None:
    folder = fake.folder("p" * 200, ADA)
    async with client_of(fake) as client:
        _, answer = await call(client, "changes")
        for number in range(120):
            fake.file(f"{number:03d} {'n' * 200}", "x", ADA, parent=folder)
        names: list[str] = []
        for _ in range(10):
            said, answer = await call(client, "changes", cursor=answer["next_cursor"])
            assert len(said.encode()) <= ROOM
            assert len(answer["next_cursor"]) <= CURSOR
            names += [row[3][:3] for row in answer["rows"]]
    assert names == [f"{number:03d}" for number in range(120)]


async def test_comments_that_are_resolved_in_between_make_no_hole(fake: FakeDrive) -> None:
    spec = fake.document("Spec", "x", ADA)
    for number in range(60):
        fake.comment(spec, BO, f"question {number:02d} {'y' * 800}")
    seen: set[str] = set()
    more: dict[str, str] = {}
    async with client_of(fake) as client:
        while True:
            said, answer = await call(client, "comments", file=spec.id, open_only=True, **more)
            for number, question in re.findall(r"\[([\w-]+)\] Bo Reyes, [^:]*:\d\d: question (\d\d)", said):
                seen.add(question)
                spec.comments[number].resolved = True
            if not answer.get("next_cursor"):
                break
            more = {"cursor": answer["next_cursor"]}
    assert len(seen) == 60


async def test_a_comment_that_fills_more_than_an_answer_is_read_to_its_end(fake: FakeDrive) -> None:
    spec = fake.document("Spec", "x", ADA)
    fake.comment(spec, BO, f"begin {'“y”' * 12_000} end")
    fake.comment(spec, BO, "the next one")
    text, more = "", dict[str, str]()
    async with client_of(fake) as client:
        while True:
            said, answer = await call(client, "comments", file=spec.id, **more)
            assert len(said.encode()) <= ROOM
            text += answer["parts"]["comments"]
            if not answer.get("next_cursor"):
                break
            more = {"cursor": answer["next_cursor"]}
    assert f"begin {'“y”' * 12_000} end" in text
    assert text.count("the next one") == 1


async def test_cursors_of_resources_are_good_for_tools(fake: FakeDrive) -> None:
    inbox = fake.folder("Inbox", ADA)
    for number in range(130):
        fake.file(f"f{number:03d}.txt", "x", ADA, parent=inbox)
    async with client_of(fake) as client:
        (page,) = (await client.read_resource(f"gdrive://folder/{inbox.id}")).contents
        assert isinstance(page, TextResourceContents)
        found = re.search(r"next_cursor=(\S+)", page.text)
        assert found is not None
        _, answer = await call(client, "list_folder", folder=inbox.id, cursor=found[1])
    assert [row[1] for row in answer["rows"]] == [f"f{number:03d}.txt" for number in range(100, 130)]


@pytest.mark.parametrize(
    ("raw", "words"), [(True, "`search` with `raw_q`"), (False, "The operator can make")]
)
async def test_saved_searches_say_what_they_leave_out(fake: FakeDrive, *, raw: bool, words: str) -> None:
    for number in range(130):
        fake.file(f"f{number:03d}.txt", "x", ADA)
    fake.incomplete_search = True
    settings = {"searches": {"all": "name contains 'f'"}, "raw_queries": raw}
    async with client_of(fake, settings=settings) as client:
        (page,) = (await client.read_resource("gdrive://search/all")).contents
    assert isinstance(page, TextResourceContents)
    assert "Drive has not looked everywhere: there may be others. There are more than these." in page.text
    assert words in page.text


async def test_a_fence_is_walked_through_to_the_end(fake: FakeDrive) -> None:
    fake.crowd(files=250)
    async with client_of(fake, policy=fenced(fake.named("Plans").id)) as client:
        found = await rows_of(client, "search", limit=2)
    assert len(found) == 6


async def test_a_resource_key_opens_comments_and_revisions(fake: FakeDrive) -> None:
    brochure = fake.named("Brochure")
    fake.comment(brochure, ADA, "Nice?")
    link = f"https://drive.google.com/open?id={brochure.id}&resourcekey=0-brochurekey"
    async with client_of(fake, BO) as client:
        said, _ = await call(client, "comments", file=link)
        assert "Nice?" in said
        await client.call_tool("revisions", {"file": link})
    (asked,) = fake.asked("drive.revisions.list")
    assert asked.headers["x-goog-drive-resource-keys"] == f"{brochure.id}/0-brochurekey"
