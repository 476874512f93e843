"""The rules of sharing: what may be given to whom, by whom, and what a domain forbids."""

from typing import Any

from standins.gdrive.models import Permission
from standins.gdrive.people import People, account_number

ANYONE = "anyone"


def permission_id(kind: str, to: str, *, discoverable: bool = False) -> str:
    """The id of a permission: of the account, of the domain, or what anyone is called."""
    if kind == ANYONE:
        return ANYONE if discoverable else "anyoneWithLink"
    if kind == "domain":
        return f"{account_number(to)[:19]}k"
    return account_number(to)


def permission_to(
    people: People, to: str, role: str, *, discoverable: bool = False, **more: Any
) -> Permission:
    """A permission for whoever is meant: an email address, a domain, `anyone`."""
    kind = (
        ANYONE if to == ANYONE else "domain" if "@" not in to else "group" if to in people.groups else "user"
    )
    number = permission_id(kind, to, discoverable=discoverable)
    return Permission(number, kind, role, "" if kind == ANYONE else to, discoverable=discoverable, **more)
