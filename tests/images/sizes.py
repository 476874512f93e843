"""What an image may add to the one that it stands on, in megabytes; a new connector as much as most."""

from collections.abc import Iterator, Mapping

BUDGETS: Mapping[str, int] = {"gdrive": 170, "vector": 375}
USUAL = 125

_measured: dict[str, float] = {}


def budget_of(connector: str) -> int:
    return BUDGETS.get(connector, USUAL)


def note(connector: str, megabytes: float) -> None:
    """Keep a size for the report at the end."""
    _measured[connector] = megabytes


def report() -> Iterator[str]:
    """The sizes that were measured, for people."""
    for connector, megabytes in _measured.items():
        yield f"ringmain-{connector}: {megabytes:.0f} MB on top of its base, of {budget_of(connector)} MB"
