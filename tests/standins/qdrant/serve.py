"""`serving(fake)`: the fake at work on a free loopback port; see `state.py` for how to use it."""

import asyncio
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote

from standins.listening import cut, listening, pause, respond, whole_body
from standins.qdrant import points
from standins.qdrant.routes import ROUTES, wrong_with_request, wrong_with_result
from standins.qdrant.state import Collection, FakeQdrant, Recorded, Refused

_JSON = {"content-type": "application/json"}
_CONFIG: Mapping[str, Any] = {
    "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000},
    "optimizer_config": {
        "deleted_threshold": 0.2,
        "vacuum_min_vector_number": 1000,
        "default_segment_number": 0,
        "flush_interval_sec": 5,
    },
}
_OF_COLLECTIONS = ("shard_number", "vectors", "sparse_vectors")


class _App:
    """The fake as an ASGI application."""

    def __init__(self, fake: FakeQdrant) -> None:
        self._fake = fake
        self.stopping = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        content = await whole_body(receive)
        path: str = scope["raw_path"].decode().partition("?")[0]
        request = f"{scope['method']} {path}"
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        body: Any = json.loads(content) if content else None
        fault = next((one for one in self._fake.faults if one.take(request)), None)
        kind = "" if fault is None else fault.kind
        if kind == "cut":
            self._record(request, query, body, 0)
            await cut(receive, send)
            return
        if fault is not None and kind == "slow":
            await pause(self, fault.seconds)
        broken = None if fault is None else fault.answer()
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        status, kinds, answer = broken or await self._answer(request, headers, query, body)
        self._record(request, query, body, 0 if kind == "done-cut" else status)
        if kind == "done-cut":
            await cut(receive, send)
            return
        await respond(send, status, {**kinds, "content-length": str(len(answer))}, answer)

    def _record(self, request: str, query: Mapping[str, str], body: Any, status: int) -> None:
        self._fake.requests.append(Recorded(request, query, body, status))

    async def _answer(
        self, request: str, headers: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> tuple[int, dict[str, str], bytes]:
        verb, path = request.split(" ")
        name, key, template = _template(verb, path)
        try:
            if template not in ROUTES:
                self._fake.violations.append(f"{request}: there is no such request")
                return 404, {}, b""
            refusal = self._refusal(headers.get("api-key", ""), writes=ROUTES[template].writes)
            if refusal is not None:
                return refusal
            self._fake.violations += wrong_with_request(template, query, body)
            result = await self._done(template, name, key, body or {})
            self._fake.violations += wrong_with_result(template, result)
        except Refused as error:
            said = {"status": {"error": error.said}, "time": 0.0}
            return error.status, _JSON, json.dumps(said).encode()
        return 200, _JSON, json.dumps({"result": result, "status": "ok", "time": 0.0}).encode()

    def _refusal(self, given: str, *, writes: bool) -> tuple[int, dict[str, str], bytes] | None:
        plain = {"content-type": "text/plain; charset=utf-8"}
        if not self._fake.api_key or given == self._fake.api_key:
            return None
        if given and given == self._fake.reading_key:
            return (403, plain, b"Forbidden: Global manage access is required") if writes else None
        said = (
            b"Invalid API key or JWT"
            if given
            else b"Must provide an API key or an Authorization bearer token"
        )
        return 401, plain, said

    async def _done(self, template: str, name: str, key: str, body: Mapping[str, Any]) -> Any:
        fake = self._fake
        verb, _, path = template.partition(" ")
        match verb, path.removeprefix("/collections/{name}"):
            case "GET", "/collections":
                return {"collections": [{"name": one} for one in fake.collections]}
            case "PUT", "":
                fake.create(name, body)
                return True
            case "PATCH", "":
                fake.update(name, body)
                return True
            case "DELETE", "":
                return fake.collections.pop(name, None) is not None
            case _:
                return await _with(
                    fake.collection(name), verb, path.removeprefix("/collections/{name}"), key, body
                )


async def _with(collection: Collection, verb: str, path: str, key: str, body: Mapping[str, Any]) -> Any:
    match verb, path:
        case "GET", "":
            return _info(collection)
        case "PUT", "/index":
            schema = body["field_schema"]
            collection.indexes[body["field_name"]] = schema if isinstance(schema, str) else schema["type"]
        case "DELETE", "/index/{key}":
            collection.indexes.pop(key, None)
        case "PUT", "/points":
            return (await points.change(collection, [{"upsert": body}]))[0]
        case "POST", "/points/batch":
            return await points.change(collection, body["operations"])
        case "POST", "/points":
            return points.read(collection, body)
        case "POST", "/points/scroll":
            return points.scroll(collection, body)
        case "POST", "/points/query":
            return points.query(collection, body)
        case "POST", "/points/count":
            return points.count(collection, body)
        case _:
            return points.facet(collection, body)
    collection.operations += 1
    return {"operation_id": collection.operations, "status": "completed"}


def _info(collection: Collection) -> dict[str, Any]:
    created = collection.created
    params = {"shard_number": 1} | {key: created[key] for key in _OF_COLLECTIONS if created.get(key)}
    config = {**_CONFIG, "params": params, "strict_mode_config": created.get("strict_mode_config")}
    if created.get("metadata"):
        config["metadata"] = created["metadata"]
    return {
        "status": "green",
        "optimizer_status": "ok",
        "indexed_vectors_count": 0,
        "points_count": len(collection.points),
        "segments_count": 1,
        "config": config,
        "payload_schema": {key: {"data_type": kind, "points": 0} for key, kind in collection.indexes.items()},
    }


def _template(verb: str, path: str) -> tuple[str, str, str]:
    """The collection, the key of an index, and the request without them."""
    parts = path.split("/")
    name, key = unquote(parts[2]) if len(parts) > 2 else "", ""
    parts[2:3] = ["{name}"] if len(parts) > 2 else []
    if len(parts) == 5 and parts[3] == "index":
        key, parts[4] = unquote(parts[4]), "{key}"
    return name, key, f"{verb} {'/'.join(parts)}"


@contextmanager
def serving(fake: FakeQdrant) -> Generator[str]:
    """Let the fake listen, and give its address; gone afterwards."""
    with listening(_App(fake), "httptools") as fake.url:
        yield fake.url
