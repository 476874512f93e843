"""Methods of files, their upload in three steps, and their download."""

import mimetypes
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, cast

from standins.slack import shapes
from standins.slack.blocks import check_blocks
from standins.slack.channel import Channel
from standins.slack.models import File, secret
from standins.slack.state import FakeSlack
from standins.slack.web import Asked, Refusal, Routes

routes = Routes()


def visible(asked: Asked, name: str, error: str) -> File:
    """A file that the token may see: its own, or of a conversation that it sees."""
    found = asked.team.files.get(name)
    if found is None or not found.shared or not may_see(asked, found):
        raise Refusal(error)
    return found


def may_see(asked: Asked, found: File) -> bool:
    me = asked.mine.user
    if me == found.user or me in found.access:
        return True
    at = [asked.team.find_channel(one) for one in {*found.channels, *found.access}]
    return any(one is not None and asked.sees(one) for one in at)


@routes.on("files.info")
def info(asked: Asked) -> dict[str, Any]:
    found = visible(asked, asked.text("file"), "file_not_found")
    made: dict[str, Any] = {"file": shapes.file(asked.team, found), "comments": []}
    if found.mimetype.startswith("text/"):
        text = found.content.decode(errors="replace")
        made |= {"content": text[:5000], "is_truncated": len(text) > 5000}
    return made | {"response_metadata": {"next_cursor": ""}}


@routes.on("files.list")
def listed(asked: Asked) -> dict[str, Any]:
    """Only the first page, by user, channel and time: no types."""
    user, channel = asked.text("user"), asked.text("channel")
    since = float(asked.text("ts_from", "0"))
    found = [
        one
        for one in asked.team.files.values()
        if one.shared and may_see(asked, one) and one.created >= since
        if user in ("", one.user) and (not channel or channel in one.channels)
    ]
    rows = [shapes.file(asked.team, one) for one in found[::-1][: int(asked.values.get("count") or 100)]]
    return {"files": rows, "paging": {"count": len(rows), "total": len(found), "page": 1, "pages": 1}}


@routes.on("files.getUploadURLExternal")
def upload_url(asked: Asked) -> dict[str, Any]:
    length, name = int(asked.values["length"]), asked.text("filename")
    if length <= 0:
        raise Refusal("invalid_arguments")
    made = asked.team.file(name, user=asked.mine.user)
    made.shared, made.length, made.alt_txt = False, length, asked.text("alt_txt")
    made.mimetype = mimetypes.guess_type(name)[0] or "text/plain"
    made.filetype = name.rpartition(".")[2] if "." in name else "text"
    ticket = secret("upload", made.id)
    return {
        "upload_url": f"{asked.fake.url}/upload/v1/{asked.team.id}/{made.id}/{ticket}",
        "file_id": made.id,
    }


def take_upload(fake: FakeSlack, path: str, content: bytes, content_type: str) -> tuple[int, str]:
    """The second step: the content, raw or as a form, to the URL of the first."""
    _, _, team, name, ticket = path.strip("/").split("/")
    found = fake.teams[team].files.get(name) if team in fake.teams else None
    if found is None or ticket != secret("upload", name):
        return 404, "no such upload"
    data = _part(content, content_type) if content_type.startswith("multipart/") else content
    if len(data) != found.length:
        fake.violations.append(f"upload of {found.name}: {len(data)} bytes instead of {found.length}")
        return 400, "wrong length"
    found.content = data
    return 200, f"OK - {len(data)}"


def _part(content: bytes, content_type: str) -> bytes:
    head = f"content-type: {content_type}\r\n\r\n".encode()
    for part in BytesParser(policy=HTTP).parsebytes(head + content).walk():
        if not part.is_multipart():
            return cast("bytes", part.get_payload(decode=True))
    return b""


@routes.on("files.completeUploadExternal")
def complete(asked: Asked) -> dict[str, Any]:
    places = [
        *([asked.text("channel_id")] if "channel_id" in asked.values else []),
        *asked.strings("channels"),
    ]
    channels: list[Channel] = []
    for one in places:
        at = asked.team.find_channel(one)
        if at is None or not asked.sees(at):
            raise Refusal("channel_not_found")
        asked.inside(at)
        channels.append(at)
    thread = asked.text("thread_ts")
    if thread and any(thread not in at.messages for at in channels):
        raise Refusal("thread_not_found")
    found: list[File] = []
    for row in asked.values["files"]:
        one = asked.team.files.get(str(row.get("id")))
        if one is None or one.user != asked.mine.user or (one.length and not one.content):
            raise Refusal("file_not_found")
        one.title = row.get("title") or one.name
        found.append(one)
    for one in found:
        one.shared = True
        one.channels = [at.id for at in channels]
    comment = asked.text("initial_comment")
    blocks: Any = [] if comment else asked.values.get("blocks") or []
    check_blocks(blocks)
    for at in channels:
        files = [one.id for one in found]
        at.post(comment, asked.mine.user, thread_ts=thread, files=files, blocks=blocks)
    return {"files": [shapes.file(asked.team, one) for one in found]}


def download(asked: Asked, path: str) -> tuple[int, str, bytes]:
    """The content behind `url_private`: a page to sign in for who may not have it, as with Slack.

    The token has to be found beforehand.
    """
    sign_in = (200, "text/html; charset=utf-8", b"<!DOCTYPE html><html><title>Sign in | Slack</title></html>")
    if asked.token is None or asked.token.revoked or asked.token.expired:
        return sign_in
    team, _, name = path.strip("/").split("/")[1].partition("-")
    found = asked.team.files.get(name) if team == asked.team.id else None
    if found is None or not may_see(asked, found) or "files:read" not in asked.mine.scopes:
        return sign_in
    if found.is_canvas:
        body = "".join(f"<p>{one}</p>" for one in found.sections.values())
        return 200, "text/html; charset=utf-8", f"<html><body>{body}</body></html>".encode()
    return 200, found.mimetype, found.content
