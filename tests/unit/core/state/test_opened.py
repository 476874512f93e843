import logging
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ringmain_core.errors import ConfigurationError
from ringmain_core.on_disk import key_ring, opened_state
from ringmain_core.settings import CoreSettings
from ringmain_core.workers import check_workers
from unit.core.demo import connector

KEY = "a-secret-key-of-more-than-32-characters"
OTHER = "another-key-of-more-than-32-characters!"
REDIS = SecretStr("redis://localhost")


def settings(**values: Any) -> CoreSettings:
    return CoreSettings(**values)


@pytest.mark.anyio
async def test_the_state_of_one_process_is_a_file_of_the_connector(tmp_path: Path) -> None:
    core = settings(state_dir=tmp_path)
    async with opened_state(connector, core) as state:
        assert os.listdir(tmp_path) == []  # noqa: PTH208 (in an async test)
        await state.put("a", b"1", 60)
    async with opened_state(connector, core) as state:
        assert await state.get("a") == b"1"
    assert os.listdir(tmp_path / "demo") == ["state.sqlite"]  # noqa: PTH208


def test_keys_are_those_of_the_settings_and_the_first_seals() -> None:
    sealed = key_ring(settings(secret_key=SecretStr(KEY))).seal("p", "o", b"x")
    both = key_ring(settings(secret_key=SecretStr(f"{OTHER}, {KEY}"), redis_url=REDIS))
    assert both.open("p", "o", sealed) == b"x"
    assert both.derive("p")[0] == key_ring(settings(secret_key=SecretStr(OTHER))).derive("p")[0]


def test_a_key_is_made_once_for_this_user_alone_and_kept(tmp_path: Path) -> None:
    core = settings(state_dir=tmp_path / "state")
    assert key_ring(core).derive("p") == key_ring(core).derive("p")
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["secret.key"]
    assert stat.S_IMODE((tmp_path / "state" / "secret.key").stat().st_mode) == 0o600


def test_a_key_that_others_may_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    key_ring(settings(state_dir=tmp_path))
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="run `chmod 600` on it"):
        key_ring(settings(state_dir=tmp_path))
    path.chmod(0o600)
    path.write_text("c2hvcnQ=", "utf-8")
    with pytest.raises(ConfigurationError, match="holds no key of 32 bytes in base64"):
        key_ring(settings(state_dir=tmp_path))
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        key_ring(settings(state_dir=tmp_path))


def test_where_none_can_be_kept_it_lasts_as_long_as_the_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    core = settings(state_dir=tmp_path / "file" / "state", audit="off")
    with caplog.at_level(logging.WARNING):
        assert key_ring(core).derive("p") != key_ring(core).derive("p")
    assert "valid until this process ends" in caplog.text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"redis_url": REDIS}, "the same RINGMAIN_SECRET_KEY. `openssl rand -base64 32` prints one."),
        ({"secret_key": SecretStr(f"{KEY},short")}, "each of its comma-separated keys needs at least 32"),
    ],
)
def test_keys_that_replicas_could_not_share_or_that_are_weak_are_refused(
    values: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        key_ring(settings(**values))
    assert said in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "RINGMAIN_WORKERS=3 would let everybody do 3 times what policy says. Set RINGMAIN_REDIS_URL"),
        ({"redis_url": REDIS, "audit": "stdout"}, "RINGMAIN_AUDIT=stdout: workers would write into each"),
        ({"redis_url": REDIS, "audit": "stderr"}, "RINGMAIN_AUDIT=stderr: workers would write into each"),
        ({"redis_url": REDIS, "sessions": True}, "RINGMAIN_SESSIONS: a session lives in one worker"),
        ({"redis_url": REDIS, "legacy_sse": True}, "RINGMAIN_LEGACY_SSE: its connections live in one worker"),
    ],
)
def test_what_works_in_one_process_alone_is_refused_for_several(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_workers(settings(workers=3, **values))
    assert said in str(caught.value)


def test_windows_is_told_that_it_cannot_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(ConfigurationError, match="Windows cannot fork"):
        check_workers(settings(workers=2, redis_url=REDIS))


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ({}, True),
        ({"workers": 2}, False),
        ({"redis_url": REDIS}, False),
        ({"redis_url": REDIS, "sessions": True}, True),
        ({"sessions": False}, False),
    ],
)
def test_sessions_are_kept_where_one_process_answers_unless_the_operator_knows_better(
    values: dict[str, Any], kept: bool
) -> None:
    assert settings(**values).keeps_sessions is kept
    assert os.environ.get("RINGMAIN_SESSIONS") is None
