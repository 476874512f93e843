"""The connectors that are installed and the packages of the workspace: found, never listed."""

import tomllib
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from ringmain_core.connector import AnyConnector

ROOT = Path(__file__).parents[2]


@cache
def connectors() -> dict[str, AnyConnector]:
    """Every connector by its name, as its package's entry point hands it over."""
    return {point.name: point.load().with_every_tool() for point in entry_points(group="ringmain.connectors")}


def packages() -> list[Path]:
    """The folder of every distribution in the workspace."""
    return sorted(
        path.parent for path in [*ROOT.glob("shared/pyproject.toml"), *ROOT.glob("packages/*/pyproject.toml")]
    )


def project(package: Path) -> dict[str, Any]:
    """A package's `pyproject.toml`."""
    return tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))


def package_of(connector: str) -> Path:
    """The folder of a connector's package."""
    return next(path for path in packages() if project(path)["project"]["name"] == f"ringmain-{connector}")
