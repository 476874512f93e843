"""A folder that has moved, or has another URL now, is still the same folder."""

from pathlib import Path
from typing import Any

import pytest

from ringmain_core.errors import UpstreamRefused
from ringmain_vector.domain import NOBODY, Manifest, Where
from ringmain_vector.embedders.hashed import HashEmbedder
from ringmain_vector.files import decoded, read
from ringmain_vector.folders import Folder, Indexed
from ringmain_vector.intake import Intake
from ringmain_vector.lexical import AVERAGE_LENGTH, K1, TOKENIZER, B
from ringmain_vector.office_files import Unreadable, pdf
from ringmain_vector.stores.memory import MemoryCollection

pytestmark = pytest.mark.anyio

PDF_PARTS = (
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Count 2/Kids[3 0 R 9 0 R]>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
)


@pytest.fixture
def collection() -> MemoryCollection:
    return MemoryCollection("docs", Manifest("hash-64", 64, TOKENIZER, K1, B, AVERAGE_LENGTH))


async def index(root: Path, collection: MemoryCollection, embedder: HashEmbedder, **more: Any) -> Indexed:
    return await Folder(root, **more).index(collection, Intake(embedder))


async def test_a_folder_that_has_moved_or_has_a_url_now_is_the_same(
    tmp_path: Path, collection: MemoryCollection
) -> None:
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "a.md").write_text("# A\n\nfine")
    await index(tmp_path / "before", collection, HashEmbedder())
    moved = (tmp_path / "before").rename(tmp_path / "after")
    for more in ({}, {"base_url": "https://wiki.example"}):
        found = await index(moved, collection, HashEmbedder(), **more)
        assert (found.outcomes, found.failed) == ({"replaced": 1}, {})
    (document,) = await collection.documents(Where(), "", 10)
    assert document.uri == "https://wiki.example/a.md"


async def test_other_documents_of_these_names_are_replaced_where_that_is_wanted(
    tmp_path: Path, collection: MemoryCollection
) -> None:
    (tmp_path / "a.md").write_text("# A\n\nfine")
    await Intake(HashEmbedder()).take_in(collection, NOBODY, "a.md", "By a tool.")
    assert "a.md" in (await index(tmp_path, collection, HashEmbedder())).failed
    found = await index(tmp_path, collection, HashEmbedder(), takes_over=True)
    assert (found.outcomes, found.failed) == ({"replaced": 1}, {})


async def test_a_file_that_the_model_refuses_does_not_keep_the_others_out(
    tmp_path: Path, collection: MemoryCollection
) -> None:
    class Strict(HashEmbedder):
        async def documents(self, texts: Any) -> Any:
            if any("0x1f" in text for text in texts):
                raise UpstreamRefused("It answers 400.")
            return await super().documents(texts)

    for name, text in (("a", "fine"), ("b", "0x1f," * 90), ("c", "fine, too")):
        (tmp_path / f"{name}.md").write_text(text)
    found = await index(tmp_path, collection, Strict())
    assert found.outcomes == {"added": 2}
    assert found.failed == {"b.md": "The embedding model refuses its text: It answers 400."}


def test_a_pdf_without_one_of_its_pages_is_unreadable() -> None:
    content, places = b"%PDF-1.4\n", list[int]()
    for number, part in enumerate(PDF_PARTS, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    table = b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % at for at in places)
    content += table + b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(content)
    with pytest.raises(Unreadable, match="not all of its pages can be read"):
        pdf(content)


def test_a_page_is_read_in_the_encoding_that_it_says() -> None:
    page = '<html><head><meta charset="windows-1251"><title>Цена</title></head>Привет'
    assert read("a.html", "html", page.encode("windows-1251")).text == "Привет"
    for charset in ("rot13", "no such"):
        assert read("a.html", "html", f"<meta charset='{charset}'>caf\xe9".encode("latin-1")).text == "café"


def test_what_says_no_encoding_was_written_on_windows() -> None:
    assert decoded("“It” costs €500".encode("cp1252")) == "“It” costs €500"
    assert decoded(b"\x81\xe9") == "\x81é"
