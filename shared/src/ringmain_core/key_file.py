"""A secret of this machine's own, in a file that only its user may read."""

import base64
import binascii
import contextlib
import os
import secrets
import stat
from pathlib import Path

_BYTES = 32


def load_or_create(path: Path) -> bytes:
    """The 32 bytes in `path` (base64), made there with mode 0600 if there is no such file.

    Raises:
        ValueError: For a file that others may read, or that holds something else.
        OSError: Where it can be neither read nor made.
    """
    try:
        return _load(path)
    except FileNotFoundError:
        _create(path)
        return _load(path)


def _load(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise ValueError(f"Others may read the key {path}: run `chmod 600` on it, or replace it.")
        text = file.read(4096)
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _BYTES:
        raise ValueError(f"{path} holds no key of {_BYTES} bytes in base64.")
    return key


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, never replaces the key that another process made in the meantime.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
