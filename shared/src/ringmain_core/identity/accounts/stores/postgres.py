"""Accounts in a table of a Postgres database, for replicas that share one."""

import importlib
from typing import Any

import anyio

from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.accounts.stores import StoreUnavailable

_WITHIN = 5.0  # seconds for one statement
_MOST_CONNECTIONS = 4
_TABLES = """
SELECT pg_advisory_xact_lock(hashtext('ringmain_accounts'));
CREATE TABLE IF NOT EXISTS ringmain_accounts (
    owner text NOT NULL, provider text NOT NULL, sealed bytea NOT NULL, PRIMARY KEY (owner, provider)
);
CREATE TABLE IF NOT EXISTS ringmain_claims (
    name text PRIMARY KEY, holder text NOT NULL, until timestamptz NOT NULL
);
"""


class PostgresStore:
    """An `AccountStore` in the tables `ringmain_accounts` and `ringmain_claims`, made if they are missing."""

    def __init__(self, url: str) -> None:
        try:
            self._asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types
        except ImportError:
            raise ConfigurationError(
                "RINGMAIN_ACCOUNTS names a Postgres database, which needs: "
                "pip install 'ringmain-core[postgres]'"
            ) from None
        self._url = url
        self._pool: Any = None
        self._opening = anyio.Lock()

    async def get(self, owner: str, provider: str) -> bytes | None:
        rows = await self._run(
            "SELECT sealed FROM ringmain_accounts WHERE owner = $1 AND provider = $2", owner, provider
        )
        return rows[0]["sealed"] if rows else None

    async def put(self, owner: str, provider: str, sealed: bytes) -> None:
        await self._run(
            "INSERT INTO ringmain_accounts VALUES ($1, $2, $3)"
            " ON CONFLICT (owner, provider) DO UPDATE SET sealed = excluded.sealed",
            owner,
            provider,
            sealed,
        )

    async def replace(self, owner: str, provider: str, old: bytes, new: bytes) -> bool:
        return bool(
            await self._run(
                "UPDATE ringmain_accounts SET sealed = $4"
                " WHERE owner = $1 AND provider = $2 AND sealed = $3 RETURNING 1",
                owner,
                provider,
                old,
                new,
            )
        )

    async def delete(self, owner: str, provider: str) -> bool:
        return bool(
            await self._run(
                "DELETE FROM ringmain_accounts WHERE owner = $1 AND provider = $2 RETURNING 1",
                owner,
                provider,
            )
        )

    async def owned(self, owner: str) -> dict[str, bytes]:
        rows = await self._run("SELECT provider, sealed FROM ringmain_accounts WHERE owner = $1", owner)
        return {row["provider"]: row["sealed"] for row in rows}

    async def claim(self, name: str, holder: str, seconds: float) -> bool:
        await self._run("DELETE FROM ringmain_claims WHERE until <= now() AND name <> $1", name)
        return bool(
            await self._run(
                "INSERT INTO ringmain_claims AS old VALUES ($1, $2, now() + $3 * interval '1 second')"
                " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until"
                " WHERE old.until <= now() RETURNING 1",
                name,
                holder,
                seconds,
            )
        )

    async def release(self, name: str, holder: str) -> None:
        await self._run("DELETE FROM ringmain_claims WHERE name = $1 AND holder = $2", name, holder)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

    async def _run(self, sql: str, *values: object) -> list[Any]:
        try:
            with anyio.fail_after(2 * _WITHIN):
                return await (await self._opened()).fetch(sql, *values)
        except (self._asyncpg.PostgresError, self._asyncpg.InterfaceError, OSError, TimeoutError) as error:
            raise StoreUnavailable(f"Postgres: {type(error).__name__}") from None

    async def _opened(self) -> Any:
        async with self._opening:
            if self._pool is None:
                pool = await self._asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=_MOST_CONNECTIONS,
                    timeout=_WITHIN,
                    command_timeout=_WITHIN,
                    statement_cache_size=0,  # a pooler in between may give each statement another session
                )
                try:
                    if await pool.fetchval("SELECT to_regclass('ringmain_claims')") is None:
                        await pool.execute(_TABLES)
                except BaseException:
                    pool.terminate()
                    raise
                self._pool = pool
        return self._pool
