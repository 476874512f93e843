"""A collection is kept as a folder is, at the cost of what has changed."""

import codecs
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from ringmain_core.errors import ConfigurationError, UpstreamUnavailable
from ringmain_vector.domain import NOBODY, Document, Manifest, Where
from ringmain_vector.embedders.hashed import HashEmbedder
from ringmain_vector.files import decoded, format_of
from ringmain_vector.folders import Folder, Indexed
from ringmain_vector.intake import Intake
from ringmain_vector.lexical import AVERAGE_LENGTH, K1, TOKENIZER, B
from ringmain_vector.stores.memory import MemoryCollection

pytestmark = pytest.mark.anyio
_canvas: Any = import_module("reportlab.pdfgen.canvas").Canvas  # libraries that have no types
_document: Any = import_module("docx").Document


class Counting(HashEmbedder):
    """Remembers the texts that were embedded."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def documents(self, texts: Sequence[str]) -> Any:
        self.texts += texts
        return await super().documents(texts)


class Bench:
    """A folder, a collection, and what happens between them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.embedder = Counting()
        manifest = Manifest("hash-64", 64, TOKENIZER, K1, B, AVERAGE_LENGTH)
        self.collection = MemoryCollection("docs", manifest)

    def write(self, name: str, content: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    async def index(self, root: Path | None = None, **given: Any) -> Indexed:
        self.embedder.texts.clear()
        folder = Folder(root or self.root, **given)
        return await folder.index(self.collection, Intake(self.embedder))

    async def documents(self) -> dict[str, Document]:
        return {one.id: one for one in await self.collection.documents(Where(), "", 100)}

    async def text(self, name: str) -> str:
        return "\n".join(one.text for one in await self.collection.passages(NOBODY, name))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path / "root")
    made.write("guide.md", "Intro\n\n# The guide\n\nSome words.")
    made.write("notes/plan.txt", "We ship on Friday.")
    return made


async def test_files_become_documents_that_say_where_they_are(bench: Bench) -> None:
    bench.write("a b/pagé.html", "<title>The page</title><script>no</script><p>Yes.</p>")
    assert (await bench.index()).outcomes == {"added": 3}
    root = bench.root.as_uri()
    assert {
        one.id: (one.title, one.uri, dict(one.metadata)) for one in (await bench.documents()).values()
    } == {
        "a b/pagé.html": ("The page", f"{root}/a%20b/pag%C3%A9.html", {"source": root}),
        "guide.md": ("The guide", f"{root}/guide.md", {"source": root}),
        "notes/plan.txt": ("plan.txt", f"{root}/notes/plan.txt", {"source": root}),
    }
    assert await bench.text("a b/pagé.html") == "Yes."


async def test_with_a_base_url_files_are_cited_on_the_web(bench: Bench) -> None:
    await bench.index(base_url="https://wiki.example/docs/")
    guide = (await bench.documents())["guide.md"]
    assert (guide.uri, guide.metadata) == (
        "https://wiki.example/docs/guide.md",
        {"source": "https://wiki.example/docs"},
    )


async def test_what_has_not_changed_is_not_embedded_again(bench: Bench) -> None:
    await bench.index()
    assert (await bench.index()).outcomes == {"unchanged": 2}
    assert bench.embedder.texts == []
    bench.write("guide.md", "# The guide\n\nOther words.")
    assert (await bench.index()).outcomes == {"unchanged": 1, "replaced": 1}
    assert bench.embedder.texts == ["# The guide\n\nOther words."]


async def test_what_is_gone_is_removed_and_nothing_of_others(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "other.md").write_text("From elsewhere.")
    await bench.index(other)
    await Intake(bench.embedder).take_in(bench.collection, NOBODY, "mine", "By a tool.")
    await bench.index()
    (bench.root / "guide.md").unlink()
    assert (await bench.index()).outcomes == {"unchanged": 1, "removed": 1}
    assert set(await bench.documents()) == {"mine", "notes/plan.txt", "other.md"}


async def test_an_empty_folder_removes_nothing(bench: Bench) -> None:
    await bench.index()
    (bench.root / "guide.md").unlink()
    (bench.root / "notes" / "plan.txt").unlink()
    found = await bench.index()
    assert found.outcomes == {}
    assert found.notes[0].startswith("The folder has no file to read, and 2 documents came")
    assert len(await bench.documents()) == 2


async def test_documents_from_elsewhere_are_not_written_over(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "guide.md").write_text("Another guide.")
    await bench.index()
    found = await bench.index(other)
    assert found.failed == {
        "guide.md": f"a document of this name came from {bench.root.as_uri()}: use another "
        "collection, delete that one, or replace it by --replace"
    }
    assert (await bench.documents())["guide.md"].title == "The guide"


async def test_what_is_no_text_for_people_is_left_out_and_counted(bench: Bench) -> None:
    bench.write(".git/config.txt", "hidden")
    bench.write(".env.txt", "SECRET=1")
    bench.write("node_modules/x/readme.md", "not ours")
    bench.write("sub/__pycache__/x.py", "not ours")
    bench.write("picture.png", b"\x89PNG")
    bench.write("binary.txt", b"text\x00more")
    bench.write("huge.txt", b"x" * 5_000_001)
    bench.write("empty.md", " \n")
    bench.write("draft/a.md", "not yet")
    bench.write("b.log", "not this")
    bench.write("odd\u202ename.md", "a name that lies")
    os.mkfifo(bench.root / "pipe.txt")
    found = await bench.index(exclude=["draft/", "*.log"])
    assert found.skipped == {
        "hidden": 2,
        "made by tools": 2,
        "of a format that is not read": 1,
        "binary": 1,
        "too large": 1,
        "empty": 1,
        "excluded": 2,
        "with characters in their names that nobody sees": 1,
        "no files": 1,
    }
    assert set(await bench.documents()) == {"guide.md", "notes/plan.txt"}
    assert found.failed == {}


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ("*.log\n!notes/b.log\n", {"a.md", "notes/a.md", "notes/b.log"}),
        ("/a.md\nnotes/*.log\n", {"b.log", "notes/a.md"}),
        ("notes/\n!notes/a.md\n", {"a.md", "b.log"}),
        ("# *.md\n\n[z-a]\n\\\n!\n*.log\r\n", {"a.md", "notes/a.md"}),
    ],
)
async def test_what_git_ignores_is_left_out(tmp_path: Path, rules: str, kept: set[str]) -> None:
    bench = Bench(tmp_path / "root")
    for name in ("a.md", "b.log", "notes/a.md", "notes/b.log"):
        bench.write(name, "Words.")
    bench.write(".gitignore", rules)
    subprocess.run(["git", "init", "--quiet", bench.root], check=True)  # noqa: ASYNC221 (a moment)
    told = subprocess.run(  # noqa: ASYNC221
        ["git", "-C", bench.root, "ls-files", "--others", "--exclude-standard", "*.md", "*.log"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert set(told.stdout.split()) == kept
    found = await bench.index()
    assert set(await bench.documents()) == kept
    assert found.skipped["by .gitignore"] >= 1


async def test_the_nearest_gitignore_has_the_last_word(bench: Bench) -> None:
    bench.write(".gitignore", "*.txt\n")
    bench.write("notes/.gitignore", "!plan.txt\n")
    bench.write("notes/other.txt", "Left out.")
    await bench.index()
    assert set(await bench.documents()) == {"guide.md", "notes/plan.txt"}


async def test_a_folder_of_a_repository_heeds_the_repository_unless_that_leaves_it_out(bench: Bench) -> None:
    (bench.root / ".git").mkdir()
    bench.write(".gitignore", "docs/drafts/\nbuild/\n")
    for name in ("docs/page.md", "docs/drafts/later.md", "build/html/made.md"):
        bench.write(name, "Words.")
    await bench.index(bench.root / "docs")
    await bench.index(bench.root / "build" / "html")
    assert set(await bench.documents()) == {"page.md", "made.md"}


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
async def test_a_gitignore_that_is_no_file_says_nothing(bench: Bench, tmp_path: Path, kind: str) -> None:
    path, elsewhere = bench.root / ".gitignore", tmp_path / "rules"
    elsewhere.write_text("*\n")
    {"folder": path.mkdir, "link": lambda: path.symlink_to(elsewhere), "pipe": lambda: os.mkfifo(path)}[
        kind
    ]()
    assert (await bench.index()).outcomes == {"added": 2}


async def test_a_pattern_that_is_none_is_refused(bench: Bench) -> None:
    with pytest.raises(ConfigurationError, match=r"`!` is no pattern\. Write it as in a \.gitignore"):
        await bench.index(exclude=["*.log", "!"])


async def test_links_are_not_followed(bench: Bench, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("outside")
    (bench.root / "loop").symlink_to(bench.root, target_is_directory=True)
    (bench.root / "notes" / "up").symlink_to("..", target_is_directory=True)
    (bench.root / "secret.txt").symlink_to(secret)
    (bench.root / "nowhere.md").symlink_to("missing.md")
    found = await bench.index()
    assert (found.outcomes, found.skipped) == ({"added": 2}, {"links": 4})


async def test_a_file_that_is_left_out_from_now_on_is_removed(bench: Bench) -> None:
    await bench.index()
    assert (await bench.index(exclude=["notes"])).outcomes == {"unchanged": 1, "removed": 1}


async def test_one_bad_file_does_not_end_it_and_keeps_what_was_there(bench: Bench) -> None:
    bench.write("a.pdf", pdf("Herons wait."))
    await bench.index()
    bench.write("a.pdf", b"no PDF")
    bench.write("b.docx", b"no archive")
    bench.write("guide.md", "New.")
    found = await bench.index()
    assert found.failed == {
        "a.pdf": "it is protected by a password, or no PDF file",
        "b.docx": "it is damaged, or no Word document",
    }
    assert found.outcomes == {"unchanged": 1, "replaced": 1}
    assert await bench.text("a.pdf") == "Herons wait."


async def test_what_cannot_be_looked_into_is_not_taken_for_gone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.index()
    plain: Callable[..., Any] = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path).name == "notes":
            raise PermissionError(13, "Permission denied")
        return plain(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = await bench.index()
    assert (found.outcomes, found.failed) == ({"unchanged": 1}, {"notes/": "it cannot be looked into"})
    assert len(await bench.documents()) == 2


async def test_a_run_that_was_broken_off_goes_on_where_it_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:

        async def away(_: Any, texts: Sequence[str]) -> Any:
            if "Friday" in texts[0]:
                raise UpstreamUnavailable("It is away.")
            return await HashEmbedder().documents(texts)

        patched.setattr(Counting, "documents", away)
        with pytest.raises(UpstreamUnavailable):
            await bench.index()
    assert (await bench.index()).outcomes == {"unchanged": 1, "added": 1}


async def test_who_watches_is_told_how_far_it_is(bench: Bench) -> None:
    told: list[tuple[int, int, str]] = []

    def tell(done: int, total: int, name: str) -> None:
        told.append((done, total, name))

    await Folder(bench.root).index(bench.collection, Intake(bench.embedder), progress=tell)
    assert told == [(0, 2, "guide.md"), (1, 2, "notes/plan.txt"), (2, 2, "")]


async def test_office_files_are_read(bench: Bench) -> None:
    made = _document()
    made.add_heading("Plan", 1)
    made.add_paragraph("We ship.")
    into = BytesIO()
    made.save(into)
    bench.write("plan.docx", into.getvalue())
    bench.write("page.pdf", pdf("Herons", "wait."))
    bench.write("scan.pdf", pdf(""))
    found = await bench.index()
    assert found.failed == {"scan.pdf": "its pages have no text: they are pictures, scanned perhaps"}
    assert (await bench.documents())["plan.docx"].title == "Plan"
    assert await bench.text("plan.docx") == "# Plan\n\nWe ship."
    assert await bench.text("page.pdf") == "Herons\n\nwait."


@pytest.mark.parametrize(("name", "library"), [("a.pdf", "pypdfium2"), ("a.docx", "mammoth")])
async def test_without_the_extra_it_is_said_what_to_install(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    bench.write(name, b"x")
    found = await bench.index()
    assert found.failed == {name: "reading it needs `pip install 'ringmain-vector[files]'`"}


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no folder `.*missing`"):
        Folder(tmp_path / "missing")


@pytest.mark.parametrize(
    "data",
    [
        "né\n".encode(),
        "né\r\n".encode(),
        codecs.BOM_UTF8 + "né\r".encode(),
        codecs.BOM_UTF16_LE + "né\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "né\n".encode("utf-16-be"),
        codecs.BOM_UTF32_LE + "né\n".encode("utf-32-le"),
        "né\n".encode("latin-1"),
    ],
)
def test_bytes_are_text_in_whatever_way_they_were_written(data: bytes) -> None:
    assert decoded(data) == "né\n"


def test_the_name_of_a_file_says_what_it_is() -> None:
    names = ["A.MD", "a.tar.gz", "README", "Makefile", "a", "x.py", "x.HTM", "x.pdf", "x.docx", "x.doc"]
    expected = ["markdown", None, "text", "code", None, "code", "html", "pdf", "docx", None]
    assert [format_of(name) for name in names] == expected


def pdf(*pages: str) -> bytes:
    into = BytesIO()
    canvas = _canvas(into)
    for page in pages:
        canvas.drawString(50, 700, page)
        canvas.showPage()
    canvas.save()
    return into.getvalue()
