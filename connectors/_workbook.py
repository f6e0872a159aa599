"""The names of a workbook's sheets, read from the two small XML files that hold them.

DuckDB reads sheets but does not list them. The XML comes from strangers: its size is limited,
and a document type, which could declare entities that grow without end, is refused.
"""

from __future__ import annotations

import zipfile
import zlib
from xml.etree import ElementTree

from core.errors import ConnectError

LARGEST = 4 * 2**20
"""Bytes of workbook.xml; 10,000 sheets take one."""

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def sheet_names(path: str) -> list[str]:
    """Return the names of the sheets that hold cells, in order; charts are none.

    Raises ConnectError where the file is no workbook.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            book = _parsed(archive, "xl/workbook.xml", path)
            links = _parsed(archive, "xl/_rels/workbook.xml.rels", path)
    except KeyError as error:
        raise ConnectError(f"{path} is a zip file, but not an Excel workbook (.xlsx).") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ConnectError(
            f"{path} is not an Excel workbook (.xlsx), or it was cut off.",
            hint="Older .xls files and password-protected ones must be saved as .xlsx first.",
        ) from error
    kinds = {link.get("Id"): (link.get("Type") or "").rsplit("/", 1)[-1] for link in links}
    return [
        sheet.get("name") or ""
        for sheet in book.iter()
        if sheet.tag.endswith("}sheet") and kinds.get(sheet.get(_RELATION)) != "chartsheet"
    ]


def _parsed(archive: zipfile.ZipFile, name: str, path: str) -> ElementTree.Element:
    with archive.open(name) as file:
        text = file.read(LARGEST + 1)
    # A NUL means UTF-16, in which a document type would not be seen.
    if len(text) > LARGEST or b"<!DOCTYPE" in text or b"<!ENTITY" in text or b"\0" in text:
        raise ConnectError(
            f"{path} is not a workbook that can be trusted: {name} is not plain XML."
        )
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ConnectError(f"{path}: {name} in it is broken: {error}.") from error
