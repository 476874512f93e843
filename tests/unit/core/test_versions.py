from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from ringmain_core.errors import ConfigurationError
from ringmain_core.policy_file import parse_policy
from ringmain_core.versions import Lifetime, headers_of, is_over, successor, warning
from unit.core.demo import connector
from unit.core.http_bench import LEGACY, MODERN, POLICY, HttpBench, http_bench

LIVES = Lifetime(deprecated=date(2026, 12, 1), sunset=date(2027, 12, 1))
PAST = "\n[versions.v1]\ndeprecated = 2020-01-01\nsunset = 2999-01-01\n"
OVER = "\n[versions.v1]\ndeprecated = 2020-01-01\nsunset = 2021-01-01\n"
ERAS = pytest.mark.parametrize("era", [MODERN, LEGACY])


def test_headers_are_those_of_the_standards() -> None:
    assert headers_of("v1", {"v1": LIVES}) == [
        (b"deprecation", b"@1796083200"),
        (b"sunset", b"Wed, 01 Dec 2027 00:00:00 GMT"),
        (b"link", b'</v2/mcp>; rel="successor-version"'),
    ]
    assert headers_of("v1", {"v2": LIVES}) == headers_of("v1", {"v1": Lifetime()}) == ()
    open_ended = Lifetime(deprecated=date(2026, 12, 1))
    assert headers_of("v2", {"v2": open_ended}) == [(b"deprecation", b"@1796083200")]


def test_a_moment_with_a_zone_is_that_moment() -> None:
    moment = datetime.fromisoformat("2026-12-01T02:00:00+02:00")
    assert headers_of("v2", {"v2": Lifetime(deprecated=moment)}) == [(b"deprecation", b"@1796083200")]


def test_the_warning_begins_with_the_deprecation() -> None:
    assert warning("v1", LIVES, datetime(2026, 11, 30, tzinfo=UTC)) is None
    assert warning("v1", LIVES, datetime(2026, 12, 1, tzinfo=UTC)) == {
        "version": "v1",
        "deprecated": "2026-12-01T00:00:00+00:00",
        "sunset": "2027-12-01T00:00:00+00:00",
        "successor": "/v2/mcp",
    }


def test_a_version_is_over_at_its_sunset() -> None:
    assert not is_over(LIVES, datetime(2027, 11, 30, 23, 59, tzinfo=UTC))
    assert is_over(LIVES, datetime(2027, 12, 1, tzinfo=UTC))
    assert not is_over(None, datetime(2999, 1, 1, tzinfo=UTC))
    assert (successor("v1"), successor("v2")) == ("v2", None)


@pytest.mark.parametrize(
    "dates",
    [{"sunset": date(2027, 1, 1)}, {"deprecated": date(2028, 1, 1), "sunset": date(2027, 1, 1)}],
    ids=["not deprecated", "deprecated later"],
)
def test_a_sunset_needs_a_deprecation_before_it(dates: dict[str, date]) -> None:
    with pytest.raises(ValidationError, match="before it"):
        Lifetime.model_validate(dates)


def test_a_version_that_does_not_exist_is_refused_with_its_line() -> None:
    with pytest.raises(ConfigurationError, match=r"policy\.toml:1: versions\.v9"):
        parse_policy("[versions.v9]\ndeprecated = 2026-12-01\n", "policy.toml", connector.vocabulary())


async def _list_tools(at: HttpBench, era: str, version: str) -> Any:
    session = await at.open_session(version=version) if era == LEGACY else None
    return await at.call(era, "tools/list", session=session, version=version)


@pytest.mark.anyio
@ERAS
async def test_one_declaration_list_has_two_views(era: str) -> None:
    async with http_bench() as at:
        for version, arguments in (("v1", ["n"]), ("v2", ["limit"])):
            listed = (await _list_tools(at, era, version)).json["result"]["tools"]
            (count,) = [tool for tool in listed if tool["name"] == "count"]
            assert list(count["inputSchema"]["properties"]) == arguments
            counting: dict[str, Any] = {arguments[0]: 3}
            called = await at.call_tool(era, "count", version=version, **counting)
            assert called.json["result"]["content"][0]["text"] == "1, 2, 3"


@pytest.mark.anyio
async def test_the_latest_version_does_not_know_what_an_older_one_had() -> None:
    async with http_bench() as at:
        refused = await at.call_tool(MODERN, "count", version="v2", n=3)
    text = refused.json["result"]["content"][0]["text"]
    assert text == "`limit` is required. Unknown argument `n`; known are `limit`."


@pytest.mark.anyio
@ERAS
async def test_a_deprecated_version_says_so_in_headers_and_results(era: str) -> None:
    async with http_bench(POLICY + PAST) as at:
        old, new = await _list_tools(at, era, "v1"), await _list_tools(at, era, "v2")
        assert old.status == new.status == 200
        assert old.header("deprecation") == "@1577836800"
        assert old.header("sunset") == "Tue, 01 Jan 2999 00:00:00 GMT"
        assert old.header("link") == '</v2/mcp>; rel="successor-version"'
        assert old.json["result"]["_meta"]["dev.ringmain/deprecation"]["successor"] == "/v2/mcp"
        assert new.header("deprecation") is None
        assert "dev.ringmain/deprecation" not in new.json["result"].get("_meta", {})


@pytest.mark.anyio
async def test_a_version_past_its_sunset_is_gone_and_names_its_successor() -> None:
    async with http_bench(POLICY + OVER) as at:
        gone = await at.call(MODERN, "tools/list", version="v1")
        assert (gone.status, gone.header("link")) == (410, '</v2/mcp>; rel="successor-version"')
        assert gone.json["error"]["data"]["code"] == "version_gone"
        assert "/v2/mcp" in gone.json["error"]["message"]
        assert at.audit.records[-1]["gate"] == "lifetime"
        about = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        assert (await at.call(LEGACY, "initialize", about, version="v1")).status == 410
        assert (await at.call(MODERN, "tools/list", version="v2")).status == 200
