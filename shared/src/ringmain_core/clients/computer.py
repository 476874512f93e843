"""The computer that clients are looked for on: where each system keeps what, without looking at this one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Literal

Platform = Literal["linux", "darwin", "win32"]


def _nothing(_: PurePath) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Computer:
    """A system, its environment and its user's home.

    Attributes:
        folder: The names in a folder; none where there is no such folder.
    """

    platform: Platform
    environment: Mapping[str, str]
    home: PurePath
    folder: Callable[[PurePath], Sequence[str]] = _nothing

    def path(self, text: str) -> PurePath:
        """A path as this system writes it."""
        return PureWindowsPath(text) if self.platform == "win32" else PurePosixPath(text)

    def from_environment(self, name: str) -> PurePath | None:
        """The folder that a variable names, if it is a whole path."""
        path = self.path(self.environment.get(name, ""))
        return path if path.is_absolute() else None

    @property
    def xdg_config(self) -> PurePath:
        """Where programs keep settings that follow the XDG specification on every system."""
        return self.from_environment("XDG_CONFIG_HOME") or self.home / ".config"

    @property
    def roaming(self) -> PurePath:
        """Where Windows keeps settings that follow the user."""
        return self.from_environment("APPDATA") or self.home / "AppData" / "Roaming"

    @property
    def local(self) -> PurePath:
        """Where Windows keeps settings of this computer."""
        return self.from_environment("LOCALAPPDATA") or self.home / "AppData" / "Local"

    @property
    def support(self) -> PurePath:
        """Where Electron applications keep their settings."""
        if self.platform == "win32":
            return self.roaming
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        return self.xdg_config
