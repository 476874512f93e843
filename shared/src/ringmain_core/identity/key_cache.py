"""Keeps an issuer's keys: fetched ahead of need, by one request at a time, and kept while it is away."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence

from ringmain_core.identity.fetching import Unfetchable
from ringmain_core.identity.signing_keys import SigningKey
from ringmain_core.refusals import IdentityUnavailable

_REFRESH_AFTER = 300.0
_FRESH_FOR = 900.0
_KEPT_FOR = 6 * 3600.0  # a key that the issuer has withdrawn is believed no longer than this
_BETWEEN_TRIES = 5.0
_log = logging.getLogger(__name__)


class KeyCache:
    """The keys of one issuer.

    After 5 minutes they are fetched again while calls go on, after 15 calls wait for that. Where it fails,
    the old ones stay in use for up to 6 hours. The issuer is asked once in 5 seconds at most, whatever comes.

    Args:
        name: The issuer's, for the log.
        fetch: Gets the keys, or raises `Unfetchable`.
    """

    def __init__(
        self,
        name: str,
        fetch: Callable[[], Awaitable[Sequence[SigningKey]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._fetch = fetch
        self._clock = clock
        self._keys: tuple[SigningKey, ...] = ()
        self._fetched_at = self._tried_at = -math.inf
        self._trouble = ""
        self._fetching: asyncio.Task[None] | None = None

    def holds(self, key: SigningKey) -> bool:
        """Whether a key still is one of the issuer's, as far as is known without asking; it never waits."""
        return self._look() and key in self._keys

    async def find(self, kid: str | None, algorithm: str) -> SigningKey | None:
        """The key that a token names, or the only one that it can mean; an unknown one is asked for.

        Raises:
            IdentityUnavailable: Where that cannot be said, for the issuer is away.
        """
        if not self._look():
            await self._fetched()
        found = self._match(kid, algorithm)
        if found is None:
            self._start()
            await self._fetched()
            found = self._match(kid, algorithm)
        if found is None and (self._trouble or not self._keys):
            wait = max(self._tried_at + _BETWEEN_TRIES - self._clock(), 1.0)
            raise IdentityUnavailable(
                "Your token cannot be checked now: its issuer does not answer. Try again later.",
                retry_after_ms=math.ceil(wait * 1000),
            )
        return found

    async def close(self) -> None:
        """Stop fetching."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    def refresh(self) -> None:
        """Begin to fetch the keys if they have become old; it does not wait."""
        self._look()

    def _look(self) -> bool:
        """Whether the keys can be used as they are; where they have become old, fetching has begun."""
        age = self._clock() - self._fetched_at
        if age >= _REFRESH_AFTER:
            self._start()
        return age < _FRESH_FOR or (age < _KEPT_FOR and self._trouble != "")

    def _match(self, kid: str | None, algorithm: str) -> SigningKey | None:
        if self._clock() - self._fetched_at >= _KEPT_FOR:
            self._keys = ()
        fitting = [key for key in self._keys if algorithm in key.algorithms and kid in (None, key.id)]
        return fitting[0] if len(fitting) == 1 else None

    def _start(self) -> None:
        if self._fetching is None and self._clock() - self._tried_at >= _BETWEEN_TRIES:
            self._tried_at = self._clock()
            self._fetching = asyncio.get_running_loop().create_task(self._replace())

    async def _fetched(self) -> None:
        if self._fetching is not None:
            await asyncio.shield(self._fetching)  # others wait for it as well

    async def _replace(self) -> None:
        trouble = ""
        try:
            fetched = await self._fetch()
        except Unfetchable as error:
            trouble = str(error)
        except Exception as error:  # noqa: BLE001 (callers must be told that the keys cannot be had)
            _log.exception("the keys of issuer %s cannot be read", self._name)
            trouble = type(error).__name__
        else:
            # What stays the same stays the same object: tokens that were signed with it stay good.
            before = {key.source: key for key in self._keys}
            self._keys = tuple(before.get(key.source, key) for key in fetched)
            self._fetched_at = self._clock()
            if not self._keys:
                trouble = "it publishes no key that can be used"
        finally:
            self._fetching = None
        if trouble and trouble != self._trouble:
            _log.error("the keys of issuer %s cannot be had: %s", self._name, trouble)
        elif self._trouble and not trouble:
            _log.warning("the keys of issuer %s can be had again", self._name)
        self._trouble = trouble
