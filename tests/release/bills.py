"""Bills of materials: for each package a CycloneDX file with everything that the lock has for it."""

import json
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from contract.discover import ROOT
from release.running import output, uv
from release.versions import Package

_LONGEST = 120


def write_bill(package: Package, folder: Path) -> Path:
    """Write the bill of a package; the file.

    Raises:
        Failed: Where the lock is not up to date.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{package.name}-{package.version}.cdx.json"
    what = ["--package", package.name, "--locked", "--no-default-groups"]
    how = ["--format", "cyclonedx1.5", "--preview-features", "sbom-export", "--output-file", path]
    output([uv(), "export", "--quiet", *what, *how], folder=ROOT, seconds=_LONGEST)
    return path


def bill_faults(package: Package, path: Path) -> list[str]:
    """Where a bill does not fit its package."""
    bill: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    subject = bill["metadata"]["component"]
    faults: list[str] = []
    if (subject["name"], subject["version"]) != (package.name, package.version):
        faults.append(f"it is the bill of {subject['name']} {subject['version']}")
    components = {component["name"]: component for component in bill["components"]}
    wanted = {canonicalize_name(Requirement(line).name) for line in package.metadata["dependencies"]}
    faults += [f"{name} is missing" for name in sorted(wanted - components.keys())]
    faults += [
        f"{name} has no package URL"
        for name, one in components.items()
        if not (one.get("purl") or name.startswith("ringmain-"))
    ]
    return faults
