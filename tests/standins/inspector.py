"""The protocol's reference client (npm `@modelcontextprotocol/inspector`), from its command line."""

import json
import subprocess
from typing import Any

from standins.node import MODULES, node
from standins.serving import clean_environment

_FOLDER = MODULES / "@modelcontextprotocol" / "inspector"


def inspect(*arguments: str) -> Any:
    """Run the Inspector's command line and return its answer."""
    program = json.loads((_FOLDER / "package.json").read_text(encoding="utf-8"))["bin"]["mcp-inspector"]
    done = subprocess.run(
        [node(), _FOLDER / program, "--cli", *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)
