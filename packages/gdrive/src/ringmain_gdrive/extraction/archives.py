"""Office files are zip archives of XML: neither may be a trap."""

import zipfile
from io import BytesIO
from xml.parsers import expat

from ringmain_gdrive.extraction.extracted import Unreadable

_MOST_ENTRIES = 5_000
_MOST_BYTES = 200 * 1024 * 1024
_MOST_RATIO = 100
_RATIO_COUNTS_FROM = 1024 * 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_CHUNK = 64 * 1024
_XML = (".xml", ".rels", ".vml")


def require_harmless(data: bytes) -> list[str]:
    """Look at an archive before a library opens it; the names in it.

    Raises:
        Unreadable: Where it would unfold to more than anybody writes, is encrypted, holds a file twice
            so that two readers could see two things, or declares a document type, which Office forbids
            and with which entities come.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
            _require_plain(entries)
            for entry in entries:
                _require_no_doctype(archive, entry)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError) as error:
        raise Unreadable("It is damaged: it does not unpack.") from error
    return [entry.filename for entry in entries]


def _require_plain(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > _MOST_ENTRIES or len({entry.filename for entry in entries}) < len(entries):
        raise Unreadable("It is packed in a way that no office program does, so it is not read.")
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise Unreadable("It is protected by a password.")
    if any(entry.compress_type not in _METHODS for entry in entries):
        raise Unreadable("It is packed in a way that no office program does, so it is not read.")
    if sum(entry.file_size for entry in entries) > _MOST_BYTES:
        raise Unreadable(f"It unpacks to more than {_MOST_BYTES:,} bytes, so it is not read.")
    for entry in entries:
        if entry.file_size > _RATIO_COUNTS_FROM and entry.file_size > _MOST_RATIO * max(
            entry.compress_size, 1
        ):
            raise Unreadable("It unpacks to more than a hundred times its size, so it is not read.")


class _Begun(Exception):
    """The root element of an XML file was reached."""


def _require_no_doctype(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    def begun(*_: object) -> None:
        raise _Begun

    def declared(*_: object) -> None:
        raise Unreadable("Its XML declares a document type, which no office program does: it is not read.")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begun
    parser.StartDoctypeDeclHandler = declared
    with archive.open(entry) as file:
        try:
            while chunk := file.read(_CHUNK):
                parser.Parse(chunk)
        except _Begun:
            return
        except expat.ExpatError as error:
            if entry.filename.lower().endswith(_XML):
                raise Unreadable(f"It is damaged: `{entry.filename[:80]}` in it is no XML.") from error
