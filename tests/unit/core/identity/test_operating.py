"""What operators see of issuers: on the command line, and when a server starts."""

from pathlib import Path

import pytest

from ringmain_core.cli import run
from unit.core.demo import connector

POLICY = """\
[roles.reader]
allow = ["*:read"]
[roles.writer]
allow = ["demo:write"]
[[issuers]]
issuer = "https://idp.example.com"
audience = "https://mcp.example.com"
name = "idp"
roles = [{ role = "reader" }, { claim = "groups", equals = "ops", role = "writer" }]
"""


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, encoding="utf-8")
    monkeypatch.setenv("RINGMAIN_POLICY", str(path))
    return path


@pytest.mark.parametrize(
    ("claims", "status", "shown"),
    [
        (
            '{"sub": "alice", "groups": ["ops"], "scope": "demo:read demo:write"}',
            0,
            (
                "idp/alice: roles reader, writer\n"
                "allowed  note (write)\n"
                "         policy.toml:4: roles.writer.allow has 'demo:write'\n"
            ),
        ),
        (
            '{"groups": "ops", "scope": "demo:read"}',
            1,
            (
                "idp/anybody: roles reader, writer\n"
                "refused  note (write)\n"
                "         policy.toml:4: roles.writer.allow has 'demo:write'\n"
                "         but the token lacks the scope demo:write; clients are told to ask for it\n"
            ),
        ),
        (
            "{}",
            1,
            (
                "idp/anybody: roles reader\n"
                "refused  note (write)\n"
                "         no role allows it (the agent's roles: reader)\n"
            ),
        ),
    ],
)
@pytest.mark.usefixtures("policy")
def test_explain_says_what_a_token_with_some_claims_may_do(
    capsys: pytest.CaptureFixture[str], claims: str, status: int, shown: str
) -> None:
    assert (
        run(connector, ["policy", "explain", "--issuer", "idp", "--claims", claims, "--tool", "note"])
        == status
    )
    limits = "         limits: 10/s, burst 20, 8 at once\n"
    assert capsys.readouterr().out == shown + limits


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--issuer", "other"], "the policy has no issuer 'other' (it has idp)"),
        (
            ["--issuer", "idp", "--claims", "x"],
            "--claims is not JSON: Expecting value: line 1 column 1 (char 0)",
        ),
        (["--issuer", "idp", "--claims", "[]"], "--claims is not a JSON object"),
    ],
)
@pytest.mark.usefixtures("policy")
def test_explain_refuses_what_it_cannot_read(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert run(connector, ["policy", "explain", *arguments]) == 2
    assert capsys.readouterr().err == f"ringmain-demo: {complaint}\n"


@pytest.mark.usefixtures("policy")
def test_check_shows_the_issuers(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(connector, ["policy", "check"]) == 0
    assert (
        "  issuer idp: https://idp.example.com, roles by claims: reader, writer\n" in capsys.readouterr().out
    )


@pytest.mark.usefixtures("policy")
def test_off_loopback_nothing_listens_without_the_address_that_clients_use(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(connector, ["serve", "--host", "0.0.0.0", "--port", "0"]) == 2  # noqa: S104
    assert capsys.readouterr().err == (
        "ringmain-demo: the policy names issuers, and clients reach 0.0.0.0 by a name that nobody can guess. "
        "Set RINGMAIN_PUBLIC_URL to the address they use, such as https://mcp.example.com.\n"
    )


@pytest.mark.parametrize(
    "url",
    ["mcp.example.com", "ftp://mcp.example.com", "https://", "https://x?y", "https://a@b", 'https://a"b', ""],
)
def test_a_public_address_is_one_that_clients_can_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    monkeypatch.setenv("RINGMAIN_PUBLIC_URL", url)
    assert run(connector, ["policy", "check"]) == 2
    assert capsys.readouterr().err == (
        "ringmain-demo: RINGMAIN_PUBLIC_URL: Value error, write it like https://mcp.example.com\n"
    )
