import json
import stat
import tempfile
import threading
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from ringmain_core.clients import document, install
from ringmain_core.clients.catalogue import CLIENTS
from ringmain_core.clients.computer import Computer
from ringmain_core.clients.file import Changed, Found
from ringmain_core.clients.file import replace as replace_file
from ringmain_core.clients.install import Person, run_install
from ringmain_core.clients.wanted import PLACEHOLDER
from ringmain_core.errors import ConfigurationError
from unit.core.clients.examples import EXAMPLES, OPENCODE_2, VSCODE
from unit.core.clients.test_json_text import files
from unit.core.clients.test_variables import Sample
from unit.core.demo import connector as demo

CONNECTOR = replace(demo, settings=Sample)
NAME = "ringmain-demo"
URL = "https://mcp.example.com/v2/mcp"
KNOWN: dict[str, Any] = {
    "client": None, "name": None, "project": None, "http": None, "sign_in": False, "secret": [], "env": [],
    "remove": False, "dry_run": False, "yes": False,
}  # fmt: skip


@dataclass
class Desk:
    """A home with somebody at a terminal, or with nobody."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])
    answers: list[str] | None = None
    said: list[str] = field(default_factory=list[str])

    def __call__(self, client: str | None = None, **options: Any) -> int:
        computer = Computer(
            "linux", {"RINGMAIN_STATE_DIR": str(self.state), **self.environment}, self.home, self._names
        )
        self.said.clear()
        person = (
            Person(self.said.append, self._ask, self._ask)
            if self.answers is not None
            else Person(self.said.append)
        )
        return run_install(CONNECTOR, Namespace(**{**KNOWN, "client": client, **options}), computer, person)

    @property
    def state(self) -> Path:
        return self.home / "state"

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    def file(self, client: str, example: str | None = None) -> Path:
        computer = Computer("linux", self.environment, self.home, self._names)
        path = Path(CLIENTS[client].file(computer, NAME))
        if example is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(example.encode())
        return path

    def data(self, client: str) -> dict[str, Any]:
        text = self.file(client).read_text(encoding="utf-8-sig")
        return document.load(CLIENTS[client].form, text)

    def entry(self, client: str, name: str = NAME) -> Any:
        data = self.data(client)
        return document.entry_at(data, (*CLIENTS[client].place(data), name))

    def _ask(self, question: str) -> str:
        self.said.append(question)
        assert self.answers is not None
        return self.answers.pop(0)

    @staticmethod
    def _names(folder: Any) -> list[str]:
        return sorted(one.name for one in Path(folder).iterdir()) if Path(folder).is_dir() else []


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("npx", NAME):
        (tools / tool).write_text("", encoding="utf-8")
        (tools / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setattr("sys.argv", [str(tools / NAME)])
    home = tmp_path / "home"
    home.mkdir()
    return Desk(home)


def secret_of(desk: Desk, setting: str = "RINGMAIN_SAMPLE_URL", name: str = NAME) -> Path:
    return desk.state / "secrets" / name / setting


def test_every_client_has_an_example() -> None:
    assert EXAMPLES.keys() == CLIENTS.keys()


@pytest.mark.parametrize("client", CLIENTS)
def test_an_entry_goes_into_a_real_file_beside_the_others_and_comes_out_without_a_trace(
    desk: Desk, client: str
) -> None:
    example = EXAMPLES[client]
    path = desk.file(client, example)
    before = desk.data(client)
    path.chmod(0o640)
    assert desk(client, yes=True) == 0
    after = desk.data(client)
    entry = desk.entry(client)
    assert json.dumps(entry).count(str(desk.home.parent / "tools" / NAME)) == 1
    assert "hunter2" not in desk.text
    rest = json.loads(json.dumps(after, default=str))
    del document.entry_at(rest, CLIENTS[client].place(rest))[NAME]
    if CLIENTS[client].asks:
        rest["inputs"] = [one for one in rest["inputs"] if not one["id"].startswith(NAME)]
    if not CLIENTS[client].own_file:
        assert rest == json.loads(json.dumps(before, default=str))
    written = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert desk(client, yes=True) == 0
    assert desk.said[0] == f"{path}: nothing changes, the entry is there."
    assert CLIENTS[client].then.format(title=CLIENTS[client].title) not in desk.text
    assert path.read_bytes() == written
    assert desk(client, yes=True, remove=True) == 0
    if CLIENTS[client].own_file:
        assert not path.exists()
        return
    assert path.read_bytes().decode() == example
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert desk(client, yes=True, remove=True) == 0
    assert desk.text == f"{path}: nothing changes, there is no such entry."
    assert [one.name for one in path.parent.iterdir() if one.is_file()] == [path.name]


@pytest.mark.parametrize("client", CLIENTS)
def test_where_there_is_no_file_one_is_made_and_goes_again(desk: Desk, client: str) -> None:
    path = desk.file(client)
    assert desk(client, yes=True) == 0
    assert desk.said[0] == f"{CLIENTS[client].title} was not found here; its file is made all the same."
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert desk.entry(client) is not None
    assert desk(client, yes=True, remove=True) == 0
    assert "  The file holds nothing else, and goes." in desk.said
    assert not path.exists()


@pytest.mark.parametrize("client", CLIENTS)
def test_what_others_write_meanwhile_stays_when_the_entry_goes(desk: Desk, client: str) -> None:
    path = desk.file(client, EXAMPLES[client])
    desk(client, yes=True)
    if CLIENTS[client].own_file:
        return
    form = CLIENTS[client].form
    keys = CLIENTS[client].place(desk.data(client))
    entry: dict[str, Any] = {"command": "new"}
    text = path.read_bytes().decode().removeprefix("\ufeff")
    path.write_bytes(document.put(form, text, (*keys, "newer"), entry).encode())
    assert desk(client, yes=True, remove=True) == 0
    assert desk.entry(client) is None
    assert desk.entry(client, "newer") == entry
    assert desk.entry(client, "filesystem") is not None
    left = document.drop(form, path.read_bytes().decode(), (*keys, "newer"))
    assert left == EXAMPLES[client].removeprefix("\ufeff")


def test_opencode_2_gets_its_own_form(desk: Desk) -> None:
    desk.file("opencode", OPENCODE_2)
    desk("opencode", yes=True)
    assert list(desk.data("opencode")["mcp"]) == ["servers"]
    assert list(desk.data("opencode")["mcp"]["servers"]) == ["filesystem", NAME]


@given(files())
@settings(max_examples=30)
def test_whatever_the_file_is_install_and_remove_give_the_same_bytes(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["pytest"])
        desk = Desk(Path(folder))
        path = desk.file("cursor", text)
        assert desk("cursor", yes=True) == 0
        assert desk("cursor", yes=True, remove=True) == 0
        assert path.read_bytes() == text.encode()


def test_the_secret_is_a_file_that_is_asked_for_and_that_only_the_user_can_read(desk: Desk) -> None:
    desk.answers = ["y", "postgresql://ann:hunter2@db/shop"]
    assert desk("claude-desktop") == 0
    path = secret_of(desk)
    assert path.read_text(encoding="utf-8") == "postgresql://ann:hunter2@db/shop\n"
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent)] == [0o600, 0o700]
    assert desk.entry("claude-desktop")["env"] == {"RINGMAIN_SAMPLE_URL": f"file:{path}"}
    assert f"- RINGMAIN_SAMPLE_URL is now in {path}, which only you can read." in desk.said
    assert "hunter2" not in desk.text
    desk("claude-desktop", yes=True)
    assert f"- RINGMAIN_SAMPLE_URL is what {path} holds." in desk.said


def test_a_secret_that_is_set_here_goes_into_the_file_and_nowhere_else(desk: Desk) -> None:
    desk.environment["RINGMAIN_SAMPLE_TOKEN"] = "hunter2"
    desk.environment["RINGMAIN_SAMPLE_LIMIT"] = "5"
    assert desk("zed", yes=True) == 0
    path = secret_of(desk, "RINGMAIN_SAMPLE_TOKEN")
    assert path.read_text(encoding="utf-8") == "hunter2\n"
    assert desk.entry("zed")["env"] == {"RINGMAIN_SAMPLE_TOKEN": f"file:{path}"}
    assert "- Set here, and not in the entry: RINGMAIN_SAMPLE_LIMIT, RINGMAIN_STATE_DIR." in desk.text
    assert "hunter2" not in desk.text + desk.file("zed").read_text(encoding="utf-8")


def test_a_reference_that_is_set_here_is_taken_over(desk: Desk) -> None:
    desk.environment["RINGMAIN_SAMPLE_URL"] = "vault:secret/db#url"
    desk("zed", yes=True)
    assert desk.entry("zed")["env"] == {"RINGMAIN_SAMPLE_URL": "vault:secret/db#url"}
    assert not (desk.state / "secrets").exists()


def test_without_anybody_to_ask_the_secret_is_left_to_do_and_its_folder_is_there(desk: Desk) -> None:
    desk("zed", yes=True)
    path = secret_of(desk)
    assert f"- Put RINGMAIN_SAMPLE_URL into the file {path}, and let only yourself read it" in desk.text
    assert path.parent.is_dir()
    assert not path.exists()


def test_vs_code_is_told_to_ask_and_what_it_asks_goes_with_the_entry(desk: Desk) -> None:
    path = desk.file("vscode", VSCODE)
    desk("vscode", yes=True, secret=["RINGMAIN_SAMPLE_URL", "RINGMAIN_SAMPLE_TOKEN"])
    assert desk.entry("vscode")["env"] == {
        "RINGMAIN_SAMPLE_URL": "${input:ringmain-demo-url}",
        "RINGMAIN_SAMPLE_TOKEN": "${input:ringmain-demo-token}",
    }
    inputs = desk.data("vscode")["inputs"]
    assert [one["id"] for one in inputs] == ["perplexity-key", "ringmain-demo-url", "ringmain-demo-token"]
    assert all(one["password"] is True for one in inputs)
    assert not (desk.state / "secrets").exists()
    desk("vscode", yes=True, remove=True)
    assert path.read_text(encoding="utf-8") == VSCODE


@pytest.mark.parametrize(
    ("client", "text"),
    [
        ("cursor", '{"mcpServers": {"other": {"command": "x", "env": {"API_TOKEN": "hunter2"}}}}'),
        ("gemini-cli", '{\n  "theme": "dark",\n  "apiKey": "hunter2"\n}\n'),
        ("cursor", '{\n "mcpServers": {\n  "other": {"command": "x", "env": {"K": "hunter2"}}\n }\n}\n'),
        ("codex", '[mcp_servers.o]\ncommand="x"\nenv={TOKEN="hunter2"}'),
        ("goose", "extensions:\n  o:\n    envs: {TOKEN: hunter2}"),
    ],
)
def test_what_others_keep_is_never_shown(desk: Desk, client: str, text: str) -> None:
    desk.file(client, text)
    for more in ({"dry_run": True}, {"yes": True}, {"remove": True, "dry_run": True}):
        desk(client, **more)
        assert "hunter2" not in desk.text
    assert NAME in desk.text


def test_an_entry_is_shown_whole_before_it_is_written(desk: Desk) -> None:
    desk("cursor", dry_run=True, env=["RINGMAIN_SAMPLE_LIMIT=5", "HTTPS_PROXY=http://proxy:3128"])
    for shown in (f'"file:{secret_of(desk)}"', '"5"', '"http://proxy:3128"'):
        assert shown in desk.text
    assert "…" not in desk.text
    desk("cursor", dry_run=True, http=URL)
    assert f'"url": "{URL}"' in desk.text
    assert "…" not in desk.text


def test_a_secret_that_is_set_to_something_else_by_now_is_pointed_out(desk: Desk) -> None:
    desk.environment["RINGMAIN_SAMPLE_TOKEN"] = "hunter2"
    desk("cursor", yes=True)
    desk("zed", yes=True)
    assert "Here it is set to something else" not in desk.text
    desk.environment["RINGMAIN_SAMPLE_TOKEN"] = "hunter3"
    desk("cline", yes=True)
    secret = secret_of(desk, "RINGMAIN_SAMPLE_TOKEN")
    assert f"what {secret} holds. Here it is set to something else: to use that, delete the file" in desk.text
    assert secret.read_text(encoding="utf-8") == "hunter2\n"
    assert "hunter" not in desk.text


def test_each_project_has_its_own_secrets(desk: Desk) -> None:
    kept: list[str] = []
    for name in ("shop", "crm"):
        desk.environment["RINGMAIN_SAMPLE_TOKEN"] = f"hunter-{name}"
        project = desk.home / name
        project.mkdir()
        desk("cursor", yes=True, project=str(project))
        entry = json.loads((project / ".cursor" / "mcp.json").read_bytes())["mcpServers"][NAME]
        path = Path(entry["env"]["RINGMAIN_SAMPLE_TOKEN"].removeprefix("file:"))
        kept.append(path.read_text(encoding="utf-8").strip())
    assert kept == ["hunter-shop", "hunter-crm"]


def test_a_secret_that_other_clients_may_share_stays_and_is_named(desk: Desk) -> None:
    desk.environment["RINGMAIN_SAMPLE_TOKEN"] = "hunter2"
    for client in ("cursor", "zed"):
        desk(client, yes=True)
    secret = secret_of(desk, "RINGMAIN_SAMPLE_TOKEN")
    desk.said.clear()
    desk("cursor", remove=True, dry_run=True)
    assert "stays" not in desk.text
    desk("cursor", yes=True, remove=True)
    assert secret.read_text(encoding="utf-8") == "hunter2\n"
    assert f"{secret} stays: delete it if no other client's entry refers to it." in desk.text
    assert "hunter2" not in desk.text
    assert str(secret) in json.dumps(desk.entry("zed"))


def test_settings_that_are_no_secrets_are_written_and_secrets_are_refused(desk: Desk) -> None:
    desk("cursor", yes=True, env=["RINGMAIN_SAMPLE_LIMIT=5", "HTTPS_PROXY=http://proxy:3128"])
    env = desk.entry("cursor")["env"]
    assert (env["RINGMAIN_SAMPLE_LIMIT"], env["HTTPS_PROXY"]) == ("5", "http://proxy:3128")
    with pytest.raises(ConfigurationError, match=r"--env RINGMAIN_SAMPLE_TOKEN: this is a secret"):
        desk("cursor", yes=True, env=["RINGMAIN_SAMPLE_TOKEN=hunter2"])


def test_what_people_have_set_in_the_entry_stays_when_it_is_written_again(desk: Desk) -> None:
    desk("cline", yes=True)
    path = desk.file("cline")
    data = desk.data("cline")
    entry = data["mcpServers"][NAME]
    entry |= {"alwaysAllow": ["query"], "timeout": 90, "command": "/old/place"}
    entry["env"] |= {"MINE": "1", "RINGMAIN_SAMPLE_URL": "postgresql://ann:hunter2@db"}
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    desk("cline", yes=True)
    assert desk.entry("cline") == {
        "command": str(desk.home.parent / "tools" / NAME),
        "args": [],
        "env": {"MINE": "1", "RINGMAIN_SAMPLE_URL": f"file:{secret_of(desk)}"},
        "alwaysAllow": ["query"],
        "timeout": 90,
    }
    assert "hunter2" not in desk.text


def test_the_change_is_shown_and_nothing_is_written_without_a_yes(desk: Desk) -> None:
    path = desk.file("claude-desktop", EXAMPLES["claude-desktop"])
    before = path.read_bytes()
    assert desk("claude-desktop") == 2
    assert desk.said[0] == f"Claude Desktop: {path}"
    assert "  --- claude_desktop_config.json (now)" in desk.said
    assert f'  +    "{NAME}": {{' in desk.said
    assert desk.said[-1] == "Nothing was written: there is nobody to ask. Repeat it with `--yes`."
    assert "hunter2" not in desk.text
    for answer in ("", "n", "no", "yess"):
        desk.answers = [answer]
        assert desk("claude-desktop") == 1
        assert desk.said[-1] == "Nothing was written."
    assert desk("claude-desktop", dry_run=True, yes=True) == 0
    assert path.read_bytes() == before
    assert not desk.state.exists()
    desk.answers = ["Yes"]
    assert desk("claude-desktop", secret=["RINGMAIN_SAMPLE_TOKEN"], env=["RINGMAIN_SAMPLE_TOKEN=env:X"]) == 0
    assert path.read_bytes() != before


def test_end_of_input_is_no_yes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(_: str) -> str:
        raise EOFError

    desk.answers = []
    monkeypatch.setattr(desk, "_ask", ended)
    assert desk("zed") == 1
    assert not desk.file("zed").exists()


@pytest.mark.parametrize(
    ("client", "broken", "said"),
    [
        (
            "claude-desktop",
            '{\n  "mcpServers": {\n    "a": 1,,\n',
            "line 3, column 12: there should be a key",
        ),
        ("codex", "a = 1\n[x\n", "line 2, column 3: not valid TOML"),
        ("goose", "a: 1\n b: 2\n", "line 2, column 3: not valid YAML"),
        ("zed", "[]", "line 1, column 1: it holds something else"),
        ("cursor", '{"mcpServers": []}', "line 1, column 16: `mcpServers` is not an object"),
    ],
)
def test_a_broken_file_is_refused_with_line_and_column_and_stays(
    desk: Desk, client: str, broken: str, said: str
) -> None:
    path = desk.file(client, broken)
    with pytest.raises(ConfigurationError) as refused:
        desk(client, yes=True)
    assert str(refused.value).startswith(f"{path}: {said}")
    assert path.read_text(encoding="utf-8") == broken
    assert "Written." not in desk.said


def test_a_file_that_is_not_utf_8_is_refused(desk: Desk) -> None:
    path = desk.file("cursor", "")
    path.write_bytes('{\n "ü": 1}'.encode("latin-1"))
    with pytest.raises(ConfigurationError, match="line 2, column 3: not UTF-8"):
        desk("cursor", yes=True)
    path.write_bytes('{"a": 1}'.encode("utf-16"))
    with pytest.raises(ConfigurationError, match="line 1, column 1: not UTF-8"):
        desk("cursor", yes=True)


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "a\nb", "", " ", "a" * 65, "-x", "a.b", "é", "a\0b", '"', "$(x)"]
)
def test_hostile_names_are_refused(desk: Desk, name: str) -> None:
    if not name:
        name = "\t"
    for client in ("claude-desktop", "continue", None):
        with pytest.raises(ConfigurationError, match=r"^--name: "):
            desk(client, yes=True, name=name)
    assert list(desk.home.iterdir()) == []


def test_an_entry_may_have_another_name_but_not_somebody_elses(desk: Desk) -> None:
    desk.file("cursor", EXAMPLES["cursor"])
    assert desk("cursor", yes=True, name="shop") == 0
    assert desk.entry("cursor", "shop")["env"] == {
        "RINGMAIN_SAMPLE_URL": f"file:{secret_of(desk, name='shop')}"
    }
    with pytest.raises(ConfigurationError, match="there is a server 'filesystem' already, and it is not"):
        desk("cursor", yes=True, name="filesystem")
    with pytest.raises(ConfigurationError, match=f"the server 'filesystem' is not {NAME}; it stays"):
        desk("cursor", yes=True, name="filesystem", remove=True)
    assert desk("cursor", yes=True, name="shop", remove=True) == 0
    assert desk.file("cursor").read_bytes().decode() == EXAMPLES["cursor"]


@pytest.mark.parametrize(
    "entry",
    [
        {"url": "https://mcp.notion.com/v1/mcp"},
        {"command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", f"/home/ann/{NAME}"]},
        {"command": f"/opt/{NAME}-other/bin/server"},
        {"command": "uvx", "args": [f"{NAME}-extra"]},
    ],
)
def test_what_only_looks_like_ours_is_left_alone(desk: Desk, entry: dict[str, Any]) -> None:
    for name in ("notes", "ringmain-other"):
        text = json.dumps({"mcpServers": {name: entry}})
        path = desk.file("cursor", text)
        for more in ({}, {"http": URL}, {"remove": True}, {"remove": True, "http": URL}):
            with pytest.raises(ConfigurationError, match=rf"server '{name}'.* is not "):
                desk("cursor", yes=True, name=name, **more)
        assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "entry",
    [
        {"command": f"/home/ann/bin/{NAME}"},
        {"command": f"C:\\Users\\ann\\bin\\{NAME}.exe"},
        {"command": "/usr/bin/uvx", "args": [f"{NAME}@0.0.1"]},
        {"command": "uvx", "args": [NAME]},
        {"command": "/usr/bin/python3", "args": ["-m", NAME.replace("-", "_")]},
        {"url": URL},
    ],
)
def test_ours_is_known_under_any_name(desk: Desk, entry: dict[str, Any]) -> None:
    desk.file("cursor", json.dumps({"mcpServers": {"shop": entry}}))
    assert desk("cursor", yes=True, name="shop", remove=True, http=entry.get("url")) == 0
    assert "shop" not in desk.file("cursor").read_text(encoding="utf-8")


def test_what_goes_with_one_transport_does_not_stay_beside_the_other(desk: Desk) -> None:
    desk("codex", yes=True)
    path = desk.file("codex")
    path.write_text(
        path.read_text(encoding="utf-8") + 'cwd = "/srv"\nenv_vars = ["A"]\ntool_timeout_sec = 9\n',
        encoding="utf-8",
    )
    desk("codex", yes=True)
    assert desk.entry("codex")["cwd"] == "/srv"
    desk("codex", yes=True, http=URL, secret=["KEY"])
    assert desk.entry("codex") == {"url": URL, "bearer_token_env_var": "KEY", "tool_timeout_sec": 9}
    path.write_text(path.read_text(encoding="utf-8") + 'http_headers = { A = "b" }\n', encoding="utf-8")
    desk("codex", yes=True, http=URL, secret=["KEY"])
    assert desk.entry("codex")["http_headers"] == {"A": "b"}
    desk("codex", yes=True)
    assert set(desk.entry("codex")) == {"command", "env", "args", "tool_timeout_sec"}


@pytest.mark.parametrize("client", [client.id for client in CLIENTS.values() if client.project])
def test_a_projects_file_is_written_where_the_client_has_one(desk: Desk, client: str) -> None:
    project = desk.home / "shop"
    project.mkdir()
    assert desk(client, yes=True, project=str(project)) == 0
    path = project / (CLIENTS[client].project or "").format(NAME)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert NAME in path.read_text(encoding="utf-8")
    assert "not found" not in desk.text
    assert sorted(one.name for one in desk.home.iterdir()) == ["shop", "state"]


def test_a_project_has_to_be_there_and_the_client_to_have_files_for_it(desk: Desk) -> None:
    with pytest.raises(ConfigurationError, match="is not a folder"):
        desk("cursor", yes=True, project=str(desk.home / "nope"))
    with pytest.raises(
        ConfigurationError, match=r"Claude Desktop has no file for a project \(these have: claude-code,"
    ):
        desk("claude-desktop", yes=True, project=str(desk.home))


def test_without_a_client_all_are_listed_with_what_is_here(desk: Desk) -> None:
    desk.file("cursor", "{}")
    desk.file("zed", "{")
    desk("codex", yes=True)
    assert desk() == 0
    rows = {line.split()[0]: " ".join(line.split()[1:-1]) for line in desk.said[: len(CLIENTS)]}
    assert rows.keys() == CLIENTS.keys()
    states = [rows[client] for client in ("cursor", "zed", "codex", "kiro")]
    assert states == ["found", "unusable", "has the entry", "not found"]
    assert desk.text.count(str(desk.file("kiro"))) == 1


def test_an_unknown_client_is_refused_with_a_suggestion(desk: Desk) -> None:
    with pytest.raises(
        ConfigurationError, match=r"--client 'claude-dekstop' is not known; did you mean claude-desktop\?"
    ):
        desk("claude-dekstop")
    with pytest.raises(ConfigurationError, match="without --client, all of them are listed"):
        desk("../../etc/passwd")


@pytest.mark.parametrize(
    ("client", "entry"),
    [
        ("claude-code", {"type": "http", "url": URL, "headers": {"Authorization": "Bearer ${KEY}"}}),
        ("cursor", {"url": URL, "headers": {"Authorization": "Bearer ${env:KEY}"}}),
        (
            "vscode",
            {"type": "http", "url": URL, "headers": {"Authorization": "Bearer ${input:ringmain-demo-key}"}},
        ),
        ("windsurf", {"serverUrl": URL, "headers": {"Authorization": "Bearer ${env:KEY}"}}),
        ("gemini-cli", {"httpUrl": URL, "headers": {"Authorization": "Bearer ${KEY}"}}),
        ("qwen-code", {"httpUrl": URL, "headers": {"Authorization": "Bearer ${KEY}"}}),
        ("codex", {"url": URL, "bearer_token_env_var": "KEY"}),
        ("opencode", {"type": "remote", "url": URL, "headers": {"Authorization": "Bearer {env:KEY}"}}),
        ("kiro", {"url": URL, "headers": {"Authorization": "Bearer ${KEY}"}}),
        (
            "copilot-cli",
            {"type": "http", "url": URL, "headers": {"Authorization": "Bearer ${KEY}"}, "tools": ["*"]},
        ),
        (
            "goose",
            {
                "name": NAME,
                "description": f"Demo ({NAME})",
                "enabled": True,
                "type": "streamable_http",
                "uri": URL,
                "timeout": 300,
                "headers": {"Authorization": "Bearer ${KEY}"},
                "env_keys": ["KEY"],
            },
        ),
    ],
)
def test_a_remote_server_is_named_in_each_clients_own_form_with_its_key_elsewhere(
    desk: Desk, client: str, entry: dict[str, Any]
) -> None:
    path = desk.file(client, EXAMPLES[client])
    assert desk(client, yes=True, http=URL, secret=["KEY"]) == 0
    assert desk.entry(client) == entry
    assert desk(client, yes=True, remove=True) == 0
    assert path.read_bytes().decode() == EXAMPLES[client]


BRIDGED = ("claude-desktop", "zed", "cline", "cline-cli", "devin", "continue", "lm-studio")


@pytest.mark.parametrize("client", BRIDGED)
def test_a_client_without_a_place_for_a_key_goes_through_mcp_remote(desk: Desk, client: str) -> None:
    assert desk(client, yes=True, http=URL) == 0
    entry = desk.entry(client)
    assert entry["command"] == str(desk.home.parent / "tools" / "npx")
    assert entry["args"] == [
        "-y",
        "mcp-remote@0.15",
        URL,
        "--transport",
        "http-only",
        "--header",
        "Authorization:${RINGMAIN_AUTHORIZATION}",
    ]
    assert entry["env"]["RINGMAIN_AUTHORIZATION"] == PLACEHOLDER
    assert entry["env"]["PATH"].split(":")[0] == str(desk.home.parent / "tools")
    assert "Replace PASTE-THE-KEY-HERE" in desk.text
    path = desk.file(client)
    path.write_text(
        path.read_text(encoding="utf-8").replace("PASTE-THE-KEY-HERE", "rm_1_x"), encoding="utf-8"
    )
    desk(client, yes=True, http=URL)
    assert desk.entry(client)["env"]["RINGMAIN_AUTHORIZATION"] == "Bearer rm_1_x"
    assert desk.text == f"{path}: nothing changes, the entry is there."
    desk(client, yes=True, remove=True)
    assert "rm_1_x" not in desk.text


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_that_signs_in_itself_gets_no_key(desk: Desk, client: str) -> None:
    assert desk(client, yes=True, http=URL, sign_in=True) == 0
    entry = json.dumps(desk.entry(client))
    assert URL in entry
    assert "uthorization" not in entry
    assert "bearer" not in entry
    assert "inputs" not in desk.data(client)


def test_every_client_can_name_a_remote_server() -> None:
    named = {
        mark.args[1][index][0]
        for mark in _marks(test_a_remote_server_is_named_in_each_clients_own_form_with_its_key_elsewhere)
        for index in range(len(mark.args[1]))
    }
    assert named | set(BRIDGED) | {"vscode-insiders"} == CLIENTS.keys()


def _marks(test: Callable[..., None]) -> list[Any]:
    return [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]


def test_without_node_the_bridge_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(desk.home))
    with pytest.raises(ConfigurationError, match=r"install Node\.js 18 or newer"):
        desk("claude-desktop", yes=True, http=URL)
    assert desk("cursor", yes=True, http=URL) == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://mcp.example.com/mcp", "https://ann:pw@mcp.example.com/mcp", "https://mcp.example.com/mcp?key=x",
        "https://mcp.example.com/mcp#x", "ftp://x/mcp", "mcp.example.com", "https://", "https://x:0/mcp",
        "https://x:99999/mcp", "https://x/`id`", "https://x/$(id)", "https://x/ y", "https://x/\n",
        "https://é/mcp",
        "https://x/" + "a" * 2_000, "file:///etc/passwd", "https://[::1/mcp", "https://x/&calc",
        "javascript:1",
    ],
)  # fmt: skip
def test_hostile_urls_are_refused(desk: Desk, url: str) -> None:
    for client in ("cursor", "claude-desktop"):
        with pytest.raises(
            ConfigurationError, match=r"^--http: write it like https://mcp\.example\.com/v2/mcp"
        ):
            desk(client, yes=True, http=url)
    assert list(desk.home.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://mcp.example.com", "https://mcp.example.com/v2/mcp"),
        ("https://mcp.example.com/", "https://mcp.example.com/v2/mcp"),
        ("http://127.0.0.1:8080/v1/mcp", "http://127.0.0.1:8080/v1/mcp"),
        ("http://[::1]:8080", "http://[::1]:8080/v2/mcp"),
    ],
)
def test_the_path_of_the_api_is_added_where_it_is_missing(desk: Desk, url: str, written: str) -> None:
    desk("lm-studio", yes=True, http=url, sign_in=True)
    assert desk.entry("lm-studio")["args"][2] == written


def test_options_that_do_not_go_together_are_refused(desk: Desk) -> None:
    with pytest.raises(ConfigurationError, match="--sign-in goes with --http"):
        desk("cursor", yes=True, sign_in=True)
    with pytest.raises(ConfigurationError, match="--env is for a server that the client starts"):
        desk("cursor", yes=True, http=URL, env=["A=1"])


def test_a_file_that_changes_while_somebody_thinks_is_left_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = desk.file("cursor", EXAMPLES["cursor"])

    def thinks(_: str) -> str:
        path.write_text('{"mcpServers": {"new": {}}}', encoding="utf-8")
        return "y"

    desk.answers = []
    monkeypatch.setattr(desk, "_ask", thinks)
    assert desk("cursor") == 1
    assert "was changed by somebody else meanwhile: nothing was written." in desk.text
    assert path.read_text(encoding="utf-8") == '{"mcpServers": {"new": {}}}'


def test_with_yes_a_file_that_changed_is_read_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.file("cursor", EXAMPLES["cursor"])
    times = iter(range(5))

    def slow(found: Found, content: bytes | None) -> None:
        if next(times) == 0:
            path.write_text('{"mcpServers": {"new": {}}}', encoding="utf-8")
        replace_file(found, content)

    monkeypatch.setattr(install, "replace", slow)
    assert desk("cursor", yes=True) == 0
    assert list(desk.data("cursor")["mcpServers"]) == ["new", NAME]


def test_a_file_that_keeps_changing_is_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.file("cursor", EXAMPLES["cursor"])

    def never(_: Found, __: bytes | None) -> None:
        raise Changed

    monkeypatch.setattr(install, "replace", never)
    assert desk("cursor", yes=True) == 1
    assert "Close Cursor and run this again." in desk.text
    assert path.read_bytes().decode() == EXAMPLES["cursor"]


def test_many_at_once_all_get_their_entry(desk: Desk) -> None:
    desk.file("cursor", EXAMPLES["cursor"])
    names = [f"ringmain-{number}" for number in range(3)]
    statuses: list[int] = []

    def one(name: str) -> None:
        statuses.append(Desk(desk.home)("cursor", yes=True, name=name))

    threads = [threading.Thread(target=one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [0, 0, 0]
    assert sorted(desk.data("cursor")["mcpServers"]) == ["filesystem", *names]


def test_backups_are_private_and_few(desk: Desk) -> None:
    desk.file("cursor", EXAMPLES["cursor"])
    for number in range(8):
        desk("cursor", yes=True, name=f"ringmain-{number}")
    backups = desk.state / "backups"
    kept = sorted(backups.glob("*.bak"))
    assert len(kept) == 5
    assert {stat.S_IMODE(one.stat().st_mode) for one in kept} == {0o600}
    assert stat.S_IMODE(backups.stat().st_mode) == 0o700
    for number in reversed(range(8)):
        desk("cursor", yes=True, name=f"ringmain-{number}", remove=True)
    assert desk.file("cursor").read_bytes().decode() == EXAMPLES["cursor"]
