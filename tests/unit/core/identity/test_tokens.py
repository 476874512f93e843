import base64
import hashlib
import hmac
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from ringmain_core.identity.jwt import Tokens
from ringmain_core.policy import Policy
from ringmain_core.policy_file import parse_policy
from ringmain_core.principal import Principal
from ringmain_core.refusals import IdentityUnavailable, InvalidToken
from unit.core.demo import connector
from unit.core.issuing import AUDIENCE, ISSUER, NOW, Issuing, encoded

pytestmark = pytest.mark.anyio

POLICY = f"""
[roles.reader]
allow = ["*:read"]
[roles.ops]
allow = ["*:*"]
[[issuers]]
issuer = "{ISSUER}"
audience = ["{AUDIENCE}", "https://mcp.example.com"]
name = "idp"
roles = [{{ role = "reader" }}, {{ claim = "realm.groups", equals = "ops", role = "ops" }}]
"""


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> float:
        return self.at


class At:
    """A verifier of one issuer's tokens, its clock, and the policy that is in force."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.issuing = Issuing(self.clock)
        self.policy = self.read(POLICY)
        self.tokens = Tokens(lambda: self.policy, fetch=self.issuing.fetch, clock=self.clock, now=self.clock)

    @staticmethod
    def read(text: str) -> Policy:
        return parse_policy(text, "policy.toml", connector.vocabulary())

    async def refusal(self, token: str) -> str:
        with pytest.raises(InvalidToken) as caught:
            await self.tokens.recognise(token)
        return caught.value.message


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    made = At()

    class Now:
        """The library's own idea of the time."""

        @staticmethod
        def now(tz: object) -> datetime:
            del tz
            return datetime.fromtimestamp(made.clock(), UTC)

    monkeypatch.setattr("jwt.api_jwt.datetime", Now)
    return made


NOT_VALID = (
    "The access token is not valid here. Get one for this server; the operator finds in the log what is "
    "wrong with it."
)
EXPIRED = "The access token has expired. Get a new one."


async def test_a_token_stands_for_its_subject_with_what_policy_looks_at(at: At) -> None:
    token = at.issuing.token(
        scope="demo:read demo:write openid",
        scp=["demo:read", 5],
        realm={"groups": ["ops"]},
        email="a@b.example",
    )
    principal = await at.tokens.recognise(token)
    assert principal == Principal(
        "idp/alice",
        "jwt",
        {"scope": "demo:read demo:write openid", "scp": ["demo:read", 5], "realm": {"groups": ["ops"]}},
        frozenset({"demo:read", "demo:write", "openid"}),
    )
    assert at.policy.roles_of(principal) == ("reader", "ops")
    assert at.issuing.asked == [f"{ISSUER}/.well-known/oauth-authorization-server", f"{ISSUER}/keys"]


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    return f"{encoded(header)}.{encoded(claims)}.{signature}"


def with_public_key_as_secret(of: Issuing) -> str:
    """Signed with HS256, and with what everybody knows: the old confusion of keys."""
    secret = of.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = unsigned({"alg": "HS256", "kid": of.kid}, of.claims()).rstrip(".")
    signature = hmac.digest(secret, text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def signed_by_another(of: Issuing) -> str:
    return jwt.encode(of.claims(), generate_private_key(SECP256R1()), "ES256", headers={"kid": of.kid})


def changed(of: Issuing) -> str:
    header, _, signature = of.token().split(".")
    return f"{header}.{encoded(of.claims(sub='admin'))}.{signature}"


def with_key_of_its_own(of: Issuing) -> str:
    """The token brings the key along; nobody may look at that."""
    own = Issuing()
    header = {
        "kid": of.kid,
        "jwk": own.jwk(),
        "jku": "https://evil.example/keys",
        "x5u": "https://evil.example",
    }
    return jwt.encode(of.claims(), own.key, "ES256", headers=header)


def twice_said(of: Issuing) -> str:
    header, payload, _ = of.token().split(".")
    said = base64.urlsafe_b64decode(payload + "==").decode()
    doubled = base64.urlsafe_b64encode(said.replace("{", '{"sub":"admin",', 1).encode()).rstrip(b"=").decode()
    signature = (
        jwt.api_jws.PyJWS().get_algorithm_by_name("ES256").sign(f"{header}.{doubled}".encode(), of.key)
    )
    return f"{header}.{doubled}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


OTHER_ALG = "its `alg` is not in the issuer's `algorithms`"
NO_KEY = "its issuer publishes no such key, or several that fit"
OTHER_AUD = "its `aud` is not in the issuer's `audience`"
OTHER_ISS = "its `iss` is no issuer of the policy"
BAD_SUB = "its `sub` is empty, longer than 255 characters or not printable"
CRIT = "its header has `crit`: it wants something that this server does not know"
ID_TOKEN = "it is an ID token, which is for the client; clients send the access token"
OTHER_TYP = "its `typ` is not that of an access token"
NOT_YET = "it is not valid yet (`nbf` or `iat`)"

BAD: list[tuple[str, Callable[[Issuing], str], str]] = [
    ("alg none", lambda of: unsigned({"alg": "none"}, of.claims()), f"{OTHER_ALG}: 'none'"),
    ("alg NoNe", lambda of: unsigned({"alg": "NoNe"}, of.claims()), f"{OTHER_ALG}: 'NoNe'"),
    ("alg missing", lambda of: unsigned({}, of.claims()), "its header is malformed"),
    ("HS256 with the public key", with_public_key_as_secret, f"{OTHER_ALG}: 'HS256'"),
    (
        "alg of another kind",
        lambda of: unsigned({"alg": "RS256", "kid": "first"}, of.claims(), "AAAA"),
        f"{NO_KEY}: 'first'",
    ),
    ("no signature", lambda of: of.token().rpartition(".")[0] + ".", "its signature is wrong"),
    ("another's signature", signed_by_another, "its signature is wrong"),
    ("another payload", changed, "its signature is wrong"),
    ("a key of its own", with_key_of_its_own, "its signature is wrong"),
    ("an unknown kid", lambda of: of.token({"kid": "second"}), f"{NO_KEY}: 'second'"),
    ("a path as kid", lambda of: of.token({"kid": "../../dev/null"}), f"{NO_KEY}: '../../dev/null'"),
    (
        "a kid that is no text",
        lambda of: unsigned({"alg": "ES256", "kid": {"x": 1}}, of.claims()),
        "its header is malformed",
    ),
    (
        "another audience",
        lambda of: of.token(aud="https://other.example.com"),
        f"{OTHER_AUD}: 'https://other.example.com'",
    ),
    ("a longer audience", lambda of: of.token(aud=f"{AUDIENCE}/x"), f"{OTHER_AUD}: '{AUDIENCE}/x'"),
    ("no audience", lambda of: of.token(aud=None), "it has no `aud`"),
    ("an empty audience", lambda of: of.token(aud=[]), "it has no `aud`"),
    (
        "another issuer",
        lambda of: of.token(iss="https://evil.example"),
        f"{OTHER_ISS}: 'https://evil.example'",
    ),
    ("almost the issuer", lambda of: of.token(iss=f"{ISSUER}/"), f"{OTHER_ISS}: '{ISSUER}/'"),
    ("no issuer", lambda of: of.token(iss=None), "it has no `iss`"),
    ("no subject", lambda of: of.token(sub=None), "it has no `sub`"),
    ("an empty subject", lambda of: of.token(sub=""), BAD_SUB),
    ("a subject of two lines", lambda of: of.token(sub="a\nb"), BAD_SUB),
    ("a long subject", lambda of: of.token(sub="a" * 256), BAD_SUB),
    ("no expiry", lambda of: of.token(exp=None), "it has no `exp`"),
    ("expiry as text", lambda of: of.token(exp="9999999999"), "its `exp` is not a number"),
    ("not yet", lambda of: of.token(nbf=int(NOW) + 31), NOT_YET),
    ("made in the future", lambda of: of.token(iat=int(NOW) + 31), NOT_YET),
    ("nbf as truth", lambda of: of.token(nbf=True), "its `nbf` is not a number"),
    ("crit", lambda of: of.token({"crit": ["exp"], "exp": 1}), CRIT),
    (
        "crit for b64",
        lambda of: unsigned({"alg": "ES256", "kid": "first", "crit": ["b64"], "b64": False}, of.claims()),
        CRIT,
    ),
    ("an ID token", lambda of: of.token({"typ": "JWT"}, nonce="n"), ID_TOKEN),
    ("an ID token with at_hash", lambda of: of.token({"typ": "JWT"}, at_hash="x"), ID_TOKEN),
    ("a logout token", lambda of: of.token({"typ": "logout+jwt"}), f"{OTHER_TYP}: 'logout+jwt'"),
    ("a proof", lambda of: of.token({"typ": "dpop+jwt"}), f"{OTHER_TYP}: 'dpop+jwt'"),
    ("a key twice", twice_said, "it is malformed"),
    ("no JSON", lambda _: "eyJ.eyJ.eyJ", "it is malformed"),
    ("nothing", lambda _: "..", "it is malformed"),
    (
        "a list",
        lambda of: unsigned({"alg": "ES256"}, of.claims()).replace(
            encoded({"alg": "ES256"}), encoded(["ES256"])
        ),
        "it is malformed",
    ),
    ("too large", lambda of: of.token(padding="x" * 16_384), "it is longer than 16,384 characters"),
]


@pytest.mark.parametrize(("make", "reason"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
async def test_a_bad_token_is_refused_with_the_reason_in_the_log_only(
    at: At, caplog: pytest.LogCaptureFixture, make: Callable[[Issuing], str], reason: str
) -> None:
    caplog.set_level(logging.WARNING)
    await at.tokens.recognise(at.issuing.token())
    token = make(at.issuing)
    assert await at.refusal(token) == NOT_VALID
    [said] = caplog.messages
    assert (
        said.removeprefix("a token of issuer idp is refused: ").removeprefix("a token is refused: ") == reason
    )
    assert all(len(part) < 8 or part not in said for part in token.split("."))


async def test_the_same_reason_is_logged_now_and_then(at: At, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for _ in range(100):
        await at.refusal(at.issuing.token(aud="x"))
    assert len(caplog.messages) == 1
    at.clock.at += 11
    await at.refusal(at.issuing.token(aud="x"))
    assert len(caplog.messages) == 2


GOOD: list[Callable[[Issuing], str]] = [
    lambda of: of.token({"typ": None}),
    lambda of: of.token({"typ": "JWT"}),
    lambda of: of.token({"typ": "application/AT+JWT"}),
    lambda of: of.token({"kid": None}),
    lambda of: of.token(aud=["https://other.example.com", "https://mcp.example.com"]),
    lambda of: of.token(nbf=int(NOW) + 29, iat=int(NOW) + 29),
    lambda of: of.token(exp=int(NOW) - 29),
    lambda of: of.token(sub="å" * 255),
]


@pytest.mark.parametrize("token", GOOD)
async def test_what_is_good_in_another_way_is_taken(at: At, token: Callable[[Issuing], str]) -> None:
    assert (await at.tokens.recognise(token(at.issuing))).auth == "jwt"


async def test_a_token_is_verified_once_and_good_until_it_expires(
    at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[object] = []
    decode = jwt.decode

    def counted(*args: Any, **options: Any) -> Any:
        verified.append(args)
        return decode(*args, **options)

    monkeypatch.setattr("jwt.decode", counted)
    token = at.issuing.token(exp=int(NOW) + 60)
    first = await at.tokens.recognise(token)
    at.clock.at += 89
    assert await at.tokens.recognise(token) is first
    assert len(verified) == 1
    at.clock.at += 1
    assert await at.refusal(token) == EXPIRED


async def test_no_more_tokens_are_remembered_than_10_000(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringmain_core.identity.jwt._MOST_REMEMBERED", 3)
    tokens = [at.issuing.token(sub=str(number)) for number in range(5)]
    for token in tokens:
        await at.tokens.recognise(token)
        await at.tokens.recognise(tokens[0])  # in use, so it stays
    remembered = at.tokens._verified.values()  # pyright: ignore[reportPrivateUsage]
    assert [verified.principal.id for verified in remembered] == ["idp/3", "idp/4", "idp/0"]


async def test_a_policy_read_again_holds_for_tokens_that_were_verified_before(at: At) -> None:
    token = at.issuing.token(realm={"groups": "ops"}, scope="demo:read")
    principal = await at.tokens.recognise(token)
    assert at.policy.roles_of(principal) == ("reader", "ops")
    at.policy = at.read(POLICY.replace('equals = "ops"', 'equals = "others"'))
    assert at.policy.roles_of(await at.tokens.recognise(token)) == ("reader",)
    assert at.policy.roles_of(principal) == ("reader",)  # of a call under way
    at.policy = at.read(POLICY.replace("roles = [", "scopes = false\nroles = ["))
    assert (await at.tokens.recognise(token)).scopes is None
    at.policy = at.read(POLICY.replace(f'["{AUDIENCE}", ', "["))
    assert await at.refusal(token) == NOT_VALID
    at.policy = at.read(POLICY.partition("[[issuers]]")[0])
    assert await at.refusal(token) == NOT_VALID
    assert at.policy.roles_of(principal) is None
    at.policy = at.read(POLICY)
    await at.tokens.recognise(token)
    assert len(at.issuing.asked) == 2  # the keys were kept all the time


async def test_a_token_whose_key_is_withdrawn_is_refused_though_it_was_verified(at: At) -> None:
    token = at.issuing.token()
    await at.tokens.recognise(token)
    at.issuing.rotate("second")
    at.clock.at += 6
    assert (await at.tokens.recognise(at.issuing.token())).id == "idp/alice"
    assert await at.refusal(token) == NOT_VALID


async def test_of_several_keys_without_names_none_is_guessed(at: At) -> None:
    other = Issuing()
    at.issuing.publish(at.issuing.jwk(), other.jwk(kid="other"))
    assert await at.refusal(at.issuing.token({"kid": None})) == NOT_VALID
    assert (await at.tokens.recognise(at.issuing.token())).id == "idp/alice"


def rsa_jwk(bits: int, **changes: Any) -> tuple[Any, dict[str, Any]]:
    key = generate_rsa_key(65_537, bits)
    known: Any = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return key, {**known, "kid": "first"} | changes


async def test_a_key_without_an_algorithm_can_be_used_for_those_of_its_kind(at: At) -> None:
    key, jwk = rsa_jwk(2048)
    at.issuing.publish(jwk)
    for algorithm in ("RS256", "PS256"):
        token = jwt.encode(at.issuing.claims(), key, algorithm, headers={"kid": "first"})
        assert (await at.tokens.recognise(token)).id == "idp/alice"
    token = jwt.encode(at.issuing.claims(), key, "RS512", headers={"kid": "first"})
    assert await at.refusal(token) == NOT_VALID  # the key could, but the policy does not want it


UNUSABLE: list[Callable[[Issuing], object]] = [
    lambda of: of.jwk(use="enc"),
    lambda of: of.jwk(key_ops=["sign"]),
    lambda of: of.jwk(key_ops="verify"),
    lambda of: of.jwk(alg="HS256"),
    lambda of: of.jwk(kid=5),
    lambda of: of.jwk(**of.private()),
    lambda of: of.jwk(crv="P-999"),
    lambda of: of.jwk(crv="Ed25519"),
    lambda of: of.jwk(x="!"),
    lambda of: of.jwk(kty="oct", k="c2VjcmV0"),
    lambda _: "key",
]


@pytest.mark.parametrize("make", UNUSABLE)
async def test_a_key_that_is_not_for_this_is_not_used(at: At, make: Callable[[Issuing], object]) -> None:
    at.issuing.publish(make(at.issuing))
    with pytest.raises(IdentityUnavailable):
        await at.tokens.recognise(at.issuing.token())


async def test_a_weak_key_is_not_used(at: At) -> None:
    key, jwk = rsa_jwk(1024)
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.encode(at.issuing.claims(), key, "RS256", headers={"kid": "first"})
    at.issuing.publish(jwk)
    with pytest.raises(IdentityUnavailable):
        await at.tokens.recognise(token)


async def test_without_keys_nobody_is_told_that_the_token_is_bad(at: At) -> None:
    at.issuing.away = True
    with pytest.raises(IdentityUnavailable) as caught:
        await at.tokens.recognise(at.issuing.token())
    assert (caught.value.http_status, caught.value.fields()) == (
        503,
        {"code": "identity_unavailable", "retryable": True, "retry_after_ms": 5000},
    )


async def test_metadata_about_another_issuer_is_not_believed(at: At) -> None:
    at.issuing.documents[f"{ISSUER}/.well-known/oauth-authorization-server"]["issuer"] = (
        "https://evil.example"
    )
    with pytest.raises(IdentityUnavailable):
        await at.tokens.recognise(at.issuing.token())
    assert f"{ISSUER}/keys" not in at.issuing.asked


async def test_metadata_is_found_in_either_way_and_not_needed_where_the_keys_are_known(at: At) -> None:
    known = at.issuing.documents.pop(f"{ISSUER}/.well-known/oauth-authorization-server")
    at.issuing.documents[f"{ISSUER}/.well-known/openid-configuration"] = known
    await at.tokens.recognise(at.issuing.token())
    assert at.issuing.asked[1:] == [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/keys"]
    at.issuing.asked.clear()
    at.policy = at.read(POLICY.replace("roles = [", f'jwks_uri = "{ISSUER}/keys"\nroles = ['))
    await at.tokens.recognise(at.issuing.token())
    assert at.issuing.asked == [f"{ISSUER}/keys"]


async def test_an_entry_of_the_subject_adds_to_its_claims(at: At) -> None:
    at.policy = at.read(
        POLICY
        + '[[agents]]\nid = "idp/alice"\nroles = ["ops"]\nlimits = { rate = 3 }\n[[agents]]\nid = "alice"\n'
    )
    alice = await at.tokens.recognise(at.issuing.token())
    assert (at.policy.roles_of(alice), at.policy.agent_limits(alice).rate) == (("reader", "ops"), 3)
    bob = await at.tokens.recognise(at.issuing.token(sub="bob"))
    assert (at.policy.roles_of(bob), at.policy.agent_limits(bob).rate) == (("reader",), 10)
