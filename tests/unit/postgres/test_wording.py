"""Errors of the driver are told in our own words, and Postgres' own are cut and fenced."""

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import pytest

from ringmain_postgres.wording import in_our_words, trouble
from standins.asking import fenced

POOLED = (
    "The database 'shop' is reached through a pooler that lends sessions by the transaction. Tell the "
    "operator to set RINGMAIN_POSTGRES_PREPARED_STATEMENTS=false."
)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ProtocolViolationError("unsupported startup parameter: row_security"),
        asyncpg.InvalidSQLStatementNameError('prepared statement "ringmain_holds" does not exist'),
        asyncpg.DuplicatePreparedStatementError('prepared statement "ringmain_holds" already exists'),
    ],
    ids=["settings", "forgotten", "of another"],
)
def test_a_pooler_that_lends_sessions_by_the_transaction_is_named_with_its_remedy(error: Exception) -> None:
    found = trouble("shop", error)
    assert found is not None
    assert (found.kind, found.message) == ("refused", POOLED)
    assert in_our_words("shop", error, 1).message == POOLED


def test_other_violations_of_the_protocol_are_no_pooler() -> None:
    assert trouble("shop", asyncpg.ProtocolViolationError("query_wait_timeout")) is None


def test_words_of_postgres_are_cut_cleaned_and_fenced() -> None:
    error = asyncpg.InvalidTextRepresentationError("bad \u200b" + "x" * 300_000)
    vars(error)["hint"] = "y" * 600
    said = fenced(in_our_words("shop", error, 1).message)
    assert said == f"bad {'x' * 495}… (300,005 characters)\nHint: {'y' * 494}… (606 characters)"
