import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringmain_core.cli import run
from unit.core.demo import connector


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level


def test_it_works_before_any_setting_is_right(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("RINGMAIN_DEMO_DSN", "short")
    monkeypatch.setenv("RINGMAIN_PORT", "not a number")
    monkeypatch.setenv("RINGMAIN_POLICY", "/nowhere/policy.toml")
    assert run(connector, ["install", "--client", "cursor", "--yes", "--secret", "RINGMAIN_DEMO_DSN"]) == 0
    (entry,) = json.loads((tmp_path / ".cursor" / "mcp.json").read_text(encoding="utf-8"))[
        "mcpServers"
    ].values()
    secret = tmp_path / "state" / "secrets" / "ringmain-demo" / "RINGMAIN_DEMO_DSN"
    assert entry["env"] == {"RINGMAIN_DEMO_DSN": f"file:{secret}"}
    assert secret.read_text(encoding="utf-8") == "short\n"
    said = capsys.readouterr()
    assert said.err == ""
    assert "Set here, and not in the entry: RINGMAIN_POLICY, RINGMAIN_STATE_DIR, RINGMAIN_PORT." in said.out


def test_without_a_terminal_it_shows_the_change_and_ends_with_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(connector, ["install", "--client", "cursor"]) == 2
    assert "Repeat it with `--yes`." in capsys.readouterr().out
    assert not (tmp_path / ".cursor").exists()


def test_at_a_terminal_it_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def answer(_: str) -> str:
        return "y"

    def secret(_: str) -> str:
        return "hunter2hunter2"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", answer)
    monkeypatch.setattr("getpass.getpass", secret)
    assert run(connector, ["install", "--client", "kiro", "--secret", "RINGMAIN_DEMO_DSN"]) == 0
    assert (tmp_path / ".kiro" / "settings" / "mcp.json").exists()
    said = capsys.readouterr().out
    assert "RINGMAIN_DEMO_DSN is now in" in said
    assert "hunter2" not in said


def test_what_cannot_be_used_is_one_sentence_and_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(connector, ["install", "--client", "nope"]) == 2
    assert capsys.readouterr().err == (
        "ringmain-demo: --client 'nope' is not known; without --client, all of them are listed\n"
    )


def test_the_clients_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(connector, ["install"]) == 0
    assert capsys.readouterr().out.startswith("claude-desktop   not found  ")
