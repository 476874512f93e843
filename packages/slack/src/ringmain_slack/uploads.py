"""Files on their way to Slack: an address, the bytes, and only then a file that others see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringmain_core.call import Call
from ringmain_core.errors import NotFound, OutcomeUnknown, UpstreamUnavailable
from ringmain_core.steps import sent_or_found
from ringmain_slack.addressing import shown
from ringmain_slack.models import Written
from ringmain_slack.workspace import Place


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, and what is said beside it.

    Attributes:
        comment: Blocks of rich text.
    """

    name: str
    content: bytes
    title: str
    comment: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def ticket(self) -> dict[str, Any]:
        """What the address is asked for with."""
        return {"filename": self.name, "length": len(self.content)}

    def completion(self, place: Place, thread: str | None, file: str) -> dict[str, Any]:
        """What makes it a file in a conversation."""
        return {
            "files": [{"id": file, "title": self.title}],
            "channel_id": place.id or place.conversation.person,
            "thread_ts": thread,
            "blocks": self.comment or None,
        }


async def share(
    call: Call, place: Place, upload: Upload, thread: str | None, workspace: str | None
) -> Written:
    """Upload a file and share it, once.

    Args:
        call: Keeps with its key which file it is, so that a later try finds it.
        place: Where it is shared.
        upload: What is.
        thread: The `ts` of the thread's first message.
        workspace: As the caller named it.

    Raises:
        UpstreamUnavailable: Where it did not get to Slack, so that nobody sees it.
        OutcomeUnknown: Where it may be shared, and cannot be found.
    """
    at = place.workspace
    try:
        ticket = await at.post("files.getUploadURLExternal", idempotent=True, **upload.ticket())
        await at.upload(str(ticket["upload_url"]), upload.content)
    except OutcomeUnknown:  # of no consequence: what is not completed nobody ever sees
        raise UpstreamUnavailable("The file did not get to Slack, so nothing is shared. Try again.") from None
    file = str(ticket["file_id"])
    await call.note({"file": file, "channel": place.id, "workspace": workspace})

    async def send() -> Written:
        answer = await at.post("files.completeUploadExternal", **upload.completion(place, thread, file))
        return _shared(place, answer["files"][0])

    return await sent_or_found(send, lambda: shared_there(place, file))


async def shared_there(place: Place, file: str) -> Written | None:
    """What became of an upload: the file, if it is shared in this conversation."""
    try:
        told: Mapping[str, Any] = (await place.workspace.get("files.info", file=file))["file"]
    except NotFound:
        return None
    places = [*(told.get("channels") or ()), *(told.get("groups") or ()), *(told.get("ims") or ())]
    return _shared(place, told) if place.id in places else None


def _shared(place: Place, told: Mapping[str, Any]) -> Written:
    return Written(
        done=True,
        summary=f"Shared {told['id']} in {shown(place)}.",
        url=told.get("permalink"),
        id=str(told["id"]),
        channel=place.id,
    )
