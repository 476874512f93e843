from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringmain_core.audit import AuditKey, AuditLog, AuditRecord


@pytest.fixture
def key() -> AuditKey:
    return AuditKey(b"k" * 32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log" / "audit.jsonl"


@pytest.fixture
def write(path: Path, key: AuditKey) -> Callable[..., None]:
    """Opens the log, appends calls with the given ids, and closes it."""

    def write(
        *ids: str, max_bytes: int | None = None, key: AuditKey = key, old: tuple[AuditKey, ...] = ()
    ) -> None:
        with AuditLog.open(path, key, old_keys=old, max_bytes=max_bytes) as log:
            for each in ids:
                log.append(
                    AuditRecord(
                        id=each, phase="call", target="search", arguments={"query": each}, outcome="ok"
                    )
                )

    return write


@pytest.fixture
def log(path: Path, key: AuditKey) -> Iterator[AuditLog]:
    with AuditLog.open(path, key) as log:
        yield log
