"""People, channels and groups that a text names: found by exact name, within the fence of whoever writes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringmain_core.call import Call
from ringmain_core.errors import ToolFailure
from ringmain_slack.api import Slack
from ringmain_slack.glances import channels_with, people_with
from ringmain_slack.markdown import ADDRESS, Node
from ringmain_slack.workspace import Workspace

NAMED = re.compile(
    r"<@(?P<person>[UW][A-Z0-9]{2,20})(?:\|[^<>|]*)?>"
    r"|<#(?P<channel>[CG][A-Z0-9]{2,20})(?:\|[^<>|]*)?>"
    r"|<!(?P<range>here|channel|everyone)(?:\|[^<>|]*)?>"
    r"|<!subteam\^(?P<group>S[A-Z0-9]{2,20})(?:\|[^<>|]*)?>"
    r"|(?<![\w@./])@(?P<handle>(?>[A-Za-z0-9_](?:[\w.-]*\w)?))(?!@|/\w)"
    r"|(?<![\w#&/])#(?P<name>(?=[\d_-]*[^\W\d_])\w(?:[\w-]*\w)?)"
)
"""What may be a mention: in Slack's own markup, or as people write it."""

_EVERYBODY = frozenset({"here", "channel", "everyone"})
_MOST = 30  # names of each kind that are looked up for one text


@dataclass(slots=True)
class Mentions:
    """What the names in a text stand for: the ids, by what is written.

    Attributes:
        people: Ids by themselves and by handles, in lower case.
        channels: The same, by names.
        groups: User groups, which only stand here where all their members may be notified.
        everybody: Whether `@here` and its like may be more than words.
        names: What people call what stands behind an id.
        unknown: What looks like a mention, and stays text.
    """

    people: dict[str, str] = field(default_factory=dict[str, str])
    channels: dict[str, str] = field(default_factory=dict[str, str])
    groups: dict[str, str] = field(default_factory=dict[str, str])
    everybody: bool = False
    names: dict[str, str] = field(default_factory=dict[str, str])
    unknown: list[str] = field(default_factory=list[str])

    def element(self, found: re.Match[str]) -> dict[str, Any] | None:
        """The element of rich text that a match of `NAMED` stands for; `None` where it is only text."""
        said = (found["person"] or found["handle"] or "").lower()
        if said in self.people:
            return {"type": "user", "user_id": self.people[said]}
        if (name := (found["channel"] or found["name"] or "").lower()) in self.channels:
            return {"type": "channel", "channel_id": self.channels[name]}
        if self.everybody and (found["range"] or said) in _EVERYBODY:
            return {"type": "broadcast", "range": found["range"] or said}
        group = (found["group"] or said).lower()
        if group in self.groups:
            return {"type": "usergroup", "usergroup_id": self.groups[group]}
        return None


async def mentions_in(
    slack: Slack, call: Call, at: Workspace, blocks: Iterable[Node], *, notify: bool
) -> Mentions:
    """Look up whom a text names; what cannot be found, or not now, stays text.

    Args:
        slack: Knows the fences.
        call: Whose fence decides which channels may be named.
        at: Where the names are looked for.
        blocks: Of the text.
        notify: Whether whole channels and groups may be notified.
    """
    found = [match for text in _texts(blocks) for match in NAMED.finditer(text)]
    handles = _distinct(match["handle"] for match in found)
    made = Mentions(everybody=notify)
    ids = _distinct(match["person"] for match in found)
    known = await at.directory.people(at, (one.upper() for one in ids))
    people = {name.lower(): one for name, one in known.items() if one.name != name}  # else nobody has it
    people |= await people_with(at.directory, at, [one for one in handles if one not in _EVERYBODY])
    for name, person in people.items():
        made.people[name], made.names[person.id] = person.id, person.handle
    await _add_channels(slack, call, at, found, made)
    if notify:
        await _add_groups(at, found, made)
    made.unknown = list(dict.fromkeys(match[0] for match in found if made.element(match) is None))
    return made


async def _add_channels(
    slack: Slack, call: Call, at: Workspace, found: Iterable[re.Match[str]], made: Mentions
) -> None:
    fence = call.fence("channel")
    known = await channels_with(at.directory, at, _distinct(match["name"] for match in found))
    for name in _distinct(match["channel"] for match in found):
        try:
            known[name] = await at.directory.conversation(at, name.upper())
        except ToolFailure:  # not there, or not to be known now
            continue
    for name, one in known.items():
        title = await slack.title(at, one)
        if one.kind in ("public", "private") and slack.admits(fence, at.about.domain, one, title):
            made.channels[name], made.names[one.id] = one.id, one.name


async def _add_groups(at: Workspace, found: Iterable[re.Match[str]], made: Mentions) -> None:
    wanted = {(match["group"] or match["handle"] or "").lower() for match in found}
    wanted -= {"", *_EVERYBODY, *made.people}
    if not wanted:
        return
    try:
        groups: list[Mapping[str, Any]] = (await at.get("usergroups.list"))["usergroups"]
    except ToolFailure:  # a name is worth no failed message: it stays text, and the caller is told so
        return
    for group in groups:
        for name in {str(group["id"]).lower(), str(group["handle"]).lower()} & wanted:
            made.groups[name] = str(group["id"])
            made.names[made.groups[name]] = str(group["handle"])


def _texts(blocks: Iterable[Node]) -> Iterable[str]:
    """Where names may stand: not in code, not in addresses, and not in the labels of links."""
    for block in blocks:
        if block.kind == "text":
            yield ADDRESS.sub(" ", block.text)
        elif block.kind != "link":
            yield from _texts(block.children)


def _distinct(names: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(name.lower() for name in names if name))[:_MOST]
