"""Methods that change conversations: open, create, join, invite, topic, archive, mark."""

import re
from typing import Any

from standins.slack import shapes
from standins.slack.channel import Channel
from standins.slack.web import TS, Asked, Refusal, Routes

routes = Routes()


def _shown(asked: Asked, channel: Channel) -> dict[str, Any]:
    return {"channel": shapes.channel(channel, asked.mine.user, full=True)}


def _mine(asked: Asked, *kinds: str) -> Channel:
    """A channel of these kinds, open, that the caller is in."""
    found = asked.channel()
    if found.kind not in kinds:
        raise Refusal("method_not_supported_for_channel_type")
    if found.archived:
        raise Refusal("is_archived")
    asked.inside(found)
    return found


@routes.on("conversations.open")
def open_(asked: Asked) -> dict[str, Any]:
    users, team = asked.strings("users"), asked.team
    if "channel" in asked.values:
        found = asked.channel()
        if found.kind not in {"im", "mpim"}:
            raise Refusal("method_not_supported_for_channel_type")
    elif not users:
        raise Refusal("users_list_not_supplied")
    else:
        known = [team.find_user(one) for one in users]
        if None in known:
            raise Refusal("user_not_found")
        if any(one is not None and one.deleted for one in known):
            raise Refusal("user_disabled")
        if len(users) > 8:
            raise Refusal("too_many_users")
        found = None
    before = set(team.channels)
    if found is None:
        found = team.dm(*dict.fromkeys([asked.mine.user, *users]))
    again = {"no_op": True, "already_open": True} if found.id in before else {}
    if asked.flag("return_im"):
        return again | _shown(asked, found)
    return again | {"channel": {"id": found.id}}


@routes.on("conversations.create")
def create(asked: Asked) -> dict[str, Any]:
    name = asked.text("name")
    if not name:
        raise Refusal("invalid_name_required")
    if len(name) > 80:
        raise Refusal("invalid_name_maxlength")
    if not re.fullmatch(r"[^\W_A-Z][^\WA-Z]*(?:[-_][^\WA-Z]*)*", name):
        raise Refusal("invalid_name_specials")
    if asked.team.named_channel(name) is not None:
        raise Refusal("name_taken")
    kind = "private" if asked.flag("is_private") else "public"
    me = asked.mine.user
    made = asked.team.channel(name, kind, members=[me], creator=me, created=int(asked.fake.time()))
    return _shown(asked, made)


@routes.on("conversations.join")
def join(asked: Asked) -> dict[str, Any]:
    found = asked.channel()
    if found.kind != "public":
        raise Refusal("method_not_supported_for_channel_type")
    if found.archived:
        raise Refusal("is_archived")
    already = asked.mine.user in found.members
    found.join(asked.mine.user)
    shown = _shown(asked, found)
    if already:
        warnings = {"warnings": ["already_in_channel"]}
        return shown | {"warning": "already_in_channel", "response_metadata": warnings}
    return shown


@routes.on("conversations.leave")
def leave(asked: Asked) -> dict[str, Any]:
    found = asked.channel()
    if found.general:
        raise Refusal("cant_leave_general")
    if asked.mine.user not in found.members:
        return {"not_in_channel": True}
    found.leave(asked.mine.user)
    return {}


@routes.on("conversations.invite")
def invite(asked: Asked) -> dict[str, Any]:
    found = _mine(asked, "public", "private")
    users = asked.strings("users")
    if not users:
        raise Refusal("no_user")
    errors: list[dict[str, Any]] = []
    for one in users:
        if one == asked.mine.user:
            errors.append({"user": one, "ok": False, "error": "cant_invite_self"})
        elif asked.team.find_user(one) is None:
            errors.append({"user": one, "ok": False, "error": "user_not_found"})
        elif one in found.members:
            errors.append({"user": one, "ok": False, "error": "already_in_channel"})
    if errors and not asked.flag("force"):
        raise Refusal(errors[0]["error"], errors=errors)
    refused = {one["user"] for one in errors}
    found.join(*(one for one in users if one not in refused))
    return _shown(asked, found) | ({"errors": errors} if errors else {})


@routes.on("conversations.setTopic")
def set_topic(asked: Asked) -> dict[str, Any]:
    found = _mine(asked, "public", "private", "mpim", "im")
    found.topic = _short(asked.text("topic"))
    return _shown(asked, found)


@routes.on("conversations.setPurpose")
def set_purpose(asked: Asked) -> dict[str, Any]:
    found = _mine(asked, "public", "private", "mpim")
    found.purpose = _short(asked.text("purpose"))
    return _shown(asked, found) | {"purpose": found.purpose}


def _short(text: str) -> str:
    if len(text) > 250:
        raise Refusal("too_long")
    return text


@routes.on("conversations.rename")
def rename(asked: Asked) -> dict[str, Any]:
    found = _mine(asked, "public", "private")
    if asked.team.named_channel(asked.text("name")) is not None:
        raise Refusal("name_taken")
    found.name = asked.text("name")
    return _shown(asked, found)


@routes.on("conversations.archive")
def archive(asked: Asked) -> None:
    found = asked.channel()
    if found.general:
        raise Refusal("cant_archive_general")
    if found.archived:
        raise Refusal("already_archived")
    _mine(asked, "public", "private").archived = True


@routes.on("conversations.unarchive")
def unarchive(asked: Asked) -> None:
    found = asked.channel()
    if not found.archived:
        raise Refusal("not_archived")
    found.archived = False


@routes.on("conversations.mark")
def mark(asked: Asked) -> None:
    found = asked.channel()
    asked.inside(found)
    ts = asked.text("ts")
    if not TS.fullmatch(ts):
        raise Refusal("invalid_timestamp")
    found.last_read[asked.mine.user] = ts
