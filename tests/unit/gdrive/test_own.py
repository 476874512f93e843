"""Who belongs to one's own, and who is let in from outside."""

import pytest

from ringmain_gdrive.exposure import Permission
from ringmain_gdrive.own import Own
from ringmain_gdrive.readers import audience_of

OWN = Own("ada@acme.example", "acme.example")
PRIVATE = Own("ann@gmail.com", "")


@pytest.mark.parametrize(
    ("own", "told", "outside"),
    [
        (OWN, {"type": "user", "emailAddress": "Bo@Acme.Example"}, False),
        (OWN, {"type": "user", "emailAddress": "zoe@other.example"}, True),
        (OWN, {"type": "user", "emailAddress": "eve@acme.example.evil.example"}, True),
        (OWN, {"type": "user"}, True),
        (OWN, {"type": "domain", "domain": "acme.example"}, False),
        (OWN, {"type": "domain", "domain": "other.example"}, True),
        (OWN, {"type": "anyone"}, True),
        (PRIVATE, {"type": "user", "emailAddress": "ann@gmail.com"}, False),
        (PRIVATE, {"type": "user", "emailAddress": "bob@gmail.com"}, True),
        (PRIVATE, {"type": "group"}, True),
    ],
)
def test_who_is_outside(own: Own, told: dict[str, str], *, outside: bool) -> None:
    assert Permission(told).reaches_beyond(own) is outside


def test_the_widest_permission_counts_and_deleted_accounts_do_not() -> None:
    me = Permission({"type": "user", "emailAddress": "ada@acme.example"})
    bo = Permission({"type": "user", "emailAddress": "bo@acme.example"})
    gone = Permission({"type": "user", "deleted": True})
    all_of_us = Permission({"type": "domain", "domain": "acme.example"})
    zoe = Permission({"type": "user", "emailAddress": "zoe@other.example"})
    assert audience_of([me, gone], OWN) == "self"
    assert audience_of([me, bo], OWN) == "group"
    assert audience_of([me, bo, all_of_us], OWN) == "organisation"
    assert audience_of([me, bo, all_of_us, zoe], OWN) == "public"
