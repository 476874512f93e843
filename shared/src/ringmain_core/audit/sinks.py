"""Where the lines go: a standard stream, or nowhere. A file is in `file_sink`."""

import secrets
from typing import Any, Protocol

from ringmain_core.audit.chain import Chain
from ringmain_core.audit.files import write_all
from ringmain_core.audit.keys import AuditKey


class Sink(Protocol):
    """`write` is called by one thread at a time; `sync` by one thread, at any time."""

    chain: Chain | None

    def write(self, values: dict[str, Any]) -> None: ...
    def sync(self) -> None: ...
    def close(self) -> None: ...
    def head(self) -> bytes: ...


class StreamSink:
    """Chained lines on stdout or stderr, which what collects them may mix with those of other processes.

    There is no head: who collects them must notice that the end, or all of one process, is missing.
    """

    def __init__(self, fd: int, key: AuditKey) -> None:
        self.chain: Chain | None = Chain(key)
        self._chain = self.chain
        self._fd = fd
        self._torn = False
        # The name tells its anchor from those of other processes that begin in the same millisecond.
        self._write({"phase": "anchor", "detail": {"chain": secrets.token_hex(8)}})

    def write(self, values: dict[str, Any]) -> None:
        self._write(values)

    def _write(self, values: dict[str, Any]) -> None:
        line, mac = self._chain.seal(values)
        try:
            write_all(self._fd, b"\n" + line if self._torn else line)
        except OSError:
            self._torn = True
            raise
        self._torn = False
        self._chain.advance(mac)

    def sync(self) -> None:
        pass

    def close(self) -> None:
        pass

    def head(self) -> bytes:
        return b""


class NoSink:
    """Keeps nothing."""

    chain: Chain | None = None

    def write(self, values: dict[str, Any]) -> None:
        pass

    def sync(self) -> None:
        pass

    def close(self) -> None:
        pass

    def head(self) -> bytes:
        return b""
