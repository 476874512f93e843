from collections.abc import Generator

import pytest

from standins.slack.seeded import seeded
from standins.slack.serve import serving
from standins.slack.state import FakeSlack


@pytest.fixture
def fake() -> Generator[FakeSlack]:
    """A Slack of its own for each test, at work on `fake.api`; what it holds is told by `seeded`."""
    slack = seeded()
    with serving(slack):
        yield slack
    assert slack.violations == []
