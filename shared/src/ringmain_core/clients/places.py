"""Where clients keep their files: a path for each system, found without a look at this one."""

from collections.abc import Callable
from pathlib import PurePath

from ringmain_core.clients.computer import Computer

Place = Callable[[Computer, str], PurePath]
"""The file for an entry of some name; only clients with a file for each entry mind the name."""


def home(*parts: str) -> Place:
    return lambda computer, _: computer.home.joinpath(*parts)


def support(*parts: str) -> Place:
    return lambda computer, _: computer.support.joinpath(*parts)


def in_folder_of(variable: str, *parts: str) -> Place:
    """A file in the folder that a variable names, by default one in the home."""
    *folder, name = parts
    return lambda computer, _: (computer.from_environment(variable) or computer.home.joinpath(*folder)) / name


def claude_desktop(computer: Computer, _: str) -> PurePath:
    """On Windows the packaged application sees a folder of its own in the place of the usual one."""
    if computer.platform == "win32":
        packages = computer.local / "Packages"
        for name in computer.folder(packages):
            if name.startswith("Claude_"):
                return packages / name / "LocalCache" / "Roaming" / "Claude" / "claude_desktop_config.json"
    return computer.support / "Claude" / "claude_desktop_config.json"


def zed(computer: Computer, _: str) -> PurePath:
    if computer.platform == "win32":
        return computer.roaming / "Zed" / "settings.json"
    folder = computer.home / ".config" if computer.platform == "darwin" else computer.xdg_config
    return folder / "zed" / "settings.json"


def goose(computer: Computer, _: str) -> PurePath:
    if computer.platform == "win32":
        return computer.roaming / "Block" / "goose" / "config" / "config.yaml"
    return computer.xdg_config / "goose" / "config.yaml"


def devin(computer: Computer, _: str) -> PurePath:
    folder = computer.roaming if computer.platform == "win32" else computer.home / ".config"
    return folder / "devin" / "mcp_config.json"


def cline_cli(computer: Computer, _: str) -> PurePath:
    given = computer.from_environment("CLINE_MCP_SETTINGS_PATH")
    data = computer.from_environment("CLINE_DATA_DIR")
    cline = computer.from_environment("CLINE_DIR") or computer.home / ".cline"
    return given or (data or cline / "data") / "settings" / "cline_mcp_settings.json"


def lm_studio(computer: Computer, _: str) -> PurePath:
    """Older installations keep their folder in the cache."""
    old = computer.home / ".cache" / "lm-studio"
    is_old = bool(computer.folder(old)) and not computer.folder(computer.home / ".lmstudio")
    return (old if is_old else computer.home / ".lmstudio") / "mcp.json"


def opencode(computer: Computer, _: str) -> PurePath:
    folder = computer.xdg_config / "opencode"
    names = computer.folder(folder)
    only_commented = "opencode.jsonc" in names and "opencode.json" not in names
    return folder / ("opencode.jsonc" if only_commented else "opencode.json")


def continue_dev(computer: Computer, name: str) -> PurePath:
    return computer.home / ".continue" / "mcpServers" / f"{name}.json"


def extension(name: str, file: str) -> Place:
    return support("Code", "User", "globalStorage", name, "settings", file)
