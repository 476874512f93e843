"""Whether a server grows with the calls it answers: the echo tool over HTTP, all gates on."""

from functools import partial

from bench import echo
from bench.http_load import HttpLoad
from bench.messages import MODERN
from bench.report import Result
from bench.setting import Setting

PART = "4. Memory over calls: resident growth after the warm-up, in all and by its slope"
_CLIENTS = 16
_WARM_UP = 2_000
_STEP = 1_000
_KIBIBYTE = 1024


def measure(setting: Setting, *, quick: bool) -> list[Result]:
    calls = 4_000 if quick else 20_000
    body = partial(echo.body, era=MODERN)
    with echo.our_server(setting) as server:
        load = HttpLoad(server, body, tool="echo", era=MODERN, key=setting.key, clients=_CLIENTS)
        with load:
            load.run(_WARM_UP)
            sizes = [server.process.memory_info().rss / _KIBIBYTE]
            for _ in range(calls // _STEP):
                load.run(_STEP)
                sizes.append(server.process.memory_info().rss / _KIBIBYTE)
    return [
        Result(PART, f"grown over {calls:,} calls", [sizes[-1] - sizes[0]], [], "KiB", 1_024),
        Result(PART, "of that in the second half", [sizes[-1] - sizes[len(sizes) // 2]], [], "KiB", 256),
        Result(PART, "slope, least squares", [_slope(sizes)], [], "KiB per 1,000 calls"),
        Result(PART, "resident at the end", [sizes[-1] / _KIBIBYTE], [], "MiB"),
    ]


def _slope(values: list[float]) -> float:
    middle = (len(values) - 1) / 2
    mean = sum(values) / len(values)
    spread = sum((at - middle) ** 2 for at in range(len(values)))
    return sum((at - middle) * (value - mean) for at, value in enumerate(values)) / spread
