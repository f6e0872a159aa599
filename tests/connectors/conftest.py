"""An engine as the worker prepares it: extensions from their wheels, `files`, nothing automatic."""

from __future__ import annotations

import importlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import duckdb
import pytest

from core.settings import Settings
from core.workbench import Workbench


@pytest.fixture
def con():
    engine = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "threads": 2,
        }
    )
    for name in ("excel", "sqlite_scanner"):
        wheel = Path(importlib.import_module(f"duckdb_extension_{name}").__path__[0])
        engine.execute(f"LOAD '{next(wheel.rglob('*.duckdb_extension'))}'")
    engine.execute("ATTACH ':memory:' AS files")
    engine.execute("SET search_path = 'memory.main,files.main'")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def workbench(tmp_path_factory) -> Iterator[Workbench]:
    """Open a workbench of its own for the tests of a module."""
    home = tmp_path_factory.mktemp("home")
    opened = Workbench.open(Settings(home=home / "data", start_folder=home, sample_data=False))
    yield opened
    opened.close()


@pytest.fixture
def write_workbook():
    """Write an .xlsx by hand: sheet name -> rows of texts and numbers; None leaves a gap."""
    return _write_workbook


_TYPES = """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/></Types>"""
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"


def _write_workbook(path: Path, sheets: dict[str, list[list[object]]], chart: str = "") -> None:
    names = [*sheets, *([chart] if chart else [])]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _links([("officeDocument", "xl/workbook.xml")]))
        listed = "".join(
            f"<sheet name={quoteattr(name)} sheetId='{i}' r:id='rId{i}'/>"
            for i, name in enumerate(names, 1)
        )
        archive.writestr(
            "xl/workbook.xml",
            f"<workbook xmlns='{_MAIN}' xmlns:r='{_OFFICE}'><sheets>{listed}</sheets></workbook>",
        )
        kinds = ["chartsheet" if name == chart else "worksheet" for name in names]
        targets = [(kind, f"{kind}s/sheet{i}.xml") for i, kind in enumerate(kinds, 1)]
        archive.writestr("xl/_rels/workbook.xml.rels", _links(targets))
        for i, rows in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{i}.xml", _sheet(rows))


def _links(targets: list[tuple[str, str]]) -> str:
    each = "".join(
        f"<Relationship Id='rId{i}' Type='{_OFFICE}/{kind}' Target='{target}'/>"
        for i, (kind, target) in enumerate(targets, 1)
    )
    return f"<Relationships xmlns='{_LINKS}'>{each}</Relationships>"


def _sheet(rows: list[list[object]]) -> str:
    lines = "".join(
        f"<row r='{r}'>{''.join(_cell(f'{chr(65 + c)}{r}', v) for c, v in enumerate(row))}</row>"
        for r, row in enumerate(rows, 1)
    )
    return f"<worksheet xmlns='{_MAIN}'><sheetData>{lines}</sheetData></worksheet>"


def _cell(place: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"<c r='{place}' t='inlineStr'><is><t>{escape(value)}</t></is></c>"
    return f"<c r='{place}'><v>{value}</v></c>"
