"""Patterns of `.gitignore`: Git itself says what they leave out."""

import random
import subprocess
from pathlib import Path

import pytest

from ringmain_vector.git_patterns import NoPattern, last_of, pattern
from ringmain_vector.walking import walk

FOLDERS = ("a", "b", "foo", "bar", "build", "docs")
FILES = ("a.md", "b.md", "foo.md", "keep.md", "README.md", "x y.md")
PARTS = (
    *FOLDERS, *FILES, "*", "**", "***", "*.md", "f*", "f**", "?", "[ab]", "[!a]*", "fo[o-p]", "*a*",
    "foo*.md", "[[:alpha:]]*", "b??", "*.md**",
)  # fmt: skip
TREE = (
    "docs/a.md", "docs/private/salary.md", "docs/private/sub/x.md", "docs/drafts/b.md", "foo/x.md",
    "foo/keep.md", "secret.md", "vendor/v/a.md", "vendor/keep.md", "é.md",
)  # fmt: skip


def kept_by_git(root: Path) -> set[str]:
    every = ("-z", "--others", "--exclude-standard")
    told = subprocess.run(
        ["git", "-C", root, "-c", "core.excludesFile=/dev/null", "ls-files", *every],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    names = set(told.stdout.split("\0")) - {""}
    return {name for name in names if not name.rpartition("/")[2].startswith(".")}


def kept(root: Path) -> set[str]:
    return {file.name for file in walk(root).files}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path.resolve() / "root"
    subprocess.run(["git", "init", "--quiet", root], check=True)
    return root


def write(root: Path, name: str, content: bytes = b"x") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)


def some_pattern(chance: random.Random) -> str:
    made = "/".join(chance.choice(PARTS) for _ in range(chance.choice((1, 1, 1, 2, 2, 3))))
    made = chance.choice(("", "", "/")) + made + chance.choice(("", "", "/", "**"))
    made = chance.choice(("", "", "!")) + made
    return chance.choice(("", "\\")) + made if chance.random() < 0.05 else made


@pytest.mark.parametrize("seed", range(30))
def test_what_git_keeps_is_kept_and_nothing_else(repository: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (the same trees each time)
    folders = [""]
    for _ in range(chance.randint(1, 6)):
        folders.append(f"{chance.choice(folders)}{chance.choice(FOLDERS)}/")
    for folder in folders:
        for name in chance.sample(FILES, 3):
            write(repository, folder + name)
    for folder in chance.sample(folders, min(len(folders), 2)):
        rules = "\n".join(some_pattern(chance) for _ in range(chance.randint(1, 4)))
        write(repository, f"{folder}.gitignore", rules.encode())
    assert kept(repository) == kept_by_git(repository)


@pytest.mark.parametrize(
    "rules",
    [
        b"!docs/**\ndocs/private\n",
        b"!docs/**\nprivate/\n",
        b"foo/**\n!foo/keep.md\n",
        b"**/foo/**\n!**/keep.md\n",
        b"*\n!*/\n!keep.md\n",
        b"\xef\xbb\xbfsecret.md\nfoo/\n",
        b"secret.md\r\nfoo/\r\n",
        b"docs/\x0cprivate\nfoo/\n",
        "docs/private/\n# r\xe9sum\xe9\nfoo/\n".encode("latin-1"),
        b"secret.md \nfoo/ \nvendor\\ \n",
        b"docs//private\n./secret.md\n",
        b"/f**\n",
        b"?.md\n[!s]*.md\n",
        b"[z-a]\n[a\n\\\n!\n[[:nothing:]]\n[]s]ecret.md\n[[:lower:]-]ecret.md\n",
        b"[a-\\f]oo\nvendo[^a-q]\n[\\s]ecret.md\n",
    ],
)
def test_files_are_read_as_git_reads_them(repository: Path, rules: bytes) -> None:
    for name in TREE:
        write(repository, name)
    write(repository, ".gitignore", rules)
    assert kept(repository) == kept_by_git(repository)


def test_what_a_repository_leaves_out_for_itself_is_left_out(repository: Path) -> None:
    write(repository, "docs/private/salary.md")
    write(repository, "docs/a.md")
    write(repository, ".git/info/exclude", b"private/\n")
    assert kept(repository) == kept_by_git(repository) == {"docs/a.md"}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b"*a" * 12 + b"b", b"a" * 3_000),
        (b"/x/" + b"*a" * 12 + b"b/c", b"x/" + b"a" * 3_000 + b"/c"),
        (b"**/a/" * 8 + b"b", b"a/" * 1_500 + b"c"),
    ],
)
def test_no_pattern_goes_through_all_ways_to_fit(text: bytes, path: bytes) -> None:
    assert last_of([pattern(text)], path, is_folder=False) is None


@pytest.mark.parametrize("text", [b"", b"!", b"/", b"[a", b"a\\", b"[[:nothing:]]", b"[a-"])
def test_what_nothing_can_fit_is_no_pattern(text: bytes) -> None:
    with pytest.raises(NoPattern):
        pattern(text)
