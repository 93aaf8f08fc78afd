"""What stands where in the report on a model? First what decides, then what proves it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import PurePosixPath

from torch import Tensor

from bespoke.data.levels import as_image
from bespoke.evaluation.against import Before
from bespoke.evaluation.examine import CHANCES_NEEDED, ERRORS_NEEDED, Examination
from bespoke.evaluation.gates import DEFAULT_GATES, Gate, all_passed, check_gates, summary
from bespoke.evaluation.intervals import Estimate
from bespoke.evaluation.paper_texts import missing_sentence
from bespoke.evaluation.report_texts import TEXTS, gate_sentence, sentence
from bespoke.evaluation.result import Evaluation, Figure, JudgeCard, PaperCard, Row
from bespoke.evaluation.scores import METRICS
from bespoke.evaluation.verdict import Verdict, percent, verdict_balance, weigh
from bespoke.pages.document import Writer, document, picture_of
from bespoke.pages.texts import Language
from bespoke.settings import GateSettings

COLORS = {"good": "go", "partly": "base", "poor": "not_yet", "unknown": "base"}
GLANCE = ("precision", "coverage", "retrieval", "swap", "near_copies")
BADGES = {"better": "ok", "worse": "stop", "unclear": "note"}
COLUMNS = ("metric", "balance", "generated", "training", "generated_half", "real")  # of the tables of numbers


def page(
    evaluation: Evaluation,
    language: Language,
    settings: GateSettings = DEFAULT_GATES,
    before: Before | None = None,
) -> str:
    """The whole page; settings: the gates that the model has to pass; before: the report of the last model."""
    writer = _Page(language, TEXTS)
    title = f"{writer.text('title')}: {escape(evaluation.protocol.model_name)}"
    gates = check_gates(evaluation, settings)
    return document(title, "\n".join(part for part in writer.parts(evaluation, gates, before) if part), language)


class _Page(Writer):
    """Parts of the page in one language; captions and names are escaped."""

    def parts(self, evaluation: Evaluation, gates: Sequence[Gate], before: Before | None) -> Iterable[str]:
        verdict = weigh(evaluation)
        yield f'<p class="kicker">{self.text("title")}</p><h1>{escape(evaluation.protocol.model_name)}</h1>'
        yield self.gates(gates, verdict)
        yield self.opening(verdict)
        yield self.against(evaluation, before)
        yield self.beside(evaluation)
        yield self.glance(evaluation)
        yield self.alarms(evaluation)
        yield self.copies(evaluation)
        yield self.judges(evaluation)
        yield self.numbers(evaluation)
        yield self.papers(evaluation)
        yield self.monitors(evaluation)
        yield self.protocol(evaluation)

    def gates(self, gates: Sequence[Gate], verdict: Verdict) -> str:
        lines = ""
        for gate in gates:
            said, advice = (
                escape(gate_sentence(line, self.language)) if line else "" for line in (gate.said, gate.advice)
            )
            lines += f'<li class="{"good" if gate.passed else "bad"}">{said} <span class="soft">{advice}</span></li>'
        color = ("go" if all_passed(gates) else "not_yet") if gates else "base"
        about = self.text("gates_about", balance=f"{verdict.balance:g}") if gates else ""
        return (
            f'<section class="verdict {color}"><b>{escape(gate_sentence(summary(gates), self.language))}</b>'
            f"<ul>{lines}</ul><p class='soft'>{about}</p></section>"
        )

    def opening(self, verdict: Verdict) -> str:
        lines = "".join(
            f'<li class="{"good" if line.good else "bad"}">{escape(sentence(line, self.language))}</li>'
            for line in verdict.reasons
        )
        about = self.text("about_balance", balance=f"{verdict.balance:g}")
        return (
            f'<section class="verdict {COLORS[verdict.decision]}"><b>{self.text("verdict." + verdict.decision)}</b>'
            f"<p>{self.text('verdict_means.' + verdict.decision)}</p><p class='soft'>{about}</p></section>"
            f'<div class="card"><h3>{self.text("why")}</h3><ul>{lines}</ul></div>'
        )

    def against(self, evaluation: Evaluation, before: Before | None) -> str:
        if before is None:
            return ""
        changes = before.changes(evaluation)
        title = self.text("against", name=escape(before.model_name))
        if not changes:
            return f"<h2>{title}</h2><p>{self.text('against_nothing')}</p>"
        columns = ("metric", "judge", "before", "now")
        head = "".join(f"<th>{self.text('column.' + name)}</th>" for name in columns) + "<th></th>"
        rows = ""
        for change in changes:
            name = self.text(f"metric.{change.metric}", of=evaluation.protocol.retrieval_of)
            badge = f'<span class="badge {BADGES[change.direction]}">{self.text("against." + change.direction)}</span>'
            cells = (name, change.judge, _cell(change.before), _cell(change.now), badge)
            rows += f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        note = self.text("against_note", balance=f"{verdict_balance(evaluation):g}")
        return (
            f'<h2>{title}</h2><p class="soft">{note}</p>'
            f'<div class="card finding wide"><table><tr>{head}</tr>{rows}</table></div>'
        )

    def figure(self, picture: Tensor, *lines: str) -> str:
        """A picture with lines under it, HTML already."""
        under = "".join(f"<span>{line}</span>" for line in lines)
        return f'<figure>{picture_of(as_image(picture))}<figcaption class="soft">{under}</figcaption></figure>'

    def beside(self, evaluation: Evaluation) -> str:
        shown, cards = evaluation.pictures, ""
        for row, caption in enumerate(shown.captions):
            figures = self.figure(shown.real[row], self.text("real")) + "".join(
                self.figure(pictures[row], self.text("generated", balance=f"{balance:g}"))
                for balance, pictures in shown.generated.items()
            )
            cards += f'<div class="pair"><p>{escape(caption)}</p><div class="row">{figures}</div></div>'
        return f'{self.heading("beside", "beside_note")}<section class="pairs">{cards}</section>'

    def glance(self, evaluation: Evaluation) -> str:
        protocol = evaluation.protocol
        head = "".join(
            f"<th>{text}</th>"
            for text in (
                "",
                *(self.text("balance", balance=f"{balance:g}") for balance in protocol.balances),
                self.text("real_pictures"),
            )
        )
        rows = ""
        for metric in GLANCE:
            trusted = evaluation.trusted(metric)
            asked = [row for balance in protocol.balances for row in evaluation.find(metric, balance)]
            ours = [row for row in asked if row.judge in trusted] or asked
            if not ours:
                continue
            note = "" if trusted else f' <span class="badge warn">{self.text("unreliable")}</span>'
            judges = ", ".join(dict.fromkeys(row.judge for row in ours))
            counts = sorted({(row.generated_half or row.generated).n for row in ours})
            about = self.text("glance_of", judges=judges, n=" \u2013 ".join(f"{count:,}" for count in counts))
            cells = [
                _mean((row.generated_half or row.generated).value for row in ours if row.balance == balance)
                for balance in protocol.balances
            ]
            cells.append(_mean(row.real.value for row in ours))
            name = self.text(f"glance.{metric}", of=protocol.retrieval_of)
            shares = "".join(f"<td>{percent(cell)}</td>" for cell in cells)
            rows += f'<tr><td>{name}{note} <span class="soft">{about}</span></td>{shares}</tr>'
        return self.heading("at_a_glance", "at_a_glance_note") + (
            f'<div class="card finding wide"><table><tr>{head}</tr>{rows}</table></div>'
        )

    def alarms(self, evaluation: Evaluation) -> str:
        if not evaluation.alarms:
            return ""
        lines = "".join(
            '<li class="bad">'
            + self.text(
                "alarm",
                metric=self.metric(row, evaluation),
                judge=row.judge,
                balance=f"{row.balance:g}",
                errors=f"{row.advantage:.1f}",
            )
            + "</li>"
            for row in evaluation.alarms
        )
        return f'{self.heading("alarms", "alarms_note")}<div class="card"><ul>{lines}</ul></div>'

    def metric(self, row: Row, evaluation: Evaluation) -> str:
        return self.text(f"metric.{row.metric}", of=evaluation.protocol.retrieval_of)

    def copies(self, evaluation: Evaluation) -> str:
        shown, cards = evaluation.pictures, ""
        for row, suspect in enumerate(evaluation.suspects):
            made = self.text("generated", balance=f"{suspect.balance:g}")
            figures = self.figure(shown.suspects[row], made) + self.figure(
                shown.nearest[row], self.text("training_picture"), escape(PurePosixPath(suspect.training_picture).stem)
            )
            cards += (
                f'<div class="pair"><p><b>{suspect.closeness:.2f}</b> {escape(suspect.caption)}</p>'
                f'<div class="row">{figures}</div></div>'
            )
        return f'{self.heading("copies", "copies_note")}<section class="pairs narrow">{cards}</section>'

    def judges(self, evaluation: Evaluation) -> str:
        cards = self.two(map(self.judge, evaluation.judges))
        favourable = any(card.examination.split == "train" for card in evaluation.judges)
        warning = f'<p class="soft">{self.text("judges_trained")}</p>' if favourable else ""
        return self.heading("judges", "judges_note") + warning + cards

    def judge(self, card: JudgeCard) -> str:
        exam = card.examination
        lines = "".join(
            f'<li class="{mark}">{self.text(key)}</li>'
            for mark, key in (
                ("good", "sees.yes") if exam.sees else ("bad", "sees.no"),
                ("good", "reads.yes" if exam.swap is not None else "reads.whole")
                if exam.reads
                else ("bad", "reads.no"),
            )
        )
        on = self.text("examined_on", n=exam.num_pictures, split=self.plain(f"split.{exam.split}"))
        rows = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in self.exam_rows(exam))
        return (
            f"<h3>{card.family} <span class='soft'>{card.identity}</span></h3><ul>{lines}</ul>"
            f'<p class="soft">{on}</p><table>{rows}</table>'
        )

    def exam_rows(self, exam: Examination) -> Iterator[tuple[str, str]]:
        for kind, distances in exam.distances.items():
            steps = " \u2192 ".join(_short(distance) for distance in distances)
            yield f"{self.text('distance_at')}: {self.text('spoiled.' + kind)}", steps
        yield self.text("exam_floor"), _short(exam.floor)
        needed = percent(CHANCES_NEEDED * exam.chance)
        yield self.text("exam_retrieval", of=exam.retrieval_of, needed=needed), percent(exam.retrieval)
        yield self.text("exam_shuffled"), percent(exam.retrieval_shuffled)
        yield self.text("exam_swap"), self.text("none") if exam.swap is None else percent(exam.swap)
        if exam.swap is None:
            yield self.text("exam_luck", needed=f"{ERRORS_NEEDED:g}"), f"{exam.errors_beyond_luck:.1f}"
        if exam.swap_shuffled is not None:
            yield self.text("exam_swap_shuffled"), percent(exam.swap_shuffled)

    def numbers(self, evaluation: Evaluation) -> str:
        tables = "".join(self.table(card, evaluation) for card in evaluation.judges)
        return f'{self.heading("numbers", "numbers_note")}<p class="soft">{self.text("columns_note")}</p>{tables}'

    def table(self, card: JudgeCard, evaluation: Evaluation) -> str:
        head = "".join(f"<th>{self.text('column.' + name)}</th>" for name in COLUMNS)
        ours = sorted(
            (row for row in evaluation.rows if row.judge == card.family),
            key=lambda row: (METRICS.index(row.metric), row.balance),
        )
        body, last = "", ""
        for row in ours:
            name = self.metric(row, evaluation) if row.metric != last else ""
            cells = "".join(
                f"<td>{_cell(found)}</td>" for found in (row.generated, row.training, row.generated_half, row.real)
            )
            body += f"<tr{'' if name else ' class=more'}><td>{name}</td><td>{row.balance:g}</td>{cells}</tr>"
            last = row.metric
        title = self.text("judge_heading", judge=card.family, identity=card.identity)
        return f'<div class="card finding wide"><h3>{title}</h3><table><tr>{head}</tr>{body}</table></div>'

    def papers(self, evaluation: Evaluation) -> str:
        papers = evaluation.papers
        if not papers.cards and not papers.missing:
            return ""
        tables = "".join(self.paper_table(card, evaluation) for card in papers.cards)
        missing = ""
        if papers.missing:
            said = (escape(missing_sentence(line, self.language)) for line in papers.missing)
            lines = "".join(f'<li class="bad">{each}</li>' for each in said)
            missing = f'<div class="card finding"><h3>{self.text("paper_missing")}</h3><ul>{lines}</ul></div>'
        note = self.text("papers_note", n=evaluation.protocol.num_pictures)
        return (
            f'<h2>{self.text("papers")}</h2><p class="soft">{note}</p>'
            f'<p class="soft">{self.text("papers_columns")}</p>{tables}{missing}'
        )

    def paper_table(self, card: PaperCard, evaluation: Evaluation) -> str:
        head = "".join(f"<th>{self.text('column.' + name)}</th>" for name in COLUMNS)
        ours = [row for row in evaluation.papers.rows if row.network == card.name]
        body, last = "", ""
        for row in sorted(ours, key=lambda row: row.metric):  # by balance within
            name = self.text(f"paper_metric.{row.metric}") if row.metric != last else ""
            cells = "".join(
                f"<td>{_cell(found)}</td>" for found in (row.generated, row.training, row.generated_half, row.real)
            )
            body += f"<tr{'' if name else ' class=more'}><td>{name}</td><td>{row.balance:g}</td>{cells}</tr>"
            last = row.metric
        about = self.text("paper_weights", weights=card.weights, library=card.library)
        return (
            f'<div class="card finding wide"><h3>{escape(card.model)} <span class="soft">{about}</span></h3>'
            f"<table><tr>{head}</tr>{body}</table></div>"
        )

    def monitors(self, evaluation: Evaluation) -> str:
        if not evaluation.monitors:
            return ""
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{_short(value)}</td></tr>" for name, value in evaluation.monitors.items()
        )
        return f'{self.heading("monitors", "monitors_note")}<div class="card"><table>{rows}</table></div>'

    def protocol(self, evaluation: Evaluation) -> str:
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{escape(str(value))}</td></tr>"
            for name, value in vars(evaluation.protocol).items()
        )
        return (
            f'{self.heading("protocol", "protocol_note")}<div class="card"><table>{rows}</table></div>'
            f"<footer><p>{self.text('thresholds')}</p></footer>"
        )


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def _cell(found: Estimate | Figure | None) -> str:
    if found is None:
        return "\u2013"
    interval = "" if found.low is None or found.high is None else f"{_short(found.low)} \u2026 {_short(found.high)} "
    return f'{_short(found.value)}<span class="soft">{interval}({found.n:,})</span>'
