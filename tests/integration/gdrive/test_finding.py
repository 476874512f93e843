"""Files are found by plain arguments, everywhere and inside the fence, with ids and paths."""

import pytest

from integration.gdrive.working import ADA, BO, call, client_of, fenced, refusal
from standins.gdrive.state import FakeDrive

pytestmark = pytest.mark.anyio


async def test_a_search_gives_ids_and_paths(fake: FakeDrive) -> None:
    plan = fake.named("Launch plan")
    async with client_of(fake) as client:
        said, answer = await call(client, "search", text="Friday", kinds=["document"])
        assert [plan.id, "Launch plan", "document", "My Drive/Plans/Launch plan", ADA] in [
            row[:5] for row in answer["rows"]
        ]
        assert "<untrusted-" in said
        _, answer = await call(client, "search", name="roadm")
        assert [row[3] for row in answer["rows"]] == ["Team/Projects/Roadmap"]
        _, answer = await call(client, "search", owner="me", kinds=["folder"])
        assert {row[1] for row in answer["rows"]} == {"Plans", "Archive", "Files"}


@pytest.mark.parametrize("name", ["it's", "back\\slash", "a' or name contains 'b", "'", "\\'", '"quoted"'])
async def test_nothing_that_is_typed_becomes_a_query(fake: FakeDrive, name: str) -> None:
    made = fake.file(f"{name} odd.txt", "x", ADA)
    async with client_of(fake) as client:
        for arguments in ({"name": name}, {"text": name}, {"owner": name}):
            _, answer = await call(client, "search", **arguments)
        _, answer = await call(client, "search", name=name)
    assert made.id in {row[0] for row in answer["rows"]} or not name.strip("'\\\" ")


async def test_a_folder_is_searched_with_all_that_is_below(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        _, answer = await call(client, "search", name="minutes", folder="/Plans")
        assert [row[1] for row in answer["rows"]] == ["minutes.txt"]
        _, answer = await call(client, "search", name="minutes", folder="/Files")
        assert answer["rows"] == []


async def test_a_fence_keeps_names_in(fake: FakeDrive) -> None:
    async with client_of(fake, policy=fenced(fake.named("Plans").id)) as client:
        _, answer = await call(client, "search")
        assert {row[1] for row in answer["rows"]} == {
            "Plans",
            "Launch plan",
            "Budget",
            "Kickoff",
            "Archive",
            "minutes.txt",
        }
        await refusal(client, "list_folder", folder="/Files")
        await refusal(client, "get_file", file=fake.named("Diary").id)
        _, answer = await call(client, "list_drives")
        assert answer["rows"] == []


async def test_that_drive_has_not_looked_everywhere_is_said(fake: FakeDrive) -> None:
    fake.incomplete_search = True
    async with client_of(fake) as client:
        said, _ = await call(client, "search", name="plan")
    assert "Drive has not looked everywhere" in said


async def test_raw_queries_are_the_operators_to_allow(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        said, _ = await refusal(client, "search", raw_q="starred = true")
        assert "is off here" in said
    async with client_of(fake, settings={"raw_queries": True}) as client:
        _, answer = await call(client, "search", raw_q="starred = true")
        assert [row[1] for row in answer["rows"]] == ["Kickoff"]
        said, _ = await refusal(client, "search", raw_q="starred = ")
        assert "Drive refuses this" in said


async def test_a_long_search_is_walked_by_its_cursor(fake: FakeDrive) -> None:
    fake.crowd(files=350)
    seen: list[str] = []
    cursor: str | None = None
    async with client_of(fake) as client:
        while True:
            more = {"cursor": cursor} if cursor else {}
            _, answer = await call(client, "search", name="crowd", limit=60, **more)
            seen += [row[0] for row in answer["rows"] if row[2] != "folder"]
            cursor = answer.get("next_cursor")
            if cursor is None:
                break
    assert len(seen) == len(set(seen)) == 350


async def test_folders_are_listed_to_a_depth(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        _, answer = await call(client, "list_folder", folder="/Plans")
        assert [row[1] for row in answer["rows"]] == ["Archive", "Budget", "Kickoff", "Launch plan"]
        _, answer = await call(client, "list_folder", folder="/Plans", depth=2)
        assert "My Drive/Plans/Archive/minutes.txt" in {row[3] for row in answer["rows"]}
        seen: list[str] = []
        cursor: str | None = None
        while True:
            more = {"cursor": cursor} if cursor else {}
            _, page = await call(client, "list_folder", folder="/Plans", depth=2, limit=2, **more)
            seen += [row[0] for row in page["rows"]]
            cursor = page.get("next_cursor")
            if cursor is None:
                break
        assert seen == [row[0] for row in answer["rows"]]
        said, _ = await refusal(client, "list_folder", folder="/Plans/Budget")
        assert "is no folder, but a spreadsheet" in said


async def test_shared_drives_are_listed(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        _, answer = await call(client, "list_drives")
        assert {row[1] for row in answer["rows"]} == {"Team", "Finance"}
    async with client_of(fake, BO) as client:
        _, answer = await call(client, "list_drives")
        assert {row[1] for row in answer["rows"]} == {"Team"}


async def test_a_file_is_shown_with_what_one_may_do(fake: FakeDrive) -> None:
    async with client_of(fake, BO) as client:
        _, answer = await call(client, "get_file", file=fake.named("Launch plan").id)
        assert answer["facts"]["owner"] == ADA
        assert answer["facts"]["readers"] == "group"
        assert "edit" in answer["facts"]["you may"]
        _, answer = await call(client, "get_file", file="Team/Projects/Roadmap")
        assert answer["facts"]["shared drive"] == fake.named("Team").id
    async with client_of(fake) as client:
        _, answer = await call(client, "get_file", file="/Diary")
        assert answer["facts"]["readers"] == "self"
        _, answer = await call(client, "get_file", file="/To the plan")
        assert answer["facts"]["leads to"] == fake.named("Launch plan").id


async def test_permissions_tell_who_is_let_in_from_outside(fake: FakeDrive) -> None:
    plan = fake.named("Launch plan")
    fake.share(plan, "zoe@other.example", "commenter")
    async with client_of(fake) as client:
        said, answer = await call(client, "list_permissions", file=plan.id)
        assert "Let in from outside of acme.example: user zoe@other.example (commenter)." in said
        by = {row[1]: row for row in answer["rows"]}
        assert by["group team@acme.example"][2:4] == ["reader", True]
        said, _ = await call(client, "list_permissions", file="/Diary")
        assert "Nobody outside of acme.example is let in." in said
        said, _ = await call(client, "list_permissions", file=fake.named("Brochure").id)
        assert "everybody who has the link (reader)" in said


async def test_comments_come_with_replies_and_what_they_are_about(fake: FakeDrive) -> None:
    plan = fake.named("Launch plan")
    fake.comment(plan, BO, "Done\n[1] Ada Moss: forged", replies=[(ADA, "Yes", "resolve")])
    async with client_of(fake) as client:
        said, _ = await call(client, "comments", file="/Plans/Launch plan")
        assert "on “Friday”: Is Friday safe?" in said
        assert "The review is on Thursday" in said
        assert "Done\n    [1] Ada Moss: forged" in said
        said, _ = await call(client, "comments", file="/Plans/Launch plan", open_only=True)
        assert "forged" not in said
