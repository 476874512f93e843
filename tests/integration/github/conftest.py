from collections.abc import Generator

import pytest

from standins.github.seeded import seeded
from standins.github.serve import serving
from standins.github.state import FakeGitHub


@pytest.fixture
def fake() -> Generator[FakeGitHub]:
    """A GitHub of its own for each test, at work on `fake.url`; what it holds is told by `seeded`."""
    github = seeded()
    with serving(github):
        yield github
    assert github.violations == []
