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
        async with self._places:
            worker = await self._worker()
            is_good = False
            try:
                with anyio.fail_after(self.seconds):
                    header = {"format": declared, "seconds": int(self.seconds) + 1}
                    told, body = await worker.ask(header, data)
                is_good = not told.get("worn")
                return _made(told, body, declared, name)
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
