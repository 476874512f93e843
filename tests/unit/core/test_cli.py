import io
import json
import logging
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ringmain_core.audit import AuditKey, AuditLog, AuditRecord
from ringmain_core.cli import run
from ringmain_core.connector import Check
from ringmain_core.connector import Command as OwnCommand
from ringmain_core.errors import NotFound
from ringmain_core.identity.api_keys import ApiKeys, KeyFile
from ringmain_core.policy import open_to
from ringmain_core.versions import LATEST
from unit.core.demo import ROW, Demo, connector

POLICY = """\
[roles.ops]
allow = ["demo:read"]
deny = ["demo.wipe"]
fence = { "demo.item" = ["a-*"] }

[limits."demo.echo"]
rate = "2/s"

[[agents]]
id = "bot"
roles = ["ops"]
"""


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, encoding="utf-8")
    monkeypatch.setenv("RINGMAIN_POLICY", str(path))
    return path


class Command:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Run it; its exit status, output and errors."""
        try:
            status = run(connector, list(arguments))
        except SystemExit as end:
            status = int(end.code or 0)
        shown = self._capsys.readouterr()
        return status, shown.out, shown.err


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def test_help_shows_every_command_and_every_setting(command: Command) -> None:
    status, shown, _ = command("--help")
    assert status == 0
    for word in (
        "serve",
        "keys",
        "policy",
        "audit",
        "tools",
        "doctor",
        "RINGMAIN_STATE_DIR",
        "RINGMAIN_DEMO_DSN",
    ):
        assert re.search(rf"^ +{word}\b", shown, re.MULTILINE), word
    assert "Where the demo is." in shown


@pytest.mark.parametrize(
    "arguments",
    [
        "serve",
        "keys",
        "keys create",
        "keys list",
        "keys revoke",
        "policy",
        "policy check",
        "policy explain",
        "audit",
        "audit verify",
        "audit tail",
        "tools",
        "doctor",
    ],
)
def test_every_command_has_help(command: Command, arguments: str) -> None:
    status, shown, _ = command(*arguments.split(), "--help")
    assert (status, shown.startswith(f"usage: ringmain-demo {arguments}")) == (0, True)


def test_the_version_is_the_connectors(command: Command) -> None:
    assert command("--version") == (0, "ringmain-demo 1.2.3\n", "")


@pytest.mark.parametrize(
    "arguments",
    ["nope", "keys", "keys nope", "keys revoke", "policy explain", "serve --port x", "audit tail -n x"],
)
def test_arguments_that_cannot_be_used_end_with_2_and_a_usage_line(command: Command, arguments: str) -> None:
    status, shown, said = command(*arguments.split())
    assert (status, shown) == (2, "")
    assert said.startswith("usage: ringmain-demo")


def test_settings_that_cannot_be_used_end_with_2_and_one_sentence(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGMAIN_DEMO_DSN", "s3cret")
    assert command("tools") == (
        2,
        "",
        "ringmain-demo: RINGMAIN_DEMO_DSN: Value should have at least 8 items after validation, not 6\n",
    )


def test_a_key_is_made_shown_once_listed_and_revoked(command: Command, tmp_path: Path, policy: Path) -> None:
    del policy
    status, key, said = command("keys", "create", "bot")
    assert status == 0
    stored = ApiKeys(KeyFile(tmp_path / "state" / "keys.json"))
    assert stored.recognise(key.strip(), open_to("bot")) is not None
    key_id = key.split("_")[1]
    assert said.startswith(f"Key {key_id} for agent 'bot'. It is shown only this once:\n")
    assert '  key = "sha256:' in said
    status, listed, _ = command("keys", "list")
    assert (status, key.strip() in listed) == (0, False)
    assert re.fullmatch(rf"{key_id}  \d{{4}}-.*\+00:00  bot\n", listed)
    assert command("keys", "revoke", key_id) == (0, f"Key {key_id} of agent 'bot' is revoked.\n", "")
    assert stored.recognise(key.strip(), open_to("bot")) is None
    assert command("keys", "revoke", key_id) == (
        1,
        "",
        f"There is no key '{key_id}'; `keys list` shows them.\n",
    )
    assert command("keys", "list")[1] == "No keys. Make one with `keys create AGENT`.\n"


def test_a_key_for_an_agent_that_policy_does_not_know_is_not_made(command: Command, policy: Path) -> None:
    status, shown, said = command("keys", "create", "eve")
    assert (status, shown) == (2, "")
    assert said == (
        f"ringmain-demo: there is no agent 'eve' (known: bot). Add to {policy}:\n\n"
        '[[agents]]\nid = "eve"\nroles = ["…"]\n'
    )


def test_policy_check_says_fine_or_where_it_is_not(command: Command, policy: Path) -> None:
    assert command("policy", "check") == (0, f"{policy}: fine.\n  agent bot: roles ops\n", "")
    policy.write_text(POLICY.replace("demo:read", "demo:reed"), encoding="utf-8")
    assert command("policy", "check") == (
        2,
        "",
        (
            f"ringmain-demo: {policy}:2: roles.ops.allow.0: 'demo:reed': "
            "the access is read, write, destructive or *\n"
        ),
    )


def test_policy_explain_says_allowed_or_refused_and_by_which_line(command: Command, policy: Path) -> None:
    del policy
    assert command("policy", "explain", "--agent", "bot", "--tool", "echo", "--args", '{"txt": 1}') == (
        0,
        (
            "allowed  echo (read)\n"
            "         policy.toml:2: roles.ops.allow has 'demo:read'\n"
            "         fence demo.item: a-*\n"
            "         limits: 2/s, burst 20, 8 at once\n"
            "         it takes no argument txt\n"
        ),
        "",
    )
    assert command("policy", "explain", "--agent", "bot", "--tool", "wipe") == (
        1,
        (
            "refused  wipe (destructive)\n"
            "         policy.toml:3: roles.ops.deny has 'demo.wipe'\n"
            "         limits: 10/s, burst 20, 8 at once\n"
        ),
        "",
    )
    status, shown, _ = command("policy", "explain", "--agent", "eve")
    assert status == 0
    assert shown.count("policy.toml has no agent 'eve'") == len(list(connector.declarations()))


def test_policy_explain_refuses_what_it_cannot_read(command: Command) -> None:
    status, _, said = command("policy", "explain", "--agent", "local", "--tool", "nope")
    assert (status, said.startswith("ringmain-demo: demo has no 'nope' (it has echo, ")) == (2, True)
    for arguments in ("{", "[1]", "5"):
        status, _, said = command(
            "policy", "explain", "--agent", "local", "--tool", "echo", "--args", arguments
        )
        assert (status, said.startswith("ringmain-demo: --args is not ")) == (2, True)


def test_the_audit_is_verified_and_a_changed_record_is_found(command: Command, tmp_path: Path) -> None:
    assert command("doctor")[0] == 0  # opens it
    log = tmp_path / "state" / "demo" / "audit.jsonl"
    status, shown, _ = command("audit", "verify")
    assert (status, " records verified, up to number " in shown) == (0, True)
    log.write_bytes(log.read_bytes().replace(b'"phase":"', b'"phase":"x', 1))
    status, shown, _ = command("audit", "verify")
    assert (status, "TAMPERED: " in shown) == (1, True)


def test_an_audit_that_is_not_there_is_told_so(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "state" / "demo" / "audit.jsonl"
    status, _, said = command("audit", "tail")
    assert (status, said) == (2, f"ringmain-demo: {path}: No such file or directory\n")


def test_the_tail_of_the_audit_has_a_line_for_each_record_whatever_callers_say(
    command: Command, tmp_path: Path
) -> None:
    records = [
        AuditRecord(id="1", phase="call", principal="ann", method="tools/call", target="echo", outcome="ok"),
        AuditRecord(
            id="2",
            phase="call",
            principal="idp/eve x",
            method="tools/call",
            target='x: ok 1 ms\n7 ann drop: ok\x1b[8m\x9b\u202e "y"',
            arguments={"text": "\x1b[2J\x7f\u2028\u202eé"},
            outcome="refused",
        ),
    ]
    path = tmp_path / "state" / "demo" / "audit.jsonl"
    path.parent.mkdir(parents=True, mode=0o700)
    with AuditLog.open(path, AuditKey(b"k" * 32)) as log:
        for record in records:
            log.append(record)
    lines = command("audit", "tail", "-n", "2")[1].splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == [
        "ann tools/call echo: ok",
        (
            '"idp/eve x" tools/call "x: ok 1 ms\\n7 ann drop: ok\\u001b[8m\\x9b\\u202e \\"y\\"": refused'
            ' {"text": "\\u001b[2J\\x7f\\u2028\\u202eé"}'
        ),
    ]


def test_tools_shows_what_a_model_sees_and_what_it_costs(command: Command) -> None:
    status, shown, _ = command("tools")
    assert status == 0
    assert "wipe  [destructive]  " in shown
    assert "    Forget all notes.\n    arguments: none\n" in shown
    assert re.search(r"^16 tools, [\d,]+ tokens", shown, re.MULTILINE)
    listed = json.loads(command("tools", "--json")[1])["tools"]
    assert [tool["name"] for tool in listed] == [tool.name for tool in connector.views[LATEST].tools]


def test_doctor_goes_through_its_checks(command: Command, tmp_path: Path, policy: Path) -> None:
    status, shown, _ = command("doctor")
    assert status == 0
    assert f"warning  policy: {policy} has no agent 'local'" in shown
    assert f"ok       keys: 0 in {tmp_path / 'state' / 'keys.json'}" in shown
    assert "ok       demo: reachable\nReady.\n" in shown


def test_doctor_fails_where_something_has_to_be_mended(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RINGMAIN_HOST", "0.0.0.0")  # noqa: S104 (nothing listens)
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("RINGMAIN_AUDIT", str(tmp_path / "file" / "audit.jsonl"))
    status, shown, _ = command("doctor")
    assert status == 1
    assert "FAILED   keys: none, and 0.0.0.0 is not loopback\n         → Run `keys create AGENT`.\n" in shown
    assert "FAILED   audit: " in shown
    assert shown.endswith("Something has to be mended first.\n")


def test_a_defect_ends_with_1_and_shows_no_value(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def diagnose(_: object) -> object:
        raise LookupError(ROW)
        yield Check("x", "ok", "")

    broken = replace(connector, diagnose=diagnose)
    monkeypatch.setenv("RINGMAIN_LOG_FORMAT", "text")
    assert run(broken, ["doctor"]) == 1
    said = capsys.readouterr().err
    assert "ended by an unexpected failure\nbuiltins.LookupError\n  at " in said
    assert ROW not in said
    del command


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "example.com", "::ffff:127.0.0.1"])  # noqa: S104
def test_nothing_listens_off_loopback_without_a_policy_and_a_key(
    command: Command, policy: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    assert command("serve", "--port", "0", "--host", host) == (
        2,
        "",
        (
            f"ringmain-demo: {host} can be reached from elsewhere, and no agent has a key. Make one with "
            "`keys create AGENT`, name an issuer of tokens in the policy, or listen on 127.0.0.1.\n"
        ),
    )
    monkeypatch.delenv("RINGMAIN_POLICY")
    assert command("serve", "--port", "0", "--host", host) == (
        2,
        "",
        (
            f"ringmain-demo: {host} can be reached from elsewhere, and there is no policy. Set "
            "RINGMAIN_POLICY to a policy file that names the agents, or listen on 127.0.0.1.\n"
        ),
    )
    del policy


def test_an_address_that_is_taken_is_told_so(command: Command) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        first = command("serve", "--port", str(port))[2]
        status, _, said = command("serve", "--port", str(port))
    assert (status, first.startswith("API key "), "API key" in said) == (2, True, False)  # made once
    assert f"ringmain-demo: 127.0.0.1 port {port} cannot be listened on: Address already in use" in said
    assert said.endswith(". Set RINGMAIN_HOST or RINGMAIN_PORT.\n")


def test_on_stdio_the_audit_may_not_go_to_stdout(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGMAIN_AUDIT", "stdout")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert command() == (
        2,
        "",
        "ringmain-demo: RINGMAIN_AUDIT=stdout would break the protocol on stdio; use stderr or a file.\n",
    )


def test_a_connector_adds_commands_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    async def count(_: Demo, options: Namespace, say: Callable[[str], None]) -> int:
        if options.words == ["no"]:
            raise NotFound("There is nothing to count.")
        say(f"{len(options.words)} words")
        return 3

    def arguments(parser: ArgumentParser) -> None:
        parser.add_argument("words", nargs="+")

    own = replace(connector, commands=(OwnCommand("count", "count words", arguments, count),))
    assert run(own, ["count", "a", "b"]) == 3
    assert capsys.readouterr().out == "2 words\n"
    assert run(own, ["count", "no"]) == 1
    assert capsys.readouterr().err.endswith("There is nothing to count.\n")
    with pytest.raises(SystemExit):
        run(connector, ["count", "a"])
