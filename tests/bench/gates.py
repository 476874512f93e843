"""What each feature adds to an echo over HTTP: everything on, against the bare SDK, feature by feature."""

import sys
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench import echo
from bench.http_load import HttpLoad
from bench.messages import MODERN
from bench.processes import HttpServer, cpu_of, http_server
from bench.report import Result
from bench.rounds import Side, in_turns
from bench.setting import Setting
from standins.valkey import running_valkey

PART = "8. Echo over HTTP, feature by feature: CPU for one call against the bare SDK"
TARGET = 1.4
_CLIENTS = 16
_SECRET = "a-secret-key-of-more-than-32-characters"


def measure(setting: Setting, *, quick: bool) -> list[Result]:
    with ExitStack() as stack:
        collector = stack.enter_context(_collector())
        valkey = stack.enter_context(running_valkey())
        metrics = {"RINGMAIN_METRICS_PORT": "0"}
        redis = {"RINGMAIN_REDIS_URL": valkey.url, "RINGMAIN_SECRET_KEY": _SECRET}
        tracing = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_METRICS_EXPORTER": "none"}
        cases: list[tuple[str, Mapping[str, str], float | None]] = [
            (
                "without loop guard, metrics, audit",
                {"RINGMAIN_AUDIT": "off", "RINGMAIN_LOOP_GUARD": "off"},
                None,
            ),
            ("   and the audit to a file", {"RINGMAIN_LOOP_GUARD": "off"}, None),
            ("   and the loop guard", {}, None),
            ("   and metrics: everything on, state in process", metrics, TARGET),
            ("   and the state in Redis", metrics | redis, None),
            ("   and traces to a collector (state in process)", metrics | tracing, None),
        ]
        bare_command = [sys.executable, "-m", "bench.bare_echo", "http", "sse"]
        bare = stack.enter_context(http_server(bare_command, {}))
        chosen = cases[3:] if quick else cases
        return [_compare(setting, bare, what, more, target, quick=quick) for what, more, target in chosen]


def _compare(
    setting: Setting,
    bare: HttpServer,
    what: str,
    more: Mapping[str, str],
    target: float | None,
    *,
    quick: bool,
) -> Result:
    load = partial(
        HttpLoad,
        body=partial(echo.body, era=MODERN),
        tool="echo",
        era=MODERN,
        key=setting.key,
        clients=_CLIENTS,
    )
    command = [sys.executable, "-m", "bench.our_echo", "serve"]
    with (
        http_server(command, {**setting.environment, **more}) as ours,
        load(ours) as our_load,
        load(bare) as bare_load,
    ):
        rounds = in_turns(
            Side(our_load.run, {"cpu": partial(cpu_of, ours.process), "wall": time.perf_counter}),
            Side(bare_load.run, {"cpu": partial(cpu_of, bare.process), "wall": time.perf_counter}),
            rounds=3 if quick else 5,
            calls=500 if quick else 800,
            warm_up=200,
        )
    ours_cpu, bare_cpu = ([seconds * 1e6 for seconds in side["cpu"]] for side in (rounds.ours, rounds.bare))
    return Result(PART, what, ours_cpu, bare_cpu, "µs CPU a call", target)


@contextmanager
def _collector() -> Generator[str]:
    """Takes traces and throws them away."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
