"""Models of FastEmbed, which is an extra. They are on this machine already; nothing is downloaded."""

from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringmain_core.errors import UpstreamRefused
from ringmain_vector.embedders.base import mark_of, marked
from ringmain_vector.embedders.one_thread import OneThread
from ringmain_vector.embedders.unit import unit_vectors
from ringmain_vector.settings import silence_onnx_runtime

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector

_BATCH = 8  # texts; with FastEmbed's usual 256 it takes gigabytes, and is slower


class FastEmbed:
    """One of FastEmbed's models of text.

    Args:
        model: By FastEmbed's name for it.
        folder: With `model.onnx`, `tokenizer.json` and `config.json`; else FastEmbed's own one.
    """

    most_tokens = 512

    def __init__(self, model: str, folder: Path | None = None) -> None:
        self.dimension = 0
        self._name = model
        self._folder = folder
        self._mark = ""
        self._thread = OneThread()
        self._model: Any = None

    @property
    def name(self) -> str:
        if self._folder is None:
            return f"fastembed:{self._name}"
        self._mark = self._mark or mark_of(self._folder / "model.onnx")
        return marked(f"fastembed:{self._name}", self._mark)

    @property
    def is_ready(self) -> bool:
        return self._model is not None

    async def load(self) -> None:
        if self._model is None:
            await self._thread.run(self._loaded)

    async def documents(self, texts: Sequence[str]) -> "list[Vector]":
        found: list[Vector] = []
        for begin in range(0, len(texts), _BATCH):
            batch = list(texts[begin : begin + _BATCH])
            found += await self._thread.run(partial(self._vectors, "passage_embed", batch))
        return found

    async def query(self, text: str) -> "Vector":
        return (await self._thread.run(partial(self._vectors, "query_embed", [text])))[0]

    async def close(self) -> None:
        self._thread.close()

    def _vectors(self, way: str, texts: list[str]) -> "list[Vector]":
        return unit_vectors(list(getattr(self._loaded(), way)(texts, batch_size=_BATCH)))

    def _loaded(self) -> Any:
        """In the thread, where whoever came second finds the model of who came first."""
        if self._model is None:
            model = _open(self._name, self._folder)
            self.dimension = len(unit_vectors(list(model.query_embed(["dimension"])))[0])
            self._model = model
        return self._model


def _open(name: str, folder: Path | None) -> Any:
    try:
        silence_onnx_runtime()
        library: Any = import_module("fastembed")
    except ImportError:
        raise UpstreamRefused(
            "FastEmbed is not installed. Tell the operator: `pip install 'ringmain-vector[fastembed]'`."
        ) from None
    place = {} if folder is None else {"specific_model_path": str(folder)}
    try:
        return library.TextEmbedding(name, threads=2, local_files_only=True, **place)
    except Exception as error:  # its exceptions have no base but this one
        raise UpstreamRefused(
            f"FastEmbed finds no model `{name}` on this machine ({type(error).__name__}). Put "
            "its files into a folder and let the setting name it: `fastembed:<model>@/folder`."
        ) from error
