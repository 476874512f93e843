"""What is in a wheel and an sdist: all that belongs there, and nothing else."""

import re
import tarfile
import zipfile
from collections.abc import Iterable
from email import message_from_bytes
from email.message import Message
from pathlib import Path, PurePosixPath

from packaging.metadata import InvalidMetadata, Metadata

from release.versions import Package

_NOT_FOR_OTHERS = re.compile(
    r"(^|/)(tests?|__pycache__|\.[^/]+|conftest\.py|test_[^/]*\.py|[^/]*\.(py[co]|orig|rej|log|env|pem|key))(/|$)"
)
_RELATIVE_LINK = re.compile(r"\]\((?!https?://|mailto:|#)[^)]*\)")
_WANTED = {
    "author": "who made it",
    "description_content_type": "what its description is written in",
    "keywords": "keywords",
    "license_expression": "its licence",
    "license_files": "the licence's text",
    "project_urls": "links",
    "requires_python": "the versions of Python",
    "summary": "a summary",
}


def wheel_faults(package: Package, wheel: Path) -> list[str]:
    """What is missing in a wheel, or too much."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = f"{package.module}-{package.version}.dist-info"
        metadata = archive.read(f"{info}/METADATA")
    wanted = {f"{package.module}/py.typed", f"{info}/licenses/LICENSE", *_modules(package)}
    if package.is_connector:
        wanted.add(f"{info}/entry_points.txt")
    faults = [f"{name} is missing" for name in sorted(wanted - set(names))]
    faults += _strangers(names, {package.module, info})
    return faults + metadata_faults(package, metadata)


def sdist_faults(package: Package, sdist: Path) -> list[str]:
    """What is missing in an sdist, or too much."""
    top = f"{package.module}-{package.version}"
    with tarfile.open(sdist) as archive:
        names = [member.name for member in archive.getmembers() if member.isfile()]
        odd = [member.name for member in archive.getmembers() if not (member.isfile() or member.isdir())]
    inside = {PurePosixPath(name).relative_to(top).as_posix() for name in names}
    wanted = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    wanted |= {"server.json"} if package.is_connector else set()
    wanted |= {f"src/{name}" for name in _modules(package)}
    faults = [f"{name} is missing" for name in sorted(wanted - inside)]
    faults += [f"{name} is neither file nor folder" for name in odd]
    plain = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "server.json", "src"}
    return faults + _strangers(sorted(inside - {".gitignore"}), plain)  # the builder adds it


def metadata_faults(package: Package, text: bytes) -> list[str]:
    """What PyPI would refuse in a wheel's metadata, or a reader would miss there."""
    try:
        metadata = Metadata.from_email(text, validate=True)
    except ExceptionGroup as refused:
        return [str(fault) for fault in refused.exceptions if isinstance(fault, InvalidMetadata)]
    faults = [f"it does not say {what}" for field, what in _WANTED.items() if not getattr(metadata, field)]
    said = message_from_bytes(text)
    description = said.get_payload()
    links = _RELATIVE_LINK.findall(description) if isinstance(description, str) else []
    faults += [f"the link {link} leads nowhere on PyPI" for link in links]
    return faults + _core_faults(package, said)


def _core_faults(package: Package, said: Message) -> list[str]:
    wanted = f"ringmain-core=={package.version}"
    if not package.is_connector or wanted in said.get_all("Requires-Dist", []):
        return []
    return [f"it does not require {wanted}"]


def _modules(package: Package) -> set[str]:
    """Every file of a package's module, as it is called inside of a wheel."""
    source = package.folder / "src"
    files = (path.relative_to(source) for path in (source / package.module).rglob("*") if path.is_file())
    return {path.as_posix() for path in files if "__pycache__" not in path.parts}


def _strangers(names: Iterable[str], known: set[str]) -> list[str]:
    return [
        f"{name} does not belong there"
        for name in names
        if name.partition("/")[0] not in known or _NOT_FOR_OTHERS.search(name)
    ]
