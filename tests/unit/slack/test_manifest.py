"""The manifest asks for what the tools need, and for nothing else."""

import json
from importlib.resources import files
from typing import Any

from ringmain_slack import connector
from ringmain_slack.permissions import every_scope, needs

MANIFEST: dict[str, Any] = json.loads(files("ringmain_slack").joinpath("manifest.json").read_text("utf-8"))


def test_its_scopes_are_those_of_the_tools() -> None:
    scopes = MANIFEST["oauth_config"]["scopes"]
    assert scopes == {"bot": every_scope(is_bot=True), "user": every_scope(is_bot=False)}


def test_every_tool_says_what_it_needs() -> None:
    names = {tool.name for tool in connector.tools}
    assert set(needs(is_bot=True)) == set(needs(is_bot=False)) == names


def test_it_hears_messages_by_socket_and_of_internal_apps_only() -> None:
    settings = MANIFEST["settings"]
    assert settings["socket_mode_enabled"]
    assert not settings["org_deploy_enabled"]
    heard = settings["event_subscriptions"]["bot_events"]
    assert {f"message.{kind}" for kind in ("channels", "groups", "im", "mpim")} <= set(heard)
