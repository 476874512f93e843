"""`ringmain-slack`."""

from ringmain_core.cli import run
from ringmain_slack import connector


def main() -> int:
    """Run the command line."""
    return run(connector)


if __name__ == "__main__":
    raise SystemExit(main())
