from collections.abc import Iterator

import pytest

from integration.vector.databases import DATABASES


@pytest.fixture(scope="session", autouse=True)
def databases() -> Iterator[None]:
    """Whatever server a test has started ends with the tests."""
    yield
    DATABASES.close()
