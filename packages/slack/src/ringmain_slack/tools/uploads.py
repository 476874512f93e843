"""Uploading: what is given inline, never a path or an address."""

import base64
import binascii
import re
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.tooling import tool
from ringmain_slack.addressing import addressee, opened, opening, require_open, shown, thread_of
from ringmain_slack.api import Slack
from ringmain_slack.drafts import draft_of, one_message, request_of
from ringmain_slack.models import Written
from ringmain_slack.references import ChannelRef, Reference, parse_reference
from ringmain_slack.uploads import Upload, share, shared_there

_MOST_TEXT = 1_000_000  # bytes
_MOST_BINARY = 5_000_000
_NAME = re.compile(r"[^/\\\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]{1,200}")


async def _settle(slack: Slack, call: Call, note: Any) -> Written | None:
    if note is None:
        return None  # it is kept before anybody can see the file
    place = await slack.place_of(call, Reference(id=note["channel"]), note["workspace"])
    return await shared_there(place, note["file"])


@tool(access="write", title="Upload a file", settle=_settle)
async def upload_file(
    slack: Slack,
    call: Call,
    channel: ChannelRef,
    filename: str,
    content: Annotated[str | None, OnRecord(withheld), Field(description="Text.")] = None,
    content_base64: Annotated[str | None, OnRecord(withheld)] = None,
    title: str | None = None,
    comment: Annotated[str | None, OnRecord(withheld), Field(description="Markdown beside it.")] = None,
    thread_ts: str | None = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Written:
    """Share a file in a channel or thread: text up to 1 MB, or base64 up to 5 MB."""
    if not _NAME.fullmatch(filename) or filename.strip(". ") == "":
        raise InvalidArguments("`filename` is a plain name, like report.csv: no path, no control characters.")
    data = _data(content, content_base64)
    place = await addressee(slack, call, channel)
    require_open(place)
    thread = None if thread_ts is None else await thread_of(place, thread_ts)
    warnings: list[str] = []
    unknown: list[str] = []
    blocks: list[dict[str, Any]] = []
    preview = None
    if comment:
        draft = await draft_of(slack, call, place, comment, only_rich=True)
        blocks = one_message(draft, "`comment`").blocks
        warnings, unknown, preview = draft.warnings(place), draft.unknown, draft.preview(call)
    upload = Upload(filename, data, title or filename, blocks)
    if dry_run:
        return Written(
            done=False,
            summary=f"{filename}, {len(data):,} bytes, in {shown(place)}{' in a thread' if thread else ''}.",
            channel=place.id or None,
            requests=[
                *opening(place),
                {"files.getUploadURLExternal": upload.ticket()},
                request_of(call, "files.completeUploadExternal", upload.completion(place, thread, "F…")),
            ],
            preview=preview,
            warnings=warnings,
        )
    await place.may_share(call, f"Share {filename} in {shown(place)}")
    made = await share(call, await opened(place), upload, thread, parse_reference(channel).workspace)
    made.warnings += unknown
    return made


def _data(content: str | None, content_base64: str | None) -> bytes:
    """The bytes of a file.

    Raises:
        InvalidArguments: Where they are not given once, are too many, or cannot be decoded.
    """
    if (content is None) == (content_base64 is None):
        raise InvalidArguments("Give `content`, or `content_base64` for what is no text.")
    if content is not None:
        data, most = content.encode(errors="replace"), _MOST_TEXT
    else:
        try:
            data, most = base64.b64decode(content_base64 or "", validate=True), _MOST_BINARY
        except binascii.Error:
            raise InvalidArguments("`content_base64` is no base64.") from None
    if not data:
        raise InvalidArguments("The file is empty, which Slack does not take.")
    if len(data) > most:
        raise InvalidArguments(f"The file has {len(data):,} bytes; at most {most:,} are taken.")
    return data


TOOLS = (upload_file,)
