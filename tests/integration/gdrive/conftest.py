from collections.abc import Generator

import pytest

from standins.gdrive.client import Clients
from standins.gdrive.seeded import seeded
from standins.gdrive.serve import serving
from standins.gdrive.state import FakeDrive


@pytest.fixture
def fake() -> Generator[FakeDrive]:
    """A Drive of its own for each test, at work on `fake.url`; what it holds is told by `seeded`."""
    drive = seeded()
    with serving(drive):
        yield drive
    assert drive.violations == []


@pytest.fixture
def clients(fake: FakeDrive) -> Generator[Clients]:
    """Services of google-api-python-client by person, closed afterwards."""
    made = Clients(fake)
    yield made
    made.close()
