"""Who may import whom; found from the files, so that a new connector is held to it without being named."""

import ast
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from contract.discover import ROOT, packages, project

CORE = "ringmain_core"
NOBODYS = {"numpy"}  # arithmetic, which speaks to no system
PROVISIONAL = {"ServerMiddleware", "CallNext"}  # the SDK may change these in a minor release


def modules(package: Path) -> Iterator[Path]:
    yield from (package / "src").rglob("*.py")


def imports(path: Path) -> set[str]:
    """The full names of what a module imports, wherever in it, also by `import_module("…")`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module)):
                names |= {f"{module}.{alias.name}" for alias in node.names}
            case ast.Call(
                func=ast.Name(id="import_module") | ast.Attribute(attr="import_module" | "find_spec")
            ):
                names |= {
                    arg.value
                    for arg in node.args
                    if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                }
            case _:
                pass
    return names


def top(name: str) -> str:
    return name.partition(".")[0]


def module_name(package: Path) -> str:
    return project(package)["project"]["name"].replace("-", "_")


CONNECTOR_PACKAGES = [pytest.param(path, id=path.name) for path in packages() if module_name(path) != CORE]


def test_the_core_imports_no_connector() -> None:
    for path in modules(ROOT / "shared"):
        foreign = {name for name in imports(path) if top(name).startswith("ringmain_") and top(name) != CORE}
        assert foreign == set(), path


@pytest.mark.parametrize("package", CONNECTOR_PACKAGES)
def test_a_connector_imports_no_sibling(package: Path) -> None:
    for path in modules(package):
        foreign = {top(name) for name in imports(path) if top(name).startswith("ringmain_")}
        assert foreign <= {CORE, module_name(package)}, path


@pytest.mark.parametrize("package", CONNECTOR_PACKAGES)
def test_each_vendor_library_is_spoken_to_by_one_module(package: Path) -> None:
    dependencies: list[str] = project(package)["project"]["dependencies"]
    vendors = {name for dependency in dependencies if (name := _name(dependency)) != "ringmain_core"}
    vendors -= NOBODYS
    assert vendors
    for vendor in vendors:
        modules_of_vendor = _imported_as(vendor)
        speakers = {
            path.name
            for path in modules(package)
            if modules_of_vendor & {top(name) for name in imports(path)}
        }
        assert len(speakers) == 1, f"{vendor}: {speakers}"


def test_the_sdks_provisional_middleware_is_touched_in_one_file() -> None:
    touching = {
        path.relative_to(ROOT / "shared" / "src").as_posix()
        for path in modules(ROOT / "shared")
        if {name.rpartition(".")[2] for name in imports(path)} & PROVISIONAL
    }
    assert touching == {"ringmain_core/gates/adapter.py"}


def test_settings_are_the_only_place_that_reads_the_environment() -> None:
    for package in packages():
        for path in modules(package):
            if "os.environ" in path.read_text(encoding="utf-8"):
                assert path.name == "settings.py", path


def test_no_module_is_larger_than_anybody_wants_to_read() -> None:
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for package in packages()
        for path in modules(package)
    }
    assert {path: size for path, size in sizes.items() if size > 300} == {}


def _imported_as(distribution: str) -> set[str]:
    """The names under which a distribution is imported, which need not be its own."""
    return {
        module
        for module, owners in packages_distributions().items()
        if distribution in {owner.replace("-", "_").lower() for owner in owners}
    }


def _name(dependency: str) -> str:
    for mark in "<>=!~;[ ":
        dependency = dependency.partition(mark)[0]
    return dependency.replace("-", "_").lower()
