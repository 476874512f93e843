"""Another process on a folder of the embedded store; it says what it has done. See `test_edge.py`."""

import sys
from itertools import count
from pathlib import Path

import anyio

from integration.vector.samples import MANIFEST, document
from ringmain_vector.domain import Document, Passage
from ringmain_vector.stores.edge import EdgeStore
from ringmain_vector.stores.edge_lease import Times

DOCUMENTS = 3


async def revision(number: int, of: int) -> tuple[Document, list[Passage]]:
    """A document as it is after so many changes; each gives it another number of passages."""
    parts = 1 + (number * 7 + of) % 12
    return await document(of, [f"revision {number} part {part} word{number}" for part in range(parts)])


async def write(folder: Path) -> None:
    """Change documents until killed."""
    collection = await EdgeStore(folder).create("docs", MANIFEST)
    for number in count(1):
        for one in range(DOCUMENTS):
            await collection.replace(*await revision(number, one))
            sys.stdout.write(f"{one} {number}\n")
            sys.stdout.flush()


async def add(folder: Path, first: int, documents: int) -> None:
    """Write so many documents, one after the other."""
    collection = await EdgeStore(folder).create("docs", MANIFEST)
    for number in range(first, first + documents):
        await collection.replace(*await document(number, ["cold cache", "warm cache"]))
    sys.stdout.write("done\n")
    sys.stdout.flush()


async def hold(folder: Path) -> None:
    """Keep the collection until killed."""
    collection = await EdgeStore(folder, Times(idle=600, hold=600)).create("docs", MANIFEST)
    await collection.tenants()
    sys.stdout.write("held\n")
    sys.stdout.flush()
    await anyio.sleep_forever()


async def main(arguments: list[str]) -> None:
    what, folder, *numbers = arguments
    match what:
        case "write":
            await write(Path(folder))
        case "add":
            await add(Path(folder), int(numbers[0]), int(numbers[1]))
        case _:
            await hold(Path(folder))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1:])
