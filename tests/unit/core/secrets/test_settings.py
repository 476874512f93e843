import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from ringmain_core.errors import ConfigurationError
from ringmain_core.secrets import ManagedSecret, Secret, Secrets
from ringmain_core.settings import ConnectorSettings, CoreSettings, read_settings

KEY = "k" * 32


class Host(BaseModel):
    password: Secret


class DemoSettings(ConnectorSettings):
    model_config = SettingsConfigDict(env_prefix="RINGMAIN_DEMO_", env_nested_delimiter="__")

    token: Annotated[Secret | None, Field(min_length=8)] = None
    hosts: dict[str, Host] = Field(default_factory=dict)


def read(secrets: Secrets | None = None) -> DemoSettings:
    with (secrets or Secrets()).reading():
        return read_settings(DemoSettings)


def private(path: Path, content: str) -> Path:
    path.write_text(content)
    path.chmod(0o600)
    return path


def value_of(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def test_a_setting_is_the_secret_itself_or_a_reference_to_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at = private(tmp_path / "token", "from a file\n")
    monkeypatch.setenv("ELSEWHERE", "from a variable")
    texts = {
        "given here": "given here",
        "value:env:ELSEWHERE": "env:ELSEWHERE",
        "env:ELSEWHERE": "from a variable",
        f"file:{at}": "from a file",
    }
    found: dict[str, str | None] = {}
    for text in texts:
        monkeypatch.setenv("RINGMAIN_DEMO_TOKEN", text)
        found[text] = value_of(read().token)
    assert found == texts
    monkeypatch.delenv("RINGMAIN_DEMO_TOKEN")
    assert read().token is None


def test_a_reference_deep_in_a_model_is_followed_and_one_reference_is_one_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ELSEWHERE", "from a variable")
    monkeypatch.setenv("RINGMAIN_DEMO_TOKEN", "env:ELSEWHERE")
    monkeypatch.setenv("RINGMAIN_DEMO_HOSTS", '{"a": {"password": "env:ELSEWHERE"}}')
    settings = read()
    assert value_of(settings.hosts["a"].password) == "from a variable"
    assert settings.hosts["a"].password is settings.token
    assert Host(password=settings.hosts["a"].password).password is settings.token


def test_the_secrets_of_the_core_may_be_references(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELSEWHERE", KEY)
    for name in ("SECRET_KEY", "AUDIT_KEY", "REDIS_URL"):
        monkeypatch.setenv(f"RINGMAIN_{name}", "env:ELSEWHERE")
    with Secrets().reading():
        core: CoreSettings = read_settings(CoreSettings)
    assert [value_of(secret) for secret in (core.secret_key, core.audit_key, core.redis_url)] == [KEY] * 3


@pytest.mark.parametrize("text", ["short", "env:ELSEWHERE", "value:short"])
def test_constraints_hold_for_what_a_reference_leads_to(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELSEWHERE", "short")
    monkeypatch.setenv("RINGMAIN_DEMO_TOKEN", text)
    with pytest.raises(ConfigurationError) as caught:
        read()
    said = "Value should have at least 8 items after validation, not 5"
    assert str(caught.value) == f"RINGMAIN_DEMO_TOKEN: {said}"


def test_what_leads_nowhere_names_setting_and_reference(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RINGMAIN_DEMO_TOKEN", "env:ELSEWHERE")
    monkeypatch.setenv("RINGMAIN_DEMO_HOSTS", f'{{"a": {{"password": "file:{tmp_path}/none"}}}}')
    with pytest.raises(ConfigurationError) as caught:
        read()
    assert str(caught.value) == (
        "RINGMAIN_DEMO_TOKEN: env:ELSEWHERE: no such variable is set; RINGMAIN_DEMO_HOSTS__A__PASSWORD: "
        f"file:{tmp_path}/none: it cannot be read: No such file or directory"
    )


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        (b"s", 0o620, "others may write it; run `chmod go-w` on it"),
        (b"s", 0o602, "others may write it; run `chmod go-w` on it"),
        (b"s" * 65_537, 0o600, "it is larger than 64 KiB"),
        (b"hunter2\xff", 0o600, "it is not UTF-8 at byte 7"),
        (b"\n", 0o600, "what is there is empty"),
    ],
)
def test_a_file_that_is_not_a_secrets_is_refused(
    content: bytes, mode: int, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(mode)
    monkeypatch.setenv("RINGMAIN_DEMO_TOKEN", f"file:{path}")
    with pytest.raises(ConfigurationError) as caught:
        read()
    assert str(caught.value) == f"RINGMAIN_DEMO_TOKEN: file:{path}: {why}"


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders")
def test_a_pipe_or_a_folder_is_refused_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        monkeypatch.setenv("RINGMAIN_DEMO_TOKEN", f"file:{tmp_path / name}")
        with pytest.raises(ConfigurationError) as caught:
            read()
        assert str(caught.value) == f"RINGMAIN_DEMO_TOKEN: file:{tmp_path / name}: it is not a file"


def test_one_newline_is_dropped_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "token"
    found: list[str | None] = []
    monkeypatch.setenv("RINGMAIN_DEMO_TOKEN", f"file:{path}")
    for content in (" spaced \n", "windows.\r\n", "two lines\n\n"):
        path.write_bytes(content.encode())
        path.chmod(0o600)
        found.append(value_of(read().token))
    assert found == [" spaced ", "windows.", "two lines\n"]


def test_nobody_but_the_reader_of_settings_follows_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELSEWHERE", "from a variable")
    with pytest.raises(ValidationError) as caught:
        Host.model_validate({"password": "env:ELSEWHERE"})
    (fault,) = caught.value.errors(include_input=False)
    assert fault["msg"] == "env:ELSEWHERE cannot be followed here: only settings of the process may refer"
    assert value_of(Host.model_validate({"password": "value:plain"}).password) == "plain"
    assert value_of(Host(password=SecretStr("env:ELSEWHERE")).password) == "env:ELSEWHERE"


def test_no_secret_is_shown_by_what_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELSEWHERE", "hunter2-hunter2")
    monkeypatch.setenv("RINGMAIN_DEMO_TOKEN", "env:ELSEWHERE")
    secrets = Secrets()
    settings = read(secrets)
    assert isinstance(settings.token, ManagedSecret)
    shown = f"{settings!r} {settings.token!r} {settings.token} {secrets!r} {settings.model_dump_json()}"
    assert "hunter2" not in shown
    assert repr(settings.token) == "ManagedSecret('**********')"


def test_nothing_of_a_secrets_manager_is_loaded_where_none_is_used() -> None:
    program = (
        "import sys; from ringmain_core.secrets import Secrets; from ringmain_core.settings import *\n"
        "with Secrets().reading(): CoreSettings()\n"
        "print([name for name in ('httpx2', 'boto3', 'botocore', 'ringmain_core.secrets.local',"
        " 'ringmain_core.secrets.settings', 'ringmain_core.secrets.vault') if name in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        env={"RINGMAIN_REDIS_URL": "redis://cache", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout == "[]\n"
