"""Embedders behind OpenAI's API, on a server that does what servers do."""

import asyncio
import json
import logging
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from ringmain_core.errors import ConfigurationError, ToolFailure, UpstreamRefused, UpstreamUnavailable
from ringmain_core.upstream.guards import Guards
from ringmain_core.upstream.retries import Retries
from ringmain_vector.embedders.openai_compatible import OpenAiCompatible, trouble
from standins.listening import listening, respond, whole_body

pytestmark = pytest.mark.anyio
KEY = "sk-very-secret"


class Server:
    """Answers what was laid out for it, and then as it should, but in the wrong order."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.laid_out: list[tuple[int, dict[str, str], bytes]] = []
        self.url = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        asked = json.loads(await whole_body(receive))
        self.asked.append({**asked, "path": scope["path"]})
        self.keys.append(dict(scope["headers"]).get(b"authorization", b"").decode())
        self.laid_out = self.laid_out or [(200, {}, self.answer(asked))]
        await respond(send, *self.laid_out.pop(0))

    def answer(self, asked: dict[str, Any]) -> bytes:
        rows = [
            {"index": number, "embedding": [float(len(text)), 2.0, 0.0]}
            for number, text in enumerate(asked["input"])
        ]
        return json.dumps({"object": "list", "data": rows[::-1]}).encode()


@pytest.fixture
def server() -> Generator[Server]:
    made = Server()
    with listening(made, "h11") as made.url:
        yield made


def embedder(server: Server, *, dimension: int = 0, tries: int = 3) -> OpenAiCompatible:
    guard = Guards().guard("embedder", trouble, retries=Retries(tries=tries, first=0.001))
    return OpenAiCompatible(f"{server.url}/v1/", "small", SecretStr(KEY), guard, dimension=dimension)


async def test_vectors_come_in_the_order_of_the_texts_and_of_length_one(server: Server) -> None:
    mine = embedder(server)
    assert (mine.name, mine.dimension, mine.is_ready) == ("openai:small", 0, False)
    await mine.load()
    await mine.load()
    assert (mine.dimension, mine.is_ready) == (3, True)
    found = await mine.documents(["a", "bb", "ccc"])
    for number, vector in enumerate(found):
        expected = np.array([number + 1, 2, 0], dtype=np.float32)
        np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-6)
    assert server.asked == [
        {"path": "/v1/embeddings", "model": "small", "input": texts, "encoding_format": "float"}
        for texts in (["dimension"], ["a", "bb", "ccc"])
    ]
    assert set(server.keys) == {f"Bearer {KEY}"}
    await mine.close()


async def test_many_texts_go_in_batches(server: Server) -> None:
    mine = embedder(server)
    assert len(await mine.documents(["text"] * 70)) == 70
    assert [len(asked["input"]) for asked in server.asked] == [32, 32, 6]
    assert await mine.documents([]) == []
    await mine.close()


async def test_another_dimension_than_before_is_refused(server: Server) -> None:
    mine = embedder(server, dimension=4)
    with pytest.raises(UpstreamRefused, match="gives vectors of 3 numbers instead of 4"):
        await mine.load()
    assert not mine.is_ready
    await mine.close()


async def test_what_may_pass_is_tried_again(server: Server) -> None:
    server.laid_out = [(429, {"retry-after": "0"}, b"slow down"), (500, {}, b"<html>")]
    mine = embedder(server)
    assert (await mine.query("a")).shape == (3,)
    assert len(server.asked) == 3
    await mine.close()


REFUSALS = [
    pytest.param(401, b"", "does not accept the key", id="key"),
    pytest.param(404, b'{"error":{"message":"no `small`"}}', r"answers 404: no `small`\.", id="OpenAI"),
    pytest.param(400, b'{"error":"too long"}', r"answers 400: too long\. Tell", id="Ollama"),
    pytest.param(400, b'{"message":"too long","code":1}', r"answers 400: too long\. Tell", id="vLLM"),
    pytest.param(400, b"[1]", r"answers 400\. Tell", id="no words"),
    pytest.param(200, b"<html>", "no table of vectors", id="no JSON"),
    pytest.param(200, b'{"data":[{"index":0,"embedding":[0,0]}]}', "no table", id="no direction"),
    pytest.param(200, b'{"data":[{"index":0,"embedding":[NaN,1]}]}', "no table", id="no number"),
    pytest.param(200, b'{"data":[{"index":0,"embedding":"AAAA"}]}', "no table", id="base64"),
    pytest.param(200, b'{"data":[]}', "0 vectors for 1 texts", id="none"),
    pytest.param(200, b'{"data":[{"index":1,"embedding":[1,1]}]}', "1 vectors for 1", id="of another"),
    pytest.param(200, b'{"data":"' + b"x" * (33 << 20) + b'"}', "larger than any", id="huge"),
]


@pytest.mark.parametrize(("status", "content", "words"), REFUSALS)
async def test_a_no_is_said_once_with_what_to_do(
    server: Server, status: int, content: bytes, words: str
) -> None:
    server.laid_out = [(status, {}, content)]
    mine = embedder(server)
    with pytest.raises(UpstreamRefused, match=words):
        await mine.query("a")
    assert len(server.asked) == 1
    await mine.close()


async def test_redirects_are_not_followed(server: Server) -> None:
    server.laid_out = [(307, {"location": f"{server.url}/elsewhere"}, b"")]
    mine = embedder(server)
    with pytest.raises(UpstreamRefused, match="Redirects are not followed"):
        await mine.query("a")
    assert [asked["path"] for asked in server.asked] == ["/v1/embeddings"]
    await mine.close()


async def test_the_key_is_nowhere_to_be_seen(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.laid_out = [(500, {}, b"")] * 3
    mine = embedder(server)
    with pytest.raises(ToolFailure) as failure:
        await mine.query("a")
    assert isinstance(failure.value, UpstreamUnavailable)
    assert KEY not in f"{caplog.text} {failure.value} {failure.value.fields()} {vars(mine)}"
    await mine.close()


async def test_a_server_that_is_not_there_can_be_asked_later(server: Server) -> None:
    server.url = "http://127.0.0.1:9"
    mine = embedder(server, tries=1)
    with pytest.raises(UpstreamUnavailable, match="cannot be reached now"):
        await mine.query("a")
    await mine.close()


@pytest.mark.parametrize(
    "url",
    ["http://embedder.example/v1", "ftp://127.0.0.1", "https://me:pw@host/v1", "https://host?key=1", ""],
)
async def test_texts_are_not_sent_where_others_can_read_them(url: str) -> None:
    with pytest.raises(ConfigurationError, match="RINGMAIN_VECTOR_EMBEDDER: the URL"):
        OpenAiCompatible(url, "small", None, Guards().guard("embedder", trouble))
