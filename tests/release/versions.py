"""Tag, version and changelog say the same, in all packages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from contract.discover import ROOT, packages, project

_CORE = "ringmain-core"


@dataclass(frozen=True)
class Package:
    """A distribution of the workspace.

    Attributes:
        metadata: The table `project` of its `pyproject.toml`.
        release: The table `tool.ringmain`: what a release of it is held to.
    """

    folder: Path
    metadata: Mapping[str, Any]
    release: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.metadata["name"]

    @property
    def version(self) -> str:
        return self.metadata["version"]

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")

    @property
    def is_connector(self) -> bool:
        return self.name != _CORE

    @property
    def wheel(self) -> str:
        return f"{self.module}-{self.version}-py3-none-any.whl"

    @property
    def sdist(self) -> str:
        return f"{self.module}-{self.version}.tar.gz"

    @property
    def pythons(self) -> list[str]:
        """The versions of Python that it claims to run on."""
        minors = [re.fullmatch(r".* :: (3\.\d+)", line) for line in self.metadata["classifiers"]]
        return [minor[1] for minor in minors if minor]


def workspace() -> list[Package]:
    """Every package, read from its folder."""
    read = [(folder, project(folder)) for folder in packages()]
    return [Package(folder, one["project"], one.get("tool", {}).get("ringmain", {})) for folder, one in read]


def version_faults(all_packages: Sequence[Package]) -> list[str]:
    """Where versions differ, or a connector does not ask for the core of its own version."""
    versions = {package.name: package.version for package in all_packages}
    faults: list[str] = []
    if len(set(versions.values())) != 1:
        faults.append(f"the versions differ: {versions}; give all packages the same")
    for package in all_packages:
        wanted = f"{_CORE}=={package.version}"
        if package.is_connector and wanted not in package.metadata["dependencies"]:
            faults.append(f"{package.name} has to depend on {wanted}")
    return faults


def tag_faults(tag: str, all_packages: Sequence[Package]) -> list[str]:
    """Where a tag is not that of this version, or a changelog does not say that it is released."""
    faults = [
        f"{tag} is not v{package.version}, the version of {package.name}"
        for package in all_packages
        if tag != f"v{package.version}"
    ]
    faults += [
        f"{package.name} is not released by its changelog: write "
        f"`## [{package.version}] - YYYY-MM-DD` in {package.folder.relative_to(ROOT)}/CHANGELOG.md"
        for package in all_packages
        if changelog_state(package) != "released"
    ]
    return faults


def changelog_faults(all_packages: Sequence[Package]) -> list[str]:
    """Where a changelog says nothing of the version."""
    return [
        f"{package.name} has no `## [{package.version}]` at the top of its changelog"
        for package in all_packages
        if changelog_state(package) == "missing"
    ]


def changelog_state(package: Package) -> Literal["released", "unreleased", "missing"]:
    """What a package's changelog says of its version."""
    return state_of(package.version, (package.folder / "CHANGELOG.md").read_text(encoding="utf-8"))


def state_of(version: str, changelog: str) -> Literal["released", "unreleased", "missing"]:
    """What the first heading of a changelog says of a version: with a day, it is released."""
    heading = re.search(r"^## \[(?P<version>[^\]]+)\](?P<rest>.*)$", changelog, re.MULTILINE)
    if heading is None or heading["version"] != version:
        return "missing"
    return "released" if re.fullmatch(r" - \d{4}-\d{2}-\d{2}", heading["rest"]) else "unreleased"
