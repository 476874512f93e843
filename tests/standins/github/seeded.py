"""A handy GitHub: `acme/widgets` (public) with something of everything, and `acme/secret` (private)."""

from standins.github.repository import Repository
from standins.github.state import FakeGitHub

MAIN = "def spin(times: int) -> int:\n    return times * 360\n"
FAILING_LOG = "\n".join(
    [
        *(f"2026-01-05T09:00:00.0000000Z line {number}" for number in range(1, 41)),
        "2026-01-05T09:00:01.0000000Z FAILED tests/test_spin.py::test_spin - assert 361 == 360",
        "2026-01-05T09:00:01.0000000Z ##[error]Process completed with exit code 1.",
        "2026-01-05T09:00:02.0000000Z Cleaning up orphan processes",
    ]
)


def seeded() -> FakeGitHub:
    """Users octocat, mona (both push) and hubot.

    `acme/widgets`: branches main and feature; tag v1.0 with a release; issues 1 (open, bug, octocat assigned,
    comments), 2 (open, enhancement), 3 (closed); pull request 4 (feature -> main, by mona, fixes 1) with two
    reviews, one open and one resolved thread, checks and a status; workflow ci.yml with run 1 (succeeded) and
    run 2 (of feature; `test` failed, with a log). `acme/secret`: private, one file, one issue.
    """
    fake = FakeGitHub()
    fake.user("mona")
    fake.user("hubot")
    _widgets(fake.repository("acme/widgets", description="Widgets that spin", topics=["widgets"]))
    secret = fake.repository("acme/secret", private=True, description="Not for everybody")
    secret.commit("main", {"README.md": "# Secret\n"}, "Begin")
    secret.issue("A secret issue")
    return fake


def _widgets(repo: Repository) -> None:
    files = {
        "README.md": "# Widgets\n\nThey spin.\n",
        "src/spin.py": MAIN,
        "src/deep/er/data.txt": "1\n2\n3\n",
        "tests/test_spin.py": "from spin import spin\n",
        "logo.png": b"\x89PNG\r\n\x1a\n\0\0\0\xff",
        ".github/workflows/ci.yml": "name: CI\non: [push, workflow_dispatch]\n",
    }
    repo.commit("main", files, "Begin", author="octocat")
    repo.tag("v1.0", "main")
    repo.commit("main", {"README.md": "# Widgets\n\nThey spin fast.\n"}, "Say how they spin", author="mona")
    repo.label("bug", "d73a4a", "Something isn't working")
    repo.label("enhancement", "a2eeef", "New feature or request")
    repo.milestone("Round")
    repo.issue(
        "It wobbles", body="At 100 rpm.", author="mona", labels=["bug"], assignees=["octocat"], milestone=1
    )
    repo.comment(1, "Mine, too.", author="hubot")
    repo.comment(1, "I shall look.", author="octocat")
    repo.issue("Make it blue", body="Please.", author="hubot", labels=["enhancement"])
    repo.issue("Old trouble", author="mona", labels=["bug"], state="closed")
    repo.branch("feature", "main")
    change = {
        "src/spin.py": MAIN.replace("360", "361"),
        "src/new.py": "NEW = 1\n",
        "tests/test_spin.py": None,
    }
    repo.commit("feature", change, "Spin further", author="mona")
    repo.pull("Spin further", head="feature", body="Fixes #1", author="mona", labels=["enhancement"])
    repo.comment(4, "Thanks!", author="octocat")
    repo.review(4, "octocat", "CHANGES_REQUESTED", "Please look again")
    repo.review(4, "hubot", "APPROVED", "Fine")
    repo.thread(4, "src/spin.py", 2, ["Why 361?", "It looks better."], authors=["octocat", "mona"])
    repo.thread(4, "src/new.py", 1, ["Needed?"], authors=["hubot"], resolved=True)
    repo.check("feature", "lint")
    repo.check("feature", "test", conclusion="failure", summary="1 test failed")
    repo.status("feature", "ci/deploy", "pending", "Waiting")
    repo.workflow("ci.yml", inputs=["target"])
    logs = {"build": "2026-01-05T09:00:00.0000000Z built", "test": FAILING_LOG}
    repo.run("ci.yml", jobs=[("build", "success"), ("test", "success")], logs=logs)
    jobs = [("build", "success"), ("test", "failure")]
    repo.run(
        "ci.yml",
        branch="feature",
        event="pull_request",
        actor="mona",
        jobs=jobs,
        logs=logs,
        artifacts=["wheel"],
    )
    repo.release("v1.0", body="The first.")
