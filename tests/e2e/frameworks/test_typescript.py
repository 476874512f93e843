import os
import shutil
import subprocess
from pathlib import Path

import pytest

from standins.node import MODULES, node

EXAMPLE = Path(__file__).with_name("example_typescript.ts")


@pytest.mark.usefixtures("transport")
def test_the_typescript_sdk_asks_the_database(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    done = subprocess.run(
        [node(), EXAMPLE.name],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "| Ada | 1815-12-10 |" in done.stdout
