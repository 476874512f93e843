"""Names as agents give them become paths that lead nowhere else."""

import pytest
from pydantic import TypeAdapter

from ringmain_core.errors import InvalidArguments
from ringmain_github.references import (
    Number,
    RunId,
    author_of,
    file_parts,
    headline_of,
    is_sha,
    parse_repo,
    path,
    require_here,
)


@pytest.mark.parametrize(
    "text",
    [
        "acme/widgets",
        "https://github.com/acme/widgets",
        "https://github.com/acme/widgets.git",
        "https://github.com/acme/widgets/pull/12/files#diff-1",
        "https://github.example.com/acme/widgets/tree/main/src",
    ],
)
def test_a_repository_is_known_by_its_name_and_by_any_link_into_it(text: str) -> None:
    assert parse_repo(text) == ("acme", "widgets")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme",
        "acme/",
        "/widgets",
        "acme/widgets/issues",
        "acme/..",
        "../acme",
        "a b/c",
        "acme/wid?gets",
        "-a/b",
    ],
)
def test_what_names_no_repository_is_refused_with_advice(text: str) -> None:
    with pytest.raises(InvalidArguments, match="owner/name"):
        parse_repo(text)


@pytest.mark.parametrize(
    "value",
    [12, "12", "#12", "https://github.com/acme/widgets/issues/12", "https://x.test/a/b/pull/12/files"],
)
def test_a_number_is_known_by_its_link_as_well(value: object) -> None:
    assert TypeAdapter(Number).validate_python(value) == 12


@pytest.mark.parametrize("value", [77, "77", "https://github.com/acme/widgets/actions/runs/77/job/3"])
def test_a_run_is_known_by_its_link_as_well(value: object) -> None:
    assert TypeAdapter(RunId).validate_python(value) == 77


def test_every_part_of_a_path_stays_one_part() -> None:
    assert path("repos", "acme", "widgets", "contents", "a b/../c?d#e") == (
        "/repos/acme/widgets/contents/a%20b%2F..%2Fc%3Fd%23e"
    )


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_a_part_that_leads_elsewhere_is_refused(part: str) -> None:
    with pytest.raises(InvalidArguments):
        path("repos", "acme", part)


def test_the_parts_of_a_files_path() -> None:
    assert file_parts("/src//a/b.py/") == ["src", "a", "b.py"]
    assert file_parts("") == []


def test_what_looks_like_a_commits_id() -> None:
    assert is_sha("a1b2c3d")
    assert not is_sha("main")


def test_a_commit_is_told_by_its_author_and_first_line_whatever_git_knows_of_them() -> None:
    made = {"author": {"name": "Mona L."}, "message": "Spin\n\nFaster."}
    assert author_of({"author": {"login": "mona"}, "commit": made}) == "mona"
    assert author_of({"author": None, "commit": made}) == "Mona L."
    assert author_of({"author": {}, "commit": made}) == "Mona L."
    assert headline_of({"commit": made}) == "Spin"
    assert headline_of({"commit": {"message": ""}}) == ""


@pytest.mark.parametrize(
    "value",
    [
        12,
        "#12",
        "https://github.com/acme/widgets/pull/12/files#diff",
        "https://github.com/Acme/Widgets/issues/12",
        "https://github.com/acme/old-name/issues/12",
        "https://api.github.com/repos/acme/widgets/issues/12",
        "https://github.example.com/api/v3/repos/acme/widgets/issues/12",
    ],
)
def test_a_link_into_the_repository_is_taken(value: object) -> None:
    require_here({"number": value, "body": "https://elsewhere.test/a/b"}, "acme/old-name", "acme/widgets")


@pytest.mark.parametrize("name", ["number", "run_id", "sha", "range"])
@pytest.mark.parametrize("place", ["acme/gadgets", "other/widgets", "repos/acme/gadgets", ""])
def test_a_link_into_another_repository_is_refused(name: str, place: str) -> None:
    with pytest.raises(InvalidArguments, match=f"`{name}` links to another repository than `repo`, a/b"):
        require_here({name: f"https://github.com/{place}/issues/12"}, "a/b")
