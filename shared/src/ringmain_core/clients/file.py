"""A client's file: read as it is, and replaced as a whole, if it is still what was read."""

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ringmain_core.errors import ConfigurationError

_MOST_BYTES = 16 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"

# Without waiting: a pipe that nobody writes to would hold this up for ever.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Changed(Exception):
    """Somebody else has written to the file meanwhile."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a file was when it was read.

    Attributes:
        path: The file itself, at the end of all links.
        content: `None` where there is no file.
        mode: Its permissions.
        owner: User and group, where the system has them.
    """

    path: Path
    content: bytes | None = None
    mode: int = 0o600
    owner: tuple[int, int] | None = None

    @property
    def text(self) -> str:
        """The text without its byte order mark, empty where there is no file."""
        content = (self.content or b"").removeprefix(_BOM)
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            column = error.start - content.rfind(b"\n", 0, error.start)
            raise ConfigurationError(
                f"{self.path}: line {line}, column {column}: not UTF-8; save it as UTF-8 first"
            ) from None

    def with_text(self, text: str) -> bytes:
        """The bytes for a text, with the byte order mark that the file had."""
        try:
            encoded = text.encode("utf-8")
        except UnicodeEncodeError:
            raise ConfigurationError("a path or a value in the entry cannot be written as UTF-8") from None
        return (_BOM if (self.content or b"").startswith(_BOM) else b"") + encoded


def read(path: Path, *, mode: int) -> Found:
    """Read a file through its links; `mode` is for a file that is not there yet.

    Raises:
        ConfigurationError: Where it is something else than a file, too large, or cannot be read.
    """
    real = Path(os.path.realpath(path))
    try:
        descriptor = os.open(real, _FLAGS)
    except FileNotFoundError:
        if path.is_symlink() and not real.parent.is_dir():
            raise ConfigurationError(f"{path} is a link to {real}, whose folder is not there") from None
        return Found(real, mode=mode)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigurationError(f"{path} is not a file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)
    if len(content) > _MOST_BYTES:
        raise ConfigurationError(f"{path} is larger than {_MOST_BYTES >> 20} MiB; it is left alone")
    owner = (status.st_uid, status.st_gid) if os.name == "posix" else None
    return Found(real, content, stat.S_IMODE(status.st_mode), owner)


def replace(found: Found, content: bytes | None) -> None:
    """Put other content into the place of what was found, all at once; `None` takes the file away.

    Raises:
        Changed: Where the file is not what was found any more; it is left alone then.
        ConfigurationError: Where it cannot be written.
    """
    if found.content is not None and not found.mode & 0o222:
        raise ConfigurationError(
            f"{found.path} may not be written to: whoever keeps it so has to add the entry there"
        )
    try:
        if content is None:
            _still(found)
            found.path.unlink()
            return
        shared = found.mode & 0o044
        found.path.parent.mkdir(mode=0o777 if shared else 0o700, parents=True, exist_ok=True)
        draft = _draft(found, content)
        try:
            if found.content is None:
                _place(draft, found.path)
            else:
                _still(found)
                draft.replace(found.path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(found.path.parent)
    except OSError as error:
        raise ConfigurationError(f"{found.path}: cannot be written: {error.strerror}") from error


def _draft(found: Found, content: bytes) -> Path:
    """A file beside the one that it will replace, on the disk already, as accessible as that one."""
    descriptor, name = tempfile.mkstemp(dir=found.path.parent, prefix=f".{found.path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if os.name == "posix":
                os.fchmod(file.fileno(), found.mode)
                if found.owner not in (None, (os.geteuid(), os.getegid())):
                    _give(file.fileno(), found)
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _give(descriptor: int, found: Found) -> None:
    status = os.fstat(descriptor)
    if found.owner is None or (status.st_uid, status.st_gid) == found.owner:
        return
    try:
        os.fchown(descriptor, *found.owner)
    except PermissionError:
        raise ConfigurationError(
            f"{found.path} belongs to another user or group, and would not afterwards: run this as its owner"
        ) from None


def _still(found: Found) -> None:
    """That the file is what was found, looked at in the last moment."""
    try:
        if found.path.read_bytes() == found.content:
            return
    except FileNotFoundError:
        pass
    raise Changed


def _place(draft: Path, path: Path) -> None:
    """Give a draft its name, but never in the place of a file that somebody has made meanwhile."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise Changed from None
    except OSError:  # a file system without links
        if os.path.lexists(path):
            raise Changed from None
        draft.replace(path)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
