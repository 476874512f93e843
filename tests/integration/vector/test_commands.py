"""What the commands take in is found by those whom it is for."""

import os
from argparse import ArgumentParser
from pathlib import Path

import pytest

from integration.vector.working import bench_of, call, settings_for
from ringmain_core.cursors import Cursors
from ringmain_core.errors import ConfigurationError
from ringmain_core.principal import Principal
from ringmain_core.services import Services
from ringmain_vector import connector
from ringmain_vector.settings import VectorSettings

pytestmark = pytest.mark.anyio

POLICY = """
[roles.all]
allow = ["vector:*"]
[[agents]]
id = "idp/ann"
roles = ["all"]
[[agents]]
id = "report-bot"
roles = ["all"]
[[issuers]]
issuer = "https://idp.example.com"
name = "idp"
audience = ["x"]
"""
ANN = Principal("idp/ann", "jwt", {"tenant": "acme"})
BOT = Principal("report-bot", "api_key")


async def index(settings: VectorSettings, folder: Path, *options: str) -> int:
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "docs" / "a.md").write_text("# Cache\n\nThe cache is cold.")
    command = next(one for one in connector.commands if one.name == "index")
    parser = ArgumentParser()
    command.arguments(parser)
    async with connector.connect(settings, Services(Cursors(os.urandom(32)))) as upstream:
        return await command.run(upstream, parser.parse_args([str(folder / "docs"), *options]), print)


@pytest.mark.parametrize(
    ("tenants", "tenant", "principal"),
    [("claim", "acme", ANN), ("agent", "idp/ann", ANN), ("agent", "report-bot", BOT)],
)
async def test_what_is_taken_in_for_a_tenant_is_found_by_it(
    tenants: str, tenant: str, principal: Principal, tmp_path: Path
) -> None:
    settings = settings_for(store=f"edge://{tmp_path}/store", tenants=tenants)
    assert await index(settings, tmp_path, "--tenant", tenant) == 0
    async with bench_of(settings, principal=principal, policy=POLICY) as at:
        _, answer = await call(at.client, "search_documents", query="cold cache")
    assert [hit["document_id"] for hit in answer["hits"]] == ["a.md"]


async def test_nothing_is_taken_in_for_nobody(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Say with --tenant whose the files are"):
        await index(settings_for(store=f"edge://{tmp_path}/store", tenants="claim"), tmp_path)
    with pytest.raises(ConfigurationError, match="TENANTS is off"):
        await index(settings_for(store=f"edge://{tmp_path}/store"), tmp_path, "--tenant", "acme")
    with pytest.raises(ConfigurationError, match="ends with this command"):
        await index(settings_for(), tmp_path)
