"""What an operator says about the databases."""

import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from ringmain_core.errors import ConfigurationError
from ringmain_core.flow import Audience
from ringmain_core.secrets import Secret
from ringmain_core.settings import ConnectorSettings

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class NamedQuery(BaseModel):
    """A query that an operator offers as the resource `pg://<database>/query/<name>`.

    `parameters` names the statement's `$1`, `$2` … in order; they become the variables of the resource's URI.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sql: str
    description: str
    title: str = ""
    parameters: tuple[Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$")], ...] = ()
    max_rows: Annotated[int, Field(ge=1, le=10_000)] = 1_000


class DatabaseSettings(BaseModel):
    """One database: where it is, and what may be used in it beyond the default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Secret
    listen_url: Secret | None = None
    schemas: tuple[str, ...] | None = None
    allow_functions: tuple[str, ...] = ()
    allow_foreign_tables: tuple[str, ...] = ()
    writes: bool = False
    migrations: bool = False
    audience: Audience = "group"
    queries: dict[str, NamedQuery] = {}


class PostgresSettings(ConnectorSettings):
    """Read from `RINGMAIN_POSTGRES_*`: `URL` for one database, `CONFIG` for several, with more about each."""

    model_config = SettingsConfigDict(env_prefix="RINGMAIN_POSTGRES_")

    url: Annotated[
        Secret | None,
        Field(
            description="The database, as `postgresql://user:password@host:5432/name?sslmode=verify-full`."
        ),
    ] = None
    listen_url: Annotated[
        Secret | None,
        Field(
            description="The same database past its pooler, to hear notifications; `listen_url` in the file."
        ),
    ] = None
    config: Annotated[
        Path | None,
        Field(
            description="A TOML file with a table `[databases.<name>]` for each, its named queries included."
        ),
    ] = None
    pool_size: Annotated[
        int, Field(ge=1, le=100, description="Connections to each database, made as needed.")
    ] = 5
    connect_timeout: Annotated[float, Field(gt=0, description="Seconds to wait for a connection.")] = 5.0
    statement_timeout: Annotated[
        float,
        Field(
            gt=0, description="Seconds for one statement, enforced by the server; a call may ask for less."
        ),
    ] = 30.0
    max_rows: Annotated[int, Field(ge=1, description="Most rows that one page may have.")] = 10_000
    max_bytes: Annotated[int, Field(ge=1024, description="Most bytes of rows that one page may have.")] = (
        2_000_000
    )
    writes: Annotated[
        bool, Field(description="Offer `write` for the database of the URL; `writes` in the file.")
    ] = False
    migrations: Annotated[
        bool, Field(description="Offer `migrate` for the database of the URL; `migrations` in the file.")
    ] = False
    write_max_rows: Annotated[
        int, Field(ge=1, le=100_000, description="Most rows that one `write` may change.")
    ] = 1_000
    prepared_statements: Annotated[
        bool, Field(description="Keep prepared statements; off behind PgBouncer in transaction mode.")
    ] = True

    @cached_property
    def databases(self) -> dict[str, DatabaseSettings]:
        """Every database by the name that agents use.

        Raises:
            ConfigurationError: Where the file or the URL cannot be used.
        """
        databases: dict[str, DatabaseSettings] = {}
        if self.url is not None:
            databases[_database_name(self.url)] = DatabaseSettings(
                url=self.url, listen_url=self.listen_url, writes=self.writes, migrations=self.migrations
            )
        if self.config is not None:
            databases |= _read_config(self.config)
        return databases


class _ConfigFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    databases: dict[str, DatabaseSettings]


def _read_config(path: Path) -> dict[str, DatabaseSettings]:
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        databases = _ConfigFile.model_validate(data).databases
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from error
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        keys = ".".join(str(part) for part in fault["loc"])
        raise ConfigurationError(f"{path}: {keys}: {fault['msg']}") from None
    for name in databases:
        if _NAME.fullmatch(name) is None:
            raise ConfigurationError(
                f"{path}: databases.{name}: use letters, digits, `_` and `-` for the name"
            )
    return databases


def _database_name(url: SecretStr) -> str:
    """The database's name in a URL, or `postgres` where it says none."""
    try:
        name = unquote(urlsplit(url.get_secret_value()).path).strip("/")
    except ValueError:
        raise ConfigurationError(
            "RINGMAIN_POSTGRES_URL is not a URL like postgresql://user@host/name"
        ) from None
    return name if _NAME.fullmatch(name) else "postgres"
