"""Which files a query fits: a test for each file, and a few candidates where an index knows them."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from standins.gdrive.errors import not_found
from standins.gdrive.file import File
from standins.gdrive.index import words
from standins.gdrive.models import RANK
from standins.gdrive.query import And, Node, Not, Or, Term, refused
from standins.gdrive.viewer import View

Fits = Callable[[File], bool]

_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_PHRASE = re.compile(r'"([^"]*)"')


def terms(node: Node) -> Iterator[Term]:
    """All terms of a query."""
    if isinstance(node, Term):
        yield node
    elif isinstance(node, Not):
        yield from terms(node.of)
    else:
        for one in node.of:
            yield from terms(one)


def fits(node: Node, view: View) -> Fits:
    """The test for files.

    Raises:
        Refusal: `invalid` for a value that cannot be read; `notFound` for a folder that is not there.
    """
    if isinstance(node, Not):
        inner = fits(node.of, view)
        return lambda file: not inner(file)
    if isinstance(node, And):
        every = [fits(one, view) for one in node.of]
        return lambda file: all(one(file) for one in every)
    if isinstance(node, Or):
        some = [fits(one, view) for one in node.of]
        return lambda file: any(one(file) for one in some)
    return _positive(node, view) if node.operator != "!=" else _negative(node, view)


def _negative(term: Term, view: View) -> Fits:
    inner = _positive(Term(term.name, "=", term.value), view)
    return lambda file: not inner(file)


def _positive(term: Term, view: View) -> Fits:
    return _MADE[term.name](term, view)


def candidates(node: Node, view: View) -> set[str] | None:
    """Files among which all that fit are; `None` where any may."""
    if isinstance(node, And):
        known = [found for one in node.of if (found := candidates(one, view)) is not None]
        return min(known, key=len) if known else None
    if isinstance(node, Or):
        every = [candidates(one, view) for one in node.of]
        return None if None in every else set[str]().union(*(one for one in every if one is not None))
    return _indexed(node, view) if isinstance(node, Term) else None


def _indexed(term: Term, view: View) -> set[str] | None:
    index, value = view.store.index, str(term.value)
    if term.name == "parents":
        return set(view.store.tree.children(view.alias(value)))
    if term.name == "mimeType" and term.operator == "=":
        return index.of_type(value)
    if term.name == "name" and term.operator in {"=", "contains"}:
        some = words(value)
        return index.named(min(some, key=index.at_most_named)) if some else None
    if term.name == "fullText":
        some = words(value)
        return min((index.holding(one) for one in some), key=len) if some else None
    return None


def _name(term: Term, _: View) -> Fits:
    value = str(term.value)
    if term.operator == "=":
        wanted = value.casefold()
        return lambda file: file.name.casefold() == wanted
    prefixes = words(value)
    return lambda file: bool(prefixes) and begin(prefixes, words(file.name))


def begin(prefixes: list[str], some: list[str]) -> bool:
    """Whether each of these begins one of the words."""
    return all(any(word.startswith(prefix) for word in some) for prefix in prefixes)


def _full_text(term: Term, view: View) -> Fits:
    value, index = str(term.value), view.store.index
    phrases = [some for one in _PHRASE.findall(value) if (some := words(one))]
    single = words(_PHRASE.sub(" ", value))

    def fit(file: File) -> bool:
        if any(file.id not in index.holding(word) for word in single):
            return False
        return all(_holds(words(f"{file.name} {file.description} {file.text}"), one) for one in phrases)

    return fit


def _holds(some: list[str], phrase: list[str]) -> bool:
    return any(some[at : at + len(phrase)] == phrase for at in range(len(some) - len(phrase) + 1))


def _mime_type(term: Term, _: View) -> Fits:
    value = str(term.value)
    if term.operator == "=":
        return lambda file: file.mime_type == value
    return lambda file: file.mime_type.startswith(value)


def _timed(of: Callable[[File, View], float | None]) -> Callable[[Term, View], Fits]:
    def make(term: Term, view: View) -> Fits:
        wanted, compared = _moment(str(term.value)), _COMPARED[term.operator]

        def fit(file: File) -> bool:
            when = of(file, view)
            return when is not None and compared(when, wanted)

        return fit

    return make


def _moment(text: str) -> float:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise refused() from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _flag(of: Callable[[File, View], bool]) -> Callable[[Term, View], Fits]:
    return lambda term, view: lambda file: of(file, view) is term.value


def _parent(term: Term, view: View) -> Fits:
    given = str(term.value)
    wanted = view.alias(given)
    folder = view.store.files.get(wanted)
    if given == wanted and (folder is None or not view.sees(folder)):
        raise not_found(".")
    return lambda file: file.parent == wanted


def _owner(term: Term, view: View) -> Fits:
    wanted = _person(term, view)
    return lambda file: file.owner == wanted


def _person(term: Term, view: View) -> str:
    return view.email if term.value == "me" else str(term.value)


def _with_role(role: str) -> Callable[[Term, View], Fits]:
    def make(term: Term, view: View) -> Fits:
        wanted, least = _person(term, view), RANK[role]
        held = view.store.access.held
        return lambda file: any(one.permission.to == wanted and RANK[one.role] >= least for one in held(file))

    return make


def _property(of: Callable[[File, View], Mapping[str, str]]) -> Callable[[Term, View], Fits]:
    def make(term: Term, view: View) -> Fits:
        assert isinstance(term.value, tuple)
        key, value = term.value
        return lambda file: of(file, view).get(key) == value

    return make


def _visible_to(term: Term, view: View) -> Fits:
    if term.value not in {"anyoneCanFind", "anyoneWithLink", "domainCanFind", "domainWithLink", "limited"}:
        raise refused()
    return lambda file: _visibility(file, view) == term.value


def _visibility(file: File, view: View) -> str:
    widest = "limited"
    for one in view.store.access.held(file):
        given = one.permission
        if given.type in {"anyone", "domain"}:
            name = f"{given.type}{'CanFind' if given.discoverable else 'WithLink'}"
            widest = name if given.type == "anyone" or widest == "limited" else widest
    return widest


def _target(term: Term, _: View) -> Fits:
    return lambda file: file.is_shortcut and file.target == term.value


_MADE: Mapping[str, Callable[[Term, View], Fits]] = {
    "name": _name,
    "fullText": _full_text,
    "mimeType": _mime_type,
    "modifiedTime": _timed(lambda file, _: file.modified),
    "createdTime": _timed(lambda file, _: file.created),
    "viewedByMeTime": _timed(lambda file, view: file.viewed.get(view.email)),
    "trashed": _flag(lambda file, view: view.store.tree.is_trashed(file)),
    "starred": _flag(lambda file, view: view.email in file.starred),
    "sharedWithMe": _flag(lambda file, view: view.email in file.shared_with),
    "parents": _parent,
    "owners": _owner,
    "writers": _with_role("writer"),
    "readers": _with_role("reader"),
    "properties": _property(lambda file, _: file.properties),
    "appProperties": _property(lambda file, view: file.app_properties.get(view.app, {})),
    "visibility": _visible_to,
    "shortcutDetails.targetId": _target,
}
