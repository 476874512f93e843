"""The MAC keys of the audit log: what they compute, where they are kept."""

import base64
import binascii
import contextlib
import hmac
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from ringmain_core.audit.errors import AuditUnavailable

KEY_BYTES = 32


class AuditKey:
    """One secret of at least 32 bytes. Records, heads and answers are MACed under keys derived from it."""

    __slots__ = ("_answer", "_head", "_record", "kid")

    def __init__(self, secret: bytes) -> None:
        if len(secret) < KEY_BYTES:
            raise ValueError(f"An audit key needs at least {KEY_BYTES} bytes, this one has {len(secret)}.")
        self.kid = hmac.digest(secret, b"ringmain audit key id", "sha256").hex()[:16]
        # Begun once and copied for every record, which is cheaper than a new HMAC each time.
        self._record = hmac.new(hmac.digest(secret, b"ringmain audit record", "sha256"), digestmod="sha256")
        self._head = hmac.new(hmac.digest(secret, b"ringmain audit head", "sha256"), digestmod="sha256")
        self._answer = hmac.new(hmac.digest(secret, b"ringmain audit answer", "sha256"), digestmod="sha256")

    @classmethod
    def from_base64(cls, text: str) -> "AuditKey":
        try:
            return cls(base64.b64decode(text.strip(), validate=True))
        except binascii.Error:
            raise ValueError("An audit key is written in base64, and this one is not.") from None

    def mac_of_record(self, body: bytes) -> str:
        return _mac(self._record, body)

    def mac_of_head(self, body: bytes) -> str:
        return _mac(self._head, body)

    def mac_of_answer(self, body: bytes) -> str:
        """Equal answers can be told by it, and guessed ones cannot be confirmed without the key."""
        return _mac(self._answer, body)

    def __repr__(self) -> str:
        return f"AuditKey(kid={self.kid!r})"


def _mac(begun: hmac.HMAC, body: bytes) -> str:
    mac = begun.copy()
    mac.update(body)
    return mac.hexdigest()


def key_ring(keys: Iterable[AuditKey]) -> dict[str, AuditKey]:
    return {key.kid: key for key in keys}


def load_or_create_key(path: Path) -> AuditKey:
    """The key in `path` (base64), made there with mode 0600 if there is none.

    Raises `AuditUnavailable` for a file that others may read, or that holds no key.
    """
    try:
        if not path.exists():
            _create(path)
        return _load(path)
    except OSError as error:
        raise AuditUnavailable(f"The audit key {path} cannot be used: {error.strerror}.") from error


def _load(path: Path) -> AuditKey:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise AuditUnavailable(
                f"Others may read the audit key {path}: run `chmod 600` on it, or replace it."
            )
        text = file.read(4096).decode("ascii", "replace")
    try:
        return AuditKey.from_base64(text)
    except ValueError as error:
        raise AuditUnavailable(f"{path} holds no audit key: {error}") from None


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, never replaces the key that another process made in the meantime.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
