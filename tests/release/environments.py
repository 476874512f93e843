"""A wheel in an environment of its own, as somebody has it who installs it without a lock."""

import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution, distributions
from pathlib import Path

from release.licences import licence_fault, licence_of
from release.running import output, uv
from release.versions import Package

_INSTALLED_WITHIN = 600
_ANSWERS_WITHIN = 60
_ROUNDS = 3
_MEGABYTE = 1_000_000
_IMPORT_ALL = """
import importlib, pkgutil, sys
top = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(top.__path__, f"{top.__name__}."):
    if not module.name.endswith(".__main__"):
        try:
            importlib.import_module(module.name)
        except Exception as error:
            print(f"{module.name}: {type(error).__name__}: {error}")
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with one connector and what it needs.

    Attributes:
        home: An empty folder that its programs take for the user's.
    """

    folder: Path
    home: Path
    package: Package

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def command(self) -> Path:
        return self.folder / "bin" / self.package.name

    @cached_property
    def installed(self) -> list[Distribution]:
        """Everything in it, by name."""
        (site,) = self.folder.glob("lib/python3.*/site-packages")
        return sorted(distributions(path=[str(site)]), key=lambda one: one.name.lower())

    @property
    def dependencies(self) -> int:
        """How many distributions come along with the connector."""
        return len(self.installed) - 1

    @cached_property
    def megabytes(self) -> float:
        """The size of all files, before any of them has been run."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        return sum(path.stat().st_size for path in files) / _MEGABYTE

    def budget_faults(self) -> list[str]:
        """Where more comes along than the package's `[tool.ringmain]` allows."""
        measured = {"installed_mb": self.megabytes, "dependencies": self.dependencies}
        return [
            f"{name} is {value:,.0f}, more than the {self.package.release[name]} of [tool.ringmain]"
            for name, value in measured.items()
            if value > self.package.release[name]
        ]

    def licence_faults(self) -> list[str]:
        """What came along under a licence that is not allowed."""
        lesser = frozenset(name.lower() for name in self.package.release.get("lgpl", ()))
        faults = (licence_fault(one.name, licence_of(one), lesser) for one in self.installed)
        return [fault for fault in faults if fault]

    def run(self, *arguments: str) -> str:
        """What the connector's command says.

        Raises:
            Failed: Where it fails.
        """
        return self._output(str(self.command), *arguments)

    def import_faults(self) -> list[str]:
        """Which of the connector's modules cannot be imported."""
        return self._output(str(self.python), "-c", _IMPORT_ALL, self.package.module).splitlines()

    def import_seconds(self) -> float:
        """How much CPU the import takes over a bare start, once all is compiled; the best of three."""
        code = f"import {self.package.module}"
        self._cpu_seconds(code)  # compiles
        bare, whole = (min(self._cpu_seconds(one) for _ in range(_ROUNDS)) for one in ("pass", code))
        return whole - bare

    def _cpu_seconds(self, code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self._output(str(self.python), "-c", code)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)

    def _output(self, *command: str) -> str:
        environment = bare_environment(self.home, {})
        return output(command, folder=self.home, seconds=_ANSWERS_WITHIN, environment=environment)


def installed(package: Package, python: Path, dist: Path, below: Path) -> Environment:
    """Install a connector's wheel into an empty environment: the newest of all that it needs, wheels only.

    Raises:
        Failed: Where something that it needs is not there, or has to be compiled.
    """
    environment = Environment(below / "venv", below / "home", package)
    environment.home.mkdir(parents=True)
    _uv(below, "venv", "--no-project", "--python", python, environment.folder)
    into = ["--python", environment.python, "--no-build", "--find-links", dist]
    _uv(below, "pip", "install", *into, dist / package.wheel)
    return environment


def resolve(package: Package, version: str, dist: Path, below: Path) -> None:
    """See that a connector could be installed on a Python that is not here.

    Raises:
        Failed: Where something that it needs has no wheel for it.
    """
    wanted = below / f"wanted-{version}.txt"
    wanted.write_text(f"{package.name} @ {(dist / package.wheel).as_uri()}\n", encoding="utf-8")
    how = ["--python-version", version, "--only-binary", ":all:", "--find-links", dist]
    _uv(below, "pip", "compile", *how, "--output-file", wanted.with_suffix(".out"), wanted)


def start_by_uvx(package: Package, python: Path, dist: Path, below: Path) -> None:
    """Let `uvx` show a wheel's help.

    Raises:
        Failed: Where it does not.
    """
    how = ["--python", python, "--find-links", dist, "--from", dist / package.wheel]
    _uv(below, "tool", "run", *how, package.name, "--help")


def bare_environment(home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """What a program sees that a client starts: nobody's settings, and a home without anything in it."""
    return {**_without_settings(), "HOME": str(home), **settings}


def _without_settings() -> dict[str, str]:
    ours = ("PYTHON", "RINGMAIN_", "VIRTUAL_ENV", "XDG_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _uv(folder: Path, command: str, *arguments: str | Path) -> str:
    """What uv says; it does not start in the workspace, whose settings are not for those who install."""
    return output(
        [uv(), command, "--quiet", *arguments],
        folder=folder,
        seconds=_INSTALLED_WITHIN,
        environment=_without_settings(),
    )
