"""What the driver's errors mean, in our own words."""

import logging

from ringmain_core.errors import DeadlineExceeded, ToolFailure, UpstreamRefused, UpstreamUnavailable
from ringmain_core.text import untrusted
from ringmain_core.upstream.trouble import Trouble

RETRY_MS = 2_000

_log = logging.getLogger(__name__)
_SAID = 500  # characters
_DOCTOR = "Tell the operator to run `ringmain-postgres doctor`"


def trouble(database: str, error: Exception) -> Trouble | None:
    """What it means where there is no connection to be had, and the server has said why."""
    code = sqlstate(error)
    if code.startswith("28"):
        return Trouble("auth", message=f"The database {database!r} refuses the configured login. {_DOCTOR}.")
    if code == "3D000":
        return Trouble(
            "refused", message=f"The database {database!r} does not exist on its server. {_DOCTOR}."
        )
    if is_lent_by_transaction(error):
        return Trouble("refused", message=_pooled(database).message)
    return None


def unavailable(database: str, error: BaseException) -> UpstreamUnavailable:
    """A database that cannot be reached, or went away."""
    _log.warning("database %s: %s", database, type(error).__name__)
    return UpstreamUnavailable(
        f"The database {database!r} cannot be reached now. Try again in a few seconds.",
        retry_after_ms=RETRY_MS,
    )


def in_our_words(database: str, error: Exception, seconds: float) -> ToolFailure:
    """What the server answered to a statement that had so many seconds."""
    code = sqlstate(error)
    match code[:2], code:
        case _, "57014":
            return DeadlineExceeded(
                f"The statement was stopped after {seconds:.3g} s. Narrow it with WHERE or LIMIT, "
                "aggregate, or look at `explain` first."
            )
        case _, "55P03":
            return UpstreamRefused(
                "A table is locked by somebody else's work. Try again later.", sqlstate=code
            )
        case _, "42501":
            said = _said(database, error)
            return UpstreamRefused(f"The database's role may not do that:\n{said}", sqlstate=code)
        case _, _ if is_lent_by_transaction(error):
            return _pooled(database)
        case (("08" | "57" | "53"), _):
            return unavailable(database, error)
        case _:
            return UpstreamRefused(f"Postgres says:\n{_said(database, error)}", sqlstate=code)


def is_lent_by_transaction(error: BaseException | None) -> bool:
    """Whether an error says that sessions are not ours: settings at the start, or prepared statements."""
    code = "" if error is None else sqlstate(error)
    return code in ("26000", "42P05") or (code == "08P01" and "startup parameter" in str(error))


def sqlstate(error: BaseException) -> str:
    """Postgres' code of an error; empty where it has none."""
    return getattr(error, "sqlstate", None) or ""


def _pooled(database: str) -> UpstreamRefused:
    return UpstreamRefused(
        f"The database {database!r} is reached through a pooler that lends sessions by the transaction. "
        "Tell the operator to set RINGMAIN_POSTGRES_PREPARED_STATEMENTS=false."
    )


def _said(database: str, error: Exception) -> str:
    """Postgres' own words: they can hold any row, at any length."""
    words = [str(error.args[0]) if error.args else type(error).__name__]
    if hint := getattr(error, "hint", None):
        words.append(f"Hint: {hint}")
    cut = (text if len(text) <= _SAID else f"{text[:_SAID]}… ({len(text):,} characters)" for text in words)
    return untrusted("\n".join(cut), f"{database} error")
