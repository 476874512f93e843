"""Tokens: whatever is not a good one is 401, all alike, and makes the server ask nobody."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from security.canary import Canary, canary, reply
from security.programs import ANN, POLICY, Target, demo_target
from security.wire import ERAS, LEGACY, Answer, Caller, send
from unit.core.issuing import AUDIENCE, Issuing, encoded


@dataclass
class Stage:
    """A server that trusts one issuer; what the issuer is asked, and a listener that nobody should ask."""

    target: Target
    issuing: Issuing
    issuer: Canary
    trap: Canary

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good token but for these changes."""
        return self.issuing.token(header, **{"iss": self.issuer.url, **claims})

    def claims(self, **changes: Any) -> dict[str, Any]:
        return self.issuing.claims(**{"iss": self.issuer.url, **changes})


@pytest.fixture(scope="module")
def stage(folder: Path) -> Iterator[Stage]:
    issuing = Issuing()
    keys = json.dumps({"keys": [issuing.jwk()]}).encode()
    with canary(reply("200 OK", keys, Content_Type="application/json")) as issuer, canary() as trap:
        policy = POLICY + (
            f'[[issuers]]\nissuer = "{issuer.url}"\naudience = "{AUDIENCE}"\nname = "idp"\nscopes = false\n'
            f'jwks_uri = "{issuer.url}/keys"\nroles = [{{ role = "all" }}]\n'
        )
        with demo_target(folder, policy) as target:
            yield Stage(target, issuing, issuer, trap)


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    return f"{encoded(header)}.{encoded(claims)}.{signature}"


def hs256(of: Stage, secret: bytes) -> str:
    text = f"{encoded({'alg': 'HS256', 'kid': of.issuing.kid, 'typ': 'at+jwt'})}.{encoded(of.claims())}"
    signature = hmac.digest(secret, text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def public_key(of: Stage, encoding: Encoding) -> bytes:
    return of.issuing.key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def own_key(of: Stage, **header: Any) -> str:
    """Signed with a key of the attacker's, which the header says where to find."""
    own = Issuing()
    said = {"kid": of.issuing.kid, "typ": "at+jwt"} | header
    if said.get("jwk") is True:
        said["jwk"] = own.jwk()
    return jwt.encode(of.claims(), own.key, "ES256", headers=said)


BAD: dict[str, Callable[[Stage], str]] = {
    "tokens with no exp": lambda of: of.token(exp=None),
    "expired": lambda of: of.token(exp=int(time.time()) - 120),
    "exp as text": lambda of: of.token(exp="99999999999"),
    "wrong aud": lambda of: of.token(aud="https://other.example.com"),
    "no aud": lambda of: of.token(aud=None),
    "aud as part of a longer one": lambda of: of.token(aud=f"{AUDIENCE}.evil.example.com"),
    "wrong iss": lambda of: of.token(iss=of.trap.url),
    "iss with a slash more": lambda of: of.token(iss=f"{of.issuer.url}/"),
    "no iss": lambda of: of.token(iss=None),
    "future nbf": lambda of: of.token(nbf=int(time.time()) + 3600),
    "future iat": lambda of: of.token(iat=int(time.time()) + 3600),
    "alg=none": lambda of: unsigned({"alg": "none", "typ": "at+jwt"}, of.claims()),
    "alg=nOnE with a kid": lambda of: unsigned({"alg": "nOnE", "kid": of.issuing.kid}, of.claims()),
    "no alg": lambda of: unsigned({"kid": of.issuing.kid}, of.claims()),
    "signature cut off": lambda of: of.token().rpartition(".")[0] + ".",
    "HS256 with the public key in PEM": lambda of: hs256(of, public_key(of, Encoding.PEM)),
    "HS256 with the public key in DER": lambda of: hs256(of, public_key(of, Encoding.DER)),
    "HS256 with the published JWK": lambda of: hs256(of, json.dumps(of.issuing.jwk()).encode()),
    "HS256 with nothing": lambda of: hs256(of, b""),
    "kid is a path": lambda of: own_key(of, kid="../../../../../../dev/null"),
    "kid is a file URL": lambda of: own_key(of, kid="file:///etc/hostname"),
    "kid is a URL": lambda of: own_key(of, kid=f"{of.trap.url}/keys"),
    "kid is SQL": lambda of: own_key(of, kid="x' UNION SELECT 'secret' --"),
    "kid is a command": lambda of: own_key(of, kid="| touch /tmp/kid"),
    "kid is empty": lambda of: own_key(of, kid=""),
    "jku": lambda of: own_key(of, jku=f"{of.trap.url}/keys"),
    "x5u": lambda of: own_key(of, x5u=f"{of.trap.url}/cert"),
    "x5c": lambda of: own_key(of, x5c=["MIIB"]),
    "jwk of its own": lambda of: own_key(of, jwk=True),
    "crit": lambda of: of.token({"crit": ["http://example.com/x"], "http://example.com/x": 1}),
    "an ID token": lambda of: of.token({"typ": "JWT"}, nonce="n"),
    "no subject": lambda of: of.token(sub=None),
    "a subject that is another principal": lambda of: unsigned({"alg": "ES256"}, of.claims(sub="ann"), "AA"),
}


def tried(of: Stage, token: str, path: str = "/v1/mcp", era: str = ERAS[0]) -> Answer:
    return Caller(of.target.port, token, era, path).ask("tools/list")


@pytest.mark.parametrize("what", BAD)
def test_tokens_that_are_bad_are_refused_all_alike(stage: Stage, what: str) -> None:
    good = Caller(stage.target.port, stage.token()).tool("who")
    assert good.text == "idp/alice"
    asked = len(stage.issuer.visits)
    answer = tried(stage, BAD[what](stage))
    assert (answer.status, answer.refusal) == (401, "invalid_token")
    plain = tried(stage, "a.b.c") if what != "expired" else None
    if plain is not None:  # nobody is told which part of a forgery was good
        assert answer.json == plain.json
    assert stage.trap.visits == []
    assert len(stage.issuer.visits) <= asked + 1  # its keys may be asked for once more, for an unknown kid
    assert {visit.split(b"\r\n")[0] for visit in stage.issuer.visits} == {b"GET /keys HTTP/1.1"}


def test_an_embedded_key_or_address_is_ignored_where_the_signature_is_good(stage: Stage) -> None:
    header = {"jku": f"{stage.trap.url}/keys", "x5u": f"{stage.trap.url}/c", "jwk": Issuing().jwk()}
    assert Caller(stage.target.port, stage.token(header)).tool("who").text == "idp/alice"
    assert stage.trap.visits == []


def test_a_token_and_an_agent_of_one_name_are_two_principals(stage: Stage) -> None:
    """`sub` is the issuer's to choose; nobody becomes `ann` by it."""
    ann = Caller(stage.target.port, ANN, LEGACY).shake_hands()
    forged = Caller(stage.target.port, stage.token(sub="ann"), LEGACY)
    assert forged.tool("who").text == "idp/ann"
    forged.session = ann.session
    assert forged.ask("tools/list").status == 404


@pytest.mark.parametrize("era", ERAS)
def test_a_credential_counts_in_the_header_only_and_once(stage: Stage, era: str) -> None:
    caller = Caller(stage.target.port, ANN, era)
    bare = [pair for pair in caller.headers("tools/list", {}) if pair[0] != "Authorization"]
    body = json.dumps(caller.message("tools/list", {})).encode()
    for path, headers in (
        (f"/v1/mcp?access_token={ANN}", []),
        (f"/v1/mcp?api_key={ANN}", []),
        ("/v1/mcp", [("Cookie", f"access_token={ANN}; Authorization=Bearer {ANN}")]),
        ("/v1/mcp", [("Authorization", f"Bearer {ANN}"), ("Authorization", "Bearer wrong")]),
        ("/v1/mcp", [("Authorization", f"Bearer {ANN}, Bearer wrong")]),
        ("/v1/mcp", [("Authorization", f"Basic {base64.b64encode(f'ann:{ANN}'.encode()).decode()}")]),
        ("/v1/mcp", [("X-Forwarded-User", "ann"), ("X-Remote-User", "ann")]),
    ):
        answer = send(stage.target.port, "POST", path, [*bare, *headers], body)
        assert (path, headers, answer.status) == (path, headers, 401)


def test_the_challenge_repeats_nothing_that_a_stranger_sent(stage: Stage) -> None:
    caller = Caller(stage.target.port, 'x", resource_metadata="https://evil.example.com')
    caller.more = [("X-Forwarded-Host", "evil.example.com"), ("Forwarded", "host=evil.example.com")]
    answer = caller.ask("tools/list")
    challenge = answer.header("www-authenticate") or ""
    assert (answer.status, "evil" in challenge, b"evil" in answer.body) == (401, False, False)
    assert f'resource_metadata="http://127.0.0.1:{stage.target.port}/.well-known/' in challenge
