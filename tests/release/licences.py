"""Which licences may come along with a connector."""

import re
from importlib.metadata import Distribution

_ALLOWED = re.compile(
    r"\b(MIT|MIT-0|MIT-CMU|BSD|0BSD|Apache|PSF|Python Software Foundation|CNRI|MPL|Mozilla Public License"
    r"|ISC|ISCL|HPND|Zlib|Unlicense|CC0|BSL-1\.0|Unicode)\b",
    re.IGNORECASE,
)
_LESSER = re.compile(r"\bLGPL|Lesser General Public", re.IGNORECASE)
_COPYLEFT = re.compile(r"\b(A|L)?GPL|GNU|General Public", re.IGNORECASE)
_ENOUGH = 80  # a licence's whole text stands in some metadata: its name is in the first line


def licence_of(distribution: Distribution) -> str:
    """What a distribution says of its licence: the expression, the classifiers, or the free text."""
    said = distribution.metadata.json
    if expression := said.get("license_expression"):
        return str(expression)
    named = [line.rpartition(" :: ")[2] for line in said.get("classifier", ()) if "License ::" in line]
    free = str(said.get("license", "")).strip().partition("\n")[0][:_ENOUGH]
    return " AND ".join(name for name in named if name != "OSI Approved") or free


def licence_fault(name: str, licence: str, lesser_allowed: frozenset[str]) -> str | None:
    """Why a licence is not allowed; `None` where it is. Of alternatives, one has to be."""
    if not licence:
        return f"{name} does not say under which licence it is"
    alternatives = re.split(r"\bOR\b", licence)
    if any(_is_allowed(one, lesser=name.lower() in lesser_allowed) for one in alternatives):
        return None
    return f"{name} is under {licence}, which is not allowed"


def _is_allowed(licence: str, *, lesser: bool) -> bool:
    parts = [part for part in re.split(r"\bAND\b|;", licence) if part.strip(" ()")]
    return all(
        (lesser and _LESSER.search(part)) or (_ALLOWED.search(part) and not _COPYLEFT.search(part))
        for part in parts
    )
