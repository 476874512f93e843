"""Every configured database, by name: what tools and resources are given."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from ringmain_core.arguments import Upstream
from ringmain_core.errors import ConfigurationError, NotFound
from ringmain_core.services import Services
from ringmain_postgres.client import Database
from ringmain_postgres.ears import Ears
from ringmain_postgres.settings import DatabaseSettings, PostgresSettings
from ringmain_postgres.tokens import CommitTokens


class Postgres(Upstream):
    """Every configured database, by name."""

    def __init__(self, settings: PostgresSettings, services: Services) -> None:
        self.settings = settings
        self.cursors = services.cursors
        self.tokens = CommitTokens(services.cursors, services.state)
        self.databases = {
            name: Database(name, database, settings, services)
            for name, database in settings.databases.items()
        }
        self._ears = {
            name: _ears(name, each, settings, services) for name, each in settings.databases.items()
        }

    def database(self, name: str | None) -> Database:
        """A database by name; without a name the only one there is.

        Raises:
            NotFound: Where there is none of that name, or several and no name.
        """
        known = ", ".join(f"`{known}`" for known in self.databases)
        if name is None:
            if len(self.databases) > 1:
                raise NotFound(f"Say which `database`: {known}.")
            return next(iter(self.databases.values()))
        if name not in self.databases:
            raise NotFound(f"There is no database `{name[:64]}`; there are {known}.")
        return self.databases[name]

    def ears_of(self, name: str) -> Ears:
        """What listens to a database.

        Raises:
            NotFound: Where there is none of that name.
        """
        return self._ears[self.database(name).name]

    async def close(self) -> None:
        """Close every connection."""
        for ears in self._ears.values():
            await ears.close()
        for database in self.databases.values():
            await database.close()


def _ears(name: str, settings: DatabaseSettings, common: PostgresSettings, services: Services) -> Ears:
    """Listens past a pooler, where the settings say how."""
    direct = settings.listen_url is not None or common.prepared_statements
    if settings.listen_url is not None:
        settings = settings.model_copy(update={"url": settings.listen_url})
    common = common.model_copy(update={"pool_size": 1, "prepared_statements": direct})
    return Ears(Database(name, settings, common, services), notifies=direct)


@asynccontextmanager
async def connect(settings: PostgresSettings, services: Services) -> AsyncGenerator[Postgres]:
    """The client for a process. It connects when first used, so a database may be down when it starts.

    Raises:
        ConfigurationError: Where no database is set.
    """
    if not settings.databases:
        raise ConfigurationError(
            "no database is set: give RINGMAIN_POSTGRES_URL=postgresql://user:password@host/name, or "
            "RINGMAIN_POSTGRES_CONFIG with a file of several."
        )
    postgres = Postgres(settings, services)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(postgres.close)
        yield postgres
