import pytest

from ringmain_core.errors import ConfigurationError
from ringmain_core.principal import LOCAL
from ringmain_core.testing import bench
from unit.core.demo import Demo, connector

pytestmark = pytest.mark.anyio


async def test_without_a_stand_in_the_connector_makes_its_client() -> None:
    async with bench(connector) as at:
        assert (await at.client.call_tool("note", {"text": "x"})).is_error is False
        calls = [record for record in at.audit.records if record["method"] == "tools/call"]
        assert [(call["phase"], call.get("outcome")) for call in calls] == [
            ("intent", None),
            ("outcome", "ok"),
        ]


async def test_a_stand_in_is_what_the_tools_get() -> None:
    demo = Demo()
    async with bench(connector, upstream=demo) as at:
        await at.client.call_tool("note", {"text": "x"})
        assert (demo.notes, at.runtime.local) == (["x"], LOCAL)


async def test_a_policy_that_cannot_be_used_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r"^policy\.toml:2: roles\.a\.allow\.0: 'x' must be written"):
        async with bench(connector, policy='[roles.a]\nallow = ["x"]'):
            pass
