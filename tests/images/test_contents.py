"""What is in an image, and what anybody who gets it can read."""

import json
import os
import re
from pathlib import Path

import pytest

from contract.discover import project
from images.archive import HANDED_OVER, Archive, archive_of
from images.sizes import budget_of, note

ROOT = Path(__file__).parents[2]
USER = 10001
UNWANTED = frozenset({"pip", "pip3", "uv", "uvx", "gcc", "cc", "g++", "ld", "as", "make", "cargo", "git"})


@pytest.fixture(scope="module")
def base() -> Archive:
    """What all of them stand on."""
    return archive_of(os.environ.get("BASE", "docker.io/library/python:3.13-slim"))


@pytest.fixture(scope="module")
def archive(image: str) -> Archive:
    return archive_of(image)


def test_it_runs_as_a_user_by_number_and_says_how_it_is_stopped_and_asked(archive: Archive) -> None:
    assert archive.config["User"] == "10001:10001"
    assert archive.config["StopSignal"] == "SIGTERM"
    assert archive.config["Entrypoint"] == ["/opt/ringmain/bin/ringmain"]
    assert not archive.config.get("Cmd")
    assert list(archive.config["ExposedPorts"]) == ["8080/tcp"]
    assert list(archive.config["Volumes"]) == ["/data"]
    assert archive.config["Healthcheck"]["Test"][0] == "CMD"


def test_it_says_what_it_is(connector: str, archive: Archive) -> None:
    package = ROOT / "packages" / connector
    metadata = project(package)["project"]
    labels: dict[str, str] = archive.config["Labels"]
    said = {name.removeprefix("org.opencontainers.image."): value for name, value in labels.items()}
    assert said["title"] == metadata["name"]
    assert said["version"] == metadata["version"]
    assert said["licenses"] == metadata["license"]
    assert said["source"] == metadata["urls"]["Repository"]
    assert re.fullmatch(r"[0-9a-f]{40}", said["revision"])
    registered = json.loads((package / "server.json").read_text("utf-8"))
    assert said["io.modelcontextprotocol.server.name"] == registered["name"]


def test_it_is_small(connector: str, archive: Archive, base: Archive) -> None:
    megabytes = (archive.size - base.size) / 1e6
    note(connector, megabytes)
    assert megabytes < budget_of(connector)


def test_there_is_nothing_to_build_or_install_with(archive: Archive) -> None:
    programs = {path.name for path in archive.files if path.parent.name in {"bin", "sbin"}}
    assert "python3" in programs
    assert programs & UNWANTED == set()
    modules = {
        path.name.partition("-")[0] for path in archive.files if path.parent.name.endswith("-packages")
    }
    assert {"mcp", "ringmain_core"} <= modules
    assert modules & {"pip", "setuptools", "wheel", "uv", "hatchling", "pytest"} == set()
    assert [path for path in archive.files if path.name == "ensurepip"] == []


def test_there_are_neither_tests_nor_sources_nor_leftovers(connector: str, archive: Archive) -> None:
    ours = [path for path in archive.files if path.is_relative_to("/opt/ringmain")]
    assert [path for path in ours if {"tests", "test"} & set(path.parts)] == []
    left = {"pyproject.toml", "uv.lock", "Dockerfile", "requirements.txt", "uv.toml"}
    assert [path for path in archive.files if path.name in left or path.suffix == ".whl"] == []
    top = {path.parts[1] for path in archive.files if len(path.parts) > 1}
    assert top & {"build", "source"} == set()
    assert [path for path in archive.files if path.is_relative_to("/root/.cache") and path.suffix] == []
    distributions = {path.name.partition("-")[0] for path in ours if path.suffix == ".dist-info"}
    assert {name for name in distributions if name.startswith("ringmain")} == {
        "ringmain_core",
        f"ringmain_{connector}",
    }
    documents = [path.name for path in ours if path.parent.name == "documents" and path.suffix == ".json"]
    assert documents in ([], ["drive.v3.json"])


def test_nothing_in_it_gives_more_rights_or_can_be_changed_by_its_user(archive: Archive) -> None:
    files = {path: file for path, file in archive.files.items() if file.isfile()}
    assert [path for path, file in files.items() if file.mode & 0o6000] == []
    assert [path for path, file in files.items() if file.mode & 0o002 or file.uid == USER] == []


def test_the_bytecode_comes_along(archive: Archive) -> None:
    modules = {path for path in archive.files if path.match("/opt/ringmain/lib/*/site-packages/mcp/*/*.py")}
    compiled = {
        path
        for path in archive.files
        if path.match("/opt/ringmain/lib/*/site-packages/mcp/*/__pycache__/*.pyc")
    }
    assert len(compiled) == len(modules) > 0


def test_its_environment_says_where_things_are_and_no_more(archive: Archive, base: Archive) -> None:
    added = set(archive.config["Env"]) - set(base.config["Env"])
    assert {entry.partition("=")[0] for entry in added} == {
        "PATH",
        "HOME",
        "PYTHONDONTWRITEBYTECODE",
        "RINGMAIN_HOST",
        "RINGMAIN_STATE_DIR",
    }


@pytest.mark.skipif(not HANDED_OVER, reason="no index of its own is set: try UV_INDEX_ANY_PASSWORD=…")
def test_nothing_that_the_build_was_trusted_with_is_in_it(archive: Archive) -> None:
    assert archive.leaks == []
    assert [step for step in archive.history if any(value in step for value in HANDED_OVER)] == []
