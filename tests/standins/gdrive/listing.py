"""`files.list`: what a person finds, in which corpus, in which order."""

from collections.abc import Callable, Sequence
from typing import Any

from standins.gdrive import query, shapes
from standins.gdrive.errors import Refusal, bad_request, invalid_value
from standins.gdrive.file import File
from standins.gdrive.matching import candidates, fits, terms
from standins.gdrive.ordering import DEFAULT, in_order
from standins.gdrive.viewer import APP_DATA, View
from standins.gdrive.web import Asked, Routes

routes = Routes()

_FEW = 2000  # so many are put in order; of more, the order of everything is walked
_READS_CONTENT = {"drive", "drive.readonly", "drive.file"}
_CORPORA = {"user", "domain", "drive", "allDrives"}


@routes.on("drive.files.list")
def files(asked: Asked) -> dict[str, Any]:
    view, text, order = asked.view, asked.text("q"), asked.text("orderBy")
    node = query.parsed(text) if text.strip() else None
    some = list(terms(node)) if node is not None else []
    if any(one.name == "fullText" for one in some):
        _allow_full_text(asked, order)
    fit = fits(node, view) if node is not None else _any
    corpus = _corpus(asked, some)
    found = view.store.files

    def accept(file_id: str) -> bool:
        file = found.get(file_id)
        return file is not None and not file.fixed and fit(file) and corpus(file) and view.knows(file)

    def rows() -> Sequence[str]:
        few = candidates(node, view) if node is not None else None
        if few is not None and len(few) <= _FEW:
            return in_order([found[one] for one in list(few) if one in found], view, order or DEFAULT)
        return asked.fake.orders.of_all(view, order or DEFAULT)

    of = (text, order, *(asked.text(one) for one in ("corpora", "driveId", "spaces")), _includes(asked))
    page, following = asked.page(of, rows, accept)
    several = asked.text("corpora") == "allDrives" or (_includes(asked) and not asked.text("driveId"))
    return asked.mask.made(
        {
            "kind": "drive#fileList",
            "nextPageToken": following,
            "incompleteSearch": asked.fake.incomplete_search and several,
            "files": lambda mask: [shapes.file(view, found[one], mask) for one in page],
        }
    )


def _any(_: File) -> bool:
    return True


def _allow_full_text(asked: Asked, order: str) -> None:
    if order:
        raise bad_request(
            "Sorting is not supported for queries with fullText terms. Results are always in descending "
            "relevance order.",
            "orderBy",
        )
    if asked.view.scopes.isdisjoint(_READS_CONTENT):
        message = "Metadata scope does not support fullText queries."
        raise Refusal(403, "insufficientScopes", message, location="q")


def _includes(asked: Asked) -> bool:
    return asked.flag("includeItemsFromAllDrives") or asked.flag("includeTeamDriveItems")


def _corpus(asked: Asked, some: Sequence[query.Term]) -> Callable[[File], bool]:
    """The test for what is looked through.

    Raises:
        Refusal: Parameters that do not go together.
    """
    view, corpora, drive, space = asked.view, asked.text("corpora"), asked.text("driveId"), _space(asked)
    if corpora and corpora not in _CORPORA:
        raise invalid_value("corpora")
    if bool(drive) != (corpora == "drive"):
        message = "The driveId parameter must be specified if and only if corpora is set to drive."
        raise bad_request(message, "driveId")
    if _includes(asked) and not asked.knows_drives:
        message = "The includeItemsFromAllDrives parameter requires supportsAllDrives."
        raise bad_request(message, "includeItemsFromAllDrives")
    if corpora in {"drive", "allDrives"} and not _includes(asked):
        message = "The includeItemsFromAllDrives parameter must be set to search shared drives."
        raise bad_request(message, "includeItemsFromAllDrives")
    if drive and drive not in view.store.drives:
        raise Refusal(404, "notFound", f"Shared drive not found: {drive}", location="driveId")
    if not corpora and _includes(asked) and (inside := _drive_of(view, some)):
        corpora, drive = "drive", inside
    if corpora == "drive":
        return lambda file: file.drive == drive and view.rank(file) > 0
    if corpora == "domain":
        return lambda file: not file.drive and view.store.access.discoverable(file, view.email)
    every, included = corpora == "allDrives", _includes(asked)

    def mine(file: File) -> bool:
        if file.space not in space:
            return False
        if file.drive:
            return included and view.rank(file) > 0 and (every or _accessed(view, file))
        return view.store.access.lists(file, view.email)

    return mine


def _drive_of(view: View, some: Sequence[query.Term]) -> str:
    """The shared drive that a query for a folder's children is about."""
    found = (view.store.files.get(str(one.value)) for one in some if one.name == "parents")
    return next((one.drive for one in found if one is not None and one.drive), "")


def _accessed(view: View, file: File) -> bool:
    me = view.email
    return me in file.viewed or me in file.modified_by or me in file.shared_with


def _space(asked: Asked) -> set[str]:
    given = {one.strip() for one in asked.text("spaces").split(",")}
    if not given <= {"drive", APP_DATA}:
        raise invalid_value("spaces")
    if APP_DATA in given and "drive.appdata" not in asked.view.scopes:
        message = "The granted scopes do not give access to all of the requested spaces."
        raise Refusal(403, "insufficientScopes", message, location="spaces")
    return given
