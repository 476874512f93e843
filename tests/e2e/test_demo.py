"""The demo is an end-to-end check by itself; here that it ends well, and that nothing of it stays."""

import re
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from e2e.shown import WITHIN, assert_nothing_is_left, own_folder, said_until, starting

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


@pytest.fixture
def folder() -> Generator[Path]:
    with own_folder() as made:
        yield made


def test_demo_shows_everything_and_leaves_nothing(folder: Path) -> None:
    with starting("demo", folder, "--once") as demo:
        shown, _ = demo.communicate(timeout=WITHIN)
    assert demo.returncode == 0, shown
    assert [line for line in KEY_LINES if not re.search(line, shown)] == []
    assert "\033" not in shown
    assert_nothing_is_left(folder)


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
    with starting("demo", folder) as demo:
        shown = said_until(demo, until)
        demo.send_signal(number)
        rest, _ = demo.communicate(timeout=WITHIN)
    assert demo.returncode == status, shown + rest
    assert_nothing_is_left(folder)
