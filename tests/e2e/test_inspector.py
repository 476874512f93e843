"""The protocol's reference client, which we did not write, against the real command."""

import json
import subprocess
from typing import Any

import pytest

from standins.node import MODULES, node
from standins.serving import clean_environment, command, serving

INSPECTOR = MODULES / "@modelcontextprotocol" / "inspector"


def inspect(*arguments: str) -> Any:
    """Run the Inspector's command line and return its answer."""
    program = json.loads((INSPECTOR / "package.json").read_text(encoding="utf-8"))["bin"]["mcp-inspector"]
    done = subprocess.run(
        [node(), INSPECTOR / program, "--cli", *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_the_inspector_lists_calls_and_reads(transport: str, settings: dict[str, str]) -> None:
    if transport == "stdio":
        environment = [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
        look(command("ringmain-postgres"), *environment)
    else:
        with serving("ringmain-postgres", settings) as served:
            look(served.url, "--transport", "http", "--header", f"Authorization: Bearer {served.key}")


def look(*target: str) -> None:
    tools = inspect(*target, "--method", "tools/list")["tools"]
    assert [tool["name"] for tool in tools][:3] == ["list_databases", "search_objects", "describe_object"]
    sql = "sql=SELECT name FROM customers ORDER BY id LIMIT 1"
    answer = inspect(*target, "--method", "tools/call", "--tool-name", "query", "--tool-arg", sql)
    assert '["Ada"]' in answer["content"][0]["text"]
    assert not answer.get("isError")
    read = inspect(*target, "--method", "resources/read", "--uri", "pg://shop/table/sales/orders")
    assert "orders_pkey PRIMARY KEY (id)" in read["contents"][0]["text"]
