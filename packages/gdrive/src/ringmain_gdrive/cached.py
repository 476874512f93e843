"""What was extracted from files, kept in memory as long as the files stay as they are."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from ringmain_core.upstream.single_flight import SingleFlight
from ringmain_gdrive.extraction.extracted import VERSION, Extract
from ringmain_gdrive.extraction.formats import Format
from ringmain_gdrive.extraction.worker import Workers

Fetch = Callable[[], Awaitable[bytes]]


class Extracts:
    """Keeps what is in files by id and revision, up to a number of bytes.

    It knows nobody: whoever asks has just been given the file's description by Drive, with leave to download
    it. What two people do at once is done twice, since it may fail for one of them.

    Args:
        most_bytes: Of all that is kept; what takes more than half of it is not.
    """

    def __init__(self, most_bytes: int) -> None:
        self.workers = Workers()
        self._most = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, Extract] = OrderedDict()
        self._flights = SingleFlight[Extract](lambda _: True)

    async def get(self, file: str, revision: str, form: Format, name: str, who: str, fetch: Fetch) -> Extract:
        """What is in a file, from what is kept, or else fetched and read.

        Args:
            file: Its id.
            revision: Changes whenever its content does.
            form: The format that it comes in.
            name: For people.
            who: Names whose rights it is fetched with.
            fetch: Gets its bytes.

        Raises:
            UpstreamRefused: Where it cannot be read, beside what `fetch` raises.
        """
        key = f"{file} {revision} {form} {VERSION}"
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]

        async def read() -> Extract:
            return await self.workers.extract(await fetch(), form, name)

        found, joined = await self._flights.run(f"{who} {key}", read)
        if not joined:
            self._keep(key, found)
        return found

    async def close(self) -> None:
        """End the processes that read."""
        await self.workers.close()

    def _keep(self, key: str, extract: Extract) -> None:
        if key in self._kept or extract.size > self._most // 2:
            return
        self._kept[key] = extract
        self._bytes += extract.size
        while self._bytes > self._most:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.size
