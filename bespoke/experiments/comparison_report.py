"""How is a comparison told? As Markdown, as JSON and as a page: what decides first, then every number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from bespoke.evaluation.examine import Examined
from bespoke.evaluation.intervals import Estimate
from bespoke.experiments.ablations import ABLATIONS
from bespoke.experiments.comparison import DECISIVE, Compared
from bespoke.experiments.protocol import protocol_section
from bespoke.experiments.texts import TEXTS
from bespoke.pages.document import Writer, document
from bespoke.pages.plots import Interval, interval_plot
from bespoke.pages.texts import Language
from bespoke.training.plan import Budget, Plan

COLUMNS = ("metric", "judge", "balance", "arm", "mean", "real_same_n", "difference", "outcome")
COLORS = {"better": "#18794e", "worse": "#b42318"}
UNSURE = "#60646c"


@dataclass(frozen=True)
class Comparison:
    """The outcome, and how it came about."""

    rows: Sequence[Compared]
    arms: Sequence[str]
    num_seeds: int
    plan: Plan
    judges: Sequence[Examined]
    protocol: Mapping[str, Any]  # as `protocol` of protocol.py tells it

    def trusted(self, row: Compared) -> bool:
        """Whether the judge of a row passed what it takes to answer its question."""
        exam = next(judge.examination for judge in self.judges if judge.taught.judge.family == row.judge)
        return exam.answers(row.metric)


def as_data(comparison: Comparison) -> dict[str, Any]:
    """What JSON holds."""
    return {
        "format": 1,
        "arms": {arm: ABLATIONS[arm].change for arm in comparison.arms},
        "num_seeds": comparison.num_seeds,
        "plan": comparison.plan.model_dump(mode="json"),
        "protocol": comparison.protocol,
        "split": comparison.protocol["split"],
        "num_pictures": comparison.protocol["num_pictures"],
        "decisive": list(DECISIVE),
        "rows": [_row(row) | {"trusted": comparison.trusted(row)} for row in comparison.rows],
    }


def _row(row: Compared) -> dict[str, Any]:
    data = row._asdict()
    if row.difference:
        data["difference"] = row.difference._asdict() | {"interval": row.difference.interval._asdict()}
    return data


def as_markdown(comparison: Comparison, language: Language) -> str:
    """The table of all numbers."""
    writer = _Told(language, TEXTS, comparison)
    head = writer.columns()
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(writer.cells(row))} |" for row in comparison.rows]
    return "\n".join([writer.plain_budget(), "", *lines, ""])


def as_page(comparison: Comparison, language: Language) -> str:
    """The whole page."""
    writer = _Told(language, TEXTS, comparison)
    return document(writer.text("comparison"), "\n".join(writer.parts()), language)


def shown(value: float) -> str:
    """Three digits, or whole numbers from a hundred on."""
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def budget_text(writer: Writer, budget: Budget) -> str:
    """How much training that is, in words."""
    if budget.minutes:
        return writer.plain("budget.minutes", amount=f"{budget.minutes:g}")
    return writer.plain("budget.images", amount=budget.images or 0)


class _Told(Writer):
    def __init__(self, language: Language, texts: Any, comparison: Comparison) -> None:
        super().__init__(language, texts)
        self.of = comparison

    def parts(self) -> Iterable[str]:
        of, first = self.of, self.of.arms[0]
        title = self.text("arms_of", arms=", ".join(of.arms), seeds=of.num_seeds)
        yield f'<p class="kicker">{self.text("comparison")}</p><h1>{title}</h1><p>{escape(self.plain_budget())}</p>'
        yield f'<h2>{self.text("verdicts", first=first)}</h2><p class="soft">{self.text("verdicts_note")}</p>'
        if of.num_seeds == 1:
            yield f'<p class="badge warn">{self.text("one_seed_note")}</p>'
        for judge in of.judges:
            if not (judge.examination.sees and judge.examination.reads):
                yield f'<p class="soft">{self.text("unexamined", judge=judge.taught.judge.family)}</p>'
        yield self.two(self.plots())
        over = self.plain(f"over.{of.protocol['intervals_over']}")
        yield f'<h2>{self.text("numbers")}</h2><p class="soft">{self.text("table_note", over=over)}</p>'
        for key in dict.fromkeys((row.judge, row.balance) for row in of.rows):
            yield self.table([row for row in of.rows if (row.judge, row.balance) == key])
        asks = "".join(
            f"<tr><td>{arm}</td><td class='say'>{escape(' '.join(ABLATIONS[arm].change))}</td>"
            f"<td class='say'>{escape(getattr(ABLATIONS[arm].question, self.language))}</td></tr>"
            for arm in of.arms
        )
        yield f'{self.heading("questions")}<div class="card wide"><table>{asks}</table></div>'
        yield protocol_section(self, of.protocol)
        yield f"<footer><p>{self.text('footer')}</p></footer>"

    def table(self, rows: Sequence[Compared]) -> str:
        """All rows of one judge and balance."""
        shown_columns = [number for number, name in enumerate(COLUMNS) if name not in ("judge", "balance")]
        *names, last_name = (escape(self.columns()[number]) for number in shown_columns)
        head = "".join(f"<th>{name}</th>" for name in names) + f"<th class='say'>{last_name}</th>"
        body, last = "", ""
        for row in rows:
            cells = self.cells(row)
            if row.metric == last:
                cells[0] = ""
            kind, last = " class='more'" if row.metric == last else "", row.metric
            *others, result = (escape(cells[number]) for number in shown_columns)
            body += f"<tr{kind}>{''.join(f'<td>{cell}</td>' for cell in others)}<td class='say'>{result}</td></tr>"
        title = self.text("judged_at", judge=rows[0].judge, balance=f"{rows[0].balance:g}")
        return f'<div class="card finding wide"><h3>{title}</h3><table><tr>{head}</tr>{body}</table></div>'

    def plots(self) -> Iterable[str]:
        """One for each decisive metric, judge and balance."""
        wanted = [row for row in self.of.rows if row.metric in DECISIVE and row.difference]
        wanted.sort(key=lambda row: DECISIVE.index(row.metric))
        for key in dict.fromkeys((row.metric, row.judge, row.balance) for row in wanted):
            rows = [row for row in wanted if (row.metric, row.judge, row.balance) == key]
            name = self.plain("plot", metric=self.metric(rows[0]), judge=key[1], balance=f"{key[2]:g}")
            plot = interval_plot([self.line(row) for row in rows], name)
            yield f"<h3>{escape(name)}</h3>{plot}<p class='soft'>{escape(self.outcomes(rows))}</p>"

    def line(self, row: Compared) -> Interval:
        assert row.difference is not None
        found = row.difference.interval
        color = COLORS.get(row.difference.outcome, UNSURE) if self.of.trusted(row) else UNSURE
        return Interval(row.arm, found.value, found.low, found.high, color)

    def outcomes(self, rows: Sequence[Compared]) -> str:
        return "; ".join(f"{row.arm}: {self.result(row)}" for row in rows)

    def columns(self) -> list[str]:
        first = self.of.arms[0]
        return [self.plain(f"column.{name}", **({"first": first} if name == "difference" else {})) for name in COLUMNS]

    def cells(self, row: Compared) -> list[str]:
        spread = "" if row.deviation is None else f" \u00b1 {shown(row.deviation)}"
        return [
            self.metric(row),
            row.judge,
            f"{row.balance:g}",
            row.arm,
            shown(row.mean) + spread,
            "\u2013" if row.real is None else shown(row.real),
            _signed(row.difference.interval) if row.difference else "",
            self.result(row),
        ]

    def result(self, row: Compared) -> str:
        told = self.plain(f"outcome.{row.difference.outcome if row.difference else 'first'}")
        return told if self.of.trusted(row) or not row.difference else f"{told} ({self.plain('unreliable_mark')})"

    def metric(self, row: Compared) -> str:
        return self.plain(f"metric.{row.metric}", of=self.of.protocol["retrieval_of"])

    def plain_budget(self) -> str:
        of = self.of
        return self.plain(
            "budget",
            budget=budget_text(self, of.plan.budget),
            preset=of.plan.config.preset,
            n=of.protocol["num_pictures"],
            split=self.plain(f"split.{of.protocol['split']}"),
        )


def _signed(found: Estimate) -> str:
    value, low, high = ("+" * (number > 0) + shown(number) for number in found[:3])
    return f"{value} ({low} \u2026 {high})"
