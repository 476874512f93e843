"""Canvases are made and changed once, and only where the caller may write."""

from typing import Any

import pytest

from integration.slack.talking import bench_of, call, client_of, named, refusal, token_of
from integration.slack.writing import Person, fenced, writes
from ringmain_slack.settings import SlackSettings
from standins.slack.channel import Channel
from standins.slack.models import File
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio

NEW = {"title": "Notes", "markdown": "# Notes\n\nNothing yet."}


@pytest.fixture
def plan(fake: FakeSlack) -> File:
    """The canvas of #general: “# Plan”, “## Risks”, and a paragraph below each."""
    return fake.team.files[named(fake, "general").canvas]


def made_by_us(fake: FakeSlack, title: str = "Notes") -> list[File]:
    me = fake.team.known_user("ringmain").id
    return [one for one in fake.team.files.values() if one.user == me and one.title == title]


async def test_a_canvas_is_made_in_a_channel_or_of_ones_own(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        said, made = await call(client, "save_canvas", **NEW, channel="#general")
        _, own = await call(client, "save_canvas", **NEW)
    general = named(fake, "general")
    assert said.startswith(f"The canvas {made['id']} “Notes” is in #general.")
    assert fake.team.files[made["id"]].channels == [general.id]
    assert fake.team.files[own["id"]].channels == []
    assert fake.team.files[own["id"]].markdown == NEW["markdown"]
    assert writes(fake) == ["canvases.create", "canvases.create"]


@pytest.mark.parametrize(
    ("arguments", "markdown"),
    [
        ({"mode": "append"}, "# Plan\n\nWe ship on Friday.\n\n## Risks\n\nThe cache may be cold.\n\nNew"),
        ({"mode": "prepend"}, "New\n\n# Plan\n\nWe ship on Friday.\n\n## Risks\n\nThe cache may be cold."),
        (
            {"mode": "replace_section", "section": "risks"},
            "# Plan\n\nWe ship on Friday.\n\nNew\n\nThe cache may be cold.",
        ),
    ],
)
async def test_a_canvas_is_changed(
    fake: FakeSlack, plan: File, arguments: dict[str, Any], markdown: str
) -> None:
    wanted = {"canvas": plan.id, "markdown": "New", **arguments}
    async with client_of(fake) as client:
        _, shown = await call(client, "save_canvas", **wanted, dry_run=True)
        assert list(shown["requests"][0]) == ["canvases.edit"]
        assert writes(fake) == []
        await call(client, "save_canvas", **wanted)
    assert plan.markdown == markdown


async def test_a_heading_that_cannot_be_told_apart_is_refused_with_those_that_there_are(
    fake: FakeSlack, plan: File
) -> None:
    wanted = {"canvas": plan.id, "markdown": "New", "mode": "replace_section"}
    async with client_of(fake) as client:
        said, _ = await refusal(client, "save_canvas", **wanted, section="Costs")
        assert said.startswith("The canvas has no heading “Costs” that could be told apart; it has:\n")
        assert f" from='Slack file {plan.id}'>\nPlan\nRisks\n</untrusted-" in said
        plan.sections |= fake.sections("### Risks\n\n## More risks")
        said, _ = await refusal(client, "save_canvas", **wanted, section="## Risks")
        assert "more than one heading" in said
        await call(client, "save_canvas", **wanted, section="More risks")
    assert plan.markdown.endswith("### Risks\n\nNew")


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ({"title": None}, "A new canvas needs a `title`."),
        ({"markdown": ""}, "`markdown` has nothing in it"),
        ({"markdown": "x" * 1_000_001}, "or more than 1,000,000 bytes"),
        ({"mode": "append"}, "A new canvas takes `title`"),
        ({"section": "Risks"}, "A new canvas takes `title`"),
        ({"channel": "old"}, "#old is archived"),
        ({"channel": "secret"}, "is not there, or not among those that you may use"),
        ({"canvas": "F0000000001", "mode": "append", "title": None}, "The file F0000000001 is not there"),
        ({"canvas": "F0000000001", "mode": "append"}, "`title` and `channel` are for a new canvas."),
    ],
)
async def test_what_does_not_fit_is_refused(fake: FakeSlack, arguments: dict[str, Any], advice: str) -> None:
    async with client_of(fake) as client:
        said, _ = await refusal(client, "save_canvas", **{**NEW, **arguments})
    assert advice in said
    assert writes(fake) == []


async def test_a_file_is_no_canvas(fake: FakeSlack) -> None:
    notes = next(one for one in fake.team.files.values() if one.name == "notes.txt")
    async with client_of(fake) as client:
        said, _ = await refusal(client, "save_canvas", canvas=notes.id, markdown="x", mode="append")
    assert said == f"{notes.id} is a file, and no canvas."


async def test_canvases_outside_the_fence_are_not_touched(fake: FakeSlack, plan: File) -> None:
    own = fake.canvas("Own", "x", user="ringmain")
    hidden = fake.canvas("Hidden", "x", user="ringmain", channels=[named(fake, "ops").id])
    async with client_of(fake, policy=fenced("#random")) as client:
        await call(client, "save_canvas", canvas=own.id, markdown="y", mode="append")
        for canvas in (plan, hidden):
            _, error = await refusal(client, "save_canvas", canvas=canvas.id, markdown="y", mode="append")
            assert error["code"] == "outside_fence"
        _, error = await refusal(client, "save_canvas", **NEW, channel="general")
        assert error["code"] == "outside_fence"
    assert own.markdown == "x\n\ny"
    assert writes(fake) == ["canvases.edit"]


async def test_a_new_canvas_whose_answer_was_lost_is_found(fake: FakeSlack) -> None:
    fake.canvas("Notes", "Older", user="ringmain")
    fake.fault("canvases.create", "done-cut")
    async with client_of(fake) as client:
        _, made = await call(client, "save_canvas", **NEW, channel="general", idempotency_key="k")
        await call(client, "save_canvas", **NEW, channel="general", idempotency_key="k")
    assert [one.id for one in made_by_us(fake)][1:] == [made["id"]]
    assert writes(fake) == ["canvases.create"]


async def test_a_canvas_that_was_not_made_is_made_by_its_key(fake: FakeSlack) -> None:
    fake.fault("canvases.create", "cut")
    async with client_of(fake) as client:
        _, error = await refusal(client, "save_canvas", **NEW, idempotency_key="k")
        assert error["code"] == "outcome_unknown"
        _, made = await call(client, "save_canvas", **NEW, idempotency_key="k")
    assert [one.id for one in made_by_us(fake)] == [made["id"]]


@pytest.mark.parametrize("fault", ["cut", "done-cut", "done-500"])
async def test_a_change_whose_answer_was_lost_is_made_once(fake: FakeSlack, plan: File, fault: str) -> None:
    wanted = {"canvas": plan.id, "markdown": "- **new** words", "mode": "append", "idempotency_key": "k"}
    plan.sections |= fake.sections("new words")
    fake.fault("canvases.edit", fault)
    async with client_of(fake) as client:
        if fault == "cut":
            _, error = await refusal(client, "save_canvas", **wanted)
            assert error["code"] == "outcome_unknown"
        await call(client, "save_canvas", **wanted)
        await call(client, "save_canvas", **wanted)
    assert plan.markdown.count("- **new** words") == 1


async def test_a_change_that_cannot_be_told_from_others_stays_unknown(fake: FakeSlack, plan: File) -> None:
    wanted = {"canvas": plan.id, "markdown": "New", "mode": "append", "idempotency_key": "k"}
    fake.fault("canvases.edit", "cut")
    async with client_of(fake) as client:
        await refusal(client, "save_canvas", **wanted)
        plan.sections |= fake.sections("Somebody else's")
        said, error = await refusal(client, "save_canvas", **wanted)
    assert error["code"] == "outcome_unknown"
    assert "Read it before you try again." in said
    assert len(writes(fake)) == 1


async def test_after_reading_something_private_a_person_is_asked(fake: FakeSlack, plan: File) -> None:
    person = Person(says=False)
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "read_channel", channel="ops")
        await refusal(client, "save_canvas", canvas=plan.id, markdown="x", mode="append")
        await refusal(client, "save_canvas", **NEW, channel="general")
    assert [question.partition("?")[0] for question in person.asked] == [
        "Change the canvas “Plan”",
        "Create a canvas in #general",
    ]
    assert writes(fake) == []


async def test_a_change_reaches_everybody_wherever_a_canvas_is_shared(fake: FakeSlack) -> None:
    ops, general = named(fake, "ops"), named(fake, "general")
    board = fake.channel("board", "private", members=["ada", "bo", "ringmain"])
    partners = fake.channel("partners", members=["ada", "ringmain"], external=True)
    hidden = fake.channel("hidden", "private", members=["ada"])

    def shared_in(*channels: Channel) -> File:
        made = fake.canvas("Joint", "# Joint", user="ada", channels=[one.id for one in channels])
        made.access |= {one.id: "write" for one in channels}
        return made

    async def asked_after(channel: str, canvas: File) -> str:
        person = Person(says=False)
        wanted = {"canvas": canvas.id, "markdown": "x", "mode": "append"}
        async with client_of(fake, elicitation_callback=person) as client:
            await call(client, "read_channel", channel=channel)
            await client.call_tool("save_canvas", wanted)
        return person.asked[0] if person.asked else ""

    assert await asked_after("ops", shared_in(ops)) == ""
    assert "Others will see it" in await asked_after("ops", shared_in(ops, board))
    assert "More people will see it (public)" in await asked_after("ops", shared_in(ops, hidden))
    assert "More people will see it (public)" in await asked_after("general", shared_in(general, partners))
    assert "More people will see it (public)" in await asked_after("general", shared_in(partners, general))


async def test_a_canvas_in_several_conversations_is_changed_after_it_was_read(fake: FakeSlack) -> None:
    board = fake.channel("board", "private", members=["ada", "bo", "ringmain"])
    made = fake.canvas("Joint", "# Joint", user="ada", channels=[named(fake, "ops").id, board.id])
    made.access[board.id] = "write"
    async with client_of(fake, elicitation_callback=Person(says=False)) as client:
        await call(client, "read_file", file=made.id)
        await call(client, "save_canvas", canvas=made.id, markdown="x", mode="append")
    assert made.markdown == "# Joint\n\nx"


async def test_headings_that_were_told_count_as_read(fake: FakeSlack) -> None:
    made = fake.canvas("Pay", "# Bo earns 1", user="ada", channels=[named(fake, "ops").id])
    wanted = {"canvas": made.id, "markdown": "x", "mode": "replace_section", "section": "None"}
    async with client_of(fake, elicitation_callback=Person(says=False)) as client:
        await refusal(client, "save_canvas", **wanted)
        _, error = await refusal(client, "send_message", channel="#general", text="Bo earns 1")
    assert error["code"] == "declined"


async def test_a_link_says_in_which_workspace_a_canvas_is(fake: FakeSlack) -> None:
    labs = fake.workspace("Labs")
    labs.user("ringmain", "Ringmain", bot=True)
    general = labs.channel("general", members=["ringmain"])
    made = labs.canvas("Joint", "# Joint", user="ringmain", channels=[general.id])
    token = fake.token("labs", "xoxb", user="ringmain", team=labs.id)
    tokens = {"acme": token_of(fake, "bot"), "labs": token}
    settings = SlackSettings.model_validate({"url": fake.url, "tokens": tokens})
    link = f"https://labs.slack.com/docs/U000000001/{made.id}"
    fake.fault("canvases.edit", "done-cut")
    fake.fault("canvases.getContent", "error", error="internal_error", skip=1, times=3)
    wanted = {"canvas": link, "markdown": "x", "mode": "append", "idempotency_key": "k"}
    async with client_of(fake, settings=settings) as client:
        await refusal(client, "save_canvas", **wanted)
        await call(client, "save_canvas", **wanted)
        said, _ = await call(client, "read_file", file=link, workspace="acme")
    assert "# Joint" in said
    assert writes(fake) == ["canvases.edit"]


async def test_contents_do_not_reach_the_audit(fake: FakeSlack) -> None:
    async with bench_of(fake) as at:
        await call(at.client, "save_canvas", title="Notes", markdown="a private word")
    assert "a private word" not in str(at.audit.records)
