"""Canvases: made, added to, and changed at a heading."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, OutcomeUnknown, UpstreamRefused
from ringmain_core.steps import sent_or_found
from ringmain_core.text import untrusted
from ringmain_core.tooling import tool
from ringmain_slack.addressing import require_open, shown
from ringmain_slack.api import Slack
from ringmain_slack.drafts import excerpt
from ringmain_slack.files import SharedFile, shared_file
from ringmain_slack.models import Written
from ringmain_slack.references import ChannelRef, parse_reference
from ringmain_slack.workspace import Workspace

Mode = Literal["create", "append", "prepend", "replace_section"]

_MOST = 1_000_000  # bytes that Slack takes in one change
_CLOCKS_DIFFER = 3_600
_OPERATIONS = {"append": "insert_at_end", "prepend": "insert_at_start", "replace_section": "replace"}
_WORD = re.compile(r"\w+")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to happen to a canvas, and what says later whether it has.

    Attributes:
        times: How often its words were there before.
        size: Characters of the canvas before.
    """

    canvas: str
    markdown: str
    times: int
    size: int

    def note(self, workspace: str | None) -> dict[str, Any]:
        """For a later try."""
        return {
            "canvas": self.canvas,
            "workspace": workspace,
            "markdown": self.markdown,
            "times": self.times,
            "size": self.size,
        }


async def _settle(slack: Slack, call: Call, note: Any) -> Written | None:
    if note is None:
        return None  # it is kept before anything is changed
    if "canvas" not in note:
        return await _created(await slack.workspace(call, note["workspace"]), note)
    found = await shared_file(slack, call, note["canvas"], note["workspace"])
    change = _Change(found.id, note["markdown"], note["times"], note["size"])
    content = await _content(found)
    if _times(content, change.markdown) <= change.times and len(content) != change.size:
        raise OutcomeUnknown(
            f"The canvas {found.id} was changed since, and the text is not found in it as it was written. "
            "Read it before you try again."
        )
    return _changed(found, content, change)


def _changed(found: SharedFile, content: str, change: _Change) -> Written | None:
    done = _times(content, change.markdown) > change.times
    return _saved(found.told) if done else None


def _saved(told: Mapping[str, Any]) -> Written:
    return Written(
        done=True, summary=f"The canvas {told['id']} is saved.", url=told.get("permalink"), id=str(told["id"])
    )


async def _content(found: SharedFile) -> str:
    return str((await found.workspace.get("canvases.getContent", canvas_id=found.id))["content"])


def _times(content: str, markdown: str) -> int:
    """How often the words of a text are in another, whatever Slack has made of its form."""
    there, wanted = ("".join(f" {word} " for word in _WORD.findall(text)) for text in (content, markdown))
    return there.count(wanted)


@tool(access="write", title="Save a canvas", settle=_settle)
async def save_canvas(
    slack: Slack,
    call: Call,
    markdown: Annotated[str, OnRecord(withheld)],
    mode: Mode = "create",
    canvas: Annotated[str | None, Field(description="Id or link, to change it.")] = None,
    section: Annotated[str | None, Field(description="Heading to replace, without what follows.")] = None,
    channel: Annotated[ChannelRef | None, Field(description="For a new one: its tab.")] = None,
    title: str | None = None,
    workspace: str | None = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Written:
    """Create a canvas, in a channel or of your own; add to one, or replace one of its headings."""
    if not 0 < len(markdown.encode(errors="replace")) <= _MOST:
        raise InvalidArguments(f"`markdown` has nothing in it, or more than {_MOST:,} bytes.")
    if (mode == "create") != (canvas is None) or (mode == "replace_section") != (section is not None):
        raise InvalidArguments(
            "A new canvas takes `title` and perhaps `channel`; the other modes take `canvas`, and "
            "replace_section takes `section`."
        )
    if canvas is None:
        return await _create(slack, call, markdown, title, channel, workspace, dry_run=dry_run)
    if title or channel:
        raise InvalidArguments("`title` and `channel` are for a new canvas.")
    return await _edit(slack, call, canvas, markdown, mode, section, workspace, dry_run=dry_run)


async def _create(
    slack: Slack,
    call: Call,
    markdown: str,
    title: str | None,
    channel: str | None,
    workspace: str | None,
    *,
    dry_run: bool,
) -> Written:
    if not title:
        raise InvalidArguments("A new canvas needs a `title`.")
    place = None if channel is None else await slack.place(call, channel, workspace)
    if place is not None:
        require_open(place)
    at = place.workspace if place is not None else await slack.workspace(call, workspace)
    arguments: dict[str, Any] = {
        "title": title,
        "document_content": _document(markdown),
        "channel_id": None if place is None else place.id,
    }
    where = "shared nowhere yet" if place is None else f"in {shown(place)}"
    if dry_run:
        return _rehearsed("canvases.create", arguments, f"A new canvas “{title}”, {where}.", markdown)
    if place is not None:
        await place.may_share(call, f"Create a canvas in {shown(place)}")
    named = (parse_reference(channel).workspace if channel else None) or workspace
    note: dict[str, Any] = {
        "workspace": named,
        "title": title,
        "since": int(time.time()) - _CLOCKS_DIFFER,
    }
    note["before"] = [str(one["id"]) for one in await _own(at, note)]
    await call.note(note)

    async def send() -> Written:
        made = str((await at.post("canvases.create", **arguments))["canvas_id"])
        return Written(done=True, summary=f"The canvas {made} “{title}” is {where}.", id=made)

    return await sent_or_found(send, lambda: _created(at, note))


async def _created(at: Workspace, note: Mapping[str, Any]) -> Written | None:
    """The canvas of ours with this title that has come since."""
    found = (one for one in await _own(at, note) if one["id"] not in note["before"])
    told = next(found, None)
    return None if told is None else _saved(told)


async def _own(at: Workspace, note: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Canvases of ours with this title, of those that are new."""
    answer = await at.get("files.list", user=at.about.user, ts_from=note["since"], count=100)
    return [one for one in answer["files"] if one.get("title") == note["title"] and one.get("mode") == "quip"]


async def _edit(
    slack: Slack,
    call: Call,
    canvas: str,
    markdown: str,
    mode: Mode,
    section: str | None,
    workspace: str | None,
    *,
    dry_run: bool,
) -> Written:
    found = await shared_file(slack, call, canvas, workspace)
    if not found.is_canvas:
        raise UpstreamRefused(f"{found.id} is a file, and no canvas.")
    content = await _content(found)
    change: dict[str, Any] = {"operation": _OPERATIONS[mode], "document_content": _document(markdown)}
    if section is not None:
        change["section_id"] = await _section(call, found, content, section)
    arguments: dict[str, Any] = {"canvas_id": found.id, "changes": [change]}
    if dry_run:
        await found.saw(call)
        what = {"append": "at its end", "prepend": "at its start"}.get(mode, f"in place of “{section}”")
        return _rehearsed("canvases.edit", arguments, f"The canvas “{found.title}” changes {what}.", markdown)
    await call.may_share(await found.reaches(), f"Change the canvas “{found.title}”", found.written)
    meant = _Change(found.id, markdown, _times(content, markdown), len(content))
    await call.note(meant.note(found.named))

    async def send() -> Written:
        await found.workspace.post("canvases.edit", **arguments)
        return _saved(found.told)

    async def look() -> Written | None:
        return _changed(found, await _content(found), meant)

    return await sent_or_found(send, look)


async def _section(call: Call, found: SharedFile, content: str, wanted: str) -> str:
    """The id of a heading, by its text.

    Raises:
        InvalidArguments: Where there is none, or more than one; it lists those that there are.
    """
    headings = [" ".join(heading.split()) for heading in _HEADING.findall(content)]
    name = " ".join(wanted.lstrip("#").split()).casefold()
    exact = [heading for heading in headings if heading.casefold() == name]
    alike = [heading for heading in headings if name in heading.casefold()]
    if len(exact) == 1:
        criteria = {"section_types": ["any_header"], "contains_text": exact[0]}
        answer = await found.workspace.get(
            "canvases.sections.lookup", canvas_id=found.id, criteria=json.dumps(criteria)
        )
        ids = [str(one["id"]) for one in answer["sections"]]
        if len(ids) == len(alike):  # Slack finds all that contain the words, in their order
            return ids[alike.index(exact[0])]
    await found.saw(call)
    known = "\n".join(headings[:30]) or "none"
    what = "no heading" if not exact else "more than one heading"
    raise InvalidArguments(
        f"The canvas has {what} “{wanted[:80]}” that could be told apart; it has:\n"
        f"{untrusted(known, found.source)}"
    )


def _document(markdown: str) -> dict[str, str]:
    return {"type": "markdown", "markdown": markdown}


def _rehearsed(method: str, arguments: Mapping[str, Any], what: str, markdown: str) -> Written:
    request = {method: {name: value for name, value in arguments.items() if value is not None}}
    if len(markdown) > 2_000:
        request = {method: "<as given>"}
    return Written(done=False, summary=what, requests=[request], preview=excerpt(markdown))


TOOLS = (save_canvas,)
