"""Worker processes that read files: few, bounded, and replaced when one breaks."""

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from subprocess import DEVNULL
from typing import Any, cast

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

from ringmain_core.errors import UpstreamRefused, UpstreamUnavailable
from ringmain_gdrive.extraction.extracted import Extract
from ringmain_gdrive.extraction.formats import Format
from ringmain_gdrive.extraction.framing import LENGTHS, MOST_BODY, MOST_HEADER, framed
from ringmain_gdrive.settings import bare_environment

_AT_ONCE = 2
_SECONDS = 45.0  # for one file
_COMPARING = 20.0  # for two texts
_BROKEN = (
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    anyio.IncompleteRead,
    OSError,
)


@dataclass(frozen=True, slots=True)
class _Worker:
    """A process, and what it says."""

    process: Process
    input: ByteSendStream
    output: BufferedByteReceiveStream

    async def ask(self, header: Mapping[str, Any], body: bytes) -> tuple[Mapping[str, Any], bytes]:
        """Give it a file and wait for what it makes of it."""
        await self.input.send(framed(header, body))
        await self.input.send(body)
        head, size = LENGTHS.unpack(await self.output.receive_exactly(LENGTHS.size))
        if head > MOST_HEADER or size > MOST_BODY:
            raise anyio.BrokenResourceError
        told: Mapping[str, Any] = json.loads(await self.output.receive_exactly(head))
        return told, await self.output.receive_exactly(size) if size else b""

    async def end(self) -> None:
        """Kill it, whatever it does, and wait until it is gone."""
        with anyio.CancelScope(shield=True):
            if self.process.returncode is None:
                with suppress(ProcessLookupError):
                    self.process.kill()
            await self.process.aclose()


class Workers:
    """Reads files in processes that hold nothing but the file: no secrets, no connections.

    What a file can do to a library, it does there. A process is started when there is a file for it, and
    kept for the next one.

    Attributes:
        seconds: How long one file may take.
    """

    def __init__(self, *, seconds: float = _SECONDS) -> None:
        self.seconds = seconds
        self._places = anyio.CapacityLimiter(_AT_ONCE)
        self._idle: list[_Worker] = []

    async def extract(self, data: bytes, declared: Format, name: str) -> Extract:
        """What is in a file.

        Args:
            data: The whole file.
            declared: The format that it should have.
            name: For people.

        Raises:
            UpstreamRefused: Where it cannot be read, for a reason in words.
            UpstreamUnavailable: Where no worker can be started.
        """
        try:
            told, body = await self._work({"format": declared}, data, self.seconds)
        except TimeoutError as error:
            raise UpstreamRefused(
                f"`{name}` takes longer than {self.seconds:.0f} s to read, so it is not. `download` "
                "gives a link to it."
            ) from error
        except _BROKEN as error:
            raise UpstreamRefused(
                f"`{name}` cannot be read: it takes more memory than one file may, or breaks what reads "
                f"{declared} files. `download` gives a link to it."
            ) from error
        return _made(told, body, declared, name)

    async def compare(self, before: str, after: str, name: str) -> str:
        """What has changed from one text to the other, as a unified diff; empty where nothing has.

        Raises:
            UpstreamRefused: Where they differ in too much.
            UpstreamUnavailable: Where no worker can be started.
        """
        first, second = before.encode(), after.encode()
        seconds = min(self.seconds, _COMPARING)
        try:
            told, body = await self._work({"compare": len(first)}, first + second, seconds)
        except (TimeoutError, *_BROKEN) as error:
            raise _too_much(name) from error
        if "failed" in told:
            raise _too_much(name)
        return body.decode()

    async def _work(
        self, wanted: Mapping[str, Any], data: bytes, seconds: float
    ) -> tuple[Mapping[str, Any], bytes]:
        """Have a worker do something.

        Raises:
            TimeoutError: Where it takes longer than that.
            UpstreamUnavailable: Where no worker can be started; beside that, `_BROKEN`.
        """
        async with self._places:
            worker = await self._worker()
            is_good = False
            try:
                with anyio.fail_after(seconds):
                    told, body = await worker.ask({**wanted, "seconds": int(seconds) + 1}, data)
                is_good = not told.get("worn")
                return told, body
            finally:
                if is_good:
                    self._idle.append(worker)
                else:
                    await worker.end()

    async def close(self) -> None:
        """End all that are not at work; those that are end with their call."""
        while self._idle:
            await self._idle.pop().end()

    async def _worker(self) -> _Worker:
        while self._idle:
            kept = self._idle.pop()
            if kept.process.returncode is None:
                return kept
            await kept.end()
        try:
            process = await anyio.open_process(
                [sys.executable, "-P", "-m", "ringmain_gdrive.extraction"],
                stderr=DEVNULL,
                env=bare_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise UpstreamUnavailable("No process can be started to read it in. Try later.") from error
        output = BufferedByteReceiveStream(cast("ByteReceiveStream", process.stdout))
        return _Worker(process, cast("ByteSendStream", process.stdin), output)


def _too_much(name: str) -> UpstreamRefused:
    return UpstreamRefused(
        f"The two contents of `{name}` are too large, or differ in too much, to be compared here: "
        "`read_file` with `revision_id` shows each of them."
    )


def _made(told: Mapping[str, Any], body: bytes, declared: Format, name: str) -> Extract:
    if "unreadable" in told:
        raise UpstreamRefused(f"`{name}` cannot be read. {told['unreadable']}")
    if told.get("failed") == "memory":
        raise UpstreamRefused(f"`{name}` cannot be read: it takes more memory than one file may.")
    if "failed" in told:
        raise UpstreamRefused(
            f"`{name}` cannot be read as {declared}: it is damaged, or not what its name says "
            f"({told['failed']})."
        )
    return Extract.unpacked(told, body)
