"""Methods of canvases; their content is Markdown, a section per paragraph."""

import re
from typing import Any, cast

from standins.slack.files import may_see
from standins.slack.models import File
from standins.slack.web import Asked, Refusal, Routes

routes = Routes()
_ADDING = {"insert_after", "insert_before", "insert_at_start", "insert_at_end"}


def _canvas(asked: Asked, *, write: bool = False) -> File:
    found = asked.team.files.get(asked.text("canvas_id"))
    if found is None or not found.is_canvas or not may_see(asked, found):
        raise Refusal("canvas_not_found")
    if write:
        me = asked.mine.user
        places = [
            one for one in map(asked.team.find_channel, found.access) if one is not None and me in one.members
        ]
        levels = {found.access.get(one) for one in (me, *(at.id for at in places))}
        if not levels & {"write", "owner"} and me != found.user:
            raise Refusal("restricted_action")
    return found


def _markdown(content: Any) -> str:
    given = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
    if given.get("type") != "markdown":
        raise Refusal("invalid_arguments", detail="document_content must be of type markdown")
    return str(given.get("markdown", ""))


@routes.on("canvases.create")
def create(asked: Asked) -> dict[str, Any]:
    markdown = _markdown(asked.values["document_content"]) if "document_content" in asked.values else ""
    channel = asked.channel("channel_id") if "channel_id" in asked.values else None
    made = asked.team.canvas(asked.text("title") or "Untitled", markdown, user=asked.mine.user)
    if channel is not None:
        made.channels.append(channel.id)
        made.access[channel.id] = "write"
        channel.canvas = made.id
    return {"canvas_id": made.id}


@routes.on("canvases.edit")
def edit(asked: Asked) -> None:
    found = _canvas(asked, write=True)
    changes: Any = asked.values["changes"]
    if not isinstance(changes, list) or len(cast("list[Any]", changes)) != 1:
        raise Refusal("invalid_arguments", detail="only one operation per call is supported")
    change = cast("dict[str, Any]", changes[0])
    operation, section = change.get("operation"), change.get("section_id")
    if operation == "rename":
        found.title = _markdown(change.get("title_content"))
        return
    if operation not in {*_ADDING, "replace", "delete"}:
        raise Refusal("canvas_editing_failed", detail=f"unknown operation {operation}")
    if operation in {"insert_after", "insert_before", "delete"} and not section:
        raise Refusal("canvas_editing_failed", detail="section_id is required")
    if section and section not in found.sections:
        raise Refusal("canvas_editing_failed", detail="section not found")
    new = {} if operation == "delete" else asked.fake.sections(_markdown(change.get("document_content")))
    rows = list(found.sections.items())
    at = [name for name, _ in rows].index(section) if section else 0
    start, end = {
        "insert_at_start": (0, 0),
        "insert_at_end": (len(rows), len(rows)),
        "insert_before": (at, at),
        "insert_after": (at + 1, at + 1),
        "delete": (at, at + 1),
        "replace": (at, at + 1) if section else (0, len(rows)),
    }[operation]
    rows[start:end] = new.items()
    found.sections = dict(rows)


@routes.on("canvases.delete")
def delete(asked: Asked) -> None:
    del asked.team.files[_canvas(asked, write=True).id]


@routes.on("canvases.getContent")
def get_content(asked: Asked) -> dict[str, Any]:
    if asked.text("content_type", "markdown") != "markdown":
        raise Refusal("invalid_arguments")
    return {"content": _canvas(asked).markdown}


@routes.on("canvases.sections.lookup")
def lookup(asked: Asked) -> dict[str, Any]:
    found, criteria = _canvas(asked), asked.values["criteria"]
    kinds: list[str] = criteria.get("section_types") or []
    text: str = criteria.get("contains_text", "")
    if not kinds and not text:
        raise Refusal("invalid_arguments", detail="criteria must not be empty")

    def fits(section: str) -> bool:
        head = re.match(r"(#{1,3}) ", section)
        kind = f"h{len(head[1])}" if head else ""
        right = not kinds or (bool(kind) and ("any_header" in kinds or kind in kinds))
        return right and text.lower() in section.lower()

    return {"sections": [{"id": name} for name, section in found.sections.items() if fits(section)]}


@routes.on("canvases.access.set")
def set_access(asked: Asked) -> dict[str, Any]:
    found = _canvas(asked, write=True)
    level, channels, users = (
        asked.text("access_level"),
        asked.strings("channel_ids"),
        asked.strings("user_ids"),
    )
    if level not in {"read", "write", "owner"} or bool(channels) == bool(users):
        raise Refusal("invalid_parameters")
    for one in channels:
        if asked.team.find_channel(one) is None:
            raise Refusal("channel_not_found")
    for one in users:
        if asked.team.find_user(one) is None:
            raise Refusal("user_not_found")
    found.access |= dict.fromkeys([*channels, *users], level)
    return {"failed_to_update_channel_ids": [], "failed_to_update_user_ids": []}
