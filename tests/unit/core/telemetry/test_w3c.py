from typing import Any

import pytest

from ringmain_core.telemetry.w3c import Parent, parent_in

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_parent_is_read_with_its_state() -> None:
    carrier = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "rojo=00f067aa0ba902b7, ,t@v=x"}
    assert parent_in(carrier) == Parent(TRACE, SPAN, 1, (("rojo", "00f067aa0ba902b7"), ("t@v", "x")))


def test_a_later_version_may_say_more() -> None:
    assert parent_in({"traceparent": f"01-{TRACE}-{SPAN}-00-more"}) == Parent(TRACE, SPAN, 0)


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        7,
        [f"00-{TRACE}-{SPAN}-01"],
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_a_malformed_parent_is_none(traceparent: Any) -> None:
    assert parent_in({"traceparent": traceparent}) is None


def test_no_carrier_no_parent() -> None:
    assert parent_in(None) is None
    assert parent_in({}) is None


@pytest.mark.parametrize(
    "tracestate",
    [5, "no member", "UPPER=1", "a=1,a=2", "a=" + "x" * 257, "a=ü", ",".join(f"k{i}=v" for i in range(33))],
)
def test_a_malformed_state_is_dropped_and_the_parent_kept(tracestate: Any) -> None:
    carrier = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": tracestate}
    assert parent_in(carrier) == Parent(TRACE, SPAN, 1)
