"""How do tables leave the studio? As CSV, JSON lines or a workbook that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run instead of show


def csv_answer(name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """A file to download, with the mark by which Excel knows UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(heading)
    writer.writerows([_shown(cell) for cell in row] for row in rows)
    return attachment(f"{name}.csv", "text/csv; charset=utf-8", b"\xef\xbb\xbf" + text.getvalue().encode("utf-8"))


def jsonl_answer(name: str, rows: Iterable[dict[str, Any]]) -> HttpResponse:
    """A file to download, one object a line."""
    lines = "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
    return attachment(f"{name}.jsonl", "application/x-ndjson", lines.encode("utf-8", "backslashreplace"))


def xlsx_answer(name: str, sheets: dict[str, Sequence[Sequence[Any]]]) -> HttpResponse:
    """A workbook to download: title of each sheet and its rows, the first of which is the heading."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title[:31])
        for row in rows:
            sheet.append([_shown(cell) for cell in row])
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        sheet.freeze_panes = "A2"
    stream = io.BytesIO()
    book.save(stream)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return attachment(f"{name}.xlsx", kind, stream.getvalue())


def attachment(name: str, kind: str, content: bytes) -> HttpResponse:
    """A file to save under a name in ASCII."""
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _shown(cell: Any) -> Any:
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return "'" + cell
    return cell
