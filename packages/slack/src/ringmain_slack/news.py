"""What is new in a conversation for the one whose token it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ringmain_slack.incoming import NOISE, people_in
from ringmain_slack.workspace import Place

About = Literal["dm", "mention", "thread", "channel"]
"""Why it is shown, in the order in which it is."""

ORDER: Sequence[About] = ("dm", "mention", "thread", "channel")
_PAGE, _REPLIES = 100, 50
_THREADS = 3
_NEVER = "0000000000.000000"


@dataclass(frozen=True, slots=True)
class News:
    """Messages of others, the newest first.

    Attributes:
        more: Whether there are more than these.
    """

    about: About
    place: Place
    messages: Sequence[Mapping[str, Any]]
    more: bool = False

    @property
    def count(self) -> str:
        """How many there are."""
        return f"{len(self.messages)}{'+' if self.more else ''}"


async def news_of(place: Place, since: str | None) -> Sequence[News]:
    """What came since a moment; without one since the conversation was last read."""
    at, me = place.workspace, place.workspace.about.user
    if since is None:
        told = await at.get("conversations.info", channel=place.id)
        since = str(told["channel"].get("last_read") or _NEVER)
    answer = await at.get("conversations.history", channel=place.id, limit=_PAGE)
    messages: Sequence[Mapping[str, Any]] = answer["messages"]
    new = _others(messages, me, since)
    more = bool(answer.get("has_more")) and len(messages) > 0 and _is_new(messages[-1], since)
    found: list[News] = []
    if place.conversation.kind in ("dm", "group"):
        found.append(News("dm", place, new, more))
    else:
        mentions = [one for one in new if me in people_in({**one, "user": ""})]
        found.append(News("mention", place, mentions, more))
        found.append(News("channel", place, [one for one in new if one not in mentions], more))
    mine = [one for one in messages if _is_in(one, me) and float(one.get("latest_reply") or 0) > float(since)]
    for root in mine[:_THREADS]:
        replies = await at.get(
            "conversations.replies", channel=place.id, ts=root["ts"], oldest=since, limit=_REPLIES
        )
        answers = [one for one in replies["messages"] if one["ts"] != root["ts"]]
        unread = _others(answers, me, since)[::-1]
        found.append(News("thread", place, unread, bool(replies.get("has_more"))))
    return [one for one in found if one.messages]


def _others(messages: Sequence[Mapping[str, Any]], me: str, since: str) -> list[Mapping[str, Any]]:
    return [
        one
        for one in messages
        if _is_new(one, since) and one.get("user") != me and one.get("subtype") not in NOISE
    ]


def _is_new(message: Mapping[str, Any], since: str) -> bool:
    return float(message["ts"]) > float(since)


def _is_in(root: Mapping[str, Any], me: str) -> bool:
    """Whether somebody takes part in a thread: Slack tells only of some who have replied."""
    return root.get("user") == me or bool(root.get("subscribed")) or me in (root.get("reply_users") or ())
