from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from ringmain_core.errors import ConfigurationError
from ringmain_core.settings import CommaSeparated, ConnectorSettings, CoreSettings, read_settings


class Some(ConnectorSettings):
    model_config = SettingsConfigDict(env_prefix="RINGMAIN_SOME_")

    token: Annotated[SecretStr, Field(min_length=20)]
    channels: CommaSeparated = Field(default_factory=list[str])
    table: dict[str, int] = Field(default_factory=dict[str, int])
    retries: int = 3


SECRET = "xoxb-very-secret"


def complaint(kind: type[CoreSettings | Some]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(kind)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RINGMAIN_POLICY", "/etc/policy.toml")
    monkeypatch.setenv("RINGMAIN_PORT", "0")
    monkeypatch.setenv("RINGMAIN_ALLOWED_HOSTS", " mcp.example.com:* , ,10.0.0.1:80,")
    core = read_settings(CoreSettings)
    assert (core.policy, core.port) == (Path("/etc/policy.toml"), 0)
    assert core.allowed_hosts == ["mcp.example.com:*", "10.0.0.1:80"]
    assert core.state_dir == tmp_path / "state"


def test_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGMAIN_PORT", "1")
    assert read_settings(CoreSettings, port=2, host=None).port == 2


def test_state_is_kept_where_the_system_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RINGMAIN_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", "/x")
    assert CoreSettings().state_dir == Path("/x/ringmain")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert CoreSettings().state_dir == Path.home() / ".local/state/ringmain"


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in CoreSettings.model_fields.items() if not field.description] == []


def test_faults_name_the_variable_and_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGMAIN_PORT", "http")
    monkeypatch.setenv("RINGMAIN_LOG_LEVEL", "loud")
    assert complaint(CoreSettings) == (
        "RINGMAIN_LOG_LEVEL: Input should be 'debug', 'info', 'warning' or 'error'; "
        "RINGMAIN_PORT: Input should be a valid integer, unable to parse string as an integer"
    )
    assert complaint(Some) == "RINGMAIN_SOME_TOKEN: Field required"


def test_no_fault_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGMAIN_AUDIT_KEY", SECRET)
    monkeypatch.setenv("RINGMAIN_SOME_TOKEN", SECRET)
    monkeypatch.setenv("RINGMAIN_SOME_RETRIES", SECRET)
    for kind, names in ((CoreSettings, ["RINGMAIN_AUDIT_KEY"]), (Some, ["SOME_TOKEN", "SOME_RETRIES"])):
        said = complaint(kind)
        assert SECRET not in said
        assert all(name in said for name in names)


def test_what_should_be_json_and_is_not_is_told_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGMAIN_SOME_TOKEN", SECRET * 2)
    monkeypatch.setenv("RINGMAIN_SOME_TABLE", f"{{{SECRET}")
    assert complaint(Some) == 'error parsing value for field "table" from source "EnvSettingsSource"'


def test_a_secret_is_not_in_what_settings_look_like(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGMAIN_SOME_TOKEN", SECRET * 2)
    monkeypatch.setenv("RINGMAIN_AUDIT_KEY", SECRET * 2)
    assert (
        SECRET
        not in f"{read_settings(Some)!r} {read_settings(CoreSettings)} {read_settings(Some).model_dump()}"
    )
