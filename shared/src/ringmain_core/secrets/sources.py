"""Follows references: each place is asked once for all that refer to it."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, cast

from ringmain_core.secrets.reference import Reference, Scheme, Unresolved

_MOST_CHARACTERS = 64 * 1024

Document = str | Mapping[str, Any]
"""What is kept at a place: one text, or several values by their keys."""


class OutOfReach(Unresolved):
    """Nothing can be had from a secrets manager now; asking it for the next secret would only take time."""


class Source(Protocol):
    """One secrets manager. It blocks, for some seconds at most."""

    def read(self, place: str) -> Document:
        """What is kept there; raises `Unresolved`."""
        ...

    def due(self) -> float | None:
        """Seconds until it should be asked again, so that its login goes on; `None` for never."""
        ...


class Sources:
    """Every place that a reference can lead to. It blocks: not for the event loop, once that runs."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._managers: dict[Scheme, Source] = {}
        self._busy = threading.Lock()

    def resolve(self, references: Iterable[Reference]) -> dict[Reference, str | Unresolved]:
        """What each reference leads to, or why to nothing."""
        places: dict[tuple[Scheme, str], Document | Unresolved] = {}
        out_of_reach: dict[Scheme, OutOfReach] = {}
        found: dict[Reference, str | Unresolved] = {}
        with self._busy:
            for reference in references:
                scheme, place = reference.scheme, reference.place
                try:
                    if (scheme, place) not in places:
                        places[scheme, place] = out_of_reach.get(scheme) or self._read(scheme, place)
                except Unresolved as error:
                    places[scheme, place] = error
                    if isinstance(error, OutOfReach):
                        out_of_reach[scheme] = error
                document = places[scheme, place]
                found[reference] = (
                    document if isinstance(document, Unresolved) else _picked(document, reference.key)
                )
        return found

    def due(self) -> float | None:
        """Seconds until the first of the logins wants to be used again."""
        dues = [due for manager in list(self._managers.values()) if (due := manager.due()) is not None]
        return min(dues, default=None)

    def _read(self, scheme: Scheme, place: str) -> Document:
        # Imported here: most servers use none of these, and nobody waits for what is not used.
        if scheme in ("env", "file"):
            from ringmain_core.secrets import local

            return local.from_environment(place) if scheme == "env" else local.from_file(place)
        if scheme not in self._managers:
            self._managers[scheme] = self._manager(scheme)
        return self._managers[scheme].read(place)

    def _manager(self, scheme: Scheme) -> Source:
        if scheme == "vault":
            from ringmain_core.secrets.settings import VaultSettings, read
            from ringmain_core.secrets.vault import Vault

            return Vault(read(VaultSettings), self._clock)
        from ringmain_core.secrets.aws import SecretsManager
        from ringmain_core.secrets.settings import AwsSettings, read

        return SecretsManager(read(AwsSettings))


def _picked(document: Document, key: str) -> str | Unresolved:
    if isinstance(document, str) and key:
        try:
            data: object = json.loads(document)
        except ValueError:
            data = None
        if not isinstance(data, dict):
            return Unresolved(f"what is there is not a JSON object; leave `#{key}` out to have all of it")
        document = cast("dict[str, Any]", data)
    if isinstance(document, str):
        value: object = document
    elif key in document:
        value = document[key]
    else:
        return Unresolved(f"what is there has no {key!r}")
    if not isinstance(value, str):
        return Unresolved("what is there is not a text")
    if not value:
        return Unresolved("what is there is empty")
    return value if len(value) <= _MOST_CHARACTERS else Unresolved("what is there is larger than 64 KiB")
