import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("quick", max_examples=60, deadline=None)
settings.load_profile("quick")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the settings of whoever runs it, nor writes to their state folder."""
    for name in os.environ:
        if name.startswith("RINGMAIN_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RINGMAIN_STATE_DIR", str(tmp_path / "state"))
