"""What `ringmain-vector` does beside serving: `index` takes in a folder, `migrate` moves a collection."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from ringmain_core.connector import Command
from ringmain_core.errors import ConfigurationError
from ringmain_core.upstream.guards import Guards
from ringmain_vector.api import VectorSearch
from ringmain_vector.tenancy import tenant_to_fill

_FAILED = 1
_WIDTH = 30
Say = Callable[[str], None]


def _index_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("path", type=Path, help="a folder")
    parser.add_argument("--collection", help="which to fill (RINGMAIN_VECTOR_COLLECTION)")
    parser.add_argument("--base-url", default="", help="where the files are on the web, for citations")
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="PATTERN",
        help="leave out what is like this, as in a .gitignore; may be given several times",
    )
    parser.add_argument(
        "--tenant", help="whose they are, where there are tenants: a claim's value, or an agent's id"
    )
    parser.add_argument(
        "--replace", action="store_true", help="also documents of the same names that came from elsewhere"
    )


async def _index(vector: VectorSearch, options: Namespace, say: Say) -> int:
    from ringmain_vector.folders import Folder  # a server that starts has no need of it

    if vector.store.kind == "memory":
        raise ConfigurationError("RINGMAIN_VECTOR_STORE: what `memory:` holds ends with this command.")
    tenant = tenant_to_fill(options.tenant, vector.settings)
    folder = Folder(
        options.path, base_url=options.base_url, exclude=options.exclude, takes_over=options.replace
    )
    collection = await vector.made(options.collection or vector.settings.collection)
    bar = _Bar()
    found = await folder.index(collection, vector.intake, tenant=tenant, progress=bar.show)
    bar.end()
    await collection.optimize()
    counted = [f"{count:,} {what}" for what, count in found.outcomes.items()]
    counted += [f"{count:,} left out ({why})" for why, count in found.skipped.items()]
    say(f"{collection.name}: {', '.join(counted) or 'nothing to take in'}.")
    for note in found.notes:
        say(f"  {note}")
    for name, why in found.failed.items():
        say(f"  not taken in: {name}: {why}")
    return _FAILED if found.failed else 0


def _migrate_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "source", help="the store that has it: edge:///folder, postgresql://…, qdrant+https://…"
    )
    parser.add_argument("target", help="the store that it goes to")
    parser.add_argument("--collection", help="which (RINGMAIN_VECTOR_COLLECTION)")


async def _migrate(vector: VectorSearch, options: Namespace, say: Say) -> int:
    from ringmain_vector.migrating import migrate
    from ringmain_vector.stores.opening import store_named

    settings = vector.settings
    name = options.collection or settings.collection
    source = store_named(options.source, settings, Guards())
    target = store_named(options.target, settings, Guards())
    bar = _Bar()

    async def progress(done: int, total: int) -> None:
        bar.show(done, total, name)

    try:
        moved = await migrate(source, target, name, progress=progress)
        bar.end()
        copy = await target.open(name)
        if copy is not None:
            await copy.optimize()
    finally:
        await source.close()
        await target.close()
    say(
        f"{name}: {moved.copied:,} documents copied, {moved.skipped:,} were there, {moved.passages:,} "
        f"passages; {moved.searches} searches gave the same in both stores."
    )
    return 0


class _Bar:
    """A bar on stderr, where somebody looks at it."""

    def __init__(self) -> None:
        self._is_seen = sys.stderr.isatty()

    def show(self, done: int, total: int, name: str) -> None:
        """How far it is, and with what."""
        if self._is_seen:
            filled = _WIDTH * done // max(total, 1)
            bar = "█" * filled + "·" * (_WIDTH - filled)
            sys.stderr.write(f"\r{bar} {done:,} of {total:,} {name[-40:]:<40}")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._is_seen:
            sys.stderr.write("\n")


COMMANDS: tuple[Command[VectorSearch], ...] = (
    Command("index", "take in a folder, or what has changed in it", _index_arguments, _index),
    Command(
        "migrate", "move a collection to another store, without embedding again", _migrate_arguments, _migrate
    ),
)
