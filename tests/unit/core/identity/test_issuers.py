from typing import Any

import pytest

from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.issuers import Issuer, RoleRule
from ringmain_core.identity.jwt import principal_of
from ringmain_core.policy import Policy
from ringmain_core.policy_file import parse_policy
from unit.core.demo import connector

LEAST = """\
[roles.ops]
limits = { rate = 50 }
[roles.reader]

[[issuers]]
issuer = "https://idp.example.com/realms/main"
audience = "https://mcp.example.com"
"""


def read(text: str) -> Policy:
    return parse_policy(text, "policy.toml", connector.vocabulary())


def issuer_in(text: str) -> Issuer:
    [issuer] = read(text).issuers.values()
    return issuer


def test_an_issuer_needs_its_address_and_an_audience_only() -> None:
    assert issuer_in(LEAST).model_dump() == {
        "issuer": "https://idp.example.com/realms/main",
        "audience": ["https://mcp.example.com"],
        "name": "idp.example.com",
        "roles": [],
        "algorithms": ["RS256", "PS256", "ES256", "EdDSA"],
        "jwks_uri": None,
        "scopes": True,
        "limits": None,
    }


HTTPS = "Value error, an issuer's address is https://… (http:// on loopback only)"
ALGORITHMS = (
    "Input should be 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512' "
    "or 'EdDSA'"
)
TOGETHER = "Value error, `claim` and `equals` go together; without both, every token gets the role"
AGAIN = LEAST.partition("\n\n")[2].replace("main", "other")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            'roles = [{ role = "opps" }]\n',
            "8: issuers.0.roles.0.role: there is no role 'opps' (known: ops, reader)",
        ),
        ('roles = [{ role = "ops", claim = "groups" }]\n', f"8: issuers.0.roles.0: {TOGETHER}"),
        (
            'roles = [{ role = "ops", claim = "x", equals = true }]\n',
            "8: issuers.0.roles.0.equals: Input should be a valid string",
        ),
        (
            'roles = [{ role = "ops", claims = "x", equals = "y" }]\n',
            "8: issuers.0.roles.0.claims: is not a known setting",
        ),
        ('algorithms = ["HS256"]\n', f"8: issuers.0.algorithms.0: {ALGORITHMS}"),
        ('algorithms = ["none"]\n', f"8: issuers.0.algorithms.0: {ALGORITHMS}"),
        (
            "algorithms = []\n",
            "8: issuers.0.algorithms: List should have at least 1 item after validation, not 0",
        ),
        ('name = "a/b"\n', "8: issuers.0.name: String should match pattern '^[A-Za-z0-9._:-]{1,64}$'"),
        ('jwks_uri = "http://idp.example.com/keys"\n', f"8: issuers.0.jwks_uri: {HTTPS}"),
        (AGAIN, "8: issuers.1.name: another issuer is named 'idp.example.com'; set `name`"),
        (
            AGAIN.replace("other", "main") + 'name = "x"\n',
            "9: issuers.1.issuer: issuer 'https://idp.example.com/realms/main' is there twice",
        ),
    ],
)
def test_a_fault_is_told_with_file_line_and_reason(text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(LEAST + text)
    assert str(caught.value) == f"policy.toml:{complaint}"


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example.com",
        "https://user@idp.example.com",
        "https://idp.example.com?x=1",
        "https://idp.example.com#x",
        "https://",
        "https://[x",
        "idp.example.com",
        "https://idp.example.com\\n",
    ],
)
def test_an_issuer_is_an_https_address(url: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^policy.toml:6: issuers.0.issuer: Value error, an issuer's"
    ):
        read(LEAST.replace("https://idp.example.com/realms/main", url))


@pytest.mark.parametrize(("audience", "kind"), [("[]", "Value"), ('""', "String"), ('["x", ""]', "String")])
def test_an_audience_is_never_empty(audience: str, kind: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^policy.toml:7: issuers.0.audience.*{kind} should have"):
        read(LEAST.replace('"https://mcp.example.com"', audience))


@pytest.mark.parametrize(
    ("claim", "claims", "fits"),
    [
        ("groups", {"groups": "ops"}, True),
        ("groups", {"groups": ["x", "ops"]}, True),
        ("groups", {"groups": ["Ops", "ops2", ["ops"], {"ops": 1}]}, False),
        ("groups", {"groups": "x ops y"}, False),
        ("groups", {"groups": {"ops": True}}, False),
        ("groups", {"groups": None}, False),
        ("groups", {}, False),
        ("realm_access.roles", {"realm_access": {"roles": ["ops"]}}, True),
        ("realm_access.roles", {"realm_access": ["roles"]}, False),
        ("realm_access.roles", {"realm_access": {"roles": {"ops": 1}}}, False),
        ("https://example.com/roles", {"https://example.com/roles": ["ops"]}, True),
        ("a.b", {"a.b": "x", "a": {"b": "ops"}}, False),
    ],
)
def test_a_rule_looks_for_a_value_or_a_member(claim: str, claims: dict[str, Any], fits: bool) -> None:
    rule = RoleRule(role="r", claim=claim, equals="ops")
    assert rule.fits(claims) is fits
    issuer = issuer_in(LEAST + f'roles = [{{ role = "ops", claim = "{claim}", equals = "ops" }}]\n')
    assert list(issuer.roles_of(issuer.kept(claims))) == (["ops"] if fits else [])


def test_a_rule_without_a_claim_gives_the_role_to_all() -> None:
    assert RoleRule(role="r").fits({})


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({}, set[str]()),
        ({"scope": "a:read  b:write"}, {"a:read", "b:write"}),
        ({"scp": ["a:read", 5, "b:write"]}, {"a:read", "b:write"}),
        ({"scp": "a:read", "scope": 7}, {"a:read"}),
    ],
)
def test_scopes_are_read_in_the_ways_issuers_write_them(claims: dict[str, Any], scopes: set[str]) -> None:
    assert issuer_in(LEAST).scopes_in(claims) == scopes
    assert issuer_in(f"{LEAST}scopes = false\n").scopes_in(claims) is None


def test_limits_come_from_the_entry_else_the_roles_else_the_issuer() -> None:
    rules = 'limits = { rate = 7 }\nroles = [{ role = "ops", claim = "g", equals = "ops" }]\n'
    policy = read(f'{LEAST}{rules}[[agents]]\nid = "idp.example.com/cleo"\nlimits = {{ rate = 3 }}\n')
    [issuer] = policy.issuers.values()

    def rate(sub: str, **claims: str) -> float:
        return policy.agent_limits(principal_of(issuer, {"sub": sub, **claims})).rate

    assert (rate("bob"), rate("ann", g="ops"), rate("cleo", g="ops")) == (7, 50, 3)


def test_subjects_of_two_issuers_and_agents_are_never_the_same() -> None:
    policy = read(LEAST + AGAIN + 'name = "other"\n[[agents]]\nid = "alice"\nroles = ["ops"]\n')
    ids = [principal_of(issuer, {"sub": "alice"}).id for issuer in policy.issuers.values()]
    assert ids == ["idp.example.com/alice", "other/alice"]
    assert [
        policy.roles_of(principal_of(issuer, {"sub": "alice"})) for issuer in policy.issuers.values()
    ] == [(), ()]


def test_what_is_remembered_of_callers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringmain_core.policy._MOST_CLAIMANTS", 3)
    policy = read(f'{LEAST}roles = [{{ role = "reader" }}]\n')
    [issuer] = policy.issuers.values()
    for number in range(10):
        assert policy.roles_of(principal_of(issuer, {"sub": str(number)})) == ("reader",)
    assert len(policy._claimed) == 1  # pyright: ignore[reportPrivateUsage]
