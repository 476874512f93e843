"""Accounts in Redis or Valkey, for replicas that share one; it has to write what it keeps to disk."""

from typing import TYPE_CHECKING, Any, cast

from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.accounts.stores import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable

_WITHIN = 5.0  # seconds for one command
_REPLACE = """
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
    return 1
end
return 0
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RedisStore:
    """An `AccountStore` with a hash for each owner."""

    def __init__(self, url: str) -> None:
        try:
            from redis.asyncio import Redis
        except ImportError:
            raise ConfigurationError(
                "RINGMAIN_ACCOUNTS=redis needs: pip install 'ringmain-core[redis]'"
            ) from None
        self._redis = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            url, socket_timeout=_WITHIN, socket_connect_timeout=_WITHIN
        )

    async def get(self, owner: str, provider: str) -> bytes | None:
        return await self._run(self._redis.hget(_key(owner), provider))

    async def put(self, owner: str, provider: str, sealed: bytes) -> None:
        await self._run(self._redis.hset(_key(owner), provider, cast("str", sealed)))

    async def replace(self, owner: str, provider: str, old: bytes, new: bytes) -> bool:
        arguments: tuple[Any, ...] = (provider, old, new)
        return bool(await self._run(self._redis.eval(_REPLACE, 1, _key(owner), *arguments)))

    async def delete(self, owner: str, provider: str) -> bool:
        return bool(await self._run(self._redis.hdel(_key(owner), provider)))

    async def owned(self, owner: str) -> dict[str, bytes]:
        found = await self._run(self._redis.hgetall(_key(owner)))
        return {provider.decode(): sealed for provider, sealed in found.items()}

    async def claim(self, name: str, holder: str, seconds: float) -> bool:
        taken = self._redis.set(_claim(name), holder, nx=True, px=max(1, round(seconds * 1000)))
        return bool(await self._run(taken))

    async def release(self, name: str, holder: str) -> None:
        await self._run(self._redis.eval(_RELEASE, 1, _claim(name), holder))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _run(self, command: "Awaitable[Any] | Any") -> Any:
        from redis.exceptions import RedisError

        try:
            return await command
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable(f"Redis: {type(error).__name__}") from None


def _key(owner: str) -> str:
    return f"ringmain:accounts:{owner}"


def _claim(name: str) -> str:
    return f"ringmain:account-claim:{name}"
