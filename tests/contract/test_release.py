"""What would be published: in step, complete, the same bytes each time, and known to the registries."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from contract.discover import ROOT, connectors, package_of, project
from contract.registry import SCHEMA, entry, registry_entries, registry_name
from release.archives import metadata_faults, sdist_faults, wheel_faults
from release.bills import bill_faults, write_bill
from release.building import build, differing
from release.licences import licence_fault
from release.pythons import found
from release.running import Failed, output
from release.versions import Package, changelog_faults, state_of, tag_faults, version_faults, workspace

PACKAGES = workspace()
EACH = [pytest.param(package, id=package.name) for package in PACKAGES]
CONNECTORS = [pytest.param(package, id=package.name) for package in PACKAGES if package.is_connector]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PUBLISHES = {"id-token", "attestations", "packages", "contents"}  # permissions to write


def test_versions_are_in_step_and_in_the_changelogs() -> None:
    assert version_faults(PACKAGES) == []
    assert changelog_faults(PACKAGES) == []


def test_a_tag_of_another_version_is_refused() -> None:
    faults = tag_faults("v99.0.0", PACKAGES)
    assert [fault for fault in faults if "v99.0.0 is not" in fault] == [
        f"v99.0.0 is not v{package.version}, the version of {package.name}" for package in PACKAGES
    ]


def test_a_connector_that_asks_for_another_core_is_found() -> None:
    (core,) = (package for package in PACKAGES if not package.is_connector)
    older = Package(
        core.folder, {"name": "ringmain-x", "version": core.version, "dependencies": ["ringmain-core"]}, {}
    )
    assert version_faults([core, older]) == [f"ringmain-x has to depend on ringmain-core=={core.version}"]


@pytest.mark.parametrize(
    ("changelog", "state"),
    [
        ("# Changelog\n\n## [1.2.3] - 2027-01-31\n", "released"),
        ("# Changelog\n\n## [1.2.3]\n", "unreleased"),
        ("# Changelog\n\n## [1.2.3] - unreleased\n", "unreleased"),
        ("# Changelog\n\n## [1.3.0]\n\n## [1.2.3] - 2027-01-31\n", "missing"),
        ("# Changelog\n", "missing"),
    ],
)
def test_a_changelog_says_whether_a_version_is_released(changelog: str, state: str) -> None:
    assert state_of("1.2.3", changelog) == state


@pytest.mark.parametrize("package", EACH)
def test_all_links_lead_to_one_repository(package: Package) -> None:
    urls: dict[str, str] = package.metadata["urls"]
    repository = project(ROOT / "shared")["project"]["urls"]["Repository"]
    folder = package.folder.relative_to(ROOT).as_posix()
    assert urls == {
        "Documentation": f"{repository}/blob/main/{folder}/README.md",
        "Repository": repository,
        "Issues": f"{repository}/issues",
        "Changelog": f"{repository}/blob/main/{folder}/CHANGELOG.md",
    }
    hook = project(package.folder)["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    assert [one["replacement"] for one in hook["substitutions"]] == [f"]({repository}/blob/main/{folder}/"]


@pytest.mark.parametrize("path", registry_entries(), ids=lambda path: path.parent.name)
def test_the_entry_of_the_mcp_registry_is_up_to_date_and_valid(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == registry_entries()[path], "run `make readme`"
    schema = _published_schema()
    connector = next(one for name, one in connectors().items() if package_of(name) == path.parent)
    told = entry(connector)
    validator: Any = Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(told)] == []
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*[a-z0-9]/[a-z0-9][a-z0-9._-]*[a-z0-9]", told["name"])
    (pypi, oci) = told["packages"]
    assert (pypi["registryType"], pypi["version"]) == ("pypi", told["version"])
    assert (oci["registryType"], oci["identifier"].rpartition(":")[2]) == ("oci", told["version"])


@pytest.mark.parametrize("package", CONNECTORS)
def test_the_readme_says_whose_the_name_in_the_mcp_registry_is(package: Package) -> None:
    marker = f"<!-- mcp-name: {registry_name(package.metadata)} -->\n"
    assert (package.folder / "README.md").read_text(encoding="utf-8").endswith(f"\n{marker}")


@pytest.mark.parametrize("name", connectors())
def test_no_secret_is_asked_for_as_if_it_were_none(name: str) -> None:
    connector = connectors()[name]
    prefix = connector.settings.model_config.get("env_prefix", "")
    secrets = {
        f"{prefix}{field}".upper()
        for field, kind in connector.settings.model_fields.items()
        if "SecretStr" in repr(kind.annotation)
    }
    for package in entry(connector)["packages"]:
        variables = package["environmentVariables"]
        assert {one["name"] for one in variables if one.get("isSecret")} == secrets
        assert not [one for one in variables if one.get("isSecret") and "default" in one]


@pytest.mark.parametrize("package", CONNECTORS)
def test_a_release_is_held_to_something(package: Package) -> None:
    assert package.release["installed_mb"] > 0
    assert package.release["dependencies"] > 0
    tools = connectors()[package.name.removeprefix("ringmain-")].tools_by_name
    assert package.release["first_call"]["tool"] in tools
    assert package.release["first_call"]["answer"]


def test_a_package_is_complete_and_the_same_bytes_wherever_it_is_built(tmp_path: Path) -> None:
    package = min((one for one in PACKAGES if one.is_connector), key=_size)
    here, there = tmp_path / "here", tmp_path / "there"
    checkout = tmp_path / "checkout"
    copy = shutil.copytree(package.folder, checkout / "package", copy_function=shutil.copy)  # not the times
    shutil.copy(ROOT / ".gitignore", checkout)
    build(package.folder, here)  # an sdist, and the wheel of that
    build(copy, there, "--wheel", "--sdist")
    assert differing([package.wheel, package.sdist], here, there) == []
    assert wheel_faults(package, here / package.wheel) == []
    assert sdist_faults(package, here / package.sdist) == []


def test_what_does_not_belong_into_a_wheel_is_found(tmp_path: Path) -> None:
    package = next(one for one in PACKAGES if one.is_connector)
    info = f"{package.module}-{package.version}.dist-info"
    strangers = [
        f"{package.module}/__pycache__/x.pyc",
        f"{package.module}/tests/test_x.py",
        "tests/x.py",
        ".env",
    ]
    with zipfile.ZipFile(tmp_path / package.wheel, "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.4\nName: x\nVersion: 1\n\n[a](b.md)\n")
        for name in strangers:
            wheel.writestr(name, "")
    faults = wheel_faults(package, tmp_path / package.wheel)
    assert [fault for fault in faults if "does not belong" in fault] == [
        f"{name} does not belong there" for name in strangers
    ]
    assert {
        f"{package.module}/py.typed is missing",
        f"{info}/licenses/LICENSE is missing",
        "it does not say a summary",
        "the link ](b.md) leads nowhere on PyPI",
        f"it does not require ringmain-core=={package.version}",
    } <= set(faults)


def test_metadata_that_pypi_would_refuse_is_found() -> None:
    package = next(one for one in PACKAGES if one.is_connector)
    faults = metadata_faults(package, b"Metadata-Version: 2.4\nName: x y\nVersion: one\n\n")
    assert len(faults) == 2
    assert all("invalid" in fault for fault in faults)


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("Apache Software License", True),
        ("MIT OR GPL-3.0-only", True),
        ("BSD-3-Clause AND MPL-2.0", True),
        ("LGPL-3.0-or-later", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("MIT AND AGPL-3.0-only", False),
        ("Proprietary", False),
        ("", False),
    ],
)
def test_licences_are_told_apart(licence: str, allowed: bool) -> None:
    assert (licence_fault("x", licence, frozenset()) is None) is allowed


def test_a_lesser_licence_is_for_whom_a_package_names() -> None:
    said = "GNU Library or Lesser General Public License (LGPL)"
    assert licence_fault("PyGithub", said, frozenset({"pygithub"})) is None
    other = licence_fault("other", said, frozenset({"pygithub"}))
    assert other == f"other is under {said}, which is not allowed"
    assert licence_fault("PyGithub", "GPL-3.0-only", frozenset({"pygithub"})) is not None


def test_a_bill_of_materials_names_what_a_package_needs(tmp_path: Path) -> None:
    package = next(one for one in PACKAGES if one.is_connector)
    path = write_bill(package, tmp_path)
    assert bill_faults(package, path) == []
    bill = json.loads(path.read_text(encoding="utf-8"))
    bill["components"] = [one for one in bill["components"] if one["name"] != "ringmain-core"]
    path.write_text(json.dumps(bill), encoding="utf-8")
    assert bill_faults(package, path) == ["ringmain-core is missing"]
    other = replace(package, metadata={**package.metadata, "name": "x"})
    assert f"it is the bill of {package.name} {package.version}" in bill_faults(other, path)


def test_a_python_that_is_not_here_is_not_fetched() -> None:
    assert found("3.99") is None
    assert found(f"3.{sys.version_info.minor}") is not None


def test_a_program_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"^`.* -c .*` ended with 3: no such thing$"):
        output([sys.executable, "-c", "print('no such thing'); exit(3)"], folder=tmp_path, seconds=30)
    with pytest.raises(Failed, match=r"took more than 0\.1 s"):
        output([sys.executable, "-c", "import time; time.sleep(60)"], folder=tmp_path, seconds=0.1)


def test_the_workflows_are_valid() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([*check, *WORKFLOWS], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows_open_no_door() -> None:
    zizmor = [Path(sys.executable).with_name("zizmor"), "--offline", "--persona=pedantic"]
    done = subprocess.run([*zizmor, *WORKFLOWS], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_say_which_version_that_is(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    assert used
    pinned = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [one for one in used if not pinned.fullmatch(one)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_that_may_publish_runs_nothing_of_ours(path: Path) -> None:
    workflow = _yaml(path)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        may = {what for what, how in job["permissions"].items() if how == "write"}
        commands = " ".join(step.get("run", "") for step in job["steps"])
        if may & PUBLISHES:
            assert not re.search(r"\bmake\b|\.ci/run|\buv\b|python -m", commands), name
            assert "environment" in job or may == {"id-token", "attestations"}, name


def test_what_is_attested_and_released_is_what_was_built_and_nothing_else() -> None:
    jobs = _yaml(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    built = _artifacts(jobs["build"], "upload")
    assert built == ["distributions", "bills-of-materials"]
    assert [name for name in jobs if _artifacts(jobs[name], "upload")] == ["build"]
    assert jobs["images"]["env"]["DOCKER_BUILD_RECORD_UPLOAD"] == "false"
    fetched = {name: _artifacts(job, "download") for name, job in jobs.items()}
    assert {name: names for name, names in fetched.items() if names} == {
        "attest": built,
        "pypi": ["distributions"],
        "release": built,
    }


def _artifacts(job: Mapping[str, Any], direction: str) -> list[str | None]:
    """The names of the artifacts that a job uploads or downloads; without one, it takes all there are."""
    action = f"actions/{direction}-artifact@"
    steps = (step for step in job["steps"] if step.get("uses", "").startswith(action))
    return [step.get("with", {}).get("name") for step in steps]


def test_images_are_published_as_the_registry_and_the_dockerfile_have_them() -> None:
    dockerfile = (ROOT / "compose" / "Dockerfile").read_text(encoding="utf-8")
    job = _yaml(ROOT / ".github" / "workflows" / "release.yml")["jobs"]["images"]
    (push,) = (step["with"] for step in job["steps"] if step.get("id") == "push")
    given = {line.partition("=")[0] for line in push["build-args"].splitlines()}
    assert given <= set(re.findall(r"^ARG (\w+)", dockerfile, re.MULTILINE))
    label, _, name = push["labels"].strip().partition("=")
    assert label == "io.modelcontextprotocol.server.name"
    for told in (entry(connector) for connector in connectors().values()):
        (oci,) = (package for package in told["packages"] if package["registryType"] == "oci")
        owner, _, distribution_name = told["name"].removeprefix("io.github.").partition("/")
        expressions = {
            "github.repository_owner": owner,
            "matrix.connector": distribution_name.removeprefix("ringmain-"),
        }
        assert _filled(name, expressions) == told["name"]
        assert oci["identifier"].startswith(f"{_filled(job['env']['IMAGE'], expressions)}:")
        for argument in oci["runtimeArguments"]:
            assert f"VOLUME {argument['value'].rpartition(':')[2]}\n" in dockerfile


def _filled(text: str, expressions: Mapping[str, str]) -> str:
    """A text of a workflow with its `${{ }}` replaced."""
    return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda match: expressions[match[1]], text)


def _size(package: Package) -> int:
    return sum(path.stat().st_size for path in package.folder.rglob("*.py"))


def _published_schema() -> Any:
    """The schema that the registry has published, from a package that ships it."""
    version = SCHEMA.split("/")[-2].replace("-", "_")
    path = distribution("skillsaw").locate_file(
        f"skillsaw/schemas/mcp_registry/v{version}/server.schema.json"
    )
    schema = json.loads(Path(str(path)).read_text(encoding="utf-8"))
    assert schema["$id"] == SCHEMA
    return schema


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
