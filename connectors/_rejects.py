"""Which rows of CSV files DuckDB would refuse: all counted, the first of them listed.

It reads everything once. DuckDB keeps the rejects in two temporary tables of the connection,
which are dropped again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors._errors import plain, shortened
from core.connector import Reject, Report, quoted

if TYPE_CHECKING:
    import duckdb

LISTED = 1000

_ERRORS, _SCANS = "millpond_reject_errors", "millpond_reject_scans"

STORE: dict[str, object] = {
    "ignore_errors": True,
    "store_rejects": True,
    "rejects_table": _ERRORS,
    "rejects_scan": _SCANS,
    "rejects_limit": 0,
}
"""Arguments of read_csv that make a SELECT fit for `rejected`."""


def rejected(con: duckdb.DuckDBPyConnection, select: str) -> Report:
    """Read a SELECT of read_csv with STORE to its end; report its bad rows, and what to do."""
    _forget(con)
    try:
        # Each column is asked for: one that is not asked for is not converted.
        con.execute(f"SELECT count(COLUMNS(*)) FROM ({select})").fetchall()
        rows = f"""
            SELECT file_path, line, any_value(column_name ORDER BY column_idx) AS column_name,
                   any_value(error_message ORDER BY column_idx) AS reason,
                   any_value(csv_line ORDER BY column_idx)[:400] AS text
            FROM {quoted(_ERRORS)} JOIN {quoted(_SCANS)} USING (scan_id, file_id)
            GROUP BY file_path, line"""
        counted = con.execute(f"SELECT count(*) FROM ({rows})").fetchone()
        first = con.execute(f"{rows} ORDER BY file_path, line LIMIT {LISTED}").fetchall()
    finally:
        _forget(con)
    advice = dict.fromkeys(plain(row[3])[1] for row in first)
    return Report(
        tables=(),
        rejected=int(counted[0]) if counted else 0,
        rejects=tuple(_reject(*row) for row in first),
        notes=tuple(hint for hint in advice if hint),
    )


def _reject(file: str, line: int, column: str | None, message: str, text: str | None) -> Reject:
    return Reject(file, int(line), column or "", plain(message)[0], shortened(text or ""))


def _forget(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"DROP TABLE IF EXISTS {quoted(_ERRORS)}")
    con.execute(f"DROP TABLE IF EXISTS {quoted(_SCANS)}")
