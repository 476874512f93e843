"""What the server writes is its user's alone, and never lands where a symbolic link points."""

import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from ringmain_core import cli
from ringmain_core.audit import AuditUnavailable
from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.accounts.stores import StoreUnavailable
from ringmain_core.identity.accounts.stores.sqlite import SqliteStore
from ringmain_core.on_disk import key_file, key_ring, opened_audit, opened_state
from ringmain_core.settings import CoreSettings
from ringmain_core.state import StateUnavailable
from security.programs import ANN, demo_target, unchanged_log
from security.wire import ERAS, Caller
from unit.core.demo import connector

BEFORE = "what was there before\n"


def modes(folder: Path) -> dict[str, int]:
    """The folder and all that is in it."""
    every = [folder, *folder.rglob("*")]
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in every}


async def keep_all(core: CoreSettings) -> None:
    """Make every file of the state folder that there can be."""
    key_ring(core)
    key_file(core).create("ann")
    with opened_audit(connector, core):
        pass
    async with opened_state(connector, core) as state:
        await state.put("a", b"b", 60)
    store = SqliteStore(core.state_dir / "accounts.sqlite")
    await store.put("a", "b", b"c")
    await store.close()


def test_files_of_the_state_folder_are_private_whatever_the_umask(tmp_path: Path) -> None:
    with demo_target(tmp_path, umask=0) as target:
        for era in ERAS:
            Caller(target.port, ANN, era).tool("note", text="x")
    found = modes(tmp_path / "state")
    assert {"audit.key", "secret.key", "demo/audit.jsonl", "demo/audit.jsonl.head"} <= found.keys()
    folders = {path for path in found if (tmp_path / "state" / path).is_dir()}
    assert {path: oct(mode) for path, mode in found.items() if path not in folders and mode != 0o600} == {}
    assert {path: oct(found[path]) for path in folders if found[path] != 0o700} == {}


def test_files_that_come_later_are_private_as_well(tmp_path: Path) -> None:
    anyio.run(keep_all, CoreSettings(state_dir=tmp_path / "state"))
    found = modes(tmp_path / "state")
    assert {"keys.json", "keys.json.lock", "demo/state.sqlite", "accounts.sqlite"} <= found.keys()
    assert {path: oct(mode) for path, mode in found.items() if mode not in (0o600, 0o700)} == {}


async def _ring(core: CoreSettings) -> None:
    await anyio.lowlevel.checkpoint()
    key_ring(core)


async def _keys(core: CoreSettings) -> None:
    await anyio.lowlevel.checkpoint()
    key_file(core).create("ann")


async def _audit(core: CoreSettings) -> None:
    await anyio.lowlevel.checkpoint()
    with opened_audit(connector, core):
        pass


async def _state(core: CoreSettings) -> None:
    async with opened_state(connector, core) as state:
        await state.put("a", b"b", 60)


async def _accounts(core: CoreSettings) -> None:
    store = SqliteStore(core.state_dir / "accounts.sqlite")
    try:
        await store.put("a", "b", b"c")
    finally:
        await store.close()


WRITERS: dict[str, Callable[[CoreSettings], Awaitable[None]]] = {
    "secret.key": _ring,
    "keys.json": _keys,
    "keys.json.lock": _keys,
    "audit.key": _audit,
    "demo/audit.jsonl": _audit,
    "demo/audit.jsonl.head": _audit,
    "demo/state.sqlite": _state,
    "demo/state.sqlite-wal": _state,
    "demo/state.sqlite-shm": _state,
    "accounts.sqlite": _accounts,
    "accounts.sqlite-journal": _accounts,
    "accounts.sqlite-wal": _accounts,
}
REFUSALS = (AuditUnavailable, ConfigurationError, StateUnavailable, StoreUnavailable)


@pytest.mark.anyio
@pytest.mark.parametrize("dangling", [False, True], ids=["to a file", "to nothing"])
@pytest.mark.parametrize("name", WRITERS)
async def test_cve_2026_27825_a_symbolic_link_in_the_state_folder_is_not_written_through(
    tmp_path: Path, name: str, dangling: bool
) -> None:
    victim = tmp_path / "elsewhere" / "victim"
    victim.parent.mkdir()
    if not dangling:
        victim.write_text(BEFORE)
    at = tmp_path / "state" / name
    at.parent.mkdir(parents=True, mode=0o700)
    at.symlink_to(victim)
    said = ""
    try:
        await WRITERS[name](CoreSettings(state_dir=tmp_path / "state"))
    except REFUSALS as error:
        said = str(error)
    assert BEFORE.strip() not in said
    if dangling:
        assert list(victim.parent.iterdir()) == []
    else:
        assert victim.read_text() == BEFORE
        assert list(victim.parent.iterdir()) == [victim]


@pytest.mark.parametrize("name", ["audit.key", "secret.key"])
def test_a_key_that_others_can_read_is_not_used(tmp_path: Path, name: str) -> None:
    core = CoreSettings(state_dir=tmp_path / "state")
    anyio.run(keep_all, core)
    (tmp_path / "state" / name).chmod(0o640)
    with pytest.raises((AuditUnavailable, ConfigurationError), match=r"Others may read the (audit )?key"):
        anyio.run(keep_all, core)


def test_keys_that_others_can_write_are_not_believed(tmp_path: Path) -> None:
    core = CoreSettings(state_dir=tmp_path / "state")
    anyio.run(keep_all, core)
    path = tmp_path / "state" / "keys.json"
    path.chmod(0o666)
    with pytest.raises(ConfigurationError, match="others may write it"):
        key_file(core).keys()


def test_no_argument_of_a_command_becomes_a_path_outside_of_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of agents come from a command line, perhaps from somebody's ticket."""
    monkeypatch.setattr(cli, "set_up_logging", unchanged_log)
    monkeypatch.chdir(tmp_path)
    for agent in ("../../evil", "/etc/cron.d/x", "-rf", "a\nb", "$(touch x)", "a;b", "`id`", "\0"):
        cli.run(connector, ["keys", "create", "--", agent])
        cli.run(connector, ["keys", "revoke", "--", agent])
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    assert {path.name for path in (tmp_path / "state").rglob("*")} == {"keys.json.lock"}
