"""Where connected accounts are kept, sealed: a file by default, Postgres or Redis for several replicas."""

from typing import Protocol

from ringmain_core.errors import ConfigurationError
from ringmain_core.settings import CoreSettings


class StoreUnavailable(Exception):
    """The store cannot be reached or written; the text says why, without address and values."""


class AccountStore(Protocol):
    """Sealed accounts by owner and provider, and claims that everybody who sees them can see as well.

    Claims live here, and not with other shared state, so that they reach exactly as far as the accounts: two
    processes that could use up one refresh token at the same time always see each other.

    Every method may raise `StoreUnavailable`.
    """

    async def get(self, owner: str, provider: str) -> bytes | None:
        """The sealed account, if there is one."""
        ...

    async def put(self, owner: str, provider: str, sealed: bytes) -> None:
        """Keep an account, in the place of any other."""
        ...

    async def replace(self, owner: str, provider: str, old: bytes, new: bytes) -> bool:
        """Put a new value in the place of `old`; False where something else is there, or nothing."""
        ...

    async def delete(self, owner: str, provider: str) -> bool:
        """Forget an account; False where there was none."""
        ...

    async def owned(self, owner: str) -> dict[str, bytes]:
        """All accounts of an owner, by provider."""
        ...

    async def claim(self, name: str, holder: str, seconds: float) -> bool:
        """Take a name for a time; False while somebody else has it."""
        ...

    async def release(self, name: str, holder: str) -> None:
        """Give a name back, if this holder has it."""
        ...

    async def close(self) -> None:
        """Give back connections and files."""
        ...


def store_of(core: CoreSettings) -> AccountStore:
    """The store that the settings name; it is opened at first use.

    Raises:
        ConfigurationError: Where something that it needs is not set or not installed.
    """
    if core.accounts == "sqlite":
        from ringmain_core.identity.accounts.stores.sqlite import SqliteStore

        return SqliteStore(core.state_dir / "accounts.sqlite")
    if core.accounts != "redis":
        from ringmain_core.identity.accounts.stores.postgres import PostgresStore

        return PostgresStore(core.accounts.get_secret_value())
    if core.redis_url is None:
        raise ConfigurationError("RINGMAIN_ACCOUNTS=redis needs RINGMAIN_REDIS_URL.")
    from ringmain_core.identity.accounts.stores.redis import RedisStore

    return RedisStore(core.redis_url.get_secret_value())
