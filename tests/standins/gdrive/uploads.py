"""Uploads: media, multipart, and resumable ones with their sessions."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from standins.gdrive import gate
from standins.gdrive.described import Method
from standins.gdrive.errors import Refusal, bad_request, invalid_value
from standins.gdrive.models import Token
from standins.gdrive.web import Asked, Media

_CHUNK = 262_144  # every chunk but the last is a multiple of it
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_BLANK = re.compile(rb"\r?\n\r?\n")
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')


@dataclass(frozen=True)
class Upload:
    """What came with a request: content and its type."""

    data: bytes
    type: str


@dataclass
class Session:
    """A resumable upload.

    Attributes:
        total: Bytes there will be; `None` until it is told.
        answer: The file, when it is complete.
    """

    token: Token
    body: dict[str, Any]
    type: str
    total: int | None
    data: bytearray = field(default_factory=bytearray)
    answer: dict[str, Any] | None = None


Finish = Callable[[Upload | None], dict[str, Any]]


def taken(asked: Asked, method: Method, finish: Finish) -> dict[str, Any] | Media:
    """Read body and content the way they came; `finish` then makes the file."""
    kind = asked.given.get("uploadType", "")
    if "upload_id" in asked.given:
        return _goes_on(asked, finish)
    if not asked.path.startswith("/upload/"):
        gate.body(asked, method, asked.content)
        return finish(None)
    if kind == "resumable":
        return _begun(asked, method)
    if kind == "media":
        return finish(Upload(asked.content, _type(asked.headers.get("content-type", ""))))
    if kind == "multipart":
        metadata, upload = _parts(asked)
        gate.body(asked, method, metadata)
        return finish(upload)
    raise invalid_value("uploadType")


def _type(header: str) -> str:
    return header.partition(";")[0].strip()


def _parts(asked: Asked) -> tuple[bytes, Upload]:
    boundary = _BOUNDARY.search(asked.headers.get("content-type", ""))
    parts = asked.content.split(f"--{boundary[1]}".encode()) if boundary else []
    if len(parts) != 4:  # before, metadata, content, after
        raise bad_request("Malformed multipart body.")
    (_, metadata), (head, data) = (_split(one) for one in parts[1:3])
    found = re.search(rb"content-type:\s*([^\s;]+)", head, re.IGNORECASE)
    return metadata, Upload(data, found[1].decode() if found else "")


def _split(part: bytes) -> tuple[bytes, bytes]:
    blank = _BLANK.search(part)
    if blank is None:
        raise bad_request("Malformed multipart body.")
    end = -2 if part.endswith(b"\r\n") else -1
    return part[: blank.start()], part[blank.end() : end]


def _begun(asked: Asked, method: Method) -> Media:
    gate.body(asked, method, asked.content)
    assert asked.token is not None
    length = asked.headers.get("x-upload-content-length", "")
    kind = asked.headers.get("x-upload-content-type", "")
    number = asked.store.new_id("AB", 40)
    total = int(length) if length.isdigit() else None
    asked.fake.sessions[number] = Session(asked.token, asked.body, kind, total)
    query = {name: text for name, text in asked.given.items() if name != "fileId"}
    where = f"{asked.fake.url}{asked.path}?{urlencode(query | {'upload_id': number})}"
    return Media(b"", "text/plain", headers={"location": where, "x-guploader-uploadid": number})


def _goes_on(asked: Asked, finish: Finish) -> dict[str, Any] | Media:
    number = asked.given["upload_id"]
    session = asked.fake.sessions.get(number)
    if session is None:
        raise Refusal(404, "notFound", "Not Found")
    if asked.verb == "DELETE":
        del asked.fake.sessions[number]
        return Media(b"", "text/plain", 499)
    asked.body = session.body
    if session.answer is None:
        _keep(asked, session)
        if session.total is None or len(session.data) < session.total:
            kept = {"range": f"bytes=0-{len(session.data) - 1}"} if session.data else {}
            return Media(b"", "text/plain", 308, kept)
        session.answer = finish(Upload(bytes(session.data), session.type))
    return session.answer


def _keep(asked: Asked, session: Session) -> None:
    """Add the chunk of a request to what is there.

    Raises:
        Refusal: `badRequest` for one that does not follow, or has an odd size.
    """
    data = asked.content
    match = _CONTENT_RANGE.fullmatch(asked.headers.get("content-range", f"bytes *-*/{len(data)}"))
    if "content-range" not in asked.headers:  # everything at once
        start, session.total = 0, len(data)
    elif match is None:
        raise bad_request("Failed to parse Content-Range header.")
    else:
        session.total = session.total if match[3] == "*" else int(match[3])
        if match[1] is None:
            return
        start = int(match[1])
        if int(match[2]) - start + 1 != len(data):
            raise bad_request("Failed to parse Content-Range header.")
    if start != len(session.data):
        raise bad_request("Invalid request.  The chunk does not follow what was received.")
    if asked.fault is not None and asked.fault.kind == "short":
        data = data[: asked.fault.size]
    elif (session.total is None or start + len(data) < session.total) and len(data) % _CHUNK:
        raise bad_request(f"Invalid request.  Chunks are multiples of {_CHUNK} bytes.")
    session.data += data
