"""What agents may call a file or folder."""

import pytest

from ringmain_core.errors import InvalidArguments
from ringmain_gdrive.references import Reference, parse_reference, quoted

ID = "1aBcDeFgHiJkLmNoP"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (ID, Reference(ID)),
        (f" {ID} ", Reference(ID)),
        ("root", Reference("root")),
        (f"https://docs.google.com/document/d/{ID}/edit?tab=t.0#heading=h.1", Reference(ID)),
        (f"https://drive.google.com/drive/folders/{ID}?resourcekey=0-Ab_C", Reference(ID, "0-Ab_C")),
        (f"https://drive.google.com/open?id={ID}", Reference(ID)),
        ("/", Reference("root")),
        ("/Plans/Budget 2026", Reference(path=("Plans", "Budget 2026"), is_mine=True)),
        ("My Drive/Plans", Reference(path=("Plans",), is_mine=True)),
        ("My Drive/", Reference("root")),
        ("Team/Plans?x=1", Reference(path=("Team", "Plans?x=1"))),
    ],
)
def test_files_are_named_by_id_link_or_path(text: str, found: Reference) -> None:
    assert parse_reference(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        f"{ID}?alt=media",
        f"{ID}%2Fpermissions",
        "../permissions",
        "/Plans/../Secret",
        "/" + "deep/" * 31,
        "https://docs.google.com/document/d/../permissions",
        "https://drive.google.com/open?id=a/b/c/d/e/f/g/h",
        f"https://drive.google.com/open?id={ID}&resourcekey=0%0d%0aAuthorization:%20x",
        f"https://drive.google.com/open?id={ID}&resourcekey=a/b,{ID}/c",
    ],
)
def test_what_could_lead_elsewhere_names_no_file(text: str) -> None:
    with pytest.raises(InvalidArguments, match="by its id, its link, or its path"):
        parse_reference(text)


def test_a_value_of_a_query_stays_one_value() -> None:
    assert quoted("it's \\ 'trashed = true'") == "'it\\'s \\\\ \\'trashed = true\\''"
