"""`about.get`, and ids that are given out beforehand."""

from typing import Any

from standins.gdrive.errors import invalid_value
from standins.gdrive.formats import EXPORTS, IMPORTS, LARGEST
from standins.gdrive.shapes import user
from standins.gdrive.web import Asked, Routes

routes = Routes()

_COLORS = ["#ac725e", "#d06b64", "#f83a22", "#fa573c", "#16a765", "#4986e7", "#9a9cff", "#8f8f8f"]
_CONSUMERS = {"gmail.com", "private.example"}
_LARGEST_UPLOAD = 5_242_880_000_000
THEMES = [
    {"id": "abacus", "backgroundImageLink": "https://ssl.gstatic.com/abacus.jpg", "colorRgb": "#ea6100"},
    {
        "id": "blueprint",
        "backgroundImageLink": "https://ssl.gstatic.com/blueprint.jpg",
        "colorRgb": "#4285f4",
    },
]


@routes.on("drive.about.get")
def about(asked: Asked) -> dict[str, Any]:
    return asked.mask.made(
        {
            "kind": "drive#about",
            "user": user(asked.view, asked.me),
            "storageQuota": lambda mask: mask.shown(_quota(asked)),
            "importFormats": {kind: list(some) for kind, some in IMPORTS.items()},
            "exportFormats": {kind: list(some) for kind, some in EXPORTS.items()},
            "maxImportSizes": {kind: str(size) for kind, size in LARGEST.items()},
            "maxUploadSize": str(_LARGEST_UPLOAD),
            "appInstalled": True,
            "folderColorPalette": _COLORS,
            "driveThemes": THEMES,
            "canCreateDrives": asked.view.user.domain not in _CONSUMERS and not asked.view.user.robot,
        }
    )


def _quota(asked: Asked) -> dict[str, str]:
    me = asked.view.user
    tree = asked.store.tree
    mine = (one for one in tree.files.values() if one.owner == me.email and tree.is_trashed(one))
    trash = sum(one.content.size for one in mine if one.content is not None)
    limit = {} if me.quota is None else {"limit": str(me.quota)}
    return {**limit, "usage": str(me.used), "usageInDrive": str(me.used), "usageInDriveTrash": str(trash)}


@routes.on("drive.files.generateIds")
def generate_ids(asked: Asked) -> dict[str, Any]:
    space, kind = asked.text("space"), asked.text("type")
    if space not in {"drive", "appDataFolder"}:
        raise invalid_value("space")
    if kind not in {"files", "shortcuts"}:
        raise invalid_value("type")
    made = [asked.store.new_id() for _ in range(asked.values["count"])]
    asked.store.issued.update(dict.fromkeys(made, kind))
    return asked.mask.made({"kind": "drive#generatedIds", "space": space, "ids": made})
