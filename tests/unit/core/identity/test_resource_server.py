"""Tokens over HTTP: what clients are told, and what they get."""

import logging
from typing import Any

import pytest

from ringmain_core.identity.api_keys import hash_key
from unit.core.http_bench import LEGACY, MODERN, POLICY, Exchange, Headers, HttpBench, http_bench
from unit.core.issuing import AUDIENCE, ISSUER, Issuing

pytestmark = pytest.mark.anyio

ERAS = pytest.mark.parametrize("era", [MODERN, LEGACY])
ISSUERS = f"""
[roles.reader]
allow = ["*:read"]
[[issuers]]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
name = "idp"
roles = [
  {{ role = "reader" }},
  {{ claim = "groups", equals = "ops", role = "all" }},
]
"""
WELL_KNOWN = "/.well-known/oauth-protected-resource"
SCOPES = "demo:read demo:write demo:destructive"
NOBODY: Headers = {"authorization": []}


def bench(policy: str = POLICY + ISSUERS, issuing: Issuing | None = None, **settings: Any) -> Any:
    return http_bench(policy, fetch=(issuing or Issuing()).fetch, **settings)


async def metadata(at: HttpBench, path: str = "/v1/mcp", headers: Headers | None = None) -> Any:
    answer = await at.ask("GET", WELL_KNOWN + path, NOBODY | (headers or {}))
    return answer.json if answer.status == 200 else answer.status


async def test_the_metadata_says_where_to_get_tokens_and_for_what() -> None:
    async with bench() as at:
        assert await metadata(at) == {
            "resource": "http://127.0.0.1:8080/v1/mcp",
            "resource_name": "Demo",
            "authorization_servers": [ISSUER],
            "bearer_methods_supported": ["header"],
            "scopes_supported": SCOPES.split(),
        }
        assert (await metadata(at, headers={"host": "localhost:99"}))[
            "resource"
        ] == "http://localhost:99/v1/mcp"
        assert (await metadata(at, ""))["resource"] == "http://127.0.0.1:8080"
        assert [await metadata(at, path) for path in ("/", "/v1", "/v1/mcp/", "x", "/healthz")] == [404] * 5
        assert (await at.ask("POST", WELL_KNOWN, NOBODY)).status == 405


async def test_each_path_that_speaks_mcp_has_metadata_of_its_own() -> None:
    async with bench(legacy_sse=True) as at:
        assert (await metadata(at, "/v1/sse"))["resource"] == "http://127.0.0.1:8080/v1/sse"


async def test_behind_a_proxy_the_public_address_counts() -> None:
    async with bench(public_url="https://MCP.example.com:8443/demo/") as at:
        for path in ("/v1/mcp", "/demo/v1/mcp"):
            found = await metadata(at, path, {"host": "mcp.example.com:8443"})
            assert found["resource"] == "https://mcp.example.com:8443/demo/v1/mcp"
        refused = await at.ask("POST", "/v1/mcp", NOBODY)
        assert f'resource_metadata="https://mcp.example.com:8443/demo{WELL_KNOWN}/v1/mcp"' in str(
            refused.header("www-authenticate")
        )
        assert await metadata(at, headers={"host": "mcp.example.com"}) == 421


async def test_where_no_issuer_is_trusted_there_is_no_metadata() -> None:
    async with bench(POLICY) as at:
        assert [await metadata(at, path) for path in ("", "/v1/mcp")] == [404, 404]


async def test_where_scopes_do_not_count_none_are_asked_for() -> None:
    async with bench(POLICY + ISSUERS + "scopes = false\n") as at:
        assert "scopes_supported" not in await metadata(at)
        refused = await at.ask("POST", "/v1/mcp", NOBODY)
        assert refused.header("www-authenticate") == (
            f'Bearer realm="ringmain", resource_metadata="http://127.0.0.1:8080{WELL_KNOWN}/v1/mcp"'
        )


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_who_has_no_credential_is_told_where_to_get_a_token(method: str) -> None:
    async with bench() as at:
        refused = await at.ask(method, "/v1/mcp", NOBODY, [b"{}"])
        assert (refused.status, refused.header("www-authenticate"), refused.json["error"]) == (
            401,
            (
                f'Bearer realm="ringmain", resource_metadata="http://127.0.0.1:8080{WELL_KNOWN}/v1/mcp", '
                f'scope="{SCOPES}"'
            ),
            {
                "code": -32001,
                "message": "Send an access token as `Authorization: Bearer <token>`: the header "
                "WWW-Authenticate says where to get one. An API key will do as well.",
                "data": {"code": "unauthenticated", "retryable": False},
            },
        )


async def test_a_key_that_looks_like_a_token_is_a_key() -> None:
    dotted = POLICY.replace(hash_key("key-of-ann"), hash_key("key.of.ann"))
    async with bench(dotted + ISSUERS) as at:
        called: dict[str, Any] = {"name": "who", "arguments": {}}
        known = await at.call(MODERN, "tools/call", called, key="key.of.ann")
        assert known.json["result"]["content"][0]["text"] == "ann"
        assert (await at.call(MODERN, "tools/call", called, key="key.of.eve")).status == 401


async def test_who_has_a_bad_token_is_told_so_and_not_why(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    issuing = Issuing()
    async with bench(issuing=issuing) as at:
        token = issuing.token(aud="https://other.example.com")
        refused = await at.call(MODERN, "tools/list", key=token)
        message = (
            "The access token is not valid here. Get one for this server; the operator finds in the log what "
            "is wrong with it."
        )
        assert (refused.status, refused.header("www-authenticate"), refused.json["error"]["message"]) == (
            401,
            (
                f'Bearer realm="ringmain", resource_metadata="http://127.0.0.1:8080{WELL_KNOWN}/v1/mcp", '
                f'scope="{SCOPES}", error="invalid_token", error_description="{message}"'
            ),
            message,
        )
        assert caplog.messages == [
            (
                "a token of issuer idp is refused: its `aud` is not in the issuer's `audience`: "
                "'https://other.example.com'"
            )
        ]
        [record] = at.audit.records
        assert (record["principal"], record["outcome"], record["code"]) == (
            "anonymous",
            "refused",
            "invalid_token",
        )
        assert token not in str(record)


@ERAS
async def test_a_token_and_a_key_work_side_by_side(era: str) -> None:
    issuing = Issuing()
    async with bench(issuing=issuing) as at:
        token = issuing.token(scope="demo:read")
        for credential, who in ((token, "idp/alice"), ("key-of-ann", "ann")):
            answer = await at.call_tool(era, "who", key=credential)
            assert answer.json["result"]["content"][0]["text"] == who
        by_token = [record for record in at.audit.records if record["principal"] == "idp/alice"]
        assert {record["auth"] for record in by_token} == {"jwt"}
        assert by_token[-1]["target"] == "who"


async def test_nobody_else_takes_over_a_session() -> None:
    issuing = Issuing()
    async with bench(issuing=issuing) as at:
        session = await at.open_session(issuing.token())
        other = await at.call(LEGACY, "tools/list", session=session, key=issuing.token(sub="bob"))
        own = await at.call(LEGACY, "tools/list", session=session, key=issuing.token(iat=1))
        assert (other.status, own.status) == (404, 200)


async def asks_for_more(at: HttpBench, era: str, token: str, method: str, params: Any) -> Exchange:
    session = await at.open_session(token) if era == LEGACY else None
    return await at.call(era, method, params, key=token, session=session)


@ERAS
@pytest.mark.parametrize("responses", ["sse", "json"])
async def test_what_roles_allow_and_the_token_does_not_is_403_with_what_to_ask_for(
    era: str, responses: str
) -> None:
    issuing = Issuing()
    async with bench(issuing=issuing, responses=responses) as at:
        token = issuing.token(groups=["ops"], scope="demo:destructive other:write openid demo:odd demo:read")
        params = {"name": "note", "arguments": {"text": "x"}}
        refused = await asks_for_more(at, era, token, "tools/call", params)
        message = "The token is not for this: it lacks the scope `demo:write`. Ask for a token that has it."
        assert (refused.status, refused.header("www-authenticate")) == (
            403,
            (
                f'Bearer realm="ringmain", resource_metadata="http://127.0.0.1:8080{WELL_KNOWN}/v1/mcp", '
                f'scope="demo:read demo:write demo:destructive", error="insufficient_scope", '
                f'error_description="{message}"'
            ),
        )
        record = at.audit.records[-1]
        assert refused.json["error"] == {
            "code": -32003,
            "message": message,
            "data": {
                "code": "insufficient_scope",
                "retryable": False,
                "scope": "demo:read demo:write demo:destructive",
                "call_id": record["id"],
            },
        }
        assert (record["outcome"], record["gate"], record["code"]) == (
            "refused",
            "access",
            "insufficient_scope",
        )
        assert at.demo.notes == []


@ERAS
async def test_a_scope_does_not_give_what_roles_do_not(era: str) -> None:
    issuing = Issuing()
    async with bench(issuing=issuing) as at:
        token = issuing.token(scope=SCOPES)
        params = {"name": "note", "arguments": {"text": "x"}}
        refused = await asks_for_more(at, era, token, "tools/call", params)
        assert refused.json["error"]["data"]["code"] == "unknown"


@ERAS
async def test_lists_show_what_roles_allow_so_that_a_client_can_ask_for_more(era: str) -> None:
    issuing = Issuing()
    async with bench(issuing=issuing) as at:
        shown: list[list[str]] = []
        for groups in (["ops"], []):
            token = issuing.token(groups=groups, scope="demo:read")
            listed = await asks_for_more(at, era, token, "tools/list", {})
            shown.append([tool["name"] for tool in listed.json["result"]["tools"]])
        assert ["note" in names for names in shown] == [True, False]
        assert ["echo" in names for names in shown] == [True, True]


@ERAS
async def test_resources_and_prompts_want_the_scope_too(era: str) -> None:
    issuing = Issuing()
    async with bench(issuing=issuing) as at:
        asked: list[tuple[str, dict[str, Any]]] = [
            ("resources/read", {"uri": "demo://about"}),
            ("prompts/get", {"name": "conspire"}),
            (
                "completion/complete",
                {"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "name", "value": ""}},
            ),
        ]
        for method, params in asked:
            refused = await asks_for_more(at, era, issuing.token(), method, params)
            assert (refused.status, refused.json["error"]["data"]["scope"]) == (403, "demo:read")


async def test_while_the_issuer_is_away_it_is_503_with_a_time_to_come_again() -> None:
    issuing = Issuing()
    issuing.away = True
    async with bench(issuing=issuing) as at:
        refused = await at.call(MODERN, "tools/list", key=issuing.token())
        assert (refused.status, refused.header("retry-after"), refused.header("www-authenticate")) == (
            503,
            "5",
            None,
        )
        assert refused.json["error"]["data"]["code"] == "identity_unavailable"
        assert (await at.call_tool(MODERN, "who")).status == 200  # keys go on
        assert [record["code"] for record in at.audit.records if record["outcome"] == "refused"] == [
            "identity_unavailable"
        ]
