"""A piece of SQL whose names are to be resolved, and how the catalogue writes such pieces down."""

from dataclasses import dataclass

from ringmain_postgres.sql.references import References
from ringmain_postgres.sql.refused import SqlRefused


@dataclass(frozen=True, slots=True)
class Unit:
    """Something whose names are to be resolved: the statement, or a body that it uses."""

    references: References
    path: tuple[str, ...]
    within: str = ""
    """What it is, for a refusal; empty for the statement itself."""


def within(what: str, refused: SqlRefused) -> SqlRefused:
    """Say through which object a refused thing was reached."""
    if not what or refused.reason.startswith("Through "):
        return refused
    return SqlRefused(refused.code, f"Through {what}: {refused.reason}", refused.hint)


def search_path(setting: str) -> tuple[str, ...]:
    """Read a function's own `search_path=…`."""
    schemas = setting.partition("=")[2].split(",")
    return tuple(name.strip().strip('"').replace('""', '"') for name in schemas if name.strip())


def is_printed(body: str) -> bool:
    """Whether a body is in standard syntax: resolved long ago, and printed for the session's search path."""
    return body.startswith(("BEGIN ATOMIC", "RETURN "))


def plain_body(body: str) -> str:
    """Turn a body in standard syntax, as the catalogue prints it, into statements."""
    if body.startswith("BEGIN ATOMIC"):
        return body.removeprefix("BEGIN ATOMIC").rstrip().removesuffix("END")
    if body.startswith("RETURN "):
        return f"SELECT {body.removeprefix('RETURN ')}"
    return body
