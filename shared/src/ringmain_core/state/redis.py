"""State that replicas share, in Redis or Valkey."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import SecretStr
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from ringmain_core.errors import ConfigurationError
from ringmain_core.state import Exceeded, Quota, StateUnavailable
from ringmain_core.state.scripts import ADMIT, RELEASE, REPLACE, admit_call, read_admit, release_keys
from ringmain_core.state.topics import Topics

_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 0.5
_START_SECONDS = 2.0
_MOST_CONNECTIONS = 32
_MOST_OWED = 10_000  # leases to give back; those of more calls end by themselves
_LOOK_EVERY = 1.0  # seconds: how soon the listening connection notices that a command has failed
_QUIET_SECONDS = 5.0
_PATIENCE_SECONDS = 8.0
_FIRST_RETRY, _LAST_RETRY = 0.1, 1.0
_PROBE = Quota("probe", 1e6, 1_000_000, None)

_FAILURES = (RedisError, OSError, TimeoutError)
_log = logging.getLogger(__name__)
T = TypeVar("T")


class RedisState:
    """`State` in Redis, under keys that begin with `ringmain:<connector>:`; made by `open`.

    After a failure, every use fails at once until Redis has been reached again, which is tried about once a
    second in the background: an outage costs callers nothing but the first time-out.
    """

    shared = True

    def __init__(self, url: SecretStr, connector: str) -> None:
        self._pool = _pool(url)
        self._client: Any = Redis(connection_pool=self._pool)  # half of its types are unknown
        self._prefix = f"ringmain:{connector}:"
        self._channel = f"{self._prefix}messages"
        self._admit = self._client.register_script(ADMIT)
        self._release = self._client.register_script(RELEASE)
        self._replace = self._client.register_script(REPLACE)
        self._owed: dict[str, Sequence[str]] = {}
        self._topics = Topics()
        self._gap = Topics()
        self._away = "the shared state has not been reached yet"
        self._away_since = time.monotonic()
        self._first = True
        self._tried = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_background(self._watch())

    @classmethod
    async def open(cls, url: SecretStr, connector: str) -> "RedisState":
        """Connect; where Redis is away, go on trying in the background.

        Raises:
            ConfigurationError: Where the URL is not one.
        """
        state = cls(url, connector)
        with suppress(TimeoutError):
            await asyncio.wait_for(state._tried.wait(), _START_SECONDS)
        return state

    async def get(self, key: str) -> bytes | None:
        return await self._ask(lambda: self._client.get(self._value(key)))

    async def put(self, key: str, value: bytes, ttl: float, *, only_if_absent: bool = False) -> bool:
        name, age = self._value(key), _milliseconds(ttl)
        return bool(await self._ask(lambda: self._client.set(name, value, px=age, nx=only_if_absent)))

    async def replace(self, key: str, old: bytes, new: bytes, ttl: float) -> bool:
        args = [old, new, _milliseconds(ttl)]
        return bool(await self._ask(lambda: self._replace(keys=[self._value(key)], args=args)))

    async def delete(self, key: str) -> None:
        await self._ask(lambda: self._client.delete(self._value(key)))

    async def admit(self, quotas: Sequence[Quota], lease: str, lease_seconds: float) -> Exceeded | None:
        keys, args = admit_call(self._prefix, quotas, lease, lease_seconds)
        was_there = not self._away
        try:
            return read_admit(await self._ask(lambda: self._admit(keys=keys, args=args)), quotas)
        except StateUnavailable:
            if was_there:
                self._owe(release_keys(self._prefix, quotas), lease)  # it may be counted yet
            raise
        except asyncio.CancelledError:
            self._in_background(self._forget(quotas, lease))  # it may have been counted
            raise

    async def release(self, quotas: Sequence[Quota], lease: str) -> None:
        """Say that an admitted call has ended; where that cannot be said now, it is said later."""
        keys = release_keys(self._prefix, quotas)
        if keys:
            try:
                await self._ask(lambda: self._release(keys=keys, args=[lease]))
            except StateUnavailable:
                self._owe(keys, lease)
                raise

    async def publish(self, topic: str, message: bytes) -> None:
        await self._ask(lambda: self._client.publish(self._channel, topic.encode() + b"\0" + message))

    def subscribe(self, topic: str, listener: Callable[[bytes], None]) -> Callable[[], None]:
        return self._topics.subscribe(topic, listener)

    def on_gap(self, listener: Callable[[], None]) -> Callable[[], None]:
        return self._gap.subscribe("", lambda _: listener())

    def trouble(self) -> str:
        return self._away

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pool.aclose()

    def _value(self, key: str) -> str:
        return f"{self._prefix}value:{key}"

    async def _ask(self, command: Callable[[], Awaitable[T]]) -> T:
        if self._away:
            raise StateUnavailable(self._away)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS + _ANSWER_SECONDS):
                return await command()
        except _FAILURES as error:
            self._lost(error)
            raise StateUnavailable(_in_words(error)) from error

    def _owe(self, keys: Sequence[str], lease: str) -> None:
        if len(self._owed) < _MOST_OWED:
            self._owed[lease] = keys

    async def _release_owed(self) -> None:
        """Give back what calls hold that ended, or gave up waiting to be counted, while Redis was away."""
        while owed := tuple(self._owed.items()):
            pipeline = self._client.pipeline(transaction=False)
            for lease, keys in owed:
                for key in keys:
                    pipeline.zrem(key, lease)
            await pipeline.execute()
            for lease, _ in owed:
                del self._owed[lease]

    async def _forget(self, quotas: Sequence[Quota], lease: str) -> None:
        with suppress(StateUnavailable):
            await self.release(quotas, lease)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self) -> None:
        """Keep one connection that hears messages, and that shows when Redis is gone and when it is back."""
        wait = _FIRST_RETRY
        while True:
            try:
                await self._listen()
                wait = _FIRST_RETRY
            except Exception as error:  # noqa: BLE001 (whatever it was, the watch goes on)
                if not self._away:
                    wait = _FIRST_RETRY
                self._lost(error)
            self._tried.set()
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 (replicas spread out, no secret)
            wait = min(2 * wait, _LAST_RETRY)

    async def _listen(self) -> None:
        """Connect, and hand out messages until something goes wrong here or with a command elsewhere."""
        async with self._client.pubsub() as pubsub:
            await pubsub.subscribe(self._channel)
            # What is there must also do what is asked of it: a full one or a replica does not.
            keys, args = admit_call(self._prefix, [_PROBE], "", 1.0)
            await self._admit(keys=keys, args=args)
            await self._release_owed()
            self._found()
            heard = time.monotonic()
            while not self._away:
                message = await pubsub.get_message(timeout=_LOOK_EVERY)
                if message is not None:
                    heard = time.monotonic()
                    if message["type"] == "message":
                        topic, _, content = message["data"].partition(b"\0")
                        self._topics.tell(topic.decode(), content)
                    continue
                quiet = time.monotonic() - heard
                if quiet > _PATIENCE_SECONDS:
                    raise TimeoutError
                if quiet > _QUIET_SECONDS:
                    await pubsub.ping()

    def _found(self) -> None:
        self._tried.set()
        self._away = ""
        if not self._first:
            _log.warning("the shared state is back after %.1f s", time.monotonic() - self._away_since)
            self._gap.tell("", b"")
        self._first = False

    def _lost(self, error: Exception) -> None:
        self._first = False
        if not self._away or not self._tried.is_set():
            self._away_since = time.monotonic()
            _log.warning("%s", _in_words(error))
        self._away = _in_words(error)


def _pool(url: SecretStr) -> BlockingConnectionPool:
    ours: dict[str, Any] = {
        "decode_responses": False,
        "max_connections": _MOST_CONNECTIONS,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": _CONNECT_SECONDS,
        "socket_timeout": _ANSWER_SECONDS,
        "timeout": _ANSWER_SECONDS,
    }
    try:
        address: dict[str, Any] = {**parse_url(url.get_secret_value())}
        pool = BlockingConnectionPool(**(address | ours))
        pool.make_connection()  # not connected yet: it only looks at its options
    except (ValueError, TypeError, RedisError):
        # Their texts quote the URL.
        raise ConfigurationError(
            "RINGMAIN_REDIS_URL cannot be read. Write `redis://user:password@host:6379/0`, `rediss://…` for "
            "TLS, or `unix:///path/to/socket`."
        ) from None
    return pool


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))


def _in_words(error: Exception) -> str:
    """Why Redis cannot be used; its own answers hold no address, what else is said may."""
    if isinstance(error, AuthenticationError):
        return "the shared state refuses the user or password of RINGMAIN_REDIS_URL"
    if isinstance(error, ResponseError):
        return f"the shared state cannot be used: {error}"
    return f"the shared state cannot be reached ({type(error).__name__})"
