"""Methods of chat.*: posting, editing, deleting, scheduling, permalinks."""

from typing import Any

from standins.slack import shapes
from standins.slack.blocks import check_blocks
from standins.slack.channel import Channel
from standins.slack.models import Message, Scheduled
from standins.slack.web import TS, Asked, Refusal, Routes

routes = Routes()
_FIELDS = "text markdown_text blocks attachments"


def _target(asked: Asked) -> Channel:
    """The conversation to post in: by id, by name, or the DM of a user's id."""
    given = asked.text("channel")
    person = asked.team.find_user(given)
    if person is not None:
        return asked.team.dm(asked.mine.user, person.id)
    found = asked.team.find_channel(given) or asked.team.named_channel(given.removeprefix("#"))
    if found is None or not asked.sees(found):
        raise Refusal("channel_not_found")
    if found.archived:
        raise Refusal("is_archived")
    anywhere = found.kind == "public" and asked.mine.is_bot and "chat:write.public" in asked.mine.scopes
    if not anywhere:
        asked.inside(found)
    return found


def _content(asked: Asked) -> dict[str, Any]:
    """Text, blocks and the like of a message.

    Raises:
        Refusal: `no_text`, `msg_too_long`, `markdown_text_conflict`, `invalid_blocks`, …
    """
    text, markdown = asked.text("text"), asked.text("markdown_text")
    blocks: Any = asked.values.get("blocks") or []
    if markdown and (text or blocks):
        raise Refusal("markdown_text_conflict")
    if not any(asked.values.get(name) for name in _FIELDS.split()):
        raise Refusal("no_text")
    if len(text) > 40_000 or len(markdown) > 12_000:
        raise Refusal("msg_too_long")
    check_blocks(blocks)
    metadata = asked.values.get("metadata")
    if metadata is not None and not {"event_type", "event_payload"} <= set(metadata):
        raise Refusal("invalid_metadata_format")
    if markdown:
        words = [{"type": "text", "text": markdown}]
        section = {"type": "rich_text_section", "elements": words}
        blocks = [{"type": "rich_text", "block_id": "b1", "elements": [section]}]
    made: dict[str, Any] = {"text": text or markdown, "blocks": blocks, "metadata": metadata}
    return made | {"markdown": markdown, "extra": _extra(asked)}


def _extra(asked: Asked) -> dict[str, Any]:
    attachments = asked.values.get("attachments")
    named = {name: asked.text(name) for name in ("username",) if name in asked.values}
    return named | ({"attachments": attachments} if attachments else {})


def _thread(asked: Asked, channel: Channel) -> str:
    ts = asked.text("thread_ts")
    if ts and ts not in channel.messages:
        raise Refusal("cannot_reply_to_message")
    return (channel.messages[ts].thread_ts or ts) if ts else ""


def _switches(asked: Asked) -> dict[str, Any]:
    return {
        "broadcast": asked.flag("reply_broadcast"),
        "unfurl": (asked.values.get("unfurl_links"), asked.values.get("unfurl_media")),
    }


@routes.on("chat.postMessage")
def post(asked: Asked) -> dict[str, Any]:
    channel = _target(asked)
    content = _content(asked)
    mark = asked.text("client_msg_id")
    thread = _thread(asked, channel)
    same = (one for one in channel.everything() if mark and one.client_msg_id == mark)
    made = next((one for one in same if one.user == asked.mine.user), None)
    if made is None:
        text: str = content.pop("text")
        more: dict[str, Any] = content | _switches(asked) | {"client_msg_id": mark}
        made = channel.post(text, asked.mine.user, thread_ts=thread, **more)
    shown = shapes.message(channel, made, metadata=True, alone=True)
    return {"channel": channel.id, "ts": made.ts, "message": shown}


def _own(asked: Asked, error: str) -> tuple[Channel, Message]:
    channel = asked.channel()
    found = asked.message(channel)
    if found.user != asked.mine.user:
        raise Refusal(error)
    return channel, found


@routes.on("chat.update")
def update(asked: Asked) -> dict[str, Any]:
    channel, found = _own(asked, "cant_update_message")
    if channel.archived:
        raise Refusal("is_inactive")
    before = shapes.message(channel, found, alone=True)
    content = _content(asked)
    found.text, found.blocks = content["text"], content["blocks"]
    found.markdown = content["markdown"]
    if content["metadata"] is not None:
        found.metadata = content["metadata"] or None
    found.edited = {"user": asked.mine.user, "ts": f"{int(asked.fake.time())}.000000"}
    asked.fake.events.changed(asked.fake, channel, found, before)
    shown = shapes.message(channel, found, metadata=True, alone=True)
    return {"channel": channel.id, "ts": found.ts, "text": found.text, "message": shown}


@routes.on("chat.delete")
def delete(asked: Asked) -> dict[str, Any]:
    channel, found = _own(asked, "cant_delete_message")
    if channel.replies(found.ts):  # its thread stays, under a tombstone
        found.text, found.blocks, found.files = "This message was deleted.", [], []
        found.user = "USLACKBOT"
        found.extra = {"subtype": "tombstone", "hidden": True}
    else:
        channel.remove(found.ts)
    asked.fake.events.deleted(asked.fake, channel, found)
    return {"channel": channel.id, "ts": found.ts}


@routes.on("chat.getPermalink")
def get_permalink(asked: Asked) -> dict[str, Any]:
    channel = asked.channel()
    found = asked.message(channel, "message_ts")
    return {"channel": channel.id, "permalink": shapes.permalink(channel, found)}


@routes.on("chat.scheduleMessage")
def schedule(asked: Asked) -> dict[str, Any]:
    channel = _target(asked)
    content = _content(asked)
    when, now = int(asked.values["post_at"]), asked.fake.time()
    if when <= now:
        raise Refusal("time_in_past")
    if when > now + 120 * 86400:
        raise Refusal("time_too_far")
    text = content.pop("text")
    more = content | _switches(asked) | {"thread_ts": _thread(asked, channel)}
    made = Scheduled(
        f"Q0{asked.fake.next_number():08d}", channel.id, asked.mine.user, when, int(now), text, more
    )
    asked.team.scheduled[made.id] = made
    shown = {"text": text, "type": "delayed_message", "user": made.user, "team": asked.team.id}
    if asked.user.bot_id:
        shown["bot_id"] = asked.user.bot_id
    return {"channel": channel.id, "scheduled_message_id": made.id, "post_at": when, "message": shown}


@routes.on("chat.deleteScheduledMessage")
def unschedule(asked: Asked) -> dict[str, Any]:
    channel = asked.channel()
    found = asked.team.scheduled.get(asked.text("scheduled_message_id"))
    if found is None or found.channel != channel.id or found.user != asked.mine.user:
        raise Refusal("invalid_scheduled_message_id")
    del asked.team.scheduled[found.id]
    return {}


@routes.on("chat.scheduledMessages.list")
def scheduled(asked: Asked) -> dict[str, Any]:
    oldest, latest = (asked.text(name) for name in ("oldest", "latest"))
    for value in (oldest, latest):
        if value and not (value.isdigit() or TS.fullmatch(value)):
            raise Refusal("invalid_time")
    rows = [
        {
            "id": one.id,
            "channel_id": one.channel,
            "post_at": one.post_at,
            "date_created": one.created,
            "text": one.text,
        }
        for one in asked.team.scheduled.values()
        if one.user == asked.mine.user
        and asked.text("channel", one.channel) == one.channel
        and (not oldest or one.post_at >= float(oldest))
        and (not latest or one.post_at <= float(latest))
    ]
    page, more = asked.page("scheduled", rows)
    return {"scheduled_messages": page, **more}
