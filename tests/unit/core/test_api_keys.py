import hmac
import json
import os
import re
import threading
from pathlib import Path

import pytest

from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.api_keys import ApiKeys, KeyFile, StoredKey, hash_key
from ringmain_core.policy import Agent, Policy, PolicyFile, open_to
from ringmain_core.principal import Principal

POLICY = open_to("bot", "local")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "keys.json"


def test_a_key_is_known_by_whoever_has_it_and_stored_as_a_hash(path: Path) -> None:
    key, stored = KeyFile(path).create("bot")
    assert re.fullmatch(r"rm_[0-9a-f]{8}_[\w-]{43}", key)
    assert stored == StoredKey(key.split("_")[1], "bot", hash_key(key), stored.created)
    assert ApiKeys(KeyFile(path)).recognise(key, POLICY) == Principal("bot", "api_key")
    everything = "".join(file.read_text() for file in path.parent.iterdir())
    assert key not in everything
    assert key.split("_", 2)[2] not in everything


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    os.umask(os.umask(0))
    KeyFile(path).create("bot")
    KeyFile(path).create("bot")
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert oct(path.parent.stat().st_mode & 0o777) == "0o700"
    assert sorted(file.name for file in path.parent.iterdir()) == ["keys.json", "keys.json.lock"]


def test_a_running_server_notices_new_and_revoked_keys(path: Path) -> None:
    running, operator = ApiKeys(KeyFile(path)), KeyFile(path)
    first, kept = operator.create("bot")
    second, gone = operator.create("local")
    assert [running.recognise(key, POLICY) for key in (first, second)] == [
        Principal("bot", "api_key"),
        Principal("local", "api_key"),
    ]
    assert operator.revoke(gone.id) == gone
    assert operator.revoke(gone.id) is None
    assert [running.recognise(key, POLICY) for key in (first, second)] == [Principal("bot", "api_key"), None]
    assert dict(operator.keys()) == {kept.id: kept}
    path.unlink()
    assert running.recognise(first, POLICY) is None


def test_an_agent_that_left_the_policy_has_no_access(path: Path) -> None:
    key, _ = KeyFile(path).create("bot")
    assert ApiKeys(KeyFile(path)).recognise(key, open_to("local")) is None


def test_a_key_in_the_policy_file_works_without_a_key_file(path: Path) -> None:
    keys = ApiKeys(KeyFile(path))
    policy = Policy(PolicyFile(agents=[Agent(id="bot", key=hash_key("anything"))]))
    assert keys.recognise("anything", policy) == Principal("bot", "api_key")
    assert keys.recognise("anything else", policy) is None
    assert not path.exists()


@pytest.mark.parametrize(
    "credential", ["", "rm", "rm__", "rm_00000000_x", "sha256:" + "0" * 64, "é", "rm_\x00_ "]
)
def test_what_is_no_key_is_nobodys(path: Path, credential: str) -> None:
    KeyFile(path).create("bot")
    assert ApiKeys(KeyFile(path)).recognise(credential, POLICY) is None


def test_the_right_id_with_another_secret_is_nobodys(path: Path) -> None:
    key, stored = KeyFile(path).create("bot")
    other, _ = KeyFile(path).create("bot")
    mixed = f"rm_{stored.id}_{other.split('_', 2)[2]}"
    assert ApiKeys(KeyFile(path)).recognise(mixed, POLICY) is None
    assert ApiKeys(KeyFile(path)).recognise(key + "x", POLICY) is None


def test_hashes_are_compared_in_constant_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, stored = KeyFile(path).create("bot")
    compared: list[tuple[object, object]] = []
    real = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    ApiKeys(KeyFile(path)).recognise(key, POLICY)
    assert compared == [(stored.hash.encode(), hash_key(key).encode())]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"keys": [{}]}',
        '{"keys": [{"id": 1, "agent": "bot", "hash": 2, "created": ""}]}',
        "\xff",
    ],
)
def test_a_file_that_is_no_key_file_lets_nobody_in(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content, encoding="latin-1")
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="not a key file"):
        KeyFile(path).keys()
    with pytest.raises(ConfigurationError, match="not a key file"):
        KeyFile(path).create("bot")
    assert path.read_text(encoding="latin-1") == content
    assert ApiKeys(KeyFile(path)).recognise("rm_00000000_x", POLICY) is None


def test_a_file_that_others_may_write_lets_nobody_in(path: Path) -> None:
    key, _ = KeyFile(path).create("bot")
    path.chmod(0o622)
    with pytest.raises(ConfigurationError, match=r"others may write it: run `chmod 600` on it$"):
        KeyFile(path).keys()
    assert ApiKeys(KeyFile(path)).recognise(key, POLICY) is None


def test_a_lock_that_is_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    (tmp_path / "precious").write_text("x", encoding="utf-8")
    path.with_name("keys.json.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        KeyFile(path).create("bot")


def test_keys_made_at_the_same_time_are_all_kept_and_none_comes_back(path: Path) -> None:
    _, gone = KeyFile(path).create("bot")
    made: list[str] = []

    def make() -> None:
        for _ in range(10):
            made.append(KeyFile(path).create("bot")[1].id)  # noqa: PERF401 (as others see it grow)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    KeyFile(path).revoke(gone.id)
    for thread in threads:
        thread.join()
    assert sorted(KeyFile(path).keys()) == sorted(made)


def test_nobody_can_authenticate_while_no_agent_of_the_policy_has_a_key(path: Path) -> None:
    keys = ApiKeys(KeyFile(path))
    assert keys.is_empty(POLICY)
    KeyFile(path).create("stranger")
    assert keys.is_empty(POLICY)
    KeyFile(path).create("bot")
    assert not keys.is_empty(POLICY)


def test_the_file_is_plain_json_without_the_keys(path: Path) -> None:
    _, stored = KeyFile(path).create("bot")
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "keys": [{"id": stored.id, "agent": "bot", "hash": stored.hash, "created": stored.created}]
    }
