"""How a client starts a connector: by whole paths, and by one that will still be there tomorrow."""

import re
import shutil
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ringmain_core.clients.computer import Computer
from ringmain_core.errors import ConfigurationError

MCP_REMOTE = "mcp-remote@0.15"
"""The line that is used: CVE-2025-6514 (a server could run commands here) is mended since 0.1.16."""

_IN_CACHE = re.compile(r"(?:archive|environments|builds)-v\d+")
_SYSTEM_PATH = ("/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin")


@dataclass(frozen=True, slots=True)
class Launch:
    """A program with its arguments, and variables that are no secrets."""

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()


def this_program(
    distribution: str,
    version: str,
    computer: Computer,
    *,
    prefix: str = sys.prefix,
    started_as: str = "",
    which: Callable[[str], str | None] = shutil.which,
) -> Launch:
    """The connector that runs now, as it can be started again.

    From uv's cache, which may be cleaned at any time, it is `uvx` with the package's version: uv fetches it
    again when it has to. Everything else is the installed script, or the module where there is no script.

    Raises:
        ConfigurationError: Where neither lasts.
    """
    if any(_IN_CACHE.fullmatch(part) for part in Path(prefix).parts):
        uvx = _beside_uv(computer) or which("uvx")
        if uvx is None:
            raise ConfigurationError(
                "this runs from uv's cache, which does not last, and `uvx` is not on the path: run "
                f"`uv tool install {distribution}` and then `{distribution} install` again"
            )
        return Launch(str(Path(uvx).absolute()), (f"{distribution}@{version}",))
    parts = Path(prefix).parts
    if "pipx" in parts and ".cache" in parts:
        raise ConfigurationError(
            f"this runs from pipx' cache, which does not last: run `pipx install {distribution}` and then "
            f"`{distribution} install` again"
        )
    suffix = ".exe" if computer.platform == "win32" else ""
    started = Path(started_as or sys.argv[0])
    if started.name in (distribution, distribution + suffix) and started.absolute().is_file():
        return Launch(str(started.absolute()))
    script = Path(sysconfig.get_path("scripts")) / (distribution + suffix)
    if script.is_file():
        return Launch(str(script))
    return Launch(sys.executable, ("-m", distribution.replace("-", "_")))


def bridge(
    url: str, header: str | None, computer: Computer, which: Callable[[str], str | None] = shutil.which
) -> Launch:
    """`mcp-remote`, for a client that reaches servers on other computers only through a program on this one.

    The header that it sends as `Authorization` has no space in it: some clients on Windows break there.

    Raises:
        ConfigurationError: Where there is no Node.js to run it.
    """
    npx = which("npx")
    if npx is None:
        raise ConfigurationError(
            "this client needs `npx` to reach a server by its URL, and there is none on the path: "
            "install Node.js 18 or newer and run this again"
        )
    args = ["-y", MCP_REMOTE, url, "--transport", "http-only"]
    if header is not None:
        args += ["--header", f"Authorization:{header}"]
    command = Path(npx).absolute()
    if computer.platform == "win32":
        return Launch(str(command), tuple(args))
    # A desktop's programs are started with a short PATH, in which `npx` does not find its own `node`.
    path = ":".join(dict.fromkeys([str(command.parent), *_SYSTEM_PATH]))
    return Launch(str(command), tuple(args), (("PATH", path),))


def _beside_uv(computer: Computer) -> str | None:
    """The `uvx` beside the `uv` that started this, which says where it is."""
    uv = computer.environment.get("UV")
    if not uv:
        return None
    uvx = Path(uv).with_name("uvx.exe" if computer.platform == "win32" else "uvx")
    return str(uvx) if uvx.is_file() else None
