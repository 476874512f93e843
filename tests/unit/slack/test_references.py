"""Names, ids and links, as people copy them."""

import pytest

from ringmain_core.errors import InvalidArguments
from ringmain_slack.references import Reference, moment, parse_reference, parse_ts, when


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#general", Reference(name="general")),
        (" General ", Reference(name="general")),
        ("labs/#general", Reference("labs", name="general")),
        ("C0123ABCDEF", Reference(id="C0123ABCDEF")),
        ("labs/C0123ABCDEF", Reference("labs", id="C0123ABCDEF")),
        ("<#C0123ABCDEF|general>", Reference(id="C0123ABCDEF")),
        ("@ada", Reference(person="ada")),
        ("@ada@example.com", Reference(person="ada@example.com")),
        ("<@U0123ABCDEF>", Reference(person="U0123ABCDEF")),
        ("https://acme.slack.com/archives/C0123ABCDEF", Reference("acme", id="C0123ABCDEF")),
        (
            "https://acme.slack.com/archives/C0123ABCDEF/p1700000000000100?thread_ts=1699999999.000200&cid=C1",
            Reference("acme", id="C0123ABCDEF", ts="1700000000.000100", thread_ts="1699999999.000200"),
        ),
    ],
)
def test_conversations_are_read(text: str, found: Reference) -> None:
    assert parse_reference(text) == found


@pytest.mark.parametrize(
    "text", ["", "#", "a b", "../general", "a/b/c", "https://acme.slack.com/x", "<!here>"]
)
def test_what_names_no_conversation_is_refused(text: str) -> None:
    with pytest.raises(InvalidArguments, match="Name a conversation as"):
        parse_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "1700000000.000100",
        "p1700000000000100",
        "https://acme.slack.com/archives/C0123ABCDEF/p1700000000000100",
    ],
)
def test_messages_are_named_by_their_moment(text: str) -> None:
    assert parse_ts(text) == "1700000000.000100"


@pytest.mark.parametrize("text", ["", "yesterday", "17.1", "https://acme.slack.com/archives/C0123ABCDEF"])
def test_what_names_no_message_is_refused(text: str) -> None:
    with pytest.raises(InvalidArguments):
        parse_ts(text)


def test_times_are_utc_unless_told() -> None:
    assert moment("2023-11-14T22:13:20") == "1700000000.000000"
    assert moment("2023-11-14T23:13:20+01:00") == "1700000000.000000"
    assert moment("1700000000.000100") == "1700000000.000100"
    assert when("1700000000.000100") == "2023-11-14 22:13"
    with pytest.raises(InvalidArguments, match="is no time"):
        moment("last week")


def test_an_address_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(InvalidArguments):
        parse_reference("https://[x/archives/C0000000001")
