"""Secrets of this machine: the environment's, and those in files."""

import os
import stat
from pathlib import Path

from ringmain_core.secrets.reference import Reference, Unresolved, parse
from ringmain_core.secrets.settings import environment

MOST_BYTES = 64 * 1024

# Without waiting: a pipe that nobody writes to would hold the start up for ever.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def from_environment(name: str) -> str:
    """The value of a variable."""
    value = environment(name)
    if value is None:
        raise Unresolved("no such variable is set")
    return value


def from_file(path: str) -> str:
    """A file's text without the newline at its end: a regular file that nobody else may write."""
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Unresolved("it is not a file")
            if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o022:
                raise Unresolved("others may write it; run `chmod go-w` on it")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = file.read(MOST_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unresolved(f"it cannot be read: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise Unresolved(f"it is larger than {MOST_BYTES // 1024} KiB")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unresolved(f"it is not UTF-8 at byte {error.start}") from None
    return text.removesuffix("\n").removesuffix("\r")


def opened_locally(text: str, setting: str) -> str:
    """What a setting of a secrets manager says itself, or by `env:` or `file:`; read anew each time.

    Raises:
        Unresolved: Where it says nothing, or refers to a secrets manager.
    """
    try:
        parsed = parse(text)
        if not isinstance(parsed, Reference):
            value = parsed
        elif parsed.scheme == "file":
            value = from_file(parsed.place)
        elif parsed.scheme == "env":
            value = from_environment(parsed.place)
        else:
            raise Unresolved(f"it can be a value, `env:` or `file:`, not `{parsed.scheme}:`")  # noqa: TRY301 (one way out)
    except Unresolved as error:
        raise Unresolved(f"{setting}: {error}") from None
    if not value or not value.isascii() or not value.isprintable():
        raise Unresolved(f"{setting}: it is empty, or has characters that no such credential has")
    return value


def service_account(path: Path) -> str:
    """The token that Kubernetes gives a pod, and replaces now and then."""
    return opened_locally(f"file:{path}", "RINGMAIN_VAULT_KUBERNETES_TOKEN")
