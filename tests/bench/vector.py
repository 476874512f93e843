"""`ringmain-vector`: starting, and searching ten and a hundred thousand passages in every store and mode.

Qdrant is not among them: a real server could not be had, and the stand-in's figures would be the stand-in's.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any, cast

import psutil

from bench import messages
from bench.processes import cpu_of, cpu_of_family
from bench.report import Result
from bench.setting import Setting
from bench.start import compare_starts
from bench.stdio_load import stdio_server
from bench.vector_corpus import FIELD, Corpus, Known, Question
from bench.vector_quality import quality
from ringmain_core.commands import tokens_of
from ringmain_vector import connector
from ringmain_vector.domain import Condition, Manifest, Where
from ringmain_vector.lexical import AVERAGE_LENGTH, K1, TOKENIZER, B
from ringmain_vector.searching import EXACT_BELOW, Mode, Search, search
from ringmain_vector.stores.base import Collection, Store
from ringmain_vector.stores.edge import EdgeStore
from ringmain_vector.stores.memory import MemoryStore
from ringmain_vector.stores.pgvector import PgVectorStore
from standins.postgres import running_postgres, url_of

START = "21. Vector: start over stdio, and the idle process then"
FIRST = "22. Vector: from the start of the process to the first answer (by words: the model loads meanwhile)"
QUALITY = "23. Vector: is the right document found? MRR@10, numpy's documentation"
TOKENS = "24. Vector: tokens of tools/list (bytes/4 of name, description, input schema)"
_OTHER = 333  # mcp-server-qdrant 0.8.1: two tools, without filters, scores or modes
_DEPTH = 10
_MODES = cast("tuple[Mode, ...]", ("keyword", "semantic", "hybrid"))
_MEBIBYTE = 1 << 20
_MOST_IN_MEMORY = 10_000  # Python looks at each passage there


def measure(setting: Setting, *, quick: bool) -> list[Result]:
    command = [str(Path(sys.executable).with_name("ringmain-vector"))]
    results = compare_starts(START, command, setting.environment, quick=quick, target=1.25)
    for size in (10_000,) if quick else (10_000, 100_000):
        results += asyncio.run(_of_size(setting, command, size, 100 if quick else 500))
    found = asyncio.run(quality(time.perf_counter, most=100 if quick else 400))
    results += [
        Result(QUALITY, f"{mode}, {found.questions} questions", [value], [], "MRR@10")
        for mode, value in found.reciprocal_ranks.items()
    ]
    results.append(Result(QUALITY, "taken in, model and all", [found.rate], [], "passages/s"))
    tokens = float(
        sum(tokens_of(tool) for tool in (*connector.tools, *connector.optional_tools) if tool.until is None)
    )
    return [*results, Result(TOKENS, "all of them", [tokens], [_OTHER], "tokens")]


async def _of_size(setting: Setting, command: Sequence[str], size: int, asked: int) -> list[Result]:
    part = f"25. Vector: {size:,} passages of 384 numbers, {_DEPTH} hits"
    results: list[Result] = []
    folder = setting.folder / f"edge-{size}"
    async with AsyncExitStack() as stack:
        stores: list[tuple[Store, psutil.Process | None]] = [(EdgeStore(folder), None)]
        stores.append(await stack.enter_async_context(_pgvector()))
        if size <= _MOST_IN_MEMORY:
            stores.append((MemoryStore(), None))
        for store, server in stores:
            corpus = Corpus(Known([]).dimension)
            collection = await _filled(store, corpus, size, part, results)
            questions = corpus.questions(asked)
            for mode in _MODES:
                results += await _searched(part, store.kind, collection, questions, mode, size, server)
            if size > EXACT_BELOW:
                results.append(await _recall(part, store.kind, collection, questions[:100], Where()))
            few = Where(conditions=[Condition(FIELD, (1, 2))])
            results.append(await _recall(part, f"{store.kind}, 2 % filter", collection, questions[:100], few))
            await store.close()
    return results + await asyncio.to_thread(_served, setting, command, folder, part, size)


async def _filled(store: Store, corpus: Corpus, size: int, part: str, results: list[Result]) -> Collection:
    known = Known([])
    manifest = Manifest(known.name, known.dimension, TOKENIZER, K1, B, AVERAGE_LENGTH, {FIELD: "integer"})
    collection = await store.create("docs", manifest)
    made = list(corpus.documents(size))
    began = time.perf_counter()
    for document, passages in made:
        await collection.replace(document, passages)
    rate = size / (time.perf_counter() - began)
    began = time.perf_counter()
    await collection.optimize()
    took = time.perf_counter() - began
    if store.kind != "memory":
        results.append(Result(part, f"{store.kind}: taken in, without the model", [rate], [], "passages/s"))
        results.append(Result(part, "   and then its index made in", [took], [], "s"))
    return collection


async def _searched(
    part: str,
    kind: str,
    collection: Collection,
    questions: Sequence[Question],
    mode: Mode,
    size: int,
    server: psutil.Process | None,
) -> list[Result]:
    known = Known(questions)
    ourselves = psutil.Process()

    def cpu() -> float:
        return cpu_of(ourselves) + (cpu_of_family(server) if server else 0.0)

    times: list[float] = []
    before = 0.0
    for number, one in enumerate([*questions[:20], *questions]):  # the first twenty warm up
        if number == 20:
            before = cpu()
        began = time.perf_counter()
        found = await search(collection, known, Search(one.text, Where(), _DEPTH, mode), passages=size)
        times.append(1e3 * (time.perf_counter() - began))
        if not found.hits or found.mode != mode:
            raise RuntimeError(f"{kind} found nothing for {one.text!r} in mode {found.mode}")
    measured = sorted(times[20:])
    spent = 1e3 * (cpu() - before) / len(measured)
    return [
        Result(part, f"{kind}, {mode}: p50", [measured[len(measured) // 2]], [], "ms"),
        Result(part, "   p99", [quantiles(measured, n=100)[98]], [], "ms"),
        Result(part, "   CPU, the store's own with it", [spent], [], "ms"),
    ]


async def _recall(
    part: str, what: str, collection: Collection, questions: Sequence[Question], where: Where
) -> Result:
    """How many of the ten nearest are found as the product searches; all, where it compares every one."""
    passages = (await collection.stats("")).passages
    same = 0
    for one in questions:
        usual = await collection.dense(one.vector, _DEPTH, where, exact=passages <= EXACT_BELOW)
        exact = await collection.dense(one.vector, _DEPTH, where, exact=True)
        same += len({hit.key for hit in usual} & {hit.key for hit in exact})
    return Result(part, f"{what}: of the ten nearest", [same / (_DEPTH * len(questions))], [], "recall")


def _served(setting: Setting, command: Sequence[str], folder: Path, part: str, size: int) -> list[Result]:
    """The same as a user has it: one process, over stdio, with its model."""
    environment = setting.environment | {"RINGMAIN_VECTOR_STORE": f"edge://{folder}"}
    began = time.perf_counter()
    with stdio_server(command, environment) as client:

        def asked(number: int) -> dict[str, Any]:
            call = {"name": "search_documents", "arguments": {"query": f"word{number} word7"}}
            answer = client.exchange(messages.request(number, "tools/call", call))
            result = json.loads(answer)["result"]
            if result.get("isError"):
                raise RuntimeError(f"wrong answer: {answer[:500]!r}")
            return result

        client.begin()
        asked(1)
        first = time.perf_counter() - began
        deadline = time.monotonic() + 60
        while "by words only" in str(asked(2)) and time.monotonic() < deadline:
            time.sleep(0.1)
        before, times = cpu_of(client.process), list[float]()
        for number in range(1_000, 1_100):
            one = time.perf_counter()
            asked(number)
            times.append(1e3 * (time.perf_counter() - one))
        spent = 1e3 * (cpu_of(client.process) - before) / len(times)
        resident = client.process.memory_info().rss / _MEBIBYTE
    return [
        Result(FIRST, f"{size:,} passages", [first], [], "s", 3.0),
        Result(part, "edge over stdio, hybrid, model and all gates: p50", [sorted(times)[50]], [], "ms"),
        Result(part, "   CPU", [spent], [], "ms"),
        Result(part, "   resident", [resident], [], "MiB"),
    ]


@asynccontextmanager
async def _pgvector() -> AsyncGenerator[tuple[Store, psutil.Process]]:
    with running_postgres() as server:
        process = psutil.Process(server.get_pid())
        yield PgVectorStore(url_of(server)), process
