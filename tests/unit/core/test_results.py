from typing import Any

import mcp_types as types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringmain_core.errors import AnswerTooLarge, UpstreamRefused
from ringmain_core.results import Answer, failure, success
from ringmain_core.settings import CoreSettings
from ringmain_core.testing import bench
from unit.core.demo import Demo, Page, connector

pytestmark = pytest.mark.anyio


class Short(Answer):
    rows: list[str]

    def text(self) -> str:
        return "rows"


def text_of(result: dict[str, Any]) -> str:
    return result["content"][0]["text"]


def test_text_within_its_budget_goes_out_as_it_is() -> None:
    assert success("a\nb", 3) == {"content": [{"type": "text", "text": "a\nb"}]}


def test_longer_text_is_cut_at_a_lines_end_and_says_so() -> None:
    assert text_of(success("one\ntwo\nthree", 9)) == (
        "one\ntwo\n[truncated: 7 of 13 bytes shown; ask for less or for the next part]"
    )
    assert text_of(success("x" * 20, 9)) == (
        "x" * 9 + "\n[truncated: 9 of 20 bytes shown; ask for less or for the next part]"
    )


def test_no_character_is_cut_in_two() -> None:
    assert (
        text_of(success("ééé", 5)) == "éé\n[truncated: 4 of 6 bytes shown; ask for less or for the next part]"
    )


@given(st.text(max_size=200), st.integers(0, 300))
def test_what_is_kept_is_a_beginning_within_the_budget(text: str, budget: int) -> None:
    shown = text_of(success(text, budget)).rpartition("\n[truncated: ")
    if shown[1]:
        assert text.startswith(shown[0])
        assert len(shown[0].encode()) <= budget
    else:
        assert shown[2] == text


def test_an_answer_has_text_and_structure() -> None:
    assert success(Page(words=["a"]), 100) == {
        "content": [{"type": "text", "text": '{"words":["a"]}'}],
        "structuredContent": {"words": ["a"]},
    }


@pytest.mark.parametrize("answer", [Page(words=["x" * 100]), Short(rows=["x" * 100])])
def test_an_answer_too_large_in_text_or_structure_is_refused_with_advice(answer: Answer) -> None:
    with pytest.raises(AnswerTooLarge) as caught:
        success(answer, 100)
    size = len(answer.model_dump_json(exclude_none=True))
    assert caught.value.message == (
        f"The answer has {size} bytes, the budget is 100. Ask for less: a smaller `limit`, less detail, or a "
        "narrower filter."
    )


def test_a_result_made_by_the_tool_itself_goes_out_as_it_is() -> None:
    made = types.CallToolResult(content=[types.TextContent(type="text", text="x")])
    wire = {"resultType": "complete", "content": [{"type": "text", "text": "x"}], "isError": False}
    assert success(made, 1) == wire
    assert success(wire, 1) == wire


def test_a_failure_repeats_its_fields_for_programs() -> None:
    assert failure(UpstreamRefused("No.", retry_after_ms=5, column="x"), "id") == {
        "content": [{"type": "text", "text": "No."}],
        "isError": True,
        "_meta": {
            "dev.ringmain/error": {
                "code": "upstream_refused",
                "retryable": False,
                "retry_after_ms": 5,
                "column": "x",
                "call_id": "id",
            }
        },
    }


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_budgets_hold_through_a_client(mode: str) -> None:
    core = CoreSettings(max_answer_bytes=1024)
    async with bench(connector, upstream=Demo(), core=core, mode=mode) as at:
        cut = await at.client.call_tool("echo", {"text": "abc\n", "times": 1000})
        assert isinstance(cut.content[0], types.TextContent)
        assert cut.content[0].text.endswith(
            "\n[truncated: 1,023 of 4,000 bytes shown; ask for less or for the next part]"
        )
        large = await at.client.call_tool("words", {"count": 1000})
        assert large.is_error
        assert large.meta is not None
        assert large.meta["dev.ringmain/error"]["code"] == "answer_too_large"
        fits = await at.client.call_tool("words", {"count": 2, "tags": '["x"]', "share": "1"})
        assert fits.structured_content == {"words": ["x1", "x1"]}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_answer_that_is_none_is_a_defect_told_by_its_id(mode: str) -> None:
    from mcp.shared.exceptions import MCPError

    async with bench(connector, upstream=Demo(), mode=mode) as at:
        with pytest.raises(MCPError) as caught:
            await at.client.session.call_tool("broken", {})
        call_id = at.audit.records[-1]["id"]
        assert (caught.value.code, caught.value.error.message) == (
            -32603,
            f"Failed unexpectedly. The operator finds the reason in the log under {call_id}.",
        )
        assert caught.value.error.data == {"code": "internal", "retryable": False, "call_id": call_id}
