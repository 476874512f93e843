"""A Qdrant server that is none: `FakeQdrant`, to be served by `serve.py`.

It keeps collections and answers the requests that `routes.py` names, as Qdrant's description says, which
every request and answer is held against: `fake.violations` says what did not fit. It computes exactly, so a
search that asks for an index and one that does not find the same. Strict mode is on, as in Qdrant Cloud. What
it cannot show: how a real server counts deleted points until its optimizer comes, and what several shards do.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from standins.qdrant.faults import Fault

Json = Mapping[str, Any]
Id = str | int


class Refused(Exception):
    """An answer that is an error, in Qdrant's words."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status
        self.said = said


@dataclass
class Kept:
    """A point."""

    id: Id
    payload: dict[str, Any]
    dense: dict[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])
    sparse: dict[str, dict[int, float]] = field(default_factory=dict[str, dict[int, float]])
    version: int = 0


@dataclass
class Collection:
    """A collection.

    Attributes:
        created: The body of the request that made it.
        indexes: Payload indexes by key, each with its type.
    """

    created: dict[str, Any]
    points: dict[Id, Kept] = field(default_factory=dict[Id, Kept])
    indexes: dict[str, str] = field(default_factory=dict[str, str])
    operations: int = 0

    @property
    def vectors(self) -> dict[str, Any]:
        """Parameters of its dense vectors, by name."""
        given: dict[str, Any] = self.created.get("vectors") or {}
        return {"": given} if "size" in given else given

    @property
    def sparse(self) -> dict[str, Any]:
        return self.created.get("sparse_vectors") or {}

    def strict(self, setting: str) -> bool:
        """Whether strict mode does not let that through."""
        config: dict[str, Any] = self.created.get("strict_mode_config") or {}
        return bool(config.get("enabled")) and config.get(setting) is False


@dataclass(frozen=True)
class Recorded:
    """A request that came.

    Attributes:
        name: Method and path.
        status: Of the answer; 0 where none was sent.
    """

    name: str
    query: Mapping[str, str]
    body: Any
    status: int


@dataclass
class FakeQdrant:
    """The server.

    Attributes:
        api_key: What it asks for; empty where it lets everybody in.
        reading_key: Another one, which may only read.
        strict: Whether new collections refuse filters without an index.
        notes: Whether it knows metadata of collections, as servers do from 1.16 on.
    """

    api_key: str = ""
    reading_key: str = ""
    strict: bool = True
    notes: bool = True
    url: str = ""
    collections: dict[str, Collection] = field(default_factory=dict[str, Collection])
    faults: list[Fault] = field(default_factory=list[Fault])
    requests: list[Recorded] = field(default_factory=list[Recorded])
    violations: list[str] = field(default_factory=list[str])

    def fault(self, request: str, kind: str, times: int | None = 1, **more: Any) -> None:
        """Let requests fail; see `faults.py`."""
        self.faults.append(Fault(request, kind, times, **more))

    def asked(self, name: str) -> list[Recorded]:
        """The requests whose method and path end like this."""
        return [one for one in self.requests if one.name.endswith(name)]

    def collection(self, name: str) -> Collection:
        if name not in self.collections:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
        return self.collections[name]

    def create(self, name: str, body: Json) -> None:
        if name in self.collections:
            raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
        created = json.loads(json.dumps(body))
        if not self.notes:
            created.pop("metadata", None)
        if self.strict:
            created.setdefault(
                "strict_mode_config",
                {"enabled": True, "unindexed_filtering_retrieve": False, "unindexed_filtering_update": False},
            )
        self.collections[name] = Collection(created)

    def update(self, name: str, body: Json) -> None:
        created = self.collection(name).created
        metadata = body.get("metadata")
        if metadata is not None and self.notes:
            before: dict[str, Any] = created.get("metadata") or {}
            merged: dict[str, Any] = {**before, **metadata}
            created["metadata"] = {key: value for key, value in merged.items() if value is not None}
        if body.get("strict_mode_config") is not None:
            created["strict_mode_config"] = body["strict_mode_config"]


def id_of(given: Any) -> Id:
    """An id as it is kept.

    Raises:
        Refused: Where it is neither a UUID nor a number.
    """
    if isinstance(given, int):
        return given
    try:
        return str(uuid.UUID(given))
    except ValueError:
        said = f"value {given} is not a valid point ID, valid values are either an unsigned integer or a UUID"
        raise Refused(400, f"Format error in JSON body: {said}") from None


def order(one: Id) -> tuple[bool, int, str]:
    """Numbers come before UUIDs."""
    return (True, 0, one) if isinstance(one, str) else (False, one, "")
