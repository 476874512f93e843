"""DNS rebinding: no name but ours and no origin but those listed, on every route and both ports."""

import socket
from collections.abc import Iterator

import pytest

from security.inventory import paths
from security.programs import ANN, Target, demo_target
from security.wire import METHODS, Headers, Line

LISTED = "https://app.example.com"
EVERYWHERE = "0.0.0.0"  # noqa: S104 (the point of it)
HOSTS = (
    ("evil.example.com",),
    ("evil.example.com:{port}",),
    ("127.0.0.1.nip.io:{port}",),
    ("localhost@evil.example.com",),
    ("evil.example.com#@localhost:{port}",),
    ("0.0.0.0:{port}",),
    ("[::1]evil.example.com",),
    ("127.0.0.1:{port}", "evil.example.com"),
    ("127.0.0.1:{port}", "127.0.0.1:{port}"),
    ("",),
)
ORIGINS = (
    ("https://evil.example.com",),
    ("null",),
    ("",),
    ("file://",),
    ("https://app.example.com.evil.example.com",),
    ("https://app.example.com:8443",),
    ("http://app.example.com",),
    ("http://localhost.evil.example.com",),
    ("http://localhost@evil.example.com",),
    ("http://127.0.0.1:{port}", "https://evil.example.com"),
    (LISTED, LISTED),
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture(scope="module")
def metrics() -> int:
    return free_port()


@pytest.fixture(scope="module", params=["127.0.0.1", EVERYWHERE], ids=["loopback", "every address"])
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, metrics: int
) -> Iterator[Target]:
    with demo_target(
        tmp_path_factory.mktemp("bound"),
        RINGMAIN_HOST=request.param,
        RINGMAIN_LEGACY_SSE="true",
        RINGMAIN_ALLOWED_ORIGINS=LISTED,
        RINGMAIN_METRICS_PORT=str(metrics),
        RINGMAIN_METRICS_HOST=request.param,
        RINGMAIN_METRICS_TOKEN="t" * 16,
    ) as target:
        yield target


def refused(line: Line, method: str, path: str, headers: Headers) -> int:
    """The status, with a credential that would be good, and as a browser asks before it asks."""
    more = [
        ("Authorization", f"Bearer {ANN}"),
        ("Accept", "application/json, text/event-stream"),
        ("Content-Type", "application/json"),
        ("Access-Control-Request-Method", "POST"),
    ]
    answer = line.send(method, path, [*headers, *more], b"{}" if method == "POST" else b"")
    assert answer.header("access-control-allow-origin") is None
    return answer.status


def of(port: int, names: tuple[str, ...]) -> list[str]:
    return [name.format(port=port) for name in names]


@pytest.mark.parametrize("names", HOSTS, ids=str)
def test_host_on_every_route_another_name_is_421(target: Target, names: tuple[str, ...]) -> None:
    line = Line(target.port)
    for path in paths():
        for method in METHODS:
            headers = [("Host", name) for name in of(target.port, names)]
            assert (path, method, refused(line, method, path, headers)) == (path, method, 421)
    line.close()


@pytest.mark.parametrize("names", ORIGINS, ids=str)
def test_origin_on_every_route_another_page_is_403(target: Target, names: tuple[str, ...]) -> None:
    line = Line(target.port)
    for path in paths():
        for method in METHODS:
            headers = [("Origin", name) for name in of(target.port, names)]
            headers.append(("Host", f"127.0.0.1:{target.port}"))
            assert (path, method, refused(line, method, path, headers)) == (path, method, 403)
    line.close()


def test_host_and_origin_on_the_port_for_metrics(target: Target, metrics: int) -> None:
    line = Line(metrics)
    token = ("Authorization", "Bearer " + "t" * 16)
    good = [("Host", f"127.0.0.1:{metrics}"), token]
    assert line.send("GET", "/metrics", good).status == 200
    for path in ("/metrics", "/", "/nowhere"):
        for method in METHODS:
            for names in HOSTS:
                # An address is nobody's name: a page that is read under one was served from there.
                if names == ("0.0.0.0:{port}",):
                    continue
                headers = [token, *(("Host", name) for name in of(metrics, names))]
                assert (names, method, line.send(method, path, headers).status) == (names, method, 421)
            for names in ORIGINS:
                headers = [*good, *(("Origin", name) for name in of(metrics, names))]
                assert (names, method, line.send(method, path, headers).status) == (names, method, 403)
    assert line.send("GET", "/metrics", good[:1]).status == 401
    line.close()
    del target
