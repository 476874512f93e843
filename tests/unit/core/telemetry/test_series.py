import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from ringmain_core.telemetry.exposition import page
from ringmain_core.telemetry.metrics import Metrics
from ringmain_core.telemetry.series import Family, Series, total
from unit.core.demo import connector
from unit.core.telemetry.observing import a_call, sample, samples

CALLS = Family("calls", "counter", "", ("of",))
BUSY = Family("busy", "gauge", "")
WELL = Family("well", "gauge", "", workers="min")
TIME = Family("time", "histogram", "", ("of",), (1.0, 5.0))
FAMILIES = (CALLS, BUSY, WELL, TIME)


def values(folder: Path) -> dict[tuple[str, ...], list[float]]:
    return {
        (family.name, *labels): cells for (family, labels), cells in total(folder, FAMILIES).values.items()
    }


def test_a_histogram_has_a_bucket_for_each_bound_and_one_for_the_rest() -> None:
    series = Series(FAMILIES)
    place = series.place(TIME, "x")
    assert [series.observe(TIME, place, value) for value in (0.5, 1.0, 1.1, 9.0)] == [0, 0, 1, 2]
    assert list(series.values()) == [(TIME, ("x",), [2, 1, 1, 11.6])]


def test_workers_are_added_up_and_a_dead_ones_gauges_go(tmp_path: Path) -> None:
    first, second = Series(FAMILIES, tmp_path), Series(FAMILIES, tmp_path)
    second.add(CALLS, "b")  # the same series stand elsewhere in the other's file
    for series in (first, second):
        series.add(CALLS, "a", by=2)
        series.put(BUSY, value=3)
        series.put(WELL, value=1)
        series.observe(TIME, series.place(TIME, "a"), 2.0)
    second.put(WELL, value=0)
    assert values(tmp_path) == {
        ("calls", "a"): [4],
        ("calls", "b"): [1],
        ("busy",): [6],
        ("well",): [0],
        ("time", "a"): [0, 2, 0, 4],
    }
    assert total(tmp_path, FAMILIES).alive == {0: os.getpid(), 1: os.getpid()}

    second.close()
    assert values(tmp_path) == {
        ("calls", "a"): [4],
        ("calls", "b"): [1],
        ("busy",): [3],
        ("well",): [1],
        ("time", "a"): [0, 2, 0, 4],
    }
    assert total(tmp_path, FAMILIES).alive == {0: os.getpid()}

    successor = Series(FAMILIES, tmp_path)
    successor.add(CALLS, "b")
    assert values(tmp_path)["calls", "b"] == [2]
    assert values(tmp_path)["busy",] == [3]
    first.close()
    successor.close()


WORKER = """
import sys
from pathlib import Path
from ringmain_core.telemetry.metrics import Metrics
from ringmain_core.ending import OK
from unit.core.demo import connector, echo
from unit.core.telemetry.observing import a_call

metrics = Metrics(connector, folder=Path(sys.argv[1]))
for _ in range(7):
    metrics.begin(a_call())
    metrics.end(a_call(), OK, 0.01, 5)
metrics.begin(a_call())
print("counted", flush=True)
sys.stdin.read()
"""


def test_what_a_killed_worker_has_counted_stays_on_the_page_of_the_others(tmp_path: Path) -> None:
    ours = Metrics(connector, folder=tmp_path)
    ours.begin(a_call())
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    running = sample("ringmain_calls_running")
    ok = sample(
        "ringmain_calls_total", method="tools/call", target="echo", version="v1", outcome="ok", code=""
    )
    with worker:
        try:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"counted\n"
            before = samples(page(ours, "")[0].decode())
            assert (before[running], before[ok]) == (2, 7)
            memory = {name for name in before if name.startswith("process_resident_memory_bytes")}
            assert memory == {sample("process_resident_memory_bytes", worker=number) for number in "01"}
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait(10)
    after = samples(page(ours, "")[0].decode())
    assert (after[running], after[ok]) == (1, 7)
    assert sample("process_resident_memory_bytes", worker="1") not in after
    ours.close()


def test_a_line_cut_off_by_a_kill_is_as_if_it_had_not_begun(tmp_path: Path) -> None:
    series = Series(FAMILIES, tmp_path)
    series.add(CALLS, "a")
    series.close()
    with (tmp_path / "0.names").open("ab") as names:
        names.write(json.dumps(["calls", "half a line"])[:-3].encode())
    assert values(tmp_path) == {("calls", "a"): [1]}
    successor = Series(FAMILIES, tmp_path)
    successor.add(CALLS, "b", by=5)
    assert values(tmp_path) == {("calls", "a"): [1], ("calls", "b"): [5]}
    successor.close()


def test_when_there_is_no_room_all_that_is_new_is_counted_as_other() -> None:
    series = Series(FAMILIES)
    for number in range(70_000):
        series.add(CALLS, str(number))
    series.observe(TIME, series.place(TIME, "late"), 2.0)
    found = {(family.name, *labels): cells for family, labels, cells in series.values()}
    named = [key for key in found if key[0] == "calls" and key[1] != "_other"]
    assert 60_000 < len(named) < 65_536
    assert found["calls", "_other"] == [70_000 - len(named)]
    assert found["time", "_other"] == [0, 1, 0, 2]
