"""The setting of the embedder names one, or says what could be named."""

import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ringmain_core.errors import ConfigurationError, UpstreamRefused
from ringmain_core.upstream.guards import Guards
from ringmain_vector.embedders.base import Embedder
from ringmain_vector.embedders.fast_embed import FastEmbed
from ringmain_vector.embedders.opening import embedder_of
from ringmain_vector.settings import VectorSettings


def opened(embedder: str) -> Embedder:
    return embedder_of(VectorSettings(embedder=embedder), Guards())


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("minilm", "all-MiniLM-L6-v2-int8"),
        ("minilm:/models/mine.onnx", "minilm:mine"),
        (f"minilm:/models/mine.onnx#{'A' * 64}", "minilm:mine@aaaaaaaaaaaa"),
        ("openai:nomic:latest@http://127.0.0.1:11434/v1", "openai:nomic:latest"),
        ("openai:org/m@1@https://host/v1", "openai:org/m@1"),
        ("fastembed:BAAI/bge-small-en-v1.5", "fastembed:BAAI/bge-small-en-v1.5"),
        ("fastembed:BAAI/bge-small-en-v1.5@/a@b", "fastembed:BAAI/bge-small-en-v1.5"),
        ("hash", "hash-64"),
    ],
)
def test_each_kind_is_opened_by_its_name(setting: str, name: str) -> None:
    assert opened(setting).name == name


@pytest.mark.parametrize("setting", ["minilm:{}/model.onnx", "fastembed:m@{}"])
def test_models_of_other_content_have_other_names(setting: str, tmp_path: Path) -> None:
    names: list[str] = []
    for folder, content in (("one", b"1"), ("two", b"2"), ("three", b"1")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.onnx").write_bytes(content)
        names.append(opened(setting.format(tmp_path / folder)).name)
    assert names[0] == names[2] != names[1]


@pytest.mark.parametrize("setting", ["", "word2vec", "openai:model", "fastembed:", "hash:1", "MiniLM"])
def test_what_is_no_embedder_is_refused_with_those_there_are(setting: str) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no embedder `.*`; there are minilm, "):
        opened(setting)


def test_a_digest_is_whole() -> None:
    with pytest.raises(ConfigurationError, match="a whole SHA-256"):
        opened("minilm:/models/mine.onnx#abc")


class Library:
    """FastEmbed as far as it is used."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.opened: dict[str, Any] = {}

    def TextEmbedding(self, name: str, **given: Any) -> Any:  # noqa: N802 (its name)
        if name == "missing":
            raise ValueError("Could not load model missing from any source.")
        self.opened = {"name": name, **given}
        return SimpleNamespace(
            passage_embed=partial(self._embed, "passage"), query_embed=partial(self._embed, "query")
        )

    def _embed(self, way: str, texts: list[str], **_: Any) -> Any:
        self.asked.append((way, len(texts)))
        return (np.array([3.0, 4.0 * len(text)]) for text in texts)


@pytest.mark.anyio
async def test_fastembed_is_asked_in_small_batches_and_never_downloads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = Library()
    monkeypatch.setitem(sys.modules, "fastembed", library)
    mine = FastEmbed("small", Path("/models/small"))
    assert (mine.dimension, mine.is_ready) == (0, False)
    await mine.load()
    assert (mine.dimension, mine.is_ready) == (2, True)
    assert library.opened == {
        "name": "small",
        "threads": 2,
        "local_files_only": True,
        "specific_model_path": "/models/small",
    }
    assert len(await mine.documents(["a"] * 9)) == 9
    np.testing.assert_allclose(await mine.query("a"), [0.6, 0.8], atol=1e-6)
    assert library.asked == [("query", 1), ("passage", 8), ("passage", 1), ("query", 1)]
    await mine.close()


@pytest.mark.anyio
async def test_fastembed_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastembed", None)
    with pytest.raises(UpstreamRefused, match=r"pip install 'ringmain-vector\[fastembed\]'"):
        await FastEmbed("small").load()
    monkeypatch.setitem(sys.modules, "fastembed", Library())
    with pytest.raises(UpstreamRefused, match=r"finds no model `missing` .* \(ValueError\)"):
        await FastEmbed("missing").query("a")
