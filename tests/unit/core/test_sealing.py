import pytest

from ringmain_core.sealing import KeyRing, NotSealedHere

OLD, NEW = b"o" * 32, b"n" * 32


def test_what_was_sealed_opens_for_the_same_purpose_and_owner() -> None:
    sealed = KeyRing([OLD]).seal("accounts", "jwt:corp/ann github", b"token")
    assert b"token" not in sealed
    assert KeyRing([OLD]).open("accounts", "jwt:corp/ann github", sealed) == b"token"


def test_two_sealings_of_one_value_differ() -> None:
    ring = KeyRing([OLD])
    assert ring.seal("a", "b", b"c") != ring.seal("a", "b", b"c")


def test_after_rotation_old_values_open_and_new_ones_do_not_need_the_old_key() -> None:
    rotated = KeyRing([NEW, OLD])
    assert rotated.open("a", "b", KeyRing([OLD]).seal("a", "b", b"old")) == b"old"
    assert KeyRing([NEW]).open("a", "b", rotated.seal("a", "b", b"new")) == b"new"


@pytest.mark.parametrize(
    ("purpose", "owner"), [("cache", "ann"), ("accounts", "bob"), ("accounts", "ann ")], ids=str
)
def test_nobody_else_opens_it(purpose: str, owner: str) -> None:
    sealed = KeyRing([OLD]).seal("accounts", "ann", b"token")
    with pytest.raises(NotSealedHere):
        KeyRing([OLD]).open(purpose, owner, sealed)


def test_a_change_of_any_bit_is_noticed() -> None:
    ring = KeyRing([OLD])
    sealed = ring.seal("a", "b", b"token")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(NotSealedHere):
            ring.open("a", "b", changed)
    for size in range(len(sealed)):
        with pytest.raises(NotSealedHere):
            ring.open("a", "b", sealed[:size])


@pytest.mark.parametrize("keys", [[], [b"short"], [OLD, b"short"]], ids=["none", "short", "one short"])
def test_weak_rings_are_refused(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        KeyRing(keys)
