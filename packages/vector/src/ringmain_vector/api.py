"""Vector search as the tools see it: fenced collections of whichever store, and one embedder."""

import logging
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from difflib import get_close_matches
from time import monotonic

from ringmain_core.arguments import Upstream
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, OutsideFence, ToolFailure, UpstreamRefused
from ringmain_core.services import Services
from ringmain_core.upstream.background import Background, background
from ringmain_vector.domain import Manifest, Where
from ringmain_vector.embedders.base import Embedder
from ringmain_vector.embedders.opening import embedder_of
from ringmain_vector.intake import Intake
from ringmain_vector.lexical import AVERAGE_LENGTH, K1, TOKENIZER, B
from ringmain_vector.settings import VectorSettings
from ringmain_vector.stores.base import Collection, Store
from ringmain_vector.stores.opening import store_of
from ringmain_vector.tenancy import tenant_of

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FIRST_WAIT, _LONGEST_WAIT = 2.0, 300.0  # seconds until a model that could not be loaded is tried again
_log = logging.getLogger(__name__)


class VectorSearch(Upstream):
    """The store and the embedder of the process.

    Attributes:
        intake: Takes in documents.
        load_failure: Why the model could not be loaded, the last time; empty where it could.
    """

    def __init__(
        self, settings: VectorSettings, services: Services, store: Store, embedder: Embedder, work: Background
    ) -> None:
        self.settings = settings
        self.cursors = services.cursors
        self.store = store
        self.embedder = embedder
        self.intake = Intake(embedder)
        self.load_failure = ""
        self._work = work
        self._loading = False
        self._wait = _FIRST_WAIT
        self._next_try = 0.0

    async def collection(self, call: Call, name: str | None) -> Collection:
        """A collection by name, if the caller may use it; without a name the usual one.

        Raises:
            OutsideFence: Where there is none of that name, or none for the caller: the two look alike.
            UpstreamRefused: Where it was made by another model, with the repair.
        """
        wanted = name or self.settings.collection
        admitted = call.fence("collection").admits(wanted)
        found = await self.store.open(wanted) if admitted and _NAME.fullmatch(wanted) else None
        if found is None:
            known = [one for one in await self.names(call) if one != wanted]  # listed, and yet not there
            close = get_close_matches(wanted, known, n=1)
            hint = f" Did you mean `{close[0]}`?" if close else ""
            there = ", ".join(f"`{one}`" for one in known) or "none"
            raise OutsideFence(
                f"There is no collection `{wanted[:64]}`, or it is not among those that you may use.{hint} "
                f"There is {there}."
            )
        self._require_match(found)
        return found

    async def collection_to_fill(self, call: Call, name: str | None) -> Collection:
        """The same, for writing: it is made where it is not there yet.

        Raises:
            InvalidArguments: Where it cannot have that name.
            OutsideFence, UpstreamRefused: As `collection` does, and where it is only searched.
        """
        wanted = self.require_fillable(call, name)
        return await self.made(wanted)

    def require_fillable(self, call: Call, name: str | None) -> str:
        """The name of a collection that the caller may fill; raises what `collection_to_fill` does of it."""
        wanted = name or self.settings.collection
        if not _NAME.fullmatch(wanted):
            raise InvalidArguments("A collection's name has letters, digits, `-` and `_`, at most 64.")
        if not call.fence("collection").admits(wanted):
            raise OutsideFence(f"The collection `{wanted}` is not among those that you may use.")
        return wanted

    async def made(self, name: str) -> Collection:
        """A collection that can be filled, made where it is not there yet."""
        found = await self.store.open(name)
        if found is None:
            await self.embedder.load()
            found = await self.store.create(name, self.manifest())
        if found.is_read_only:
            raise UpstreamRefused(f"The collection `{name}` was made by others: it is only searched.")
        self._require_match(found)
        return found

    async def names(self, call: Call) -> list[str]:
        """The collections that the caller may use."""
        fence = call.fence("collection")
        return [name for name in await self.store.names() if fence.admits(name)]

    def where(self, call: Call) -> Where:
        """What of a collection the caller sees."""
        return Where(tenant_of(call, self.settings))

    def manifest(self) -> Manifest:
        """Of collections that are made here."""
        return Manifest(self.embedder.name, self.embedder.dimension, TOKENIZER, K1, B, AVERAGE_LENGTH)

    def begin_loading(self) -> None:
        """Load the model beside the calls, once: nobody waits for it. What fails is tried ever less often."""
        if self.embedder.is_ready or self._loading or monotonic() < self._next_try:
            return
        self._loading = True
        self._work.start(self._load, "loading the embedding model")

    async def _load(self) -> None:
        try:
            await self.embedder.load()
        except ToolFailure as error:
            _log.warning("the embedding model cannot be had: %s", error.message)
            self.load_failure = error.message
            self._next_try = monotonic() + self._wait
            self._wait = min(2 * self._wait, _LONGEST_WAIT)
        else:
            self.load_failure = ""
            self._wait = _FIRST_WAIT
        finally:
            self._loading = False

    def _require_match(self, found: Collection) -> None:
        ours, theirs = self.manifest(), found.manifest
        is_alike = replace(theirs, fields={}, dimension=0) == replace(ours, fields={}, dimension=0)
        if is_alike or (found.is_read_only and theirs.model == ours.model):
            return  # what others made has no words of ours; dimensions are compared with each vector
        raise UpstreamRefused(
            f"The collection `{found.name}` was made with the model `{theirs.model}` and the tokenizer "
            f"`{theirs.tokenizer}`, and here is `{ours.model}` with `{ours.tokenizer}`: they would find "
            "nothing in it. Set RINGMAIN_VECTOR_EMBEDDER accordingly, or index it again under another name."
        )


@asynccontextmanager
async def connect(settings: VectorSettings, services: Services) -> AsyncGenerator[VectorSearch]:
    """The store and the embedder for a process; both are opened when first used.

    Raises:
        ConfigurationError: Where the settings name none, or one that there is not.
    """
    embedder = embedder_of(settings, services.guards)
    store = store_of(settings, services.guards)
    async with AsyncExitStack() as held:
        held.push_async_callback(embedder.close)
        held.push_async_callback(store.close)
        work = await held.enter_async_context(background())
        yield VectorSearch(settings, services, store, embedder, work)
