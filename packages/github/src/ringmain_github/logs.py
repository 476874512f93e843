"""Logs of jobs: fetched without credentials from where GitHub keeps them, and cut to what was asked for."""

import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio

from ringmain_core.errors import NotFound, UpstreamUnavailable
from ringmain_core.identity.issuers import is_safe_url
from ringmain_core.on_disk import is_loopback
from ringmain_core.text import clean
from ringmain_github.api import GitHub
from ringmain_github.client import ANYTHING
from ringmain_github.repository import Repository

MOST_BYTES = 16 * 1024 * 1024
"""How much of a log is held; of a longer one its end."""

LONGEST_LINE = 2_000
_LONGEST_SEARCHED = 4_000
_LEAST = 40
_WITHIN = 45.0
_OK, _GONE = 200, (403, 404, 410)
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z ?")
_COLOURS = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]")
_BEGINS = "##[group]Run "
_AFTER = (_BEGINS, "Post job cleanup.", "Cleaning up orphan processes")
_NO_LOG = (
    "The log of job {} is not there: it has expired (GitHub keeps logs for 90 days unless told otherwise), "
    "or the job has not written any."
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a log; `second` is when it was written, in UTC, empty where the log does not say."""

    second: str
    text: str


@dataclass(frozen=True, slots=True)
class Log:
    """The log of a job.

    Attributes:
        lacking: How many bytes of its beginning are not here.
    """

    lines: Sequence[Line]
    lacking: int = 0


async def job_log(github: GitHub, repository: Repository, job_id: int) -> Log:
    """Fetch the log of a job that has ended.

    Raises:
        NotFound: Where there is none, or none any more.
        UpstreamUnavailable: Where it cannot be fetched now.
    """
    try:
        reply = await github.get(repository.path("actions", "jobs", job_id, "logs"), accept=ANYTHING)
    except NotFound:
        raise NotFound(_NO_LOG.format(job_id)) from None
    location = reply.headers.get("location")
    if location is None:
        return parsed(reply.text)
    host = urlsplit(github.settings.url).hostname or ""
    trusted = github.settings.trusted_certificates
    content, lacking = await _download(location, job_id, trusted, loopback=is_loopback(host))
    return parsed(content.decode(errors="replace"), lacking)


def parsed(text: str, lacking: int = 0) -> Log:
    """Lines without their times and colours; an incomplete first one is dropped."""
    found = [_line(line) for line in text.removeprefix("\ufeff").splitlines()]
    return Log(found[1:] if lacking else found, lacking)


def step_range(log: Log, step: Mapping[str, Any]) -> range | None:
    """Which lines a step has written; `None` where the log does not show it.

    Its times are whole seconds, in which its neighbours may have written, too: the markers of steps tell them
    apart, around the first error.
    """
    begin, end = _second(step.get("started_at")), _second(step.get("completed_at"))
    if not begin or not end:
        return None
    within = [at for at, line in enumerate(log.lines) if begin <= line.second <= end]
    if not within:
        return None
    first, last = within[0], within[-1]
    lines = log.lines
    error = next((at for at in within if lines[at].text.startswith("##[error]")), None)
    for at in within:
        if lines[at].second != begin or (error is not None and at > error):
            break
        if lines[at].text.startswith(_BEGINS):
            first = at
    if error is not None:
        for at in range(error + 1, last + 1):
            if lines[at].second == end and lines[at].text.startswith(_AFTER):
                last = at - 1
                break
    return range(first, last + 1)


def matcher(pattern: str) -> tuple[Callable[[str], bool], bool]:
    """What finds a pattern in a line; also says whether it is one, or is searched for as plain text.

    The engine is Rust's, which pydantic brings: its time grows with the length of the line only, whatever the
    pattern.
    """
    from pydantic_core import SchemaError, SchemaValidator, core_schema

    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python, True
    except SchemaError:
        return lambda line: pattern in line, False


def matching(
    lines: Sequence[Line], found: Callable[[str], bool], context: int, skipped: int = 0
) -> tuple[list[str], int]:
    """Lines that match, with numbers and neighbours like `grep -n -C`; also says how many match.

    Args:
        lines: Where to look.
        found: Finds a match in a line.
        context: How many lines to show around each.
        skipped: How many lines come before these.
    """
    hits = [at for at, line in enumerate(lines) if found(line.text[:_LONGEST_SEARCHED])]
    shown: list[str] = []
    known = set(hits)
    until = 0
    for hit in hits:
        begin = max(until, hit - context)
        if shown and begin > until:
            shown.append("--")
        end = min(len(lines), hit + context + 1)
        shown += [
            f"{skipped + at + 1}{':' if at in known else '-'} {clipped(lines[at].text)}"
            for at in range(begin, end)
        ]
        until = max(until, end)
    return shown, len(hits)


def clipped(text: str) -> str:
    """A line, or its beginning, which says so."""
    if len(text) <= LONGEST_LINE:
        return text
    return f"{text[:LONGEST_LINE]} [… {len(text) - LONGEST_LINE:,} more characters]"


def last_fitting(lines: Sequence[str], budget: int) -> list[str]:
    """As many lines from the end as fit a number of bytes as JSON, but something of one at least."""
    kept: list[str] = []
    for line in reversed(lines):
        left = budget
        budget -= weight(line) + 2
        if budget < 0:
            if not kept:  # a character takes six bytes at most, as an escape
                kept.append(f"{line[: max(_LEAST, left // 6)]} [… cut]")
            break
        kept.append(line)
    return kept[::-1]


def weight(text: str) -> int:
    """Bytes of a text inside JSON."""
    from pydantic_core import to_json

    return len(to_json(text))


def _line(text: str) -> Line:
    stamp = _STAMP.match(text)
    rest = text[stamp.end() :] if stamp else text
    return Line(stamp[1] if stamp else "", clean(_COLOURS.sub("", rest)))


def _second(moment: str | None) -> str:
    """A moment as logs begin their lines with; steps tell it in any zone."""
    if not moment:
        return ""
    at = datetime.fromisoformat(moment)
    return (at.replace(tzinfo=None) - (at.utcoffset() or timedelta())).isoformat(timespec="seconds")


def _verification(trusted: str | None) -> ssl.SSLContext | bool:
    """How to know who answers: by a file or folder of certificates, or the usual ones."""
    if trusted is None:
        return True
    if Path(trusted).is_dir():
        return ssl.create_default_context(capath=trusted)
    return ssl.create_default_context(cafile=trusted)


async def _download(url: str, job_id: int, trusted: str | None, *, loopback: bool) -> tuple[bytes, int]:
    """The end of what is at an address that GitHub gave us, and how many bytes come before it."""
    import httpx2

    if not is_safe_url(url, loopback=loopback):
        raise UpstreamUnavailable("GitHub keeps this log at an address that is not https.")
    kept, lacking = bytearray(), 0
    # As it is: what is not compressed cannot become larger than what was counted.
    headers = {"Accept-Encoding": "identity"}
    try:
        with anyio.fail_after(_WITHIN):
            async with (
                httpx2.AsyncClient(verify=_verification(trusted)) as client,
                client.stream("GET", url, headers=headers) as response,
            ):
                if response.status_code in _GONE:
                    raise NotFound(_NO_LOG.format(job_id))
                if response.status_code != _OK or response.headers.get("content-encoding", "identity") != (
                    "identity"
                ):
                    raise UpstreamUnavailable(
                        f"Where GitHub keeps logs, the answer is {response.status_code}. Try again later."
                    )
                async for chunk in response.aiter_raw():
                    kept += chunk
                    if len(kept) > 2 * MOST_BYTES:
                        lacking += len(kept) - MOST_BYTES
                        del kept[:-MOST_BYTES]
    except TimeoutError:
        raise UpstreamUnavailable(f"The log does not arrive within {_WITHIN:g} s. Try again later.") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:  # of certificates that are not there
        raise UpstreamUnavailable(
            f"Where GitHub keeps logs cannot be reached ({type(error).__name__}). Try again later."
        ) from error
    if len(kept) > MOST_BYTES:
        lacking += len(kept) - MOST_BYTES
        del kept[:-MOST_BYTES]
    return bytes(kept), lacking
