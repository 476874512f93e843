"""The parts of the check, in the order in which they are made."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from contract.registry import registry_entries
from release.archives import sdist_faults, wheel_faults
from release.bills import bill_faults, write_bill
from release.building import build, differing, digest
from release.environments import Environment, installed, resolve, start_by_uvx
from release.licences import licence_of
from release.pythons import found
from release.report import Report
from release.running import Failed, output, uv
from release.sessions import session_faults
from release.versions import Package, changelog_faults, tag_faults, version_faults

_TWINE = "twine==7.0.0"
_LONGEST = 300
_KILOBYTE = 1_000


def check_versions(report: Report, all_packages: Sequence[Package], tag: str | None) -> None:
    """Versions, changelogs, the tag, and what the MCP registry is told."""
    report.heading("Versions")
    version = all_packages[0].version
    report.check(f"{len(all_packages)} packages are version {version}", version_faults(all_packages))
    report.check(f"their changelogs begin with {version}", changelog_faults(all_packages))
    if tag is None:
        report.say(f"This commit has no tag; v{version} would need a day in each changelog.")
    else:
        report.check(f"tag {tag} is that version, and released", tag_faults(tag, all_packages))
    stale = [
        f"{path} is not up to date: run `make readme`"
        for path, text in registry_entries().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    report.check("server.json of each connector says the same", stale)


def check_archives(report: Report, all_packages: Sequence[Package], dist: Path, below: Path) -> None:
    """What was built: complete, nothing too much, the same bytes when it is built again."""
    report.heading("Wheels and sdists")
    wanted = {name for package in all_packages for name in (package.wheel, package.sdist)}
    there = {path.name for path in dist.iterdir() if path.is_file()} if dist.is_dir() else set[str]()
    if not report.check(
        f"{len(wanted)} files are in {dist.name}/",
        [f"{name} is missing or too much: run `make build`" for name in sorted(wanted ^ there)],
    ):
        return
    for package in all_packages:
        sizes = [(dist / name).stat().st_size // _KILOBYTE for name in (package.wheel, package.sdist)]
        faults = wheel_faults(package, dist / package.wheel) + sdist_faults(package, dist / package.sdist)
        report.check(f"{package.name}: wheel {sizes[0]} kB, sdist {sizes[1]} kB, complete", faults)
        again, unpacked = below / f"{package.name}-again", below / f"{package.name}-from-sdist"
        build(package.folder, again, "--wheel", "--sdist")
        build(dist / package.sdist, unpacked, "--wheel")
        report.check(
            f"{package.name}: built again, and from its sdist, it has the same bytes",
            [
                *differing([package.wheel, package.sdist], dist, again),
                *(f"{fault}, from its sdist" for fault in differing([package.wheel], dist, unpacked)),
            ],
        )
        report.say(f"sha256 {digest(dist / package.wheel)}  {package.wheel}")
    files = [dist / name for name in sorted(wanted)]
    twine = [uv(), "tool", "run", "--quiet", "--from", _TWINE, "twine", "check", "--strict", *files]
    with report.trying("twine finds nothing to say against them"):
        output(twine, folder=below, seconds=_LONGEST)


def check_bills(report: Report, all_packages: Sequence[Package], folder: Path) -> None:
    """The bills of materials, which are made here."""
    report.heading("Bills of materials")
    for package in all_packages:
        path = write_bill(package, folder)
        report.check(f"{folder.name}/{path.name}", bill_faults(package, path))


def check_installed(
    report: Report, package: Package, versions: Sequence[str], dist: Path, below: Path
) -> None:
    """A connector alone in an empty environment, on every Python that is here."""
    report.heading(package.name)
    below.mkdir()
    known: dict[str, str] = {}
    pythons = {version: found(version) for version in versions}
    for version, python in pythons.items():
        if python is None:
            with report.trying(f"Python {version} is not here; of all that it needs there are wheels for it"):
                resolve(package, version, dist, below)
            continue
        try:
            environment = installed(package, python, dist, below / version)
            _run(report, environment, version)
            _show_licences(report, environment, known)
        except Failed as error:
            report.check(f"Python {version}", [str(error)])
    python = next((python for python in pythons.values() if python is not None), None)
    if python is None:
        report.check(package.name, [f"of Python {', '.join(versions)}, none is here: nothing was run"])
        return
    with report.trying(f"uvx {package.name} --help"):
        start_by_uvx(package, python, dist, below)


def _run(report: Report, environment: Environment, version: str) -> None:
    package = environment.package
    on = f"Python {version}"
    size = f"{environment.dependencies} dependencies, {environment.megabytes:,.0f} MB"
    report.check(f"{on}: {size}", environment.budget_faults())
    report.check(f"{on}: their licences are allowed", environment.licence_faults())
    report.check(f"{on}: every module of it can be imported", environment.import_faults())
    said = environment.run("--version").strip()
    wanted = f"{package.name} {package.version}"
    report.check(f"{on}: --version", [] if said == wanted else [f"it says {said!r} instead of {wanted!r}"])
    table = environment.run("tools")
    report.check(f"{on}: tools", [] if "tokens" in table else [f"it says {table!r}"])
    call = package.release["first_call"]["tool"]
    faults = asyncio.run(session_faults(environment))
    report.check(f"{on}: initialize, tools/list and {call}, over stdio", faults)
    report.say(f"Its import takes {environment.import_seconds():.2f} s of CPU.")


def _show_licences(report: Report, environment: Environment, known: dict[str, str]) -> None:
    """What is under which licence, where it was not said of another Python."""
    by_licence: dict[str, list[str]] = defaultdict(list)
    for one in environment.installed:
        licence = licence_of(one)
        if known.get(one.name) != licence:
            by_licence[licence].append(f"{one.name} {one.version}")
            known[one.name] = licence
    for licence, names in sorted(by_licence.items()):
        report.say(f"  {licence}: {', '.join(names)}")
