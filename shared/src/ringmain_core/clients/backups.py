"""What clients' files were before: a few of each, where nobody else can read them, and never in a project."""

import hashlib
import os
import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from ringmain_core.audit import AuditUnavailable
from ringmain_core.audit.files import held
from ringmain_core.errors import ConfigurationError

_KEPT = 5


class Backups:
    """Of one file. A backup's name says what was written over it, so that exactly this can be undone."""

    def __init__(self, folder: Path, path: Path) -> None:
        self._folder = folder
        stem = re.sub(r"[^A-Za-z0-9.-]", "_", path.name).lstrip(".")[:64]
        self._name = f"{stem}.{hashlib.sha256(os.fsencode(path)).hexdigest()[:12]}"

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keep other processes of this kind from the file meanwhile.

        Raises:
            ConfigurationError: Where one of them holds it for long, or the folder cannot be written.
        """
        try:
            with held(self._folder / f"{self._name}.lock"):
                yield
        except AuditUnavailable:
            raise ConfigurationError("another `install` is at work on the same file; try again") from None
        except OSError as error:
            raise ConfigurationError(f"{self._folder}: cannot be written: {error.strerror}") from error

    def keep(self, before: bytes, after: bytes) -> Path:
        """Keep what a file was, and forget all but the newest few."""
        time = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        path = self._folder / f"{self._name}.{time}.{_digest(after)}.bak"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(before)
            file.flush()
            os.fsync(file.fileno())
        for old in self._all()[:-_KEPT]:
            with suppress(FileNotFoundError):
                old.unlink()
        return path

    def before(self, after: bytes) -> bytes | None:
        """What was there before exactly this was written; `None` where that is not known."""
        digest = _digest(after)
        found = [path for path in self._all() if path.name.endswith(f".{digest}.bak")]
        return found[-1].read_bytes() if found else None

    def _all(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self._name}.*.bak"))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
