"""ONNX Runtime, which keeps to itself."""

import os
from importlib import import_module
from typing import Any


def onnx_runtime() -> Any:
    """The library, loaded when first asked for.

    Newer ones leave an id of the machine in `~/.cache` as soon as they are loaded, and carry what reports to
    their maker. Only what stands in the environment by then keeps them from it.

    Raises:
        ImportError: Where it does not load on this machine.
    """
    be_silent()
    library: Any = import_module("onnxruntime")
    library.disable_telemetry_events()
    return library


def be_silent() -> None:
    """For whoever has another library load it."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
