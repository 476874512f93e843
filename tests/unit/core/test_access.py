from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as types
import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError

from ringmain_core.policy import open_to
from ringmain_core.principal import Principal
from ringmain_core.testing import Bench, bench
from ringmain_core.versions import LATEST
from unit.core.demo import Demo, connector

pytestmark = pytest.mark.anyio

POLICY = """
[roles.some]
allow = ["demo.echo", "demo.about", "demo.item", "demo.greet"]
[[agents]]
id = "bot"
roles = ["some"]
[[agents]]
id = "new"
"""
BOT = Principal("bot", "api_key")
Ask = Callable[[Client, str], Awaitable[Any]]


async def call_tool(client: Client, name: str) -> Any:
    return await client.call_tool(name, {"text": "x"})


async def get_prompt(client: Client, name: str) -> Any:
    return await client.get_prompt(name, {"name": "x"})


async def read_resource(client: Client, name: str) -> Any:
    return await client.read_resource(f"demo://{name}/x")


async def complete_prompt(client: Client, name: str) -> Any:
    return await client.complete(types.PromptReference(name=name), {"name": "name", "value": "x"})


async def complete_template(client: Client, name: str) -> Any:
    template = types.ResourceTemplateReference(uri=f"demo://{name}/{{key}}")
    return await client.complete(template, {"name": "key", "value": "x"})


async def refusal(at: Bench, ask: Ask, name: str) -> tuple[Any, ...]:
    """Everything that a caller can tell about a refusal, with the name taken out."""
    at.audit.records.clear()
    with pytest.raises(MCPError) as caught:
        await ask(at.client, name)
    data: Any = caught.value.error.data
    assert data.pop("call_id") == at.audit.records[-1]["id"]
    text = f"{caught.value.error.message} {data}".replace(name, "NAME")
    return caught.value.code, text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize(
    ("ask", "hidden", "missing"),
    [
        (call_tool, "note", "nope"),
        (call_tool, "wipe", "wype"),
        (get_prompt, "conspire", "conspyre"),
        (read_resource, "hidden", "hydden"),
        (complete_prompt, "conspire", "conspyre"),
        (complete_template, "hidden", "hydden"),
    ],
)
async def test_what_is_hidden_looks_exactly_like_what_is_missing(
    mode: str, ask: Ask, hidden: str, missing: str
) -> None:
    async with bench(connector, upstream=Demo(), policy=POLICY, principal=BOT, mode=mode) as at:
        assert await refusal(at, ask, hidden) == await refusal(at, ask, missing)


async def test_a_refusal_names_what_the_caller_may_use() -> None:
    async with bench(connector, upstream=Demo(), policy=POLICY, principal=BOT) as at:
        assert await refusal(at, call_tool, "ecko") == (
            -32602,
            "Unknown tool `NAME`. Did you mean `echo`? {'code': 'unknown', 'retryable': False}",
        )
        assert await refusal(at, get_prompt, "x") == (
            -32602,
            "Unknown prompt `NAME`. There are: greet. {'code': 'unknown', 'retryable': False}",
        )
        assert await refusal(at, complete_prompt, "zzz") == (
            -32602,
            "There is nothing to complete for `NAME`. {'code': 'unknown', 'retryable': False}",
        )


async def test_a_name_of_megabytes_is_cut_in_answer_and_record() -> None:
    async with bench(connector, upstream=Demo(), policy=POLICY, principal=BOT) as at:
        with pytest.raises(MCPError) as caught:
            await at.client.call_tool("x" * 4_000_000, {})
        assert len(caught.value.error.message) < 200
        assert at.audit.records[-1]["target"] == "x" * 256


@pytest.mark.parametrize(("mode", "code"), [("auto", -32602), ("legacy", -32002)])
async def test_an_unknown_resource_has_the_code_of_its_era(mode: str, code: int) -> None:
    async with bench(connector, upstream=Demo(), mode=mode) as at:
        for uri in ("demo://none", "demo://item/none", "file:///etc/passwd"):
            with pytest.raises(MCPError) as caught:
                await at.client.read_resource(uri)
            assert (caught.value.code, caught.value.error.data["uri"]) == (code, uri)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_lists_show_only_what_may_be_used(mode: str) -> None:
    async with bench(connector, upstream=Demo(), policy=POLICY, principal=BOT, mode=mode) as at:
        client = at.client
        assert [tool.name for tool in (await client.list_tools()).tools] == ["echo"]
        assert [found.name for found in (await client.list_resources()).resources] == ["about"]
        templates = (await client.list_resource_templates()).resource_templates
        assert [template.name for template in templates] == ["item"]
        assert [prompt.name for prompt in (await client.list_prompts()).prompts] == ["greet"]


async def test_an_agent_without_roles_and_one_that_is_not_in_the_policy_see_nothing() -> None:
    for agent in ("new", "stranger"):
        async with bench(
            connector, upstream=Demo(), policy=POLICY, principal=Principal(agent, "api_key")
        ) as at:
            assert (await at.client.list_tools()).tools == []
            assert (await at.client.list_prompts()).prompts == []
            assert await refusal(at, call_tool, "echo") == (
                -32602,
                "Unknown tool `NAME`. There are: none. {'code': 'unknown', 'retryable': False}",
            )


async def test_with_everything_allowed_everything_is_listed() -> None:
    async with bench(connector, upstream=Demo(), policy=open_to("local")) as at:
        assert [tool.name for tool in (await at.client.list_tools()).tools] == [
            tool.name for tool in connector.views[LATEST].tools
        ]


class Anything(types.Request[types.RequestParams, str]):
    method: str
    params: types.RequestParams = types.RequestParams()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("method", ["tasks/get", "TOOLS/CALL", "tools/call ", "x", "", "roots/list"])
async def test_a_method_that_the_server_does_not_know_is_refused(mode: str, method: str) -> None:
    async with bench(connector, upstream=Demo(), mode=mode) as at:
        with pytest.raises(MCPError) as caught:
            await at.client.session.send_request(Anything(method=method), types.EmptyResult)
        assert (caught.value.code, at.audit.records[-1]["code"]) == (-32601, "unknown_method")
        assert (at.audit.records[-1]["outcome"], at.audit.records[-1]["gate"]) == ("refused", "access")


async def test_completion_offers_a_hundred_values_and_says_how_many_there_are() -> None:
    async with bench(connector, upstream=Demo(), policy=POLICY, principal=BOT) as at:
        template = types.ResourceTemplateReference(uri="demo://item/{item}")
        found = (await at.client.complete(template, {"name": "item", "value": "a"})).completion
        assert (found.values[:2], len(found.values), found.total, found.has_more) == (
            ["a0", "a1"],
            100,
            120,
            True,
        )
        none = (await at.client.complete(template, {"name": "other", "value": "a"})).completion
        assert (none.values, none.total, none.has_more) == ([], 0, False)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_completion_that_crashes_tells_the_caller_nothing(mode: str) -> None:
    async with bench(connector, upstream=Demo(), mode=mode) as at:
        template = types.ResourceTemplateReference(uri="demo://item/{item}")
        with pytest.raises(MCPError) as caught:
            await at.client.complete(template, {"name": "item", "value": "crash"})
        record = at.audit.records[-1]
        assert caught.value.error.message == (
            f"`item` failed unexpectedly. The operator finds the reason in the log under {record['id']}."
        )
        assert (record["outcome"], record["code"]) == ("error", "internal")
