"""These tests look at images that `make images` has built: they are collected where an engine is named."""

from collections.abc import Generator

import pytest

from contract.discover import packages
from images.behind import Behind, behind
from images.engine import PROGRAM
from images.served import Served, served
from images.sizes import report

collect_ignore_glob = [] if PROGRAM else ["test_*.py"]

CONNECTORS = [path.name for path in packages() if path.parent.name == "packages"]


@pytest.fixture(scope="module", params=CONNECTORS)
def connector(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def image(connector: str) -> str:
    return f"ringmain-{connector}"


@pytest.fixture(scope="module")
def system(connector: str) -> Generator[Behind]:
    """What stands behind the connector, at work."""
    with behind(connector) as found:
        yield found


@pytest.fixture(scope="module")
def server(image: str, system: Behind, tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    """A container that serves HTTP, in front of the system."""
    with served(image, system, tmp_path_factory.mktemp("operator")) as found:
        yield found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in report():
        terminalreporter.write_line(line)
