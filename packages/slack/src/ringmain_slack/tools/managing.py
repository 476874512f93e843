"""Channels: made, joined, filled, described and put away; direct messages opened."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.confirmations import confirm, confirm_destructive
from ringmain_core.errors import InvalidArguments, OutsideFence, UpstreamRefused
from ringmain_core.steps import sent_or_found
from ringmain_core.tooling import tool
from ringmain_slack.addressing import addressee, opened, require_open, shown, somebody
from ringmain_slack.api import Slack
from ringmain_slack.conversations import Conversation, conversation_of
from ringmain_slack.directory import PAGE, next_cursor
from ringmain_slack.fences import describe
from ringmain_slack.models import Written
from ringmain_slack.references import ChannelRef, parse_reference
from ringmain_slack.workspace import Place, Workspace

Action = Literal["create", "join", "invite", "topic", "purpose", "archive", "unarchive", "open_dm"]
People = Annotated[list[str], Field(description="Handles, ids or addresses.")]

_CLOCKS_DIFFER = 3_600
_LONGEST = 250  # characters of a topic or purpose
_SO_ALREADY = frozenset({"already_archived", "already_in_channel", "cant_invite_self", "not_archived"})
_WITH_PEOPLE = frozenset({"invite", "open_dm"})
_WITH_TEXT = frozenset({"topic", "purpose"})


@dataclass(frozen=True, slots=True)
class _Step:
    """One request.

    Attributes:
        what: Is so when it is done, in words.
    """

    method: str
    arguments: dict[str, Any]
    what: str

    def rehearsed(self, channel: str | None) -> Written:
        """What it would be."""
        request = {self.method: self.arguments}
        return Written(done=False, summary=self.what, channel=channel, requests=[request])


async def _settle(slack: Slack, call: Call, note: Any) -> Written | None:
    if note is None:
        return None  # all but new channels are states that are set: set again, they are no other
    return await _created(await slack.workspace(call, note["workspace"]), note)


@tool(access="write", title="Manage a channel", settle=_settle)
async def manage_channel(
    slack: Slack,
    call: Call,
    action: Action,
    channel: Annotated[ChannelRef | None, Field(description="For create: the name.")] = None,
    people: People | None = None,
    text: Annotated[str | None, OnRecord(withheld), Field(description="Topic or purpose.")] = None,
    private: bool = False,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Written:
    """Create, join, describe, archive or unarchive a channel, invite people, or open a direct message."""
    _require_fitting(action, channel, people, text, private=private)
    if action == "create":
        return await _create(slack, call, channel or "", private=private, dry_run=dry_run)
    if action == "open_dm":
        return await _open(slack, call, people or [], dry_run=dry_run)
    place = await slack.place(call, channel or "")
    if action not in ("archive", "unarchive"):
        require_open(place, joined=action != "join")
    step = await _step(place, action, people or [], text or "")
    if dry_run:
        return step.rehearsed(place.id)
    if action == "archive":
        await confirm_destructive(
            call, "archive", f"Archive {shown(place)}? Nobody can write there until it is unarchived."
        )
    if action == "invite" and place.conversation.kind != "public" and call.grant.flow:
        who = ", ".join(people or [])
        await confirm(call, "invite", f"Invite {who} to {shown(place)}? They can then read all of it.")
    if action in _WITH_TEXT:
        await place.may_share(call, f"Change the {action} of {shown(place)}")
    return await _taken(place, step)


def _require_fitting(
    action: Action, channel: str | None, people: list[str] | None, text: str | None, *, private: bool
) -> None:
    """Refuse arguments that do not go together.

    Raises:
        InvalidArguments: Naming those that do.
    """
    fits = (
        (channel is None) == (action == "open_dm")
        and bool(people) == (action in _WITH_PEOPLE)
        and (text is not None) == (action in _WITH_TEXT)
        and (action == "create" or not private)
    )
    if not fits:
        raise InvalidArguments(
            "create takes `channel` (its name) and `private`; invite `channel` and `people`; topic and "
            "purpose `channel` and `text`; open_dm `people` alone; the others `channel` alone."
        )
    if len(text or "") > _LONGEST:
        raise InvalidArguments(f"A {action} has at most {_LONGEST} characters; this has {len(text or ''):,}.")


async def _step(place: Place, action: Action, people: list[str], text: str) -> _Step:
    at, channel = place.workspace, {"channel": place.id}
    match action:
        case "join":
            return _Step("conversations.join", channel, f"You are in {place.title}.")
        case "invite":
            found = [await somebody(at, one) for one in people]
            users = [one.id for one in found]
            names = ", ".join(f"@{one.handle}" for one in found)
            arguments = channel | {"users": users, "force": True if len(users) > 1 else None}
            return _Step("conversations.invite", arguments, f"In {place.title}: {names}.")
        case "topic" | "purpose":
            method = "conversations.setTopic" if action == "topic" else "conversations.setPurpose"
            return _Step(method, channel | {action: text}, f"{place.title} has a new {action}.")
        case "archive":
            return _Step("conversations.archive", channel, f"{place.title} is archived.")
        case _:
            return _Step("conversations.unarchive", channel, f"{place.title} is open again.")


async def _taken(place: Place, step: _Step) -> Written:
    """Take a step; what is so already is done."""
    at = place.workspace
    try:
        answer = await at.post(step.method, idempotent=True, **step.arguments)
    except UpstreamRefused as refused:
        if refused.detail.get("error") not in _SO_ALREADY:
            raise
        return Written(done=True, summary=step.what, channel=place.id)
    told: Mapping[str, Any] = answer.get("channel") or {}
    if "name" in told:
        at.directory.saw(conversation_of(told))
    failed: list[Mapping[str, str]] = answer.get("errors") or []
    left = [f"{one['user']} ({one['error']})" for one in failed if one["error"] not in _SO_ALREADY]
    warnings = [f"Slack has left out {', '.join(left)}"] if left else []
    return Written(done=True, summary=step.what, channel=place.id, warnings=warnings)


async def _create(slack: Slack, call: Call, text: str, *, private: bool, dry_run: bool) -> Written:
    reference = parse_reference(text)
    if reference.name is None:
        raise InvalidArguments("Give a new channel's name: lower-case letters, digits, `-` and `_`.")
    at, name = await slack.workspace(call, reference.workspace), reference.name
    _require_admitted(slack, call, at, Conversation("", "private" if private else "public", name))
    step = _Step("conversations.create", {"name": name, "is_private": private}, f"Created #{name}.")
    if dry_run:
        return step.rehearsed(None)
    if not private:
        await call.may_share("organisation", f"Create #{name}", f"Slack {at.about.domain} #{name}")
    note = {
        "workspace": reference.workspace,
        "name": name,
        "since": int(time.time()) - _CLOCKS_DIFFER,
    }
    await call.note(note)

    async def send() -> Written:
        return _new(at, name, (await at.post(step.method, **step.arguments))["channel"])

    return await sent_or_found(send, lambda: _created(at, note))


async def _created(at: Workspace, note: Mapping[str, Any]) -> Written | None:
    """The channel of this name that we have made since."""
    cursor: str | None = None
    while True:
        types = at.about.types(("public", "private"))
        page = await at.get("users.conversations", types=types, limit=PAGE, cursor=cursor)
        for row in page["channels"]:
            ours = row.get("creator") == at.about.user and row.get("created", 0) >= note["since"]
            if ours and row.get("name") == note["name"]:
                return _new(at, note["name"], row)
        cursor = next_cursor(page) or None
        if cursor is None:
            return None


def _new(at: Workspace, name: str, told: Mapping[str, Any]) -> Written:
    at.directory.saw(conversation_of(told))
    return Written(done=True, summary=f"Created #{name}.", channel=str(told["id"]))


async def _open(slack: Slack, call: Call, people: list[str], *, dry_run: bool) -> Written:
    workspace, slash, _ = people[0].rpartition("/")
    names = [one.rpartition("/")[2] for one in people]
    if len(people) == 1:
        place = await addressee(slack, call, f"{workspace}{slash}@{names[0].removeprefix('@')}")
        step = _Step(
            "conversations.open", {"users": [place.conversation.person]}, f"{place.title} can be written to."
        )
        if dry_run:
            return step.rehearsed(place.id or None)
        return Written(done=True, summary=step.what, channel=(await opened(place)).id)
    at = await slack.workspace(call, workspace or None)
    found = [await somebody(at, one) for one in names]
    handles = sorted({at.about.handle, *(one.handle for one in found)})
    group = Conversation("", "group", f"mpdm-{'--'.join(handles)}-1", is_member=True)
    _require_admitted(slack, call, at, group)
    what = f"A conversation with {', '.join(f'@{one.handle}' for one in found)}."
    step = _Step("conversations.open", {"users": [one.id for one in found]}, what)
    if dry_run:
        return step.rehearsed(None)
    answer = await at.post(step.method, idempotent=True, **step.arguments)
    return Written(done=True, summary=step.what, channel=str(answer["channel"]["id"]))


def _require_admitted(slack: Slack, call: Call, at: Workspace, wanted: Conversation) -> None:
    """Refuse what the caller could not use once it is there.

    Raises:
        OutsideFence: With what may be used.
    """
    fence = call.fence("channel")
    if not slack.admits(fence, at.about.domain, wanted, f"#{wanted.name}"):
        raise OutsideFence(
            f"You may not use a {wanted.kind} conversation named {wanted.name[:80]} "
            f"({describe(fence, slack.settings.conversations)})."
        )


TOOLS = (manage_channel,)
