"""What comes along, and under which name."""

import re
from importlib.metadata import entry_points, requires
from pathlib import Path

import pytest

from contract.discover import ROOT, packages, project

CONNECTORS = [path for path in packages() if path.parent.name == "packages"]


def test_the_protocols_library_is_bounded_and_in_one_place() -> None:
    wanted = [line for line in requires("ringmain-core") or () if re.match(r"mcp\b", line)]
    assert len(wanted) == 1
    assert re.search(r"<3(\.0)*\b", wanted[0])
    for package in CONNECTORS:
        own: list[str] = project(package)["project"]["dependencies"]
        assert [line for line in own if re.match(r"(mcp|fastmcp)\b", line)] == []


def test_every_dependency_has_a_lower_bound() -> None:
    for package in packages():
        declared = project(package)["project"]
        extras: dict[str, list[str]] = declared.get("optional-dependencies", {})
        lines: list[str] = [*declared["dependencies"], *(line for lines in extras.values() for line in lines)]
        bounded = re.compile(r">=|==|^ringmain")
        assert (package.name, [line for line in lines if not bounded.search(line)]) == (package.name, [])


@pytest.mark.parametrize("package", CONNECTORS, ids=lambda path: path.name)
def test_postmark_mcp_commands_are_called_what_their_package_is(package: Path) -> None:
    """`uvx NAME` runs the command of that name; under any other, somebody else could offer it."""
    name = project(package)["project"]["name"]
    assert name == f"ringmain-{package.name}"
    scripts = entry_points(group="console_scripts")
    module = f"ringmain_{package.name}"
    ours = [point for point in scripts if point.value.startswith(module)]
    assert [point.name for point in ours] == [name]


def test_what_is_locked_comes_from_one_index_and_with_hashes() -> None:
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    sources = set(re.findall(r"^source = \{ (\w+) = ", lock, re.MULTILINE))
    assert sources <= {"registry", "editable", "virtual"}
    files = re.findall(r"\{ url = \"[^\"]*\"[^}]*\}", lock)
    assert files
    assert [line for line in files if 'hash = "sha256:' not in line] == []
