"""ONNX Runtime, which keeps to itself."""

from importlib import import_module
from typing import Any

from ringmain_vector.settings import silence_onnx_runtime


def onnx_runtime() -> Any:
    """The library, loaded when first asked for.

    Newer ones leave an id of the machine in `~/.cache` as soon as they are loaded, and carry what reports to
    their maker. Only what stands in the environment by then keeps them from it.

    Raises:
        ImportError: Where it does not load on this machine.
    """
    silence_onnx_runtime()
    library: Any = import_module("onnxruntime")
    library.disable_telemetry_events()
    return library
