"""A table that somebody else has made is searched through the tools, and never written."""

from typing import Any

import pytest

from integration.vector.databases import DATABASES, run
from integration.vector.working import bench_of, call, refusal, settings_for
from ringmain_core.errors import ConfigurationError
from ringmain_core.principal import Principal
from ringmain_core.upstream.guards import Guards
from ringmain_vector.embedders.hashed import HashEmbedder
from ringmain_vector.settings import VectorSettings
from ringmain_vector.stores.opening import store_of

pytestmark = pytest.mark.anyio

TEXTS = {"a1": "The cache is cold.", "a2": "Coffee costs 95.", "b1": "The cache of others is cold."}
WIKI = {"source": "public.wiki", "model": HashEmbedder.name, "text": "body", "vector": "meaning"}
POLICY = """
[roles.all]
allow = ["vector:*"]
[[agents]]
id = "idp/ann"
roles = ["all"]
[[issuers]]
issuer = "https://idp.example.com"
name = "idp"
audience = ["x"]
"""


@pytest.fixture
async def wiki() -> str:
    """A table of two teams, `a` and `b`."""
    url = await DATABASES.fresh()
    await run(
        url,
        "CREATE EXTENSION vector;"
        f"CREATE TABLE wiki (id text, team text, body text, meaning vector({HashEmbedder.dimension}))",
    )
    for name, text in TEXTS.items():
        vector = (await HashEmbedder().query(text)).tolist()
        await run(url, f"INSERT INTO wiki VALUES ('{name}', '{name[0]}', '{text}', '{vector}')")
    return url


def adopting(store: str, tenants: str = "off", **more: Any) -> VectorSettings:
    return settings_for(store=store, tenants=tenants, writes=True, adopt={"wiki": {**WIKI, **more}})


async def test_a_table_of_others_is_listed_searched_and_read_and_not_written(wiki: str) -> None:
    async with bench_of(adopting(wiki, fields={"team": "keyword"})) as at:
        _, answer = await call(at.client, "list_collections")
        assert answer["rows"][0][:4] == ["wiki", 3, 3, "hash-64"]
        _, answer = await call(at.client, "search_documents", query="coffee costs", collection="wiki")
        assert answer["hits"][0]["document_id"] == "a2"
        theirs = {"query": "cache", "collection": "wiki", "filters": {"team": "b"}}
        _, answer = await call(at.client, "search_documents", **theirs)
        assert [hit["document_id"] for hit in answer["hits"]] == ["b1"]
        _, answer = await call(at.client, "get_document", document_id="a2", collection="wiki")
        assert answer["content"] == TEXTS["a2"]
        said, _ = await refusal(at.client, "add_documents", documents=[{"text": "x"}], collection="wiki")
        assert "The collection `wiki` was made by others: it is only searched." in said


async def test_a_caller_sees_the_rows_of_its_tenant(wiki: str) -> None:
    principal = Principal("idp/ann", "jwt", {"tenant": "a"})
    async with bench_of(adopting(wiki, "claim", tenant="team"), principal=principal, policy=POLICY) as at:
        _, answer = await call(at.client, "search_documents", query="the cache is cold", collection="wiki")
        assert {hit["document_id"] for hit in answer["hits"]} == {"a1"}
        await refusal(at.client, "get_document", document_id="b1", collection="wiki")


@pytest.mark.parametrize(
    "settings",
    [
        adopting("postgresql://localhost/x", "claim"),
        adopting("postgresql://localhost/x", tenant="team"),
        adopting("qdrant+https://localhost", "agent"),
        adopting("qdrant+https://localhost", tenant="team"),
    ],
)
def test_tenants_and_their_column_go_together(settings: VectorSettings) -> None:
    with pytest.raises(ConfigurationError, match="RINGMAIN_VECTOR_ADOPT"):
        store_of(settings, Guards())
