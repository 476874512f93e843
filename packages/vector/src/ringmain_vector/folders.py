"""Keeps a collection as a folder is: what is new or changed is taken in, what is gone goes."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from ringmain_core.errors import ConfigurationError, InvalidArguments
from ringmain_vector.domain import NOBODY, Condition, Where
from ringmain_vector.files import Reading, Unreadable, is_binary, most_bytes, read
from ringmain_vector.intake import Intake
from ringmain_vector.stores.base import Collection
from ringmain_vector.walking import Found, walk

SOURCE = "source"
"""The field of metadata that says which folder a document came from."""

_PAGE = 1_000

Progress = Callable[[int, int, str], None]
"""Told before each file: how many are done, how many there are, the next one's name."""


@dataclass(slots=True)
class Indexed:
    """What became of a folder's files.

    Attributes:
        outcomes: How many were `added`, `replaced`, `unchanged`, `removed`.
        skipped: How many were left out, by reason.
        failed: Those that could not be taken in, with why; what was there of them before is still there.
        notes: What else an operator should know.
    """

    outcomes: Counter[str] = field(default_factory=Counter[str])
    skipped: Counter[str] = field(default_factory=Counter[str])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    notes: list[str] = field(default_factory=list[str])


class Folder:
    """A folder whose files are documents; each has its path from here as its id.

    Args:
        root: Where it is.
        base_url: Where people read the files, like `https://wiki.example/docs`; else URIs are `file:`.
        exclude: Patterns of what is not read, as in a `.gitignore`.
        takes_over: Whether documents of these names that came from elsewhere are replaced.

    Raises:
        ConfigurationError: Where it is no folder.
    """

    def __init__(
        self, root: Path, *, base_url: str = "", exclude: Sequence[str] = (), takes_over: bool = False
    ) -> None:
        self._root = root.expanduser().resolve()
        if not self._root.is_dir():
            raise ConfigurationError(f"There is no folder `{root}`.")
        self._base = (base_url or self._root.as_uri()).rstrip("/")
        self._exclude = exclude
        self._takes_over = takes_over

    async def index(
        self,
        collection: Collection,
        intake: Intake,
        *,
        tenant: str = NOBODY,
        progress: Progress | None = None,
    ) -> Indexed:
        """Bring a collection to what the folder is now. One bad file does not end it.

        Raises:
            UpstreamUnavailable, UpstreamRefused: Of the embedder and the store; the next run goes on.
        """
        walked = await asyncio.to_thread(walk, self._root, self._exclude)
        done = Indexed(skipped=walked.skipped)
        before = await self._taken_in(collection, tenant)
        gone = set(before)
        for number, file in enumerate(walked.files):
            if progress is not None:
                progress(number, len(walked.files), file.name)
            try:
                is_there = await self._take_in(file, collection, intake, tenant, before, done)
            except (Unreadable, InvalidArguments) as error:
                done.failed[file.name] = str(error)
                is_there = True
            if is_there:
                gone.discard(file.name)
        if progress is not None and walked.files:
            progress(len(walked.files), len(walked.files), "")
        for folder in walked.unread:
            done.failed[folder or "."] = "it cannot be looked into"
            gone = {name for name in gone if not name.startswith(folder)}
        await self._remove(collection, tenant, sorted(gone), done, any_found=bool(walked.files))
        return done

    async def _take_in(
        self,
        file: Found,
        collection: Collection,
        intake: Intake,
        tenant: str,
        before: set[str],
        done: Indexed,
    ) -> bool:
        """Take in a file, or say why not; whether it should stay in the collection.

        Raises:
            Unreadable, InvalidArguments: Where it cannot be.
        """
        reading = await asyncio.to_thread(_read, file, done.skipped)
        if reading is None:
            return False
        if file.name not in before and not self._takes_over:
            await self._require_free(file.name, reading, collection, intake, tenant)
        uri = f"{self._base}/{quote(file.name, errors='replace')}"
        outcome = await intake.take_in(
            collection,
            tenant,
            file.name,
            reading.text,
            reading.title,
            uri,
            {SOURCE: self._base},
            kind=reading.kind,
        )
        done.outcomes[outcome] += 1
        return True

    async def _require_free(
        self, name: str, reading: Reading, collection: Collection, intake: Intake, tenant: str
    ) -> None:
        """Refuse to write over what came from elsewhere under the same name.

        The same text is the same file: the folder was moved, or has another URL now.

        Raises:
            InvalidArguments: With where it came from.
        """
        found = await collection.fetch(tenant, [(name, 0)])
        if not found:
            return
        document = found[0].document
        owner = document.metadata.get(SOURCE, "a tool")
        if owner == self._base or await intake.is_of(document, reading.text, reading.title, reading.kind):
            return
        raise InvalidArguments(
            f"a document of this name came from {owner}: use another collection, delete that one, or "
            "replace it by --replace"
        )

    async def _taken_in(self, collection: Collection, tenant: str) -> set[str]:
        """The ids of the documents that came from here before."""
        found = set[str]()
        if SOURCE not in collection.manifest.fields:
            return found
        where = Where(tenant, [Condition(SOURCE, (self._base,))])
        after = ""
        while page := await collection.documents(where, after, _PAGE):
            found |= {one.id for one in page}
            after = page[-1].id
        return found

    async def _remove(
        self, collection: Collection, tenant: str, gone: Sequence[str], done: Indexed, *, any_found: bool
    ) -> None:
        """Remove what is gone; but an empty folder is more often one that is not mounted."""
        if gone and not any_found:
            done.notes.append(
                f"The folder has no file to read, and {len(gone)} documents came from it before: they "
                "stay. If it is meant to be empty, delete them with `delete_documents`."
            )
        elif gone:
            for begin in range(0, len(gone), _PAGE):
                done.outcomes["removed"] += await collection.delete(tenant, gone[begin : begin + _PAGE])


def _read(file: Found, skipped: Counter[str]) -> Reading | None:
    """What a file says; `None` if there is nothing to be read in it."""
    most = most_bytes(file.format)
    try:
        with file.path.open("rb") as opened:
            data = opened.read(most + 1)
    except OSError as error:
        raise Unreadable(f"it cannot be read ({error.strerror})") from error
    if len(data) > most:
        skipped["too large"] += 1
        return None
    if file.format not in ("pdf", "docx") and is_binary(data):
        skipped["binary"] += 1
        return None
    reading = read(file.path.name, file.format, data)
    if not reading.text.strip():
        skipped["empty"] += 1
        return None
    return reading
