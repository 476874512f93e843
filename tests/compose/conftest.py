"""These tests start what `compose.yaml` describes: collected where an engine is named, as tests/images."""

from collections.abc import Generator

import pytest

from compose.project import Project, running
from images.engine import PROGRAM

collect_ignore_glob = [] if PROGRAM else ["test_*.py"]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Generator[Project]:
    with running(tmp_path_factory.mktemp("project")) as found:
        yield found
