"""Methods that search: search.messages (user tokens), assistant.search.context."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from standins.slack import shapes
from standins.slack.channel import TYPES, Channel
from standins.slack.gate import require
from standins.slack.models import Message
from standins.slack.web import Asked, Refusal, Routes, following

routes = Routes()
_WORD = re.compile(r'(-?)(?:(in|from|after|before|on|has|is|with):)?("[^"]*"|\S+)')
_SCOPES = {"public": "public", "private": "private", "im": "im", "mpim": "mpim"}
Found = tuple[Channel, Message]


class _Query:
    """What a query asks for: words, and modifiers in:, from:, after:, before:, on:, has:, is:thread."""

    def __init__(self, asked: Asked, text: str) -> None:
        self._asked = asked
        self.parts = [
            (found[1] == "-", found[2] or "", found[3].strip('"')) for found in _WORD.finditer(text)
        ]
        self.words = [value for negative, name, value in self.parts if not name and not negative]

    def fits(self, at: Channel, one: Message) -> bool:
        return all(self._fits(at, one, name, value) != negative for negative, name, value in self.parts)

    def _fits(self, at: Channel, one: Message, name: str, value: str) -> bool:
        if not name:
            return value.lower() in one.text.lower()
        if name == "in":
            of = value.strip("<>#@").partition("|")[0]
            partners = (
                {user.name for user in map(at.team.find_user, at.members) if user}
                if at.kind == "im"
                else set[str]()
            )
            return of in {at.name, at.id} or of in partners or (at.kind == "im" and of in at.members)
        if name == "from":
            of = value.strip("<>@").partition("|")[0]
            author = at.team.find_user(one.user)
            mine = of == "me" and one.user == self._asked.mine.user
            return mine or of == one.user or (author is not None and author.name == of)
        if name == "has":
            return (value == "reaction" and bool(one.reactions)) or (value == "link" and "http" in one.text)
        if name in {"is", "with"}:
            return name == "is" and value == "thread" and bool(one.thread_ts or at.replies(one.ts))
        day = datetime.fromtimestamp(float(one.ts), UTC).date()
        wanted = self._day(value)
        return {"after": day > wanted, "before": day < wanted, "on": day == wanted}[name]

    def _day(self, value: str) -> Any:
        today = datetime.fromtimestamp(self._asked.fake.time(), UTC).date()
        if value in {"today", "yesterday"}:
            return today - timedelta(days=value == "yesterday")
        try:
            return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).date()
        except ValueError:
            return today + timedelta(days=1)  # Slack finds nothing after what it does not understand


def _everything(asked: Asked) -> Iterator[Found]:
    for at in asked.team.every_known_channel():
        if asked.sees(at):
            yield from ((at, one) for one in at.everything())


def _sorted(asked: Asked, rows: list[Found]) -> list[Found]:
    return sorted(rows, key=lambda row: row[1].ts, reverse=asked.text("sort_dir", "desc") != "asc")


@routes.on("search.messages")
def messages(asked: Asked) -> dict[str, Any]:
    text = asked.text("query")
    if not text.strip():
        raise Refusal("no_query")
    query = _Query(asked, text)
    rows = _sorted(asked, [row for row in _everything(asked) if query.fits(*row)])
    size = min(int(asked.values.get("count", 20)) or 20, 100)
    given = asked.text("cursor")
    page = asked.position("search") if given not in {"", "*"} else max(int(asked.values.get("page", 1)), 1)
    if page > 100:
        raise Refusal("invalid_arguments")
    pages = max(1, -(-len(rows) // size))
    shown = rows[(page - 1) * size : page * size]
    first = (page - 1) * size + 1
    made: dict[str, Any] = {
        "total": len(rows),
        "matches": [_match(asked, query, *row) for row in shown],
        "paging": {"count": size, "total": len(rows), "page": page, "pages": pages},
        "pagination": {
            "total_count": len(rows),
            "page": page,
            "per_page": size,
            "page_count": pages,
            "first": first,
            "last": first + len(shown) - 1,
        },
    }
    walk = (
        following("search", page + 1 if page < pages else "") if given and asked.fake.search_cursors else {}
    )
    return {"query": text, "messages": made, **walk}


def _match(asked: Asked, query: _Query, at: Channel, one: Message) -> dict[str, Any]:
    author = at.team.find_user(one.user)
    text = one.text
    if asked.flag("highlight"):
        for word in query.words:
            text = re.sub(re.escape(word), lambda found: f"\ue000{found[0]}\ue001", text, flags=re.IGNORECASE)
    about: dict[str, Any] = {
        "id": at.id,
        "name": at.name or next((m for m in at.members if m != asked.mine.user), ""),
        "is_channel": at.kind == "public",
        "is_group": False,
        "is_im": at.kind == "im",
        "is_mpim": at.kind == "mpim",
        "is_private": at.kind != "public",
        "is_shared": at.external,
        "is_org_shared": False,
        "is_ext_shared": at.external,
        "is_pending_ext_shared": False,
        "pending_shared": [],
    }
    return {
        "iid": f"{at.id}-{one.ts}",
        "team": at.team.id,
        "score": 0,
        "channel": about,
        "type": "message",
        "user": one.user,
        "username": author.name if author else "",
        "ts": one.ts,
        "text": text,
        "blocks": one.blocks,
        "permalink": shapes.permalink(at, one),
        "no_reactions": not one.reactions,
    }


@routes.on("assistant.search.context")
def context(asked: Asked) -> dict[str, Any]:
    if not asked.fake.search_enabled:
        raise Refusal("feature_not_enabled")
    action = asked.text("action_token")
    if asked.mine.is_bot and action not in asked.fake.action_tokens:
        raise Refusal("invalid_action_token")
    kinds = asked.strings("channel_types") or ["public_channel"]
    if not set(kinds) <= TYPES.keys():
        raise Refusal("invalid_arguments")
    if asked.mine.is_bot and kinds != ["public_channel"]:
        raise Refusal("not_allowed_token_type")
    for kind in kinds:
        require(asked, [f"search:read.{_SCOPES[TYPES[kind]]}"])
    contents = asked.strings("content_types") or ["messages"]
    if "files" in contents:
        require(asked, ["search:read.files"])
    query = _Query(asked, f"{asked.text('query')} {asked.text('modifiers')}")
    wanted = {TYPES[one] for one in kinds}
    low, high = asked.values.get("after", 0), asked.values.get("before", 1 << 40)
    rows = [
        (at, one)
        for at, one in _everything(asked)
        if at.kind in wanted
        and low < float(one.ts) < high
        and query.fits(at, one)
        and (asked.flag("include_bots") or not one.bot_id)
        and (asked.flag("include_archived_channels") or not at.archived)
    ]
    start, size = asked.position("context"), asked.limit(20, 20)
    shown = _sorted(asked, rows)[start : start + size]
    results: dict[str, Any] = {}
    if "messages" in contents:
        results["messages"] = [_context(asked, at, one) for at, one in shown]
    if "files" in contents:
        text = " ".join(query.words).lower()
        found = [one for one in asked.team.files.values() if text in f"{one.title} {one.markdown}".lower()]
        results["files"] = [
            _file(asked, one) for one in found if any(asked.sees(at) for at in _places(asked, one))
        ]
    return {"results": results, **following("context", start + size if start + size < len(rows) else "")}


def _places(asked: Asked, one: Any) -> list[Channel]:
    return [at for at in map(asked.team.find_channel, one.channels) if at is not None]


def _file(asked: Asked, one: Any) -> dict[str, Any]:
    made = {"uploader_user_id": one.user, "author_user_id": one.user, "team_id": asked.team.id}
    named = {"file_id": one.id, "date_created": one.created, "date_updated": one.created, "title": one.title}
    link = shapes.file(asked.team, one)["permalink"]
    return made | named | {"file_type": one.filetype, "permalink": link, "content": one.markdown[:500]}


def _context(asked: Asked, at: Channel, one: Message) -> dict[str, Any]:
    author = at.team.find_user(one.user)
    made: dict[str, Any] = {
        "author_name": author.real_name if author else "",
        "author_user_id": one.user,
        "team_id": at.team.id,
        "channel_id": at.id,
        "channel_name": at.name,
        "message_ts": one.ts,
        "content": one.text,
        "is_author_bot": bool(one.bot_id),
        "permalink": shapes.permalink(at, one),
    }
    if one.thread_ts:
        made["thread_ts"] = one.thread_ts
    if asked.flag("include_message_blocks"):
        made["blocks"] = one.blocks
    if asked.flag("include_context_messages"):
        line = at.replies(one.thread_ts) if one.thread_ts else at.timeline()
        here = line.index(one) if one in line else 0
        near = {"before": line[max(0, here - 2) : here], "after": line[here + 1 : here + 3]}
        made["context_messages"] = {
            side: [{"text": m.text, "user_id": m.user, "ts": m.ts} for m in rows]
            for side, rows in near.items()
        }
    return made
