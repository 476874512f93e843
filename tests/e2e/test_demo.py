"""The demo is an end-to-end check by itself; here that it ends well, and that nothing of it stays."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
WITHIN = 180

KEY_LINES = (
    r"flights: 336,776 rows",
    r"http://127\.0\.0\.1:\d+/v2/mcp is ready",
    r"\[336776\]",
    r'\["Frontier Airlines Inc\.", 685, 21\.9\]',
    r"3 rows, truncated by max_rows: there are more\.",
    r"Worth a look:",
    r"DELETE is not allowed here",
    r"`pg_read_file` reaches files",
    r"JSON-RPC error -32602: Unknown tool `query`",
    r"HTTP 401",
    r"\d+ records verified",
    r"TAMPERED: .*copy/audit\.jsonl",
    r"6 of 7 shared/README\.md",
    r"█ 7 of 7",
    r"docs: 7 added\.",
    r"0\.\d{4}  Ringmain: README\.md, passage \d+\n.*## Who may do what \| One policy file",
    r"0\.\d{4}  ringmain-\w+: packages/\w+/README\.md, passage \d+\n.*## Writing \| ",
    r"0\.\d{4}  Ringmain: README\.md, passage \d+\n.*## On record \| ",
    r"1 passages of `docs`, searched by hybrid\.",
    r'"RINGMAIN_POSTGRES_URL": "postgresql://',
    r'"RINGMAIN_VECTOR_STORE": "edge:///',
    r"Authorization  Bearer rm_",
    r"Everything above is checked and right\.",
)


@contextmanager
def running_demo(folder: Path, *arguments: str) -> Generator[subprocess.Popen[str]]:
    """The demo, in an environment that has only what it needs and a setting that it must not heed."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": "tests",
        "RINGMAIN_AUDIT": "off",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "demo", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def processes_of(folder: Path) -> list[str]:
    """Processes that were started in a folder or told of it."""
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            known = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(folder) in text for text in known):
            found.append(f"{process.pid} {known[:3]}")
    return found


@pytest.fixture
def folder() -> Generator[Path]:
    """Not pytest's own: a socket's path has little room, and under root Postgres is another user."""
    with tempfile.TemporaryDirectory(prefix="ringmain-test-") as name:
        yield Path(name)


def test_demo_shows_everything_and_leaves_nothing(folder: Path) -> None:
    with running_demo(folder, "--once") as demo:
        shown, _ = demo.communicate(timeout=WITHIN)
    assert demo.returncode == 0, shown
    assert [line for line in KEY_LINES if not re.search(line, shown)] == []
    assert "\033" not in shown
    assert list(folder.iterdir()) == []
    assert processes_of(folder) == []


@pytest.mark.parametrize(
    ("until", "number", "status"),
    [
        ("Starting an empty Postgres", signal.SIGTERM, 130),
        ("airports:", signal.SIGINT, 130),
        ("As the superuser", signal.SIGTERM, 130),
        ("│ ····", signal.SIGTERM, 130),
        ("And as a model reads it.", signal.SIGINT, 130),
        ("It serves until Ctrl-C.", signal.SIGINT, 0),
    ],
)
def test_demo_cleans_up_when_it_is_told_to_stop(
    folder: Path, until: str, number: signal.Signals, status: int
) -> None:
    with running_demo(folder) as demo:
        assert demo.stdout is not None
        shown: list[str] = []
        for line in demo.stdout:
            shown.append(line)
            if line.strip().startswith(until):
                demo.send_signal(number)
                break
        rest, _ = demo.communicate(timeout=WITHIN)
    assert demo.returncode == status, "".join([*shown, rest])
    assert list(folder.iterdir()) == []
    assert processes_of(folder) == []
