"""How is the balance told? The test in plain words first, then where every way to draw lies, then the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import torch

from bespoke.data.levels import as_image
from bespoke.evaluation.intervals import Estimate
from bespoke.evaluation.questions import Questions
from bespoke.evaluation.verdict import FEW
from bespoke.experiments.acceptance import Check, Verdict, trusts
from bespoke.experiments.comparison_report import shown
from bespoke.experiments.front import Drawn, Front, Point
from bespoke.experiments.front_texts import TEXTS
from bespoke.experiments.ways import Kind, Way
from bespoke.pages.document import Writer, document, picture_of
from bespoke.pages.plots import Spot, Track, front_plot
from bespoke.pages.texts import Language, Line

FORMAT = 1
PLOTTED = ("frechet", "diversity")  # against R@1
COLORS: dict[Kind, str] = {"balance": "#3b62b5", "best_of": "#a15c00", "extrapolation": "#18794e", "model": "#8e4ec6"}
BOXES = {"accepted": "go", "refused": "base", "unknown": "not_yet"}
DIRECTIONS = ("better", "worse", "more", "less", "none")
COLUMNS = ("frechet", "kernel", "precision", "recall", "retrieval", "swap", "diversity")  # JSON holds all


@dataclass(frozen=True)
class Report:
    """What was found about the balance of one model, and how."""

    model: str
    catalogue: str
    fingerprint: str
    split: str
    questions: Questions
    ways: Sequence[Way]
    drawn: Sequence[Drawn]
    fronts: Sequence[Front]
    verdict: Verdict


def as_data(report: Report) -> dict[str, Any]:
    """What JSON holds."""
    verdict = report.verdict
    return {
        "format": FORMAT,
        "model": report.model,
        "catalogue": report.catalogue,
        "fingerprint": report.fingerprint,
        "split": report.split,
        "num_pictures": len(report.questions),
        "seed": report.questions.seed,
        "intervals_over": "classes" if report.questions.by_class else "pictures",
        "result": verdict.result,
        "controls": verdict.controls,
        "checks": [check._asdict() for check in verdict.checks],
        "not_asked": list(verdict.not_asked),
        "changes": {change.metric: change.direction for change in verdict.changes},
        "judges": [
            {
                "judge": front.family,
                "identity": front.judge.taught.identity,
                "trusted": trusts(front.judge),
                "real": dict(front.real),
                "area_gains": {kind: gain._asdict() for kind, gain in front.gains.items()},
                "area_shares": dict(front.shares),
                "points": [_point(point) for point in front.points],
            }
            for front in report.fronts
        ],
    }


def _point(point: Point) -> dict[str, Any]:
    way = point.way
    return {
        "kind": way.kind,
        "value": way.value,
        "model": way.model,
        "num_draws": way.num_draws,
        "scores": {metric: found._asdict() for metric, found in point.scores.items()},
        "differences": {metric: found._asdict() for metric, found in point.differences.items()},
    }


def as_page(report: Report, language: Language) -> str:
    """The whole page."""
    writer = _Told(language, report)
    return document(writer.text("front"), "\n".join(writer.parts()), language)


def as_markdown(report: Report, language: Language) -> str:
    """The test and the tables."""
    writer = _Told(language, report)
    parts = ["\n".join(writer.summary())]
    for front in report.fronts:
        head, *rows = writer.rows(front)
        table = [head, ["---"] * len(head), *rows]
        lines = "\n".join(f"| {' | '.join(cells)} |" for cells in table)
        parts.append(f"{writer.plain('judged', judge=front.family)}\n\n{lines}")
    return "\n\n".join(parts) + "\n"


def way_name(way: Way, lowest: float, language: Language) -> str:
    """One way in a few words; lowest: the lowest balance, at which rivals of the same model draw."""
    writer = Writer(language, TEXTS)
    return writer.plain(f"way.{way.kind}", value=f"{way.value:g}", lowest=f"{lowest:g}", model=way.model)


class _Told(Writer):
    def __init__(self, language: Language, report: Report) -> None:
        super().__init__(language, TEXTS)
        self.of = report
        self.lowest = report.ways[0].value

    def parts(self) -> Iterator[str]:
        of, verdict = self.of, self.of.verdict
        yield f'<p class="kicker">{escape(of.model)}</p><h1>{self.text("front")}</h1>'
        said = self.text(f"controls.{verdict.controls}") if verdict.controls else ""
        title = self.text(f"result.{verdict.result}")
        yield f'<section class="verdict {BOXES[verdict.result]}"><b>{title}</b>{said}</section>'
        yield f"<p>{escape(self.asked())}</p>"
        cautions = "".join(f"<li class='bad'>{escape(line)}</li>" for line in self.cautions())
        yield f'<div class="card finding"><ul>{cautions}</ul></div>'
        if verdict.checks:
            yield self.heading("test", "test_note") + self.two(self.tests())
            yield f'<h2>{self.text("changes")}</h2><p class="soft">{escape(self.ends())}</p>'
            yield f'<div class="card"><ul>{"".join(f"<li>{escape(line)}</li>" for line in self.changes())}</ul></div>'
        yield self.heading("plots", "plots_note") + self.two(self.plots())
        yield self.heading("numbers")
        for front in of.fronts:
            yield self.table(front)
        yield self.heading("pictures") + self.pictures()
        yield f"<footer><p>{self.text('footer')}</p></footer>"

    def summary(self) -> Iterator[str]:
        """What the screen and the Markdown say before the tables."""
        verdict = self.of.verdict
        yield self.plain(f"result.{verdict.result}")
        if verdict.controls:
            yield self.plain(f"controls.{verdict.controls}")
        yield ""
        yield self.asked()
        for judge in dict.fromkeys(check.judge for check in verdict.checks):
            yield ""
            yield self.plain("judged", judge=judge) + ":"
            yield ""
            for check in verdict.checks:
                if check.judge == judge:
                    yield f"* [{'x' if check.passed else ' '}] {self.check(check)}"
        if verdict.changes:
            yield ""
            yield self.ends()
            yield ""
            yield from (f"* {line}" for line in self.changes())
        yield ""
        yield from (f"* {line}" for line in self.cautions())

    def asked(self) -> str:
        of = self.of
        over = self.plain("over.classes" if of.questions.by_class else "over.pictures")
        n = len(of.questions)
        split = self.plain(f"split.{of.split}")
        return self.plain("asked", model=of.model, n=n, catalogue=of.catalogue, split=split, over=over)

    def cautions(self) -> Iterator[str]:
        yield self.plain("one_run")
        if len(self.of.questions) < FEW:
            yield self.plain("few", n=len(self.of.questions))
        yield from (self.plain(f"not_asked.{name}") for name in self.of.verdict.not_asked)
        for front in self.of.fronts:
            if not trusts(front.judge):
                yield self.plain("unreliable", judge=front.family)
                continue
            real = front.real.get("retrieval", 1.0)
            over = [
                self.name(p.way) for p in front.points if "retrieval" in p.scores and p.scores["retrieval"].low > real
            ]
            if over:
                yield self.plain("exceeds", judge=front.family, ways="; ".join(over))

    def tests(self) -> Iterator[str]:
        for judge in dict.fromkeys(check.judge for check in self.of.verdict.checks):
            lines = "".join(
                f'<li class="{"good" if check.passed else "bad"}">{escape(self.check(check))}</li>'
                for check in self.of.verdict.checks
                if check.judge == judge
            )
            yield f"<h3>{self.text('judged', judge=judge)}</h3><ul>{lines}</ul>"

    def check(self, check: Check) -> str:
        line = Line(f"check.{check.name}.{'yes' if check.passed else 'no'}")
        values: dict[str, int | str] = {name: shown(value) for name, value in check.values.items()}
        count = next((f"{way.value:g}" for way in self.of.ways if way.kind == "best_of"), "")
        return self.plain(line.key, **values, count=count, metrics=self.metrics(check.metrics))

    def ends(self) -> str:
        knob = [way.value for way in self.of.ways if way.kind == "balance"]
        return self.plain("changes_note", first=f"{knob[0]:g}", last=f"{knob[-1]:g}")

    def changes(self) -> Iterator[str]:
        for direction in DIRECTIONS:
            found = [change.metric for change in self.of.verdict.changes if change.direction == direction]
            if found:
                yield self.plain(f"changes.{direction}", metrics=self.metrics(found))
        trusted = [front for front in self.of.fronts if trusts(front.judge)]
        peaks = {max(front.knob, key=lambda point: point.scores["retrieval"].value).way.value for front in trusted}
        if len(peaks) == 1:
            yield self.plain("changes.peak", balance=f"{peaks.pop():g}")

    def metrics(self, names: Iterable[str]) -> str:
        """Their names, without the arrows that say what is good."""
        return ", ".join(self.metric(name).rstrip(" \u2191\u2193") for name in names)

    def metric(self, name: str) -> str:
        others = self.of.questions.others
        return self.plain(f"metric.{name}", of=0 if others is None else others.shape[1] + 1)

    def name(self, way: Way) -> str:
        return way_name(way, self.lowest, self.language)

    def plots(self) -> Iterator[str]:
        """A card for each judge."""
        for front in self.of.fronts:
            if "retrieval" not in front.points[0].scores:
                continue
            yield "".join(self.plot(front, metric) for metric in PLOTTED)

    def plot(self, front: Front, metric: str) -> str:
        x = self.metric(metric)
        title = self.plain("plot", judge=front.family, x=self.metrics([metric]))
        plot = front_plot(list(self.tracks(front, metric)), title, x, self.metric("retrieval"))
        return f"<h3>{escape(title)}</h3>{plot}"

    def tracks(self, front: Front, metric: str) -> Iterator[Track]:
        for kind, color in COLORS.items():
            spots = [
                Spot(
                    x=point.scores[metric][:3],
                    y=point.scores["retrieval"][:3],
                    label=f"{point.way.value:g}",
                    title=self.name(point.way),
                )
                for point in front.of(kind)
            ]
            if spots:
                yield Track(self.plain(f"track.{kind}"), spots, color, joined=kind == "balance")

    def rows(self, front: Front) -> Iterator[list[str]]:
        """The head, every way, and real pictures, as plain cells."""
        metrics = [metric for metric in COLUMNS if metric in front.points[0].scores]
        yield [self.plain("column.way"), self.plain("column.num_draws"), *map(self.metric, metrics)]
        for point in front.points:
            cells = (_cell(point.scores[metric]) for metric in metrics)
            yield [self.name(point.way), str(point.way.num_draws), *cells]
        real = (shown(front.real[metric]) if metric in front.real else "\u2013" for metric in metrics)
        yield [self.plain("real_pictures"), "\u2013", *real]

    def table(self, front: Front) -> str:
        head, *rows = self.rows(front)
        row = lambda tag, cells: "".join(f"<{tag}>{_two_lines(cell)}</{tag}>" for cell in cells)  # noqa: E731
        body = "".join(f"<tr>{row('td', cells)}</tr>" for cells in rows)
        title = self.text("judged", judge=front.family)
        return f'<div class="card finding wide"><h3>{title}</h3><table><tr>{row("th", head)}</tr>{body}</table></div>'

    def pictures(self) -> str:
        sheets = ""
        for way, drawn in zip(self.of.ways, self.of.drawn, strict=True):
            sheet = picture_of(as_image(torch.cat(list(drawn.pictures), 2)))
            sheets += f'<div class="sheet"><p class="soft">{escape(self.name(way))}</p>{sheet}</div>'
        captions = "; ".join(self.of.questions.captions[: len(self.of.drawn[0].pictures)])
        return (
            f'<p class="soft">{self.text("pictures_note")} {escape(captions)}</p><div class="card wide">{sheets}</div>'
        )


def _cell(found: Estimate) -> str:
    return f"{shown(found.value)} ({shown(found.low)} \u2026 {shown(found.high)})"


def _two_lines(cell: str) -> str:
    """A number above its interval."""
    value, space, interval = cell.partition(" (")
    if not space or "\u2026" not in interval:
        return escape(cell)
    return f'{escape(value)}<span class="soft">{escape(interval.removesuffix(")"))}</span>'
