#!/usr/bin/env python3
"""Prints what the image of a connector has to install beside the workspace's own wheels, with hashes."""

import subprocess
import sys
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any


def main(connector: str, wanted: Collection[str]) -> str | None:
    """Export the locked requirements of the library and a connector.

    Args:
        connector: The name of a folder under `packages`.
        wanted: Names of extras. Each is taken from whichever of the two offers it; what only other connectors
            offer is left out.

    Returns:
        What is wrong, if anything.
    """
    projects = {path.parent.name: _project(path) for path in Path("packages").glob("*/pyproject.toml")}
    library = _project(Path("shared/pyproject.toml"))
    if connector not in projects:
        return f"PACKAGE is {connector or 'not set'}; it can be: {', '.join(sorted(projects))}"
    offered = {extra for project in (library, *projects.values()) for extra in _extras(project)}
    if unknown := sorted(set(wanted) - offered):
        return f"EXTRAS: nobody offers {', '.join(unknown)}; there are: {', '.join(sorted(offered))}"
    for project in (library, projects[connector]):
        extras = [f"--extra={extra}" for extra in _extras(project) if extra in wanted]
        export = ["uv", "export", "--quiet", "--frozen", "--no-dev", "--no-emit-workspace", "--no-annotate"]
        subprocess.run([*export, "--no-header", f"--package={project['name']}", *extras], check=True)  # noqa: S603 (names of our own)
    return None


def _project(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))["project"]


def _extras(project: dict[str, Any]) -> list[str]:
    return list(project.get("optional-dependencies", {}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2].replace(",", " ").split()))
