"""What is read from GitHub when it is measured: many issues, none of them twice."""

from collections.abc import Generator
from contextlib import contextmanager

from standins.github.serve import serving
from standins.github.state import FakeGitHub

REPOSITORY = "acme/widgets"
ISSUES = 3_000
_BODY = "At 100 rpm it begins to wobble, and does not end until the power is cut.\n\n" * 8


@contextmanager
def github_with_issues() -> Generator[tuple[str, str]]:
    """The stand-in with `ISSUES` issues: its URL, and a token."""
    fake = FakeGitHub(limit=1_000_000)
    repository = fake.repository(REPOSITORY)
    repository.commit("main", {"README.md": "# Widgets\n"}, "Begin")
    for number in range(1, ISSUES + 1):
        repository.issue(f"It wobbles at {number} rpm", body=_BODY, labels=[])
    token = fake.token()
    with serving(fake) as url:
        yield url, token
    if fake.violations:
        raise RuntimeError(f"GitHub's description does not allow this: {fake.violations[:3]}")
