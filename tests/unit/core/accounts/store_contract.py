"""What every store has to do, whichever it is."""

import asyncio
from collections.abc import Callable

from ringmain_core.identity.accounts.stores import AccountStore


async def check_accounts(store: AccountStore) -> None:
    """Owners and providers are kept apart, whatever they are called."""
    assert await store.get("ann", "desk") is None
    await store.put("ann", "desk", b"1")
    await store.put("ann", "mail", b"2")
    await store.put("bob", "desk", b"\0\xff")
    await store.put("ann'; --\n", "desk", b"4")
    await store.put("ann", "desk", b"5")
    assert await store.get("ann", "desk") == b"5"
    assert await store.get("bob", "desk") == b"\0\xff"
    assert await store.owned("ann") == {"desk": b"5", "mail": b"2"}
    assert await store.owned("ann'; --\n") == {"desk": b"4"}
    assert await store.owned("an") == {}
    assert await store.delete("ann", "desk") is True
    assert await store.delete("ann", "desk") is False
    assert await store.get("bob", "desk") == b"\0\xff"
    assert await store.owned("ann") == {"mail": b"2"}


async def check_replace(store: AccountStore) -> None:
    """Of many that replace the same value, one does."""
    assert await store.replace("ann", "desk", b"", b"1") is False
    assert await store.get("ann", "desk") is None
    await store.put("ann", "desk", b"0")
    await store.put("bob", "desk", b"0")
    done = await asyncio.gather(
        *(store.replace("ann", "desk", b"0", str(number).encode()) for number in range(1, 9))
    )
    assert sorted(done) == [False] * 7 + [True]
    assert await store.get("ann", "desk") == str(done.index(True) + 1).encode()
    assert await store.get("bob", "desk") == b"0"


async def check_claims(store: AccountStore, another: Callable[[], AccountStore]) -> None:
    """A name is one holder's until it is given back or its time is over, for every process."""
    other = another()
    try:
        taken = await asyncio.gather(
            *(each.claim("door", f"holder {number}", 60) for number in range(4) for each in (store, other))
        )
        assert sum(taken) == 1
        holder = f"holder {taken.index(True) // 2}"
        await other.release("door", "somebody else")
        assert await other.claim("door", "somebody else", 60) is False
        assert await other.claim("window", "somebody else", 60) is True
        await other.release("door", holder)
        assert await store.claim("door", "next", 0.001) is True
        async with asyncio.timeout(20):
            while not await other.claim("door", "after", 60):  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(0.001)
    finally:
        await other.close()
