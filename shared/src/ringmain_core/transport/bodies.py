"""Reads the bodies of requests, and the JSON in them: nobody fills the memory or holds up the others."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from starlette.types import Message, Receive

from ringmain_core.principal import Principal
from ringmain_core.refusals import BodyTimeout, MalformedRequest, PayloadTooLarge, RateLimited, Rejected
from ringmain_core.room import Room
from ringmain_core.state import Quota
from ringmain_core.state.meters import LocalMeters
from ringmain_core.transport.strict_json import (
    WRONG_ID,
    NotStrictJson,
    has_more_parts,
    has_wrong_id,
    loads_strict,
)

_READ_WITHIN = 60.0
_BODIES_EACH, _BODIES = 4, 32  # unfinished ones of the largest size
_LEAST = 64 * 1024  # bytes that a body counts for while it is unfinished, however short
_SIMPLE = 10_000  # commas and brackets: they say how long reading takes, of so many some milliseconds
_MOST_PARTS = 250_000
_INTRICATE_RATE, _INTRICATE_BURST = 2.0, 10


class Bodies:
    """Bodies up to a size, with bounds for each caller and for all together.

    What arrives whole, as nearly everything does, is not counted. What has very many values is read in a
    thread, one at a time, and a few a second for each caller.

    Args:
        most: Bytes of the largest one.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        largest = max(most, _LEAST)
        self._unfinished = Room(
            "bytes of unfinished requests", each=_BODIES_EACH * largest, total=_BODIES * largest
        )
        self._intricate = LocalMeters()
        self._thread = ThreadPoolExecutor(1, "ringmain-json")

    async def read(self, principal: Principal, declared: str, receive: Receive) -> tuple[bytes, object]:
        """The whole body, and the JSON that it is.

        Args:
            principal: Whose it is.
            declared: The header `Content-Length`.
            receive: Gets the next part of it.

        Raises:
            PayloadTooLarge, BodyTimeout: Where it is too large, or slow to come.
            MalformedRequest, Rejected: Where it is cut off, or not all would read it alike.
            RateLimited: Where the caller has sent too much of a kind that is counted.
        """
        declared = declared[:20]
        if declared.isdecimal() and int(declared) > self._most:
            raise self._too_large()
        with _Deadline():
            message = await receive()
            if message.get("more_body", False):
                body = await self._gathered(principal.owner, message, receive)
            else:
                body = _part(message)
        if len(body) > self._most:
            raise self._too_large()
        try:
            simple = len(body) <= _SIMPLE or sum(map(body.count, (b",", b"[", b"{"))) <= _SIMPLE
            said = loads_strict(body) if simple else await self._parsed_elsewhere(principal.owner, body)
        except NotStrictJson as error:
            raise MalformedRequest(f"Not a JSON message: {error}.") from error
        if has_wrong_id(said):
            raise Rejected(WRONG_ID)
        return body, said

    async def _parsed_elsewhere(self, owner: str, body: bytes) -> object:
        quota = Quota(owner, _INTRICATE_RATE, _INTRICATE_BURST, None)
        if (exceeded := self._intricate.admit([quota], "", 0.0)) is not None:
            raise RateLimited(
                f"Too many messages with very many values: {_INTRICATE_RATE:g} a second are read. Send "
                "fewer, or smaller ones.",
                retry_after_ms=int(exceeded.retry_after * 1000) + 1,
            )
        return await asyncio.get_running_loop().run_in_executor(self._thread, _parse_bounded, body)

    async def _gathered(self, owner: str, message: Message, receive: Receive) -> bytes:
        body, counted = bytearray(_part(message)), 0
        try:
            while message.get("more_body", False) and len(body) <= self._most:
                grown = max(len(body), _LEAST) - counted
                self._unfinished.take(owner, grown)
                counted += grown
                message = await receive()
                body += _part(message)
            return bytes(body)
        finally:
            self._unfinished.give(owner, counted)

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The body is larger than {self._most:,} bytes.")


class _Deadline:
    """Ends what a task waits for after a time; every request passes here, so it does no more than it must."""

    __slots__ = ("_is_over", "_task", "_timer")

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (ASGI apps run in tasks)
        self._task = task
        self._is_over = False
        self._timer = asyncio.get_running_loop().call_later(_READ_WITHIN, self._end)

    def __exit__(self, _: object, error: object, __: object) -> None:
        self._timer.cancel()
        if self._is_over and isinstance(error, asyncio.CancelledError) and not self._task.uncancel():
            raise BodyTimeout(f"The body did not come within {_READ_WITHIN:g} seconds.") from None

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()


def _part(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise MalformedRequest("The request was cut off.")
    return message.get("body", b"")


def _parse_bounded(body: bytes) -> object:
    if has_more_parts(body, _MOST_PARTS):
        raise PayloadTooLarge(f"The body is made of more than {_MOST_PARTS:,} parts.")
    return loads_strict(body)
