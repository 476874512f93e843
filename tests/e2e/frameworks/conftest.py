import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from standins.serving import serving


@pytest.fixture(params=["stdio", "http"])
def transport(
    request: pytest.FixtureRequest, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Which way an example is to go; the environment has what it looks for there."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if request.param == "stdio":
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield request.param
    else:
        with serving("ringmain-postgres", settings) as served:
            monkeypatch.setenv("MCP_URL", served.url)
            monkeypatch.setenv("MCP_KEY", served.key)
            yield request.param
