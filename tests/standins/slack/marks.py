"""Methods of what is stuck to things: reactions, pins, bookmarks."""

import re
from typing import Any

from standins.slack import shapes
from standins.slack.channel import Channel
from standins.slack.models import Message
from standins.slack.web import Asked, Refusal, Routes

routes = Routes()


def _item(asked: Asked) -> tuple[Channel, Message]:
    if "channel" not in asked.values or "timestamp" not in asked.values:
        raise Refusal("no_item_specified")
    channel = asked.channel()
    return channel, asked.message(channel, "timestamp")


@routes.on("reactions.add")
def add(asked: Asked) -> None:
    channel, message = _item(asked)
    asked.inside(channel)
    name, me = asked.text("name").strip(":"), asked.mine.user
    if not re.fullmatch(r"[\w+'-]+(?:::skin-tone-[2-6])?", name):
        raise Refusal("invalid_name")
    by = message.reactions.setdefault(name, [])
    if me in by:
        raise Refusal("already_reacted")
    by.append(me)
    asked.fake.events.reaction(asked.fake, "reaction_added", channel, message, me, name)


@routes.on("reactions.remove")
def remove(asked: Asked) -> None:
    channel, message = _item(asked)
    name, me = asked.text("name").strip(":"), asked.mine.user
    if me not in message.reactions.get(name, ()):
        raise Refusal("no_reaction")
    message.reactions[name].remove(me)
    if not message.reactions[name]:
        del message.reactions[name]
    asked.fake.events.reaction(asked.fake, "reaction_removed", channel, message, me, name)


@routes.on("reactions.get")
def get(asked: Asked) -> dict[str, Any]:
    channel, message = _item(asked)
    shown = shapes.message(channel, message) | {"permalink": shapes.permalink(channel, message)}
    return {"type": "message", "channel": channel.id, "message": shown}


@routes.on("pins.list")
def pins(asked: Asked) -> dict[str, Any]:
    channel = asked.channel()
    rows: list[dict[str, Any]] = []
    for ts in channel.pins:
        message = channel.messages.get(ts)
        if message is not None:
            shown = shapes.message(channel, message) | {"permalink": shapes.permalink(channel, message)}
            row = {"type": "message", "channel": channel.id, "message": shown, "created": int(float(ts))}
            rows.append(row | {"created_by": channel.creator})
    return {"items": rows}


@routes.on("bookmarks.list")
def bookmarks(asked: Asked) -> dict[str, Any]:
    return {"bookmarks": list(asked.channel("channel_id").bookmarks)}
