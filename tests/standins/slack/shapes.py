"""Objects as Slack shows them."""

from typing import Any

from standins.slack.channel import Channel
from standins.slack.models import File, Message, User
from standins.slack.team import Team

UPDATED = 1704067200


def user(one: User, *, email: bool = True, locale: bool = False) -> dict[str, Any]:
    """A user; their address only for who may read it."""
    profile: dict[str, Any] = {
        "title": one.title,
        "real_name": one.real_name,
        "real_name_normalized": one.real_name,
        "display_name": one.name,
        "display_name_normalized": one.name,
        "status_text": "",
        "status_emoji": "",
        "avatar_hash": "g0",
        "image_72": "https://secure.gravatar.com/avatar/0.jpg",
        "team": one.team,
    }
    if email and one.email:
        profile["email"] = one.email
    if one.bot_id:
        profile |= {"bot_id": one.bot_id, "api_app_id": "A0RINGMAIN", "always_active": False}
    made: dict[str, Any] = {
        "id": one.id,
        "team_id": one.team,
        "name": one.name,
        "deleted": one.deleted,
        "profile": profile,
        "is_bot": bool(one.bot_id),
        "is_app_user": False,
        "updated": UPDATED,
    }
    if not one.deleted:
        made |= {
            "color": "9f69e7",
            "real_name": one.real_name,
            "tz": "Europe/London",
            "tz_label": "Greenwich Mean Time",
            "tz_offset": 0,
            "is_admin": False,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": False,
            "is_ultra_restricted": False,
            "who_can_share_contact_card": "EVERYONE",
        }
    return made | ({"locale": one.locale} if locale else {})


def channel(one: Channel, user_id: str, *, members: bool = True, full: bool = False) -> dict[str, Any]:
    """A conversation as this user sees it; `full` as `conversations.info` tells it."""
    base: dict[str, Any] = {
        "id": one.id,
        "created": one.created,
        "is_archived": one.archived,
        "is_im": one.kind == "im",
        "is_org_shared": False,
        "context_team_id": one.team.id,
        "updated": one.created * 1000,
    }
    if one.kind == "im":
        other = next((member for member in one.members if member != user_id), user_id)
        base |= {"user": other, "is_user_deleted": False, "priority": 0, "is_ext_shared": one.external}
        return base | ({"last_read": _read(one, user_id), "is_open": True} if full else {})
    base |= {
        "name": one.name,
        "name_normalized": one.name,
        "is_channel": one.kind == "public" or (one.kind == "private" and one.id.startswith("C")),
        "is_group": one.kind == "private" and one.id.startswith("G"),
        "is_mpim": one.kind == "mpim",
        "is_private": one.kind != "public",
        "is_general": one.general,
        "unlinked": 0,
        "is_shared": one.external,
        "is_ext_shared": one.external,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "parent_conversation": None,
        "creator": one.creator,
        "shared_team_ids": [one.team.id],
        "pending_connected_team_ids": [],
        "is_member": user_id in one.members,
        "topic": {"value": one.topic, "creator": one.creator if one.topic else "", "last_set": 0},
        "purpose": {"value": one.purpose, "creator": one.creator if one.purpose else "", "last_set": 0},
        "previous_names": [],
    }
    if members:
        base["num_members"] = len(one.members) or 3
    if full and user_id in one.members:
        base["last_read"] = _read(one, user_id)
    if one.canvas:
        base["properties"] = {"canvas": {"file_id": one.canvas, "is_empty": False, "quip_thread_id": "q1"}}
    return base


def _read(one: Channel, user_id: str) -> str:
    return one.last_read.get(user_id, "0000000000.000000")


def message(at: Channel, one: Message, *, metadata: bool = False, alone: bool = False) -> dict[str, Any]:
    """A message; `alone` without what its thread adds, as in events."""
    team = at.team
    made: dict[str, Any] = {
        "type": "message",
        "user": one.user,
        "text": one.text,
        "ts": one.ts,
        "team": team.id,
    }
    if one.client_msg_id:
        made["client_msg_id"] = one.client_msg_id
    if one.bot_id:
        made |= {"bot_id": one.bot_id, "app_id": team.fake.app_id, "bot_profile": bot_profile(team, one)}
    if one.blocks:
        made["blocks"] = one.blocks
    elif one.text and not one.bot_id and not one.extra:  # what people type is rich text, always
        section = {"type": "rich_text_section", "elements": [{"type": "text", "text": one.text}]}
        made["blocks"] = [{"type": "rich_text", "block_id": "b1", "elements": [section]}]
    if one.files:
        known = [team.files.get(name) for name in one.files]
        made |= {"files": [file(team, found) for found in known if found], "upload": False}
    if one.edited:
        made["edited"] = one.edited
    if one.metadata is not None and metadata:
        made["metadata"] = one.metadata
    if one.thread_ts:
        made["thread_ts"] = one.thread_ts
        parent = at.messages.get(one.thread_ts)
        if parent is not None and one.thread_ts != one.ts:
            made["parent_user_id"] = parent.user
        if one.broadcast:
            made |= {"subtype": "thread_broadcast"}
    replies = [] if alone else at.replies(one.ts)
    if replies:
        by = list(dict.fromkeys(reply.user for reply in replies))
        made |= {
            "thread_ts": one.ts,
            "reply_count": len(replies),
            "reply_users_count": len(by),
            "latest_reply": replies[-1].ts,
            "reply_users": by[:5],
            "is_locked": False,
            "subscribed": False,
        }
    if one.reactions:
        made["reactions"] = reactions(one)
    if one.ts in at.pins:
        made["pinned_to"] = [at.id]
    return made | one.extra


def reactions(one: Message) -> list[dict[str, Any]]:
    return [{"name": name, "users": list(by), "count": len(by)} for name, by in one.reactions.items()]


def bot_profile(team: Team, one: Message) -> dict[str, Any]:
    author = team.find_user(one.user)
    return {
        "id": one.bot_id,
        "app_id": team.fake.app_id,
        "user_id": one.user,
        "name": author.real_name if author else "Bot",
        "icons": {"image_36": "", "image_48": "", "image_72": ""},
        "deleted": False,
        "updated": UPDATED,
        "team_id": team.id,
    }


def file(team: Team, one: File) -> dict[str, Any]:
    """A file; its private URLs are of the fake."""
    base = f"{team.fake.url}/files-pri/{team.id}-{one.id}"
    kinds: dict[str, list[str]] = {"channels": [], "groups": [], "ims": []}
    for name in one.channels:
        found = team.find_channel(name)
        if found is not None:
            kinds[{"public": "channels", "private": "groups", "im": "ims"}.get(found.kind, "groups")].append(
                name
            )
    made: dict[str, Any] = {
        "id": one.id,
        "created": one.created,
        "timestamp": one.created,
        "name": one.name,
        "title": one.title,
        "mimetype": one.mimetype,
        "filetype": one.filetype,
        "pretty_type": "Canvas" if one.is_canvas else "Plain Text",
        "user": one.user,
        "user_team": team.id,
        "editable": one.is_canvas,
        "size": len(one.markdown.encode()) if one.is_canvas else len(one.content),
        "mode": "quip" if one.is_canvas else "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": bool(kinds["channels"]),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{base}/{one.name}",
        "url_private_download": f"{base}/download/{one.name}",
        "permalink": f"{team.url}{'docs' if one.is_canvas else 'files'}/{one.user}/{one.id}/{one.name}",
        "is_starred": False,
        "shares": {},
        "has_rich_preview": False,
        "comments_count": 0,
    }
    return made | kinds | ({"alt_txt": one.alt_txt} if one.alt_txt else {})


def permalink(at: Channel, one: Message) -> str:
    link = f"{at.team.url}archives/{at.id}/p{one.ts.replace('.', '')}"
    return (
        f"{link}?thread_ts={one.thread_ts}&cid={at.id}" if one.thread_ts and one.thread_ts != one.ts else link
    )
