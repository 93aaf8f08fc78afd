"""What stands where in the report on edits? The curve, the numbers, and pictures that nobody selected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import torch

from bespoke.data.levels import as_image
from bespoke.evaluation.edits import INVERTED, STRENGTHS, Edits, Way
from bespoke.evaluation.edits_exact import ExactRow
from bespoke.evaluation.edits_texts import EDIT_TEXTS
from bespoke.pages.document import Writer, document, picture_of
from bespoke.pages.plots import Point, scatter_plot
from bespoke.pages.texts import Language

FORMAT = 1
METRICS = ("prefers_new", "retrieval", "background", "change", "ssim", "untouched")
BASELINES = (Way("identity"), Way("anew"), Way("inversion"))
WAYS = (*BASELINES, *(Way("edit", strength) for strength in STRENGTHS))
RED = "#b42318"


def edits_page(edits: Edits, exact: Sequence[ExactRow], name: str, language: Language, *, reads: bool) -> str:
    """The whole page; reads: whether a judge can be trusted with captions."""
    writer = _Page(language, EDIT_TEXTS)
    body = "\n".join(writer.parts(edits, exact, name, reads))
    return document(f"{writer.text('title')}: {escape(name)}", body, language)


def edits_data(edits: Edits, exact: Sequence[ExactRow], name: str, *, reads: bool) -> dict[str, Any]:
    """The same as JSON can hold it; pictures stay in the page."""
    rows = [
        {"way": row.way.name, "strength": row.way.strength, "metric": row.metric, "judge": row.judge}
        | row.value._asdict()
        for row in edits.rows
    ]
    known = [row._asdict() | {"way": row.way.name, "strength": row.way.strength} for row in exact]
    protocol = {"split": edits.split, "seed": edits.seed, "num_pictures": len(edits.texts), "inverted": INVERTED}
    return {"format": FORMAT, "model": name, "protocol": protocol, "judges_read": reads, "rows": rows, "exact": known}


def mean(edits: Edits, way: Way, metric: str) -> float | None:
    """Of the judges; None where it was not asked."""
    found = [row.value.value for row in edits.find(way, metric)]
    return sum(found) / len(found) if found else None


class _Page(Writer):
    def parts(self, edits: Edits, exact: Sequence[ExactRow], name: str, reads: bool) -> Iterable[str]:
        about = self.text("about", n=len(edits.texts), split=self.plain(f"split.{edits.split}"))
        yield f'<p class="kicker">{self.text("title")}</p><h1>{escape(name)}</h1><p class="soft">{about}</p>'
        if not reads:
            yield f'<section class="verdict base"><p>{self.text("judges_fail")}</p></section>'
        yield f'<h2>{self.text("curve")}</h2><p class="soft">{self.text("curve_note", few=INVERTED)}</p>'
        yield f'<div class="card">{self.curve(edits)}</div>'
        if exact:
            note = self.text("exact_note", n=exact[0].num_pictures)
            yield f'<h2>{self.text("exact")}</h2><p class="soft">{note}</p>{self.known(exact)}'
        yield self.heading("numbers", "numbers_note") + self.numbers(edits)
        yield self.heading("sheet", "sheet_note") + self.sheet(edits)

    def way(self, way: Way) -> str:
        return self.plain(f"way.{way.name}", strength=f"{way.strength:g}" if way.strength is not None else "")

    def curve(self, edits: Edits) -> str:
        points = [
            Point(100 * x, 100 * y, self.way(way), RED if way in BASELINES else "#5b7fc7")
            for way in WAYS
            if (x := mean(edits, way, "background")) is not None and (y := mean(edits, way, "prefers_new")) is not None
        ]
        return scatter_plot(points, self.plain("curve"), self.plain("x"), self.plain("y")) if points else ""

    def known(self, rows: Sequence[ExactRow]) -> str:
        head = ("attribute", "way", "right", "kept", "background", "to_target")
        body = "".join(
            f"<tr><td>{self.text(row.attribute)}</td><td>{escape(self.way(row.way))}</td><td>{_percent(row.right)}</td>"
            f"<td>{_percent(row.kept)}</td><td>{_percent(row.background, 2)}</td>"
            f"<td>{_percent(row.to_target, 2)}</td></tr>"
            for row in rows
        )
        return self.table(head, body)

    def numbers(self, edits: Edits) -> str:
        body = ""
        for way in WAYS:
            cells = "".join(f"<td>{self.cell(edits, way, metric)}</td>" for metric in METRICS)
            body += f"<tr><td>{escape(self.way(way))}</td>{cells}</tr>"
        return self.table(("way", *METRICS), body)

    def cell(self, edits: Edits, way: Way, metric: str) -> str:
        value, rows = mean(edits, way, metric), edits.find(way, metric)
        if value is None:
            return ""
        first = rows[0].value
        digits = 2 if metric in ("background", "change") else 0
        low, high = (_percent(end, digits) for end in (first.low, first.high))
        return f'{_percent(value, digits)} <span class="soft">{low} \u2013 {high}</span>'

    def table(self, head: Sequence[str], body: str) -> str:
        names = "".join(f"<th>{self.text('column.' + name)}</th>" for name in head)
        return f'<div class="card wide"><table><tr>{names}</tr>{body}</table></div>'

    def sheet(self, edits: Edits) -> str:
        cards = ""
        for row in range(len(edits.before)):
            where = (255 * edits.masks[row]).round().to(torch.uint8).expand(3, -1, -1)
            shown = "".join(
                f"<figure>{picture_of(as_image(picture))}</figure>"
                for picture in (edits.before[row], edits.after[row], where)
            )
            texts = f"{escape(edits.sources[row])}<br><b>{escape(edits.texts[row])}</b>"
            cards += f'<div class="pair"><p>{texts}</p><div class="row">{shown}</div></div>'
        return f'<section class="pairs">{cards}</section>'


def _percent(value: float, digits: int = 0) -> str:
    return f"{100 * value:.{digits}f}%"
