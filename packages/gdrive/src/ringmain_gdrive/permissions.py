"""What is asked of Google: scopes by tier, and what a token's scopes do not allow."""

from collections.abc import Collection, Mapping

from ringmain_gdrive.settings import Tier

SCOPES: Mapping[Tier, tuple[str, ...]] = {
    "metadata": ("drive.metadata.readonly",),
    "read": ("drive.readonly",),
    "app": ("drive.readonly", "drive.file"),
    "full": ("drive",),
}
"""Scopes of each tier, without Google's prefix; all but `drive.file` are restricted ones for public apps."""

LEAST = ("drive.metadata.readonly", "drive.readonly", "drive.file", "drive")
"""From the narrowest to the widest."""

COVERED_BY: Mapping[str, frozenset[str]] = {
    "drive.metadata.readonly": frozenset({"drive.metadata.readonly", "drive.readonly", "drive"}),
    "drive.readonly": frozenset({"drive.readonly", "drive"}),
    "drive.file": frozenset({"drive.file", "drive"}),
    "drive": frozenset({"drive"}),
}
"""The scopes that allow all that one does."""

NEEDS: Mapping[str, frozenset[str]] = {
    "whoami": frozenset(LEAST),
    "list_drives": frozenset({"drive.readonly", "drive"}),
    "search": frozenset({"drive.metadata.readonly", "drive.readonly", "drive"}),
    "list_folder": frozenset({"drive.metadata.readonly", "drive.readonly", "drive"}),
    "get_file": frozenset({"drive.metadata.readonly", "drive.readonly", "drive"}),
    "read_file": frozenset({"drive.readonly", "drive"}),
    "read_table": frozenset({"drive.readonly", "drive"}),
    "download": frozenset({"drive.readonly", "drive"}),
    "list_permissions": frozenset({"drive.metadata.readonly", "drive.readonly", "drive"}),
    "comments": frozenset({"drive.readonly", "drive"}),
    "revisions": frozenset({"drive.readonly", "drive"}),
    "changes": frozenset({"drive.metadata.readonly", "drive.readonly", "drive"}),
    "create_file": frozenset({"drive.file", "drive"}),
    "update_file": frozenset({"drive.file", "drive"}),
    "organize": frozenset({"drive.file", "drive"}),
    "restore_revision": frozenset({"drive.file", "drive"}),
    "comment": frozenset({"drive.file", "drive"}),
    "share": frozenset({"drive.file", "drive"}),
    "access_requests": frozenset({"drive.file", "drive"}),
}
"""What each tool needs: one of these. With `drive.file`, writes reach only what was made or opened here."""


_METADATA = ("about.", "changes.", "files.get", "files.list", "permissions.get", "permissions.list")


def read_needs(method: str) -> frozenset[str]:
    """What a method that only reads needs: one of these."""
    wanted = method.startswith(_METADATA) and not method.endswith("_media")
    return NEEDS["search"] if wanted else NEEDS["read_file"]


def lacking(held: Collection[str]) -> list[str]:
    """What scopes do not allow, as “tool: scope”."""
    found: list[str] = []
    for tool, wanted in NEEDS.items():
        if not wanted.intersection(held):
            least = next(scope for scope in LEAST if scope in wanted)
            found.append(f"{tool}: {least}")
    return found
