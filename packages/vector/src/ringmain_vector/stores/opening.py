"""The store that a setting names."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ringmain_core.errors import ConfigurationError
from ringmain_core.on_disk import is_loopback
from ringmain_core.settings import CoreSettings
from ringmain_core.upstream.guards import Guards
from ringmain_vector.domain import Manifest
from ringmain_vector.settings import VectorSettings
from ringmain_vector.stores.base import Store
from ringmain_vector.tenancy import names_of, tenant_named

if TYPE_CHECKING:
    from ringmain_vector.stores.embedded_postgres import EmbeddedPostgres


def store_of(settings: VectorSettings, guards: Guards) -> Store:
    """The store of the settings; it connects when first used.

    Raises:
        ConfigurationError: Where there is no such kind of store.
    """
    given = "edge:" if settings.store is None else settings.store.get_secret_value()
    if settings.adopt and given.partition(":")[0].lower() in ("memory", "edge"):
        raise ConfigurationError(
            "RINGMAIN_VECTOR_ADOPT: collections of others are in a Postgres or at a Qdrant server, and "
            "RINGMAIN_VECTOR_STORE names neither."
        )
    return store_named(given, settings, guards)


def store_named(given: str, settings: VectorSettings, guards: Guards) -> Store:
    """The store of a DSN, for the commands that name a second one. Raises what `store_of` raises."""
    kind = given.partition(":")[0].lower()
    match kind:
        case "memory":
            from ringmain_vector.stores.memory import MemoryStore

            return MemoryStore()
        case "edge":
            from ringmain_vector.stores.edge import EdgeStore

            return EdgeStore(folder_of(given))
        case "postgresql" | "postgres":
            return _pgvector(given, settings, guards)
        case "embedded-pg":
            from ringmain_vector.stores.embedded_postgres import EmbeddedPostgres

            return _pgvector(EmbeddedPostgres(folder_of(given, "vector-postgres")), settings, guards)
        case "qdrant+https" | "qdrant+http":
            return _qdrant(given, settings, guards)
        case _:
            raise ConfigurationError(
                f"RINGMAIN_VECTOR_STORE: there is no store `{kind}:`; there are edge:///folder, "
                "qdrant+https://host, postgresql://…, embedded-pg:///folder and memory:."
            )


def _pgvector(where: "str | EmbeddedPostgres", settings: VectorSettings, guards: Guards) -> Store:
    from ringmain_vector.stores.pgvector import PgVectorStore
    from ringmain_vector.stores.pgvector_adopted import Adoption
    from ringmain_vector.stores.pgvector_connections import Limits

    for name, one in settings.adopt.items():
        if bool(one.tenant) is (settings.tenants == "off"):
            raise ConfigurationError(
                f"RINGMAIN_VECTOR_ADOPT: `{name}` names a column `tenant` where RINGMAIN_VECTOR_TENANTS "
                "is on, and only there."
            )
    adopted = {
        name: Adoption(
            Manifest(one.model, one.dimension, "", 0.0, 0.0, 0.0, one.fields),
            one.source,
            one.id,
            one.text,
            one.vector,
            one.title or None,
            one.uri or None,
            one.metadata or tuple(one.fields),
            one.tenant or None,
            partial(tenant_named, settings=settings),
            partial(names_of, settings=settings),
        )
        for name, one in settings.adopt.items()
    }
    limits = Limits(connections=settings.at_once, statement=settings.request_timeout)
    return PgVectorStore(where, guards, limits, adopted=adopted)


def _qdrant(given: str, settings: VectorSettings, guards: Guards) -> Store:
    from ringmain_vector.stores.qdrant import QdrantStore
    from ringmain_vector.stores.qdrant_adopted import Adopted

    url = given.removeprefix("qdrant+")
    if url.startswith("http:") and not is_loopback(urlsplit(url).hostname or ""):
        raise ConfigurationError("RINGMAIN_VECTOR_STORE: use qdrant+https: passages are private.")
    if settings.adopt and (settings.tenants != "off" or any(one.tenant for one in settings.adopt.values())):
        raise ConfigurationError(
            "RINGMAIN_VECTOR_ADOPT: collections that others have made in Qdrant have no tenants: adopt "
            "them where RINGMAIN_VECTOR_TENANTS is off."
        )
    adopted = {
        name: Adopted(one.source, one.model, one.vector, one.text, one.title, one.uri, one.metadata)
        for name, one in settings.adopt.items()
    }
    key = settings.store_key if _is_ours(given, settings) else settings.other_store_key
    return QdrantStore(
        url,
        None if key is None else key.get_secret_value(),
        adopted=adopted,
        guards=guards,
        at_once=settings.at_once,
        timeout=settings.request_timeout,
    )


def _is_ours(given: str, settings: VectorSettings) -> bool:
    """Whether an address is of the server that the settings name: its key goes to no other."""
    ours = "" if settings.store is None else settings.store.get_secret_value()
    return urlsplit(given).netloc.lower() == urlsplit(ours).netloc.lower()


def folder_of(given: str, usual: str = "vector") -> Path:
    """The folder of an embedded store: `edge:///folder`, or the usual one in the state directory.

    Raises:
        ConfigurationError: Where something is in the address that would be lost.
    """
    parts = urlsplit(given)
    path = unquote(parts.path)
    if parts.netloc == "~":
        path = f"~{path}"
    elif parts.netloc or "?" in given or "#" in given:
        kind = parts.scheme
        raise ConfigurationError(
            f"RINGMAIN_VECTOR_STORE: write the folder with three slashes, `{kind}:///folder`, or from your "
            f"home, `{kind}://~/folder`; `?` and `#` in it as %3F and %23."
        )
    if not path.strip("/"):
        return CoreSettings().state_dir / usual
    return Path(path.removeprefix("/") if path.startswith("/~/") else path).expanduser()
