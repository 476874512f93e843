"""A table that somebody else has made is searched through the tools, and never written."""

from typing import Any

import pytest

from integration.vector.databases import DATABASES, run
from integration.vector.working import bench_of, call, refusal, settings_for
from ringmain_core.errors import ConfigurationError, UpstreamRefused
from ringmain_core.principal import Principal
from ringmain_core.upstream.guards import Guards
from ringmain_vector.embedders.hashed import HashEmbedder
from ringmain_vector.searching import WORDLESS
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


async def test_an_agent_sees_the_rows_that_have_its_id(wiki: str) -> None:
    policy = POLICY.split("[[issuers]]", maxsplit=1)[0].replace("idp/ann", "a")
    await run(wiki, "UPDATE wiki SET team = 'api_key:a' WHERE id = 'a2'")
    settings = adopting(wiki, "agent", tenant="team")
    async with bench_of(settings, principal=Principal("a", "api_key"), policy=policy) as at:
        asked = {"query": " ".join(TEXTS.values()), "collection": "wiki"}
        _, answer = await call(at.client, "search_documents", **asked)
    assert {hit["document_id"] for hit in answer["hits"]} == {"a1", "a2"}


async def test_where_there_are_no_words_meaning_is_searched_and_said(wiki: str) -> None:
    async with bench_of(adopting(wiki)) as at:
        asked = {"query": TEXTS["a1"], "collection": "wiki", "min_score": 0.9}
        _, answer = await call(at.client, "search_documents", **asked)
    assert [(hit["document_id"], hit["score"]) for hit in answer["hits"]] == [("a1", 1.0)]
    assert (answer["mode"], answer["hint"]) == ("semantic", WORDLESS)


async def test_metadata_that_are_no_object_are_none(wiki: str) -> None:
    await run(wiki, "ALTER TABLE wiki ADD meta jsonb; UPDATE wiki SET meta = 'null' WHERE id = 'a1'")
    async with bench_of(adopting(wiki, metadata="meta")) as at:
        _, answer = await call(
            at.client, "search_documents", query=" ".join(TEXTS.values()), collection="wiki"
        )
    assert len(answer["hits"]) == 3
    assert all("metadata" not in hit for hit in answer["hits"])


@pytest.mark.parametrize("column", ["vector(64)", "vector", "halfvec(64)", "halfvec"])
async def test_a_table_has_the_dimension_of_its_column_or_else_of_a_row(wiki: str, column: str) -> None:
    await run(wiki, f"ALTER TABLE wiki ALTER meaning TYPE {column}")
    store = store_of(adopting(wiki), Guards())
    found = await store.open("wiki")
    assert found is not None
    assert found.manifest.dimension == 64
    await store.close()
    store = store_of(adopting(wiki, dimension=32), Guards())
    with pytest.raises(UpstreamRefused, match="has 64 dimensions, not 32"):
        await store.open("wiki")
    await store.close()


def test_there_is_nothing_to_adopt_in_an_embedded_store() -> None:
    with pytest.raises(ConfigurationError, match="RINGMAIN_VECTOR_STORE names neither"):
        store_of(adopting("edge:///x"), Guards())


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
