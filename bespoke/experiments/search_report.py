"""How is a search told? The trials that nothing beats at both aims first, ready to be used; then all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from bespoke.data.item import Part
from bespoke.experiments.comparison_report import budget_text, shown
from bespoke.experiments.protocol import protocol_section
from bespoke.experiments.search import Real, Trial, as_options
from bespoke.experiments.texts import TEXTS
from bespoke.pages.document import Writer, document
from bespoke.pages.plots import Point, scatter_plot
from bespoke.pages.texts import Language
from bespoke.training.plan import Plan

BEST, OTHERS = "#18794e", "#b0b4bb"


@dataclass(frozen=True)
class Tuning:
    """The outcome of a search, and how it came about."""

    trials: Sequence[Trial]
    plan: Plan
    split: Part
    protocol: Mapping[str, Any] | None  # None: nothing is measured yet
    real: Sequence[Real]  # empty as long


def as_data(tuning: Tuning) -> dict[str, Any]:
    """What JSON holds."""
    return {
        "format": 1,
        "plan": tuning.plan.model_dump(mode="json"),
        "split": tuning.split,
        "protocol": tuning.protocol,
        "real": [real._asdict() for real in tuning.real],
        "trials": [trial._asdict() | {"options": as_options(trial.settings)} for trial in tuning.trials],
    }


def as_page(tuning: Tuning, language: Language) -> str:
    """The whole page."""
    writer = _Told(language, TEXTS)
    return document(writer.text("tuning"), "\n".join(writer.parts(tuning)), language)


def best_lines(trials: Sequence[Trial], language: Language) -> list[str]:
    """The best trade-offs for the screen, the closest to real pictures first."""
    writer = _Told(language, TEXTS)
    best = sorted((trial for trial in trials if trial.best), key=lambda trial: trial.distance or 0.0)
    return [
        ": ".join((writer.plain("trial", number=trial.number), ", ".join(writer.cells(trial)[1:]))) for trial in best
    ]


class _Told(Writer):
    def parts(self, tuning: Tuning) -> Iterable[str]:
        trials = tuning.trials
        measured = [trial for trial in trials if trial.distance is not None]
        yield f'<p class="kicker">{self.text("tuning")}</p><h1>{self.text("front")}</h1>'
        counts = {"finished": len(measured), "failed": len(trials) - len(measured)}
        yield f"<p>{self.text('tuned', budget=budget_text(self, tuning.plan.budget), **counts)}</p>"
        yield f'<p class="soft">{self.text("front_note", split=self.plain(f"split.{tuning.split}"))}</p>'
        yield from self.warnings(tuning)
        yield self.table([trial for trial in measured if trial.best])
        if measured:
            yield f'<div class="card finding">{self.plot(measured)}</div>'
        yield f"<h2>{self.text('trials')}</h2>{self.table(trials)}"
        if tuning.protocol is not None:
            yield f'{self.heading("real_pictures")}<div class="card"><ul>{self.real(tuning)}</ul></div>'
            yield protocol_section(self, tuning.protocol)
        yield f"<footer><p>{self.text('footer')}</p></footer>"

    def warnings(self, tuning: Tuning) -> Iterable[str]:
        for part in ("sees", "reads"):
            if tuning.protocol is not None and not any(judge[part] for judge in tuning.protocol["judges"]):
                yield f'<p class="badge warn">{self.text(f"none_{part}")}</p>'

    def real(self, tuning: Tuning) -> str:
        told = lambda value: self.plain("not_counted") if value is None else shown(value)  # noqa: E731
        return "".join(
            f"<li>{self.text('real_of', judge=judge, distance=told(distance), alignment=told(alignment))}</li>"
            for judge, distance, alignment in tuning.real
        )

    def plot(self, trials: Sequence[Trial]) -> str:
        points = [
            Point(
                trial.distance or 0.0,
                trial.alignment or 0.0,
                f"{self.plain('trial', number=trial.number)}: {as_options(trial.settings)}",
                BEST if trial.best else OTHERS,
            )
            for trial in sorted(trials, key=lambda trial: trial.best)
        ]
        return scatter_plot(points, self.plain("trials"), self.plain("tune_x"), self.plain("tune_y"))

    def table(self, trials: Sequence[Trial]) -> str:
        names = ("trial", "distance", "alignment", "settings")
        kinds = ("", "", "", " class='say'")
        row = lambda tag, cells: "".join(  # noqa: E731
            f"<{tag}{kind}>{escape(cell)}</{tag}>" for cell, kind in zip(cells, kinds, strict=True)
        )
        head = row("th", [self.plain(f"column.{name}") for name in names])
        body = "".join(f"<tr>{row('td', self.cells(trial))}</tr>" for trial in trials)
        return f'<div class="card wide finding"><table><tr>{head}</tr>{body}</table></div>'

    def cells(self, trial: Trial) -> list[str]:
        settings = as_options(trial.settings) or self.plain("preset_itself")
        if trial.distance is None or trial.alignment is None:
            reason = self.plain("failed", reason=trial.reason or "")
            return [str(trial.number), "\u2013", "\u2013", f"{settings} ({reason})"]
        return [str(trial.number), shown(trial.distance), shown(trial.alignment), settings]
