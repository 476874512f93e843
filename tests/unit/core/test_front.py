import json
from typing import Any

import pytest

from unit.core.http_bench import CUT_OFF, Headers, http_bench

pytestmark = pytest.mark.anyio

ROUTES = [
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/nowhere"),
    ("POST", "/v1/mcp"),
    ("GET", "/v1/mcp"),
    ("DELETE", "/v1/mcp"),
    ("OPTIONS", "/v1/mcp"),
    ("HEAD", "/"),
    ("GET", "/v1/sse"),
    ("POST", "/v1/messages"),
]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "evil.example.com:8080",
        "127.0.0.1.evil.com",
        "127.0.0.1:80@evil.com",
        "localhost:²",
        "",
        [],
        ["127.0.0.1", "127.0.0.1"],
        ["127.0.0.1", "evil.com"],
    ],
)
async def test_another_host_is_refused_on_every_route(host: str | list[str]) -> None:
    async with http_bench(legacy_sse=True, allowed_origins="https://app.example.com") as at:
        for method, path in ROUTES:
            headers: Headers = {
                "host": host,
                "origin": "https://app.example.com",
                "access-control-request-method": "POST",
            }
            answer = await at.ask(method, path, headers, [b"{}"])
            assert (answer.status, json.loads(answer.content)["error"]["data"]) == (
                421,
                {"code": "forbidden_host", "retryable": False},
            )
        assert {record["code"] for record in at.audit.records} == {"forbidden_host"}
        assert len(at.audit.records) == len(ROUTES)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.com",
        "null",
        "http://localhost.evil.com",
        "https://app.example.com.evil.com",
        "https://app.example.com:1",
        "",
        ["http://localhost", "http://localhost"],
        ["http://localhost", "https://evil.example.com"],
    ],
)
async def test_another_origin_is_refused_on_every_route(origin: str | list[str]) -> None:
    async with http_bench(legacy_sse=True, allowed_origins="https://app.example.com") as at:
        for method, path in ROUTES:
            headers: Headers = {"origin": origin, "access-control-request-method": "POST"}
            answer = await at.ask(method, path, headers, [b"{}"])
            assert (answer.status, json.loads(answer.content)["error"]["data"]["code"]) == (
                403,
                "forbidden_origin",
            )
            assert answer.header("access-control-allow-origin") is None
        assert {record["code"] for record in at.audit.records} == {"forbidden_origin"}


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1", []),
        ("LocalHost:99", "http://localhost:6274"),
        ("[::1]:8080", "http://[::1]:1"),
        ("mcp.example.com", "https://app.example.com"),
        ("mcp.example.com:443", "https://dev.example.com:3000"),
    ],
)
async def test_loopback_and_what_an_operator_lists_is_taken(host: str, origin: str | list[str]) -> None:
    async with http_bench(
        allowed_hosts="mcp.example.com,mcp.example.com:*",
        allowed_origins="https://app.example.com,https://dev.example.com:*",
    ) as at:
        answer = await at.ask("GET", "/healthz", {"host": host, "origin": origin})
        assert (answer.status, answer.json) == (200, {"status": "ok", "reason": ""})


async def test_a_listed_page_may_read_answers_refusals_included() -> None:
    async with http_bench(allowed_origins="https://app.example.com,https://dev.example.com:*") as at:
        for origin in ("https://app.example.com", "https://dev.example.com:3000"):
            asked: Headers = {"origin": origin, "access-control-request-method": "POST"}
            preflight = await at.ask("OPTIONS", "/v1/mcp", asked | {"authorization": []})
            assert preflight.status == 200
            refused = await at.ask("POST", "/v1/mcp", {"origin": origin, "authorization": []})
            assert (refused.status, refused.header("access-control-allow-origin")) == (401, origin)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": []},
        {"authorization": "Bearer"},
        {"authorization": "Bearerkey-of-ann"},
        {"authorization": "bearer\tkey-of-ann"},
        {"authorization": "Basic key-of-ann"},
        {"authorization": "key-of-ann"},
        {"authorization": ["Bearer key-of-ann", "Bearer key-of-ann"]},
        {"authorization": ["Bearer wrong", "Bearer key-of-ann"]},
        {"authorization": ["Bearer key-of-ann", "Basic x"]},
        {"authorization": [], "x-api-key": ["key-of-ann", "key-of-ann"]},
        {"authorization": [], "x-api-key": ""},
        {"authorization": [], "cookie": "authorization=key-of-ann"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE", "PUT", "OPTIONS", "HEAD", "TRACE"])
async def test_who_does_not_say_who_they_are_is_refused_and_on_record(method: str, headers: Headers) -> None:
    async with http_bench() as at:
        answer = await at.ask(method, "/v1/mcp", headers, [b"not even json"])
        assert (answer.status, answer.header("www-authenticate")) == (401, 'Bearer realm="ringmain"')
        assert answer.json == {
            "jsonrpc": "2.0",
            "id": None,
            "error": {
                "code": -32001,
                "message": "Send an API key as `Authorization: Bearer <key>`. "
                "An operator makes one with `keys create`.",
                "data": {"code": "unauthenticated", "retryable": False},
            },
        }
        [record] = at.audit.records
        del record["id"]
        assert record == {
            "phase": "call",
            "principal": "anonymous",
            "auth": "anonymous",
            "connector": "demo",
            "transport": "http",
            "version": "v1",
            "outcome": "refused",
            "code": "unauthenticated",
            "gate": "front",
        }


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer key-of-ann, Bearer key-of-ann"},
        {"authorization": "Bearer wrong", "x-api-key": "key-of-ann"},
        {"authorization": [], "x-api-key": "Bearer key-of-ann"},
        {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."},
    ],
)
async def test_a_key_that_is_nobodys_is_refused_and_on_record(headers: Headers) -> None:
    async with http_bench() as at:
        answer = await at.ask("POST", "/v1/mcp", headers, [b"not even json"])
        message = "This API key is not known here. An operator makes one with `keys create`."
        assert (answer.status, answer.header("www-authenticate"), answer.json["error"]) == (
            401,
            f'Bearer realm="ringmain", error="invalid_token", error_description="{message}"',
            {"code": -32001, "message": message, "data": {"code": "invalid_token", "retryable": False}},
        )
        [record] = at.audit.records
        assert (record["principal"], record["outcome"], record["code"], record["gate"]) == (
            "anonymous",
            "refused",
            "invalid_token",
            "front",
        )


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer key-of-bob"},
        {"authorization": "bearer key-of-bob"},
        {"authorization": "BEARER  key-of-bob "},
        {"authorization": [], "x-api-key": "key-of-bob"},
        {"authorization": "Basic Ym9iOng=", "x-api-key": " key-of-bob "},
    ],
)
async def test_a_key_is_taken_from_either_header(headers: Headers) -> None:
    async with http_bench() as at:
        answer = await at.ask("POST", "/v1/mcp", headers, [b"x"])
        assert (answer.status, at.audit.records[-1]["principal"]) == (400, "bob")


@pytest.mark.parametrize(
    "path", ["/v1/mcp/", "//v1/mcp", "/v1//mcp", "/V1/mcp", "/v1/mcp;x", "/v3/mcp", "/mcp", "/v1/../v1/mcp"]
)
async def test_a_path_that_is_almost_right_leads_nowhere(path: str) -> None:
    async with http_bench() as at:
        answer = await at.ask("POST", path, body=[b"{}"])
        assert (answer.status, at.audit.records) == (404, [])


async def test_web_sockets_are_refused() -> None:
    async with http_bench() as at:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        for path in ("/v1/mcp", "/healthz"):
            await at.app.asgi({"type": "websocket", "path": path, "headers": []}, receive, send)
        assert sent == [{"type": "websocket.close", "code": 1008}] * 2


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-length": "1025"}, []),
        ({"content-length": "9" * 5000}, []),
        ({}, [b"x" * 1025]),
        ({}, [b"x" * 600, b"", b"y" * 600, b"never asked for"]),
        ({"content-length": "5"}, [b"x" * 2000]),
        ({"content-length": "²"}, [b"x" * 2000]),
    ],
)
async def test_a_body_over_the_limit_is_refused_declared_or_not(headers: Headers, body: list[bytes]) -> None:
    async with http_bench(max_body_bytes=1024) as at:
        answer = await at.ask("POST", "/v1/mcp", headers, body)
        assert (answer.status, answer.json["error"]["message"]) == (
            413,
            "The body is larger than 1,024 bytes.",
        )
        assert (at.audit.records[-1]["code"], at.audit.records[-1]["principal"]) == (
            "payload_too_large",
            "ann",
        )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"id":1,"id":2}', "an object has the same key twice"),
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b"[" * 5000 + b"]" * 5000, "nested deeper than 64 levels"),
        (b"\xff", "not UTF-8 at byte 0"),
    ],
)
async def test_a_body_that_is_not_strict_json_is_refused(body: bytes, reason: str) -> None:
    async with http_bench() as at:
        answer = await at.ask("POST", "/v1/mcp", body=[body])
        assert (answer.status, answer.json["error"]) == (
            400,
            {
                "code": -32700,
                "message": f"Not a JSON message: {reason}.",
                "data": {"code": "malformed_request", "retryable": False},
            },
        )
        assert at.audit.records[-1]["code"] == "malformed_request"


async def test_a_request_that_is_cut_off_is_not_acted_on() -> None:
    async with http_bench() as at:
        whole = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()
        await at.ask("POST", "/v1/mcp", body=[whole, CUT_OFF])
        assert [record["code"] for record in at.audit.records] == ["malformed_request"]


async def test_while_the_audit_is_down_refusals_are_503() -> None:
    async with http_bench() as at:
        at.audit.broken = True
        answer = await at.ask("POST", "/v1/mcp", {"authorization": []})
        assert (answer.status, answer.header("retry-after")) == (503, "5")
        assert answer.json["error"]["data"]["code"] == "audit_unavailable"
