"""What is published: metadata, wheels, licences."""

import re
import shutil
import subprocess
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from contract.discover import ROOT, packages, project

PACKAGES = [pytest.param(path, id=path.name) for path in packages()]
STRONG_COPYLEFT = re.compile(r"\bA?GPL|GNU (Affero )?General Public", re.IGNORECASE)
LGPL_ALLOWED = {"pygithub"}


@pytest.mark.parametrize("package", PACKAGES)
def test_metadata_is_complete_and_in_step(package: Path) -> None:
    metadata = project(package)["project"]
    assert metadata["license"] == "Apache-2.0"
    assert metadata["requires-python"] == ">=3.11"
    assert metadata["version"] == project(ROOT / "shared")["project"]["version"]
    assert f"## [{metadata['version']}]" in (package / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = {line.rpartition(" ")[2] for line in metadata["classifiers"] if ":: Python :: 3." in line}
    assert versions == {"3.11", "3.12", "3.13", "3.14"}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_connector_offers_its_command_and_its_entry_point(package: Path) -> None:
    metadata = project(package)["project"]
    if metadata["name"] == "ringmain-core":
        return
    assert list(metadata["scripts"]) == [metadata["name"]]
    assert list(metadata["entry-points"]["ringmain.connectors"]) == [
        metadata["name"].removeprefix("ringmain-")
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_holds_the_module_and_nothing_else(package: Path, tmp_path: Path) -> None:
    uv = shutil.which("uv") or str(ROOT / ".cache/uv/bin/uv")
    subprocess.run(
        [uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path, package], check=True, timeout=120
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    module = project(package)["project"]["name"].replace("-", "_")
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {module}
    assert f"{module}/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "test" in Path(name).name and Path(name).name != "testing.py"]


def test_nothing_that_comes_along_is_strong_copyleft() -> None:
    seen: set[str] = set()
    waiting = [project(package)["project"]["name"] for package in packages()]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform or Python
        said = found.metadata.json
        classifiers = [line for line in said.get("classifier", ()) if line.startswith("License")]
        text = " ".join(
            [str(said.get("license_expression", "")), str(said.get("license", ""))[:100], *classifiers]
        )
        lesser = re.sub(r"LGPL|GNU Lesser General Public", "", text, flags=re.IGNORECASE)
        assert not STRONG_COPYLEFT.search(lesser), f"{name}: {text}"
        assert lesser == text or name in LGPL_ALLOWED, f"{name}: {text}"
        waiting += [
            re.split(r"[\s<>=!~;\[(]", requirement)[0].lower()
            for requirement in found.requires or ()
            if "extra ==" not in requirement
        ]
    assert len(seen) > 20
