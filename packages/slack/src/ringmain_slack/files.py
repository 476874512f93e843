"""Files as Slack keeps them: where they are shared, and so whether a caller may have them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound, OutsideFence, ToolFailure
from ringmain_core.flow import Audience
from ringmain_core.text import clean
from ringmain_slack.api import Slack
from ringmain_slack.references import Reference
from ringmain_slack.workspace import Place, Workspace

_WIDEST_FIRST: tuple[Audience, ...] = ("public", "organisation", "group")
_MOST_PLACES = 20  # that are looked at for who reads there
_ID = re.compile(r"F[A-Z0-9]{7,20}")
_HOST = re.compile(r"https?://([\w-]+)\.")
_LINK = re.compile(r"/(?:files/[A-Z0-9]+|docs/[A-Z0-9]+|canvas/[A-Z0-9]+)/(F[A-Z0-9]{7,20})(?:/|$|\?)")


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file that the caller may have.

    Attributes:
        place: A conversation in which it is shared, and which the caller may use; `None` for an own file that
            is shared nowhere.
        told: As Slack describes it.
        named: The workspace, as the caller or a link named it.
    """

    workspace: Workspace
    place: Place | None
    told: Mapping[str, Any]
    named: str | None = None

    @property
    def id(self) -> str:
        return str(self.told["id"])

    @property
    def title(self) -> str:
        return " ".join(clean(str(self.told.get("title") or self.told.get("name") or self.id)).split())

    @property
    def is_canvas(self) -> bool:
        return self.told.get("mode") == "quip" or self.told.get("filetype") in ("quip", "canvas")

    @property
    def source(self) -> str:
        return f"Slack file {self.id}"

    @property
    def link(self) -> str:
        """Where browsers find it, without its name, which others have given it."""
        return f"{self.workspace.about.url}files/{self.told.get('user', '')}/{self.id}"

    @property
    def written(self) -> str:
        """Names where a change is seen: the conversation, or the file itself where it is in several."""
        one = self.place is not None and len(_shared(self.told)) == 1
        return self.place.source if one and self.place is not None else self.source

    async def reaches(self) -> Audience:
        """Whom a change can reach at most: everybody wherever it is shared, known to the caller or not."""
        shared = _shared(self.told)
        if len(shared) > _MOST_PLACES or self.told.get("public_url_shared"):
            return "public"
        at, reach = self.workspace, set[Audience]()
        for conversation in shared:
            try:
                reach.add((await at.directory.conversation(at, conversation)).reaches)
            except ToolFailure:  # nobody knows who reads there
                return "public"
        for audience in _WIDEST_FIRST:
            if audience in reach:
                return audience
        return "self"

    async def saw(self, call: Call) -> None:
        """Say that the answer holds what is in it."""
        if self.place is None:
            await call.saw("self", self.source)
        else:
            await call.saw(self.place.conversation.seen_by, self.written)


def file_id(text: str) -> str:
    """The id of a file or canvas, from itself or a link.

    Raises:
        InvalidArguments: Where the text is neither.
    """
    text = text.strip()
    found = _LINK.search(text) if "://" in text else _ID.fullmatch(text)
    if found is None:
        raise InvalidArguments("Give a file's or canvas' id (`F…`), as messages show it, or a link to it.")
    return found[found.re.groups]


async def shared_file(slack: Slack, call: Call, text: str, workspace: str | None = None) -> SharedFile:
    """A file by id or link, if it is shared where the caller may read, or is an own one.

    Raises:
        InvalidArguments: Where the text names none.
        OutsideFence: Where it is not there, or only in conversations that are not for the caller.
    """
    name = file_id(text)
    named = _workspace_of(text) or workspace
    at = await slack.workspace(call, named)
    try:
        told: Mapping[str, Any] = (await at.get("files.info", file=name))["file"]
    except NotFound:
        raise _not_yours(name) from None
    shared = _shared(told)
    for conversation in shared:
        try:
            place = await slack.place_of(call, Reference(id=conversation), named)
        except (NotFound, OutsideFence):
            continue
        return SharedFile(at, place, told, named)
    if not shared and told.get("user") == at.about.user:
        return SharedFile(at, None, told, named)
    raise _not_yours(name)


def _shared(told: Mapping[str, Any]) -> list[str]:
    """The conversations that a file is shared in."""
    return [*(told.get("channels") or ()), *(told.get("groups") or ()), *(told.get("ims") or ())]


def _workspace_of(text: str) -> str | None:
    """The workspace that a link says."""
    found = _HOST.match(text.strip())
    return None if found is None or found[1] in ("app", "files") else found[1].lower()


def _not_yours(name: str) -> OutsideFence:
    return OutsideFence(f"The file {name} is not there, or not shared in a conversation that you may use.")
