"""Methods that read conversations: lists, details, members, history, threads."""

from collections.abc import Callable
from typing import Any

from standins.slack import shapes
from standins.slack.channel import TYPES, Channel
from standins.slack.models import Message
from standins.slack.web import TS, Asked, Refusal, Routes, following

routes = Routes()


@routes.on("conversations.list")
def conversations_list(asked: Asked) -> dict[str, Any]:
    kinds = {TYPES[one] for one in asked.strings("types") or ["public_channel"]}
    return _listed(asked, "team", lambda one: one.kind in kinds and asked.sees(one))


@routes.on("users.conversations")
def users_conversations(asked: Asked) -> dict[str, Any]:
    kinds = {TYPES[one] for one in asked.strings("types") or ["public_channel"]}
    of = asked.text("user", asked.mine.user)
    if asked.team.find_user(of) is None:
        raise Refusal("user_not_found")
    return _listed(
        asked, "mine", lambda one: one.kind in kinds and of in one.members and asked.sees(one), members=False
    )


def _listed(
    asked: Asked, kind: str, fits: Callable[[Channel], bool], *, members: bool = True
) -> dict[str, Any]:
    """A page; archived ones are left out of it afterwards, so it may be short or empty, as with Slack."""
    start, size = asked.position(kind), asked.limit()
    rows: list[Channel] = []
    after: object = ""
    for position, one in asked.team.channels_from(start, entered=kind == "mine"):
        if not fits(one):
            continue
        if len(rows) == size:
            after = position
            break
        rows.append(one)
    without = asked.flag("exclude_archived")
    shown = [
        shapes.channel(one, asked.mine.user, members=members)
        for one in rows
        if not (without and one.archived)
    ]
    return {"channels": shown, **following(kind, after)}


@routes.on("conversations.info")
def info(asked: Asked) -> dict[str, Any]:
    members = asked.flag("include_num_members")
    return {"channel": shapes.channel(asked.channel(), asked.mine.user, members=members, full=True)}


@routes.on("conversations.members")
def members(asked: Asked) -> dict[str, Any]:
    rows, more = asked.page("member", asked.channel().members)
    return {"members": rows, **more}


def _readable(asked: Asked) -> Channel:
    found = asked.channel()
    if asked.mine.is_bot:
        asked.inside(found)
    return found


def _within(asked: Asked, rows: list[Message]) -> list[Message]:
    oldest, latest = asked.text("oldest"), asked.text("latest")
    for name, value in (("oldest", oldest), ("latest", latest)):
        if value and not value.replace(".", "", 1).isdigit():
            raise Refusal(f"invalid_ts_{name}")
    inclusive = asked.flag("inclusive")

    def fits(ts: str) -> bool:
        moment = _micros(ts)
        low, high = _micros(oldest or "0"), _micros(latest) if latest else None
        if inclusive:
            return moment >= low and (high is None or moment <= high)
        return moment > low and (high is None or moment < high)

    return [one for one in rows if fits(one.ts)]


def _micros(ts: str) -> int:
    whole, _, part = ts.partition(".")
    return int(whole or 0) * 1_000_000 + int(part[:6].ljust(6, "0"))


@routes.on("conversations.history")
def history(asked: Asked) -> dict[str, Any]:
    channel = _readable(asked)
    rows = _within(asked, channel.timeline())[::-1]
    before = asked.cursor("next_ts")
    if before:
        rows = [one for one in rows if _micros(one.ts) <= int(before)]
    size = asked.limit(100, 999)
    page, rest = rows[:size], rows[size:]
    meta = asked.flag("include_all_metadata")
    made: dict[str, Any] = {
        "messages": [shapes.message(channel, one, metadata=meta) for one in page],
        "has_more": bool(rest),
        "pin_count": len(channel.pins),
    }
    return made | (following("next_ts", _micros(rest[0].ts)) if rest else {})


@routes.on("conversations.replies")
def replies(asked: Asked) -> dict[str, Any]:
    channel = _readable(asked)
    ts = asked.text("ts")
    if not TS.fullmatch(ts):
        raise Refusal("invalid_ts")
    asked_for = channel.messages.get(ts)
    if asked_for is None:
        raise Refusal("thread_not_found")
    root = channel.messages.get(asked_for.thread_ts or ts, asked_for)
    if root is not asked_for:  # asked for a reply, Slack gives that one alone
        return {"messages": [shapes.message(channel, asked_for)], "has_more": False}
    answers = _within(asked, channel.replies(ts))
    after = asked.cursor("next_ts")
    if after:
        answers = [one for one in answers if _micros(one.ts) >= int(after)]
    size = asked.limit(1000) - (0 if after else 1)
    page, rest = answers[:size], answers[size:]
    meta = asked.flag("include_all_metadata")
    rows = [*([] if after else [root]), *page]
    made: dict[str, Any] = {
        "messages": [shapes.message(channel, one, metadata=meta) for one in rows],
        "has_more": bool(rest),
    }
    return made | (following("next_ts", _micros(rest[0].ts)) if rest else {})
