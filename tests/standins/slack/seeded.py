"""A handy Slack: the workspace Acme with people, channels, a thread, files, a canvas and tokens."""

from standins.slack.state import FakeSlack

NOTES = "Deploy notes\n\n1. Drain\n2. Deploy\n3. Look\n"
PLAN = "# Plan\n\nWe ship on Friday.\n\n## Risks\n\nThe cache may be cold."
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde"


def seeded() -> FakeSlack:
    """Users ada, bo, cleo, dev (deactivated), and the bot ringmain.

    #general (public; all): 3 messages, of which "Shall we deploy today?" has 2 replies and a reaction, and
    "Notes are attached" the file notes.txt; a pin, a bookmark. #random (public; ada, bo; not the bot), #ops
    (private; ada, bo, ringmain), #secret (private; ada only), #old (public, archived); DMs ada-ringmain and
    ada-bo. Canvas Plan in #general, logo.png in #ops. Usergroup oncall. Tokens, by label: `bot` (xoxb),
    `ada` and `bo` (xoxp), `app` (xapp). All was said in the last two days.
    """
    fake = FakeSlack()
    fake.user("ringmain", "Ringmain", bot=True)
    fake.user("ada", "Ada Moss", title="Engineer")
    fake.user("bo", "Bo Reyes")
    fake.user("cleo", "Cleo Lind")
    fake.user("dev", "Dev Silva").deleted = True
    _channels(fake)
    fake.usergroup("oncall", ["ada", "bo"], "On call")
    fake.token("bot", "xoxb", user="ringmain")
    fake.token("ada", "xoxp", user="ada")
    fake.token("bo", "xoxp", user="bo")
    fake.token("app", "xapp")
    return fake


def _channels(fake: FakeSlack) -> None:
    general = fake.channel(
        "general", members=["ada", "bo", "cleo", "ringmain"], creator="ada", general=True, topic="Everything"
    )
    ada, bo = fake.team.known_user("ada"), fake.team.known_user("bo")
    notes = fake.file("notes.txt", NOTES, user="ada", channels=[general.id])
    general.post("Good morning", "bo", ago=172_800)
    asked = general.post(f"Shall we deploy today? <@{bo.id}>", "ada", ago=90_000)
    general.reply(asked, "Yes, at five", "bo", ago=89_000)
    general.reply(asked, "Fine with me", "cleo", ago=88_000)
    general.react(asked, "thumbsup", "bo", "cleo")
    general.post("Notes are attached", "ada", ago=80_000, files=[notes.id])
    general.pins.append(asked.ts)
    general.bookmark("Wiki", "https://wiki.example.com/")
    plan = fake.canvas("Plan", PLAN, user="ada", channels=[general.id])
    plan.access[general.id] = "write"
    general.canvas = plan.id
    fake.channel("random", members=["ada", "bo"]).post("Lunch?", "bo", ago=7200)
    ops = fake.channel("ops", "private", members=["ada", "bo", "ringmain"], purpose="Running things")
    ops.post("The cache is cold", "ada", ago=3600)
    fake.file("logo.png", PNG, user="ada", channels=[ops.id], mimetype="image/png", filetype="png")
    fake.channel("secret", "private", members=["ada"]).post("Nobody may know", "ada", ago=3000)
    fake.channel("old", members=["ada", "ringmain"], archived=True).post("Long ago", "ada", ago=170_000)
    fake.dm("ada", "ringmain").post("Hello bot", "ada", ago=2000)
    fake.dm("ada", "bo").post(f"Between us, <@{ada.id}>", "bo", ago=1000)
