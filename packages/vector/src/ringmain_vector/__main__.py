"""`ringmain-vector`."""

from ringmain_core.cli import run
from ringmain_vector import connector


def main() -> int:
    """Run the command line."""
    return run(connector)


if __name__ == "__main__":
    raise SystemExit(main())
