"""Secrets are SecretStr from end to end: no log, record, answer, traceback or `repr` has one."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import SecretStr

from ringmain_core import cli
from ringmain_core.connector import AnyConnector
from ringmain_core.cursors import Cursors
from ringmain_core.identity.accounts.account import Tokens
from ringmain_core.log import secrets_in, set_up_logging
from ringmain_core.sealing import KeyRing
from ringmain_core.services import Services
from ringmain_core.settings import CoreSettings
from ringmain_core.testing import bench
from ringmain_postgres import connector as postgres_connector
from ringmain_postgres.settings import PostgresSettings
from security.conftest import PASSWORD, ROW, Behind
from security.programs import ANN, BOB, POLICY, Target, postgres_target
from security.wire import ERAS, LEGACY, Caller
from unit.core.demo import ROW as DEMO_ROW
from unit.core.demo import connector as demo_connector
from unit.core.http_bench import http_bench

MARK = "s3cr3t-mark"
SECRETS = {
    "RINGMAIN_SECRET_KEY": f"{MARK}-of-the-key-ring-0123456789abcdef",
    "RINGMAIN_AUDIT_KEY": f"{MARK}-of-the-audit-0123456789abcdef",
    "RINGMAIN_METRICS_TOKEN": f"{MARK}-of-the-metrics",
    "RINGMAIN_WEBHOOKS": f"https://hooks.example.com/services/{MARK}",
    "RINGMAIN_ACCOUNTS": f"postgresql://u:{MARK}@127.0.0.1:1/accounts",
    "RINGMAIN_POSTGRES_URL": f"postgresql://u:{MARK}@127.0.0.1:1/shop",
    "RINGMAIN_POSTGRES_LISTEN_URL": f"postgresql://u:{MARK}@127.0.0.1:1/shop",
    "RINGMAIN_DEMO_DSN": f"demo://{MARK}",
}


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every secret that can be set, and a policy."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    monkeypatch.setenv("RINGMAIN_POLICY", str(policy))
    monkeypatch.setenv("RINGMAIN_LOG_LEVEL", "debug")


Command = Callable[..., str]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command to its end: all that it says."""

    def run(connector: AnyConnector, *arguments: str) -> str:
        with suppress(SystemExit):
            cli.run(connector, list(arguments))
        shown = capsys.readouterr()
        assert shown.out or shown.err
        return shown.out + shown.err

    return run


@pytest.mark.parametrize("connector", [demo_connector, postgres_connector], ids=lambda of: of.name)
@pytest.mark.parametrize(
    "arguments",
    [
        "--help",
        "tools",
        "tools --json",
        "doctor",
        "policy check",
        "policy explain --agent ann",
        "keys list",
        "audit verify",
    ],
)
@pytest.mark.usefixtures("planted")
def test_secrets_are_never_printed_by_commands(
    command: Command, connector: AnyConnector, arguments: str
) -> None:
    assert MARK not in command(connector, *arguments.split())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RINGMAIN_SECRET_KEY", MARK),
        ("RINGMAIN_AUDIT_KEY", MARK),
        ("RINGMAIN_METRICS_TOKEN", MARK),
        ("RINGMAIN_WEBHOOKS", f"ftp://{MARK}"),
        ("RINGMAIN_WEBHOOKS", f"https://[{MARK}"),
        ("RINGMAIN_REDIS_URL", f"redis://u:{MARK}@:x/0"),
        ("RINGMAIN_ACCOUNTS", f"mysql://u:{MARK}@127.0.0.1/x"),
        ("RINGMAIN_POSTGRES_URL", f"postgresql://u:{MARK}@[::1/x"),
        ("RINGMAIN_POSTGRES_URL", f"postgresql://u:{MARK}@127.0.0.1:port/x"),
        ("RINGMAIN_POSTGRES_URL", f"postgresql://u:{MARK}@127.0.0.1:1/x?sslmode=perhaps"),
        ("RINGMAIN_POSTGRES_URL", f"postgresql://u:{MARK}@127.0.0.1:1/x?passfile={MARK}&sslrootcert={MARK}"),
        ("RINGMAIN_POSTGRES_URL", f"u:{MARK}@127.0.0.1/x"),
        ("RINGMAIN_POSTGRES_URL", "file:/nowhere/secret"),
    ],
)
@pytest.mark.usefixtures("planted")
def test_secrets_are_never_printed_where_they_cannot_be_used(
    command: Command, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("RINGMAIN_AUDIT", "off")
    assert MARK not in command(postgres_connector, "doctor")


@pytest.mark.usefixtures("planted")
def test_secrets_of_a_file_of_databases_are_not_quoted(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "databases.toml"
    monkeypatch.setenv("RINGMAIN_POSTGRES_CONFIG", str(file))
    for text in (
        f'[databases.a]\nurl = "postgresql://u:{MARK}@h/x\n',
        f'[databases.a]\nurl = ["postgresql://u:{MARK}@h/x"]\n',
        f'[databases.a]\nurl = "postgresql://u:{MARK}@h/x"\nurl = "postgresql://u:{MARK}@h/y"\n',
        f'[databases.a]\nurl = "postgresql://u:{MARK}@h/x"\npassword = "{MARK}"\n',
        f'[databases."{"a b"}"]\nurl = "postgresql://u:{MARK}@h/x"\n',
        f"{MARK}",
    ):
        file.write_text(text)
        assert MARK not in command(postgres_connector, "doctor")


@pytest.mark.anyio
@pytest.mark.usefixtures("planted")
async def test_secrets_are_not_in_the_repr_of_anything() -> None:
    core, postgres = CoreSettings(), PostgresSettings()
    ring = KeyRing([MARK.encode() * 4])
    tokens = Tokens(SecretStr(MARK), SecretStr(MARK), frozenset(), None, None)
    shown = [repr(core), str(core), repr(postgres), str(postgres), repr(postgres.databases), repr(ring)]
    shown += [repr(Services(Cursors(*ring.derive("cursors")))), repr(tokens), str(core.model_dump())]
    shown += [core.model_dump_json(), str(postgres.model_dump()), repr(core.webhooks)]
    async with bench(demo_connector, core=core) as at:
        shown += [repr(at.runtime), str(at.runtime), repr(at.runtime.keys), repr(at.runtime.trail)]
    assert [text for text in shown if MARK in text or repr(ring.derive("cursors")[0])[2:-1] in text] == []


@pytest.fixture(scope="module")
def target(behind: Behind, folder: Path) -> Iterator[Target]:
    with postgres_target(folder, behind.shop, RINGMAIN_LOG_LEVEL="debug") as target:
        yield target


@pytest.mark.parametrize("era", ERAS)
def test_neither_rows_nor_secrets_reach_log_or_audit(target: Target, era: str) -> None:
    caller = Caller(target.port, ANN, era)
    assert ROW in caller.tool("query", sql="SELECT secret FROM planted").text
    assert ROW in caller.tool("sample_rows", table="planted").body.decode()
    faults = [
        f"SELECT '{ROW}'::int",
        "SELECT secret::int FROM planted",
        "SELECT 1 / (length(secret) - length(secret)) FROM planted",
        f"SELECT '{ROW}' FROM nowhere",
        f"SELEC '{ROW}'",
    ]
    for sql in faults:
        result = caller.tool("query", sql=sql).json["result"]
        assert (sql, result["isError"]) == (sql, True)
    caller.tool("query", sql="SELECT $1::text", params=[ROW])
    caller.tool("query", sql="SELECT $1::int", params=[ROW])
    Caller(target.port, f"rm_{'0' * 8}_{ROW}", era).ask("tools/list")
    written = target.written()
    assert [secret for secret in (PASSWORD, ROW, ANN, BOB) if secret in written] == []
    assert len(target.trail()) > len(faults)  # so it was looked at the right place


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.usefixtures("planted")
async def test_a_crash_with_secrets_in_scope_shows_none(era: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("debug", "json", secrets_in(CoreSettings(), PostgresSettings()))
    async with http_bench(loop_guard="off") as at:
        session = await at.open_session() if era == LEGACY else None
        answers = [
            await at.call_tool(era, "crash"),
            await at.call(era, "resources/read", {"uri": "demo://item/crash"}, session=session),
            await at.call_tool(era, "half"),
            await at.call_tool(era, "broken"),
        ]
        shown = capsys.readouterr().err + str(at.audit.records) + "".join(str(a.content) for a in answers)
    assert "LookupError" in shown
    assert [secret for secret in (DEMO_ROW, MARK) if secret in shown] == []


@pytest.mark.parametrize("comment", ["-- {}", "/* {} */", "/* /* {} */ */ LIMIT 1"])
def test_rows_in_the_comments_of_a_statement_do_not_reach_the_audit(target: Target, comment: str) -> None:
    """What was commented out are values as well: a condition on a name, a number, an address."""
    marked = "commented-out-4471"
    caller, before = Caller(target.port, ANN), len(target.trail())
    caller.tool("query", sql=f"SELECT 1 {comment.format(marked)}")
    caller.tool("explain", sql=f"SELECT 1 {comment.format(marked)}")
    kept = [record["arguments"]["sql"] for record in target.trail()[before:]]
    assert (len(kept), [sql for sql in kept if marked in sql]) == (2, [])
