"""The same surroundings for every measurement: policy, key, settings, and a folder for state."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from ringmain_core.identity.api_keys import KeyFile, hash_key

TESTS = Path(__file__).parent.parent
AGENT = "bench"

# Agents and roles that other people would have, before and after the one that calls.
_POLICY = """
[roles.reader]
allow = ["*:read"]
fence = {{ "postgres.table" = ["public.*"], "slack.channel" = ["#ops", "#bot-*"] }}

[roles.writer]
allow = ["*:read", "*:write"]
deny = ["github.merge_pull_request", "gdrive.share"]

[roles.bench]
allow = ["echo:read", "postgres:read", "github:read", "slack:read", "gdrive:read", "vector:read"]
deny = ["postgres.security_posture"]
fence = {{ "postgres.table" = ["public.*"] }}
limits = {{ rate = "1000000/s", burst = 1000000, concurrency = 1000 }}

[limits]
"echo.echo" = {{ rate = "1000000/s", burst = 1000000, concurrency = 1000 }}
"postgres.query" = {{ rate = "1000000/s", burst = 1000000, concurrency = 1000 }}
"github.get_issue" = {{ rate = "1000000/s", burst = 1000000, concurrency = 1000 }}
"slack.read_channel" = {{ rate = "1000000/s", burst = 1000000, concurrency = 1000 }}
"gdrive.get_file" = {{ rate = "1000000/s", burst = 1000000, concurrency = 1000 }}
"vector.search_documents" = {{ rate = "1000000/s", burst = 1000000, concurrency = 1000 }}
{agents}
[[agents]]
id = "bench"
roles = ["bench"]

[[agents]]
id = "local"
roles = ["bench"]
"""
_OTHER = """
[[agents]]
id = "agent-{number}"
key = "{key}"
roles = ["reader", "writer"]
"""


class Setting:
    """A folder with policy and key.

    Attributes:
        key: The API key of the agent that calls.
        environment: For our servers: every gate on, and limits that no measurement meets.
    """

    def __init__(self, folder: Path, *, other_agents: int = 8) -> None:
        self.folder = folder
        state = folder / "state"
        self.key, _ = KeyFile(state / "keys.json").create(AGENT)
        agents = "".join(
            _OTHER.format(number=number, key=hash_key(secrets.token_hex())) for number in range(other_agents)
        )
        self.policy = folder / "policy.toml"
        self.policy.write_text(_POLICY.format(agents=agents), encoding="utf-8")
        self.environment = {
            "RINGMAIN_POLICY": str(self.policy),
            "RINGMAIN_STATE_DIR": str(state),
            "RINGMAIN_PORT": "0",
            "RINGMAIN_AUDIT": "file",
            "RINGMAIN_LOG_LEVEL": "error",
            "RINGMAIN_MAX_ANSWER_BYTES": "8000000",
        }


def environment_with(settings: Mapping[str, str]) -> dict[str, str]:
    """These settings, and our own environment without what somebody has set for a server of theirs.

    Python keeps what it has compiled, whatever is set: installed packages are compiled, and so are both here.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("RINGMAIN_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {**inherited, "PYTHONPATH": str(TESTS), **settings}
