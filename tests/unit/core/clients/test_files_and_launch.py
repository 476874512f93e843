import os
import stat
from pathlib import Path, PurePosixPath

import pytest

from ringmain_core.clients.computer import Computer
from ringmain_core.clients.diff import changes
from ringmain_core.clients.document import Form
from ringmain_core.clients.file import Changed, read, replace
from ringmain_core.clients.launch import Launch, bridge, this_program
from ringmain_core.errors import ConfigurationError

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and pipes of Unix")
HERE = Computer("linux", {}, PurePosixPath("/home/ann"))


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "mcp.json"
    real.parent.mkdir()
    real.write_text("{}", encoding="utf-8")
    link = tmp_path / "mcp.json"
    link.symlink_to("dotfiles/mcp.json")
    found = read(link, mode=0o600)
    assert (found.path, found.content) == (real, b"{}")
    replace(found, b"new")
    assert link.readlink() == Path("dotfiles/mcp.json")
    assert real.read_bytes() == b"new"


def test_a_link_to_nothing_is_filled_or_refused(tmp_path: Path) -> None:
    link = tmp_path / "mcp.json"
    link.symlink_to("real.json")
    replace(read(link, mode=0o600), b"new")
    assert (tmp_path / "real.json").read_bytes() == b"new"
    lost = tmp_path / "lost.json"
    lost.symlink_to("nowhere/real.json")
    with pytest.raises(ConfigurationError, match=r"is a link to .*, whose folder is not there"):
        read(lost, mode=0o600)
    circle = tmp_path / "circle.json"
    circle.symlink_to("circle.json")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(circle, mode=0o600)


@posix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o755])
def test_permissions_stay(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "mcp.json"
    path.write_text("{}", encoding="utf-8")
    path.chmod(mode)
    replace(read(path, mode=0o600), b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays_the_owner_where_root_writes(tmp_path: Path) -> None:
    path = tmp_path / "mcp.json"
    path.write_text("{}", encoding="utf-8")
    os.chown(path, 12_345, 12_346)
    replace(read(path, mode=0o600), b"new")
    assert (path.stat().st_uid, path.stat().st_gid, path.read_bytes()) == (12_345, 12_346, b"new")


@posix
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path):
        with pytest.raises(ConfigurationError, match=r"is not a file|cannot be read"):
            read(path, mode=0o600)


def test_a_huge_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)
    with pytest.raises(ConfigurationError, match="is larger than 16 MiB"):
        read(path, mode=0o600)


@posix
def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "mcp.json"
    path.write_text("{}", encoding="utf-8")
    path.chmod(0o400)
    with pytest.raises(ConfigurationError, match="may not be written to"):
        replace(read(path, mode=0o600), b"new")
    assert path.read_bytes() == b"{}"


@pytest.mark.parametrize("content", [b"new", None])
def test_a_file_is_replaced_only_if_it_is_still_what_was_read(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mcp.json"
    path.write_bytes(b"{}")
    found = read(path, mode=0o600)
    path.write_bytes(b"{ }")
    with pytest.raises(Changed):
        replace(found, content)
    assert path.read_bytes() == b"{ }"
    path.unlink()
    with pytest.raises(Changed):
        replace(found, content)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_not_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "new" / "mcp.json"
    found = read(path, mode=0o640)
    path.parent.mkdir()
    path.write_bytes(b"theirs")
    with pytest.raises(Changed):
        replace(found, b"ours")
    assert [one.read_bytes() for one in path.parent.iterdir()] == [b"theirs"]


def test_without_links_a_new_file_is_made_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "mcp.json"
    replace(read(path, mode=0o600), b"ours")
    assert path.read_bytes() == b"ours"
    with pytest.raises(Changed):
        replace(read(tmp_path / "nope.json", mode=0o600).__class__(path), b"again")


def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mcp.json"
    path.write_bytes(b"{}")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match=r"mcp\.json: cannot be written: No space left on device"):
        replace(read(path, mode=0o600), b"new")
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"{}"]


def started(tmp_path: Path, prefix: str, environment: dict[str, str], which: str | None = None) -> Launch:
    computer = Computer("linux", environment, PurePosixPath("/home/ann"))
    return this_program(
        "ringmain-demo",
        "1.2.3",
        computer,
        prefix=prefix,
        started_as=str(tmp_path / "pytest"),
        which=lambda _: which,
    )


@pytest.mark.parametrize("cache", ["archive-v0/Ab12", "environments-v2/0123", "builds-v0/x"])
def test_from_uvs_cache_it_is_uvx_with_the_version(tmp_path: Path, cache: str) -> None:
    uvx = tmp_path / "bin" / "uvx"
    uvx.parent.mkdir()
    uvx.write_text("", encoding="utf-8")
    prefix = f"/home/ann/.cache/uv/{cache}"
    there = Launch(str(uvx), ("ringmain-demo@1.2.3",))
    assert started(tmp_path, prefix, {"UV": str(tmp_path / "bin" / "uv")}) == there
    assert started(tmp_path, prefix, {"UV": "/gone/uv"}, str(uvx)) == there
    with pytest.raises(ConfigurationError, match="uv tool install ringmain-demo"):
        started(tmp_path, prefix, {})


def test_from_pipx_cache_it_is_refused_and_from_its_venv_it_is_the_script(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="pipx install ringmain-demo"):
        started(tmp_path, "/home/ann/.local/pipx/.cache/0123", {})
    script = tmp_path / "ringmain-demo"
    script.write_text("", encoding="utf-8")
    computer = Computer("linux", {}, PurePosixPath("/home/ann"))
    launch = this_program(
        "ringmain-demo", "1", computer, prefix="/home/ann/.local/pipx/venvs/x", started_as=str(script)
    )
    assert launch == Launch(str(script))


def test_without_a_script_it_is_the_module(tmp_path: Path) -> None:
    launch = started(tmp_path, "/venv", {})
    assert Path(launch.command).is_absolute()
    assert launch.args == ("-m", "ringmain_demo")


def test_the_bridge_finds_its_node_by_a_path_of_its_own() -> None:
    launch = bridge("https://x/mcp", None, HERE, which=lambda _: "/home/ann/.nvm/bin/npx")
    assert launch == Launch(
        "/home/ann/.nvm/bin/npx",
        ("-y", "mcp-remote@0.15", "https://x/mcp", "--transport", "http-only"),
        (("PATH", "/home/ann/.nvm/bin:/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin"),),
    )


@pytest.mark.parametrize(
    ("form", "before", "after", "shown"),
    [
        (
            "json",
            '{\n  "a": {"K": "hunter2", "n": 5}, // hunter2\n  "command": "npx"\n}',
            '{\n  "a": {"K": "hunter2", "n": 5}, // hunter2\n  "command": "npx",\n  "b": "new"\n}',
            [
                " {",
                '   "a": {"K": "…", "n": 5}, // …',
                '-  "command": "…"',
                '+  "command": "…",',
                '+  "b": "new"',
                " }",
            ],
        ),
        (
            "toml",
            "[a]\nk = 'hunter2' # x\nm = '''\nhunter2 two\n'''\n",
            "[a]\nk = 'hunter2' # x\nm = '''\nhunter2 two\n'''\nb = 1\n",
            [" …", " '''", "+b = 1"],
        ),
        (
            "yaml",
            "a:\n  k: hunter2 # hunter2\n  l: |\n    hunter2\n  m: ['hunter2', hunter2]\n  n: true\n",
            "a:\n  k: hunter2 # hunter2\n  l: |\n    hunter2\n  m: ['hunter2', hunter2]\n  n: true\nb: 1\n",
            ["   m: …", "   n: true", "+b: 1"],
        ),
    ],
)
def test_what_others_keep_secret_is_not_shown(form: Form, before: str, after: str, shown: list[str]) -> None:
    lines = list(changes(before, after, "x", form, frozenset({"new"})))
    assert lines[:2] == ["--- x (now)", "+++ x (then)"]
    assert lines[3:] == shown
    assert "hunter2" not in "\n".join(lines)


def test_nothing_in_a_file_moves_the_cursor_or_turns_the_text_around() -> None:
    before, after = '{\n  "a\u202e": 1,\n  /* \x1b[2J */ "b": 2\n}', '{\n  "a\u202e": 1\n}'
    text = "".join(changes(before, after, "x", "json", frozenset()))
    assert [mark for mark in text if not mark.isprintable()] == []
