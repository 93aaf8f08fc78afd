"""What stands where in the report on a catalogue?"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import PurePosixPath

from bespoke.data.check import Example, Finding, Report, shown
from bespoke.data.check_attributes import Coverage
from bespoke.data.check_findings import MOST_GROUPS
from bespoke.data.check_texts import TEXTS, left_out, sentence
from bespoke.data.check_verdict import FEW, FROM_SCRATCH, WITH_BASE
from bespoke.pages.document import Writer, document, image
from bespoke.pages.texts import Language

MOST_WORDS, MOST_VALUES = 80, 16  # that are shown of each list


def page(report: Report, language: Language) -> str:
    """The whole page."""
    writer = _Page(language, TEXTS)
    title = f"{writer.text('title')}: {escape(report.catalogue)}"
    body = "\n".join(part for part in writer.parts(report) if part)
    return document(title, body, language)


class _Page(Writer):
    """Parts of the page in one language; whatever came out of the catalogue is escaped."""

    def parts(self, report: Report) -> Iterable[str]:
        yield self.opening(report)
        yield self.tiles(report)
        yield self.reasons(report)
        yield self.samples(report)
        yield self.findings(report)
        yield self.captions(report)
        yield self.attributes(report)
        yield self.footer(report)

    def opening(self, report: Report) -> str:
        decision = report.verdict.decision
        return (
            f'<p class="kicker">{self.text("title")}</p><h1>{escape(report.catalogue)}</h1>'
            f'<section class="verdict {decision}"><b>{self.text("verdict." + decision)}</b>'
            f"<p>{self.text('verdict_means.' + decision)}</p></section>"
        )

    def tiles(self, report: Report) -> str:
        numbers = {
            "rows": f"{report.counts.items:,}",
            "usable": f"{report.counts.usable:,}",
            "num_captions": f"{report.num_captions:,}",
            "different": f"{report.num_different:,}",
            "words": f"{report.counts.words:,}",
        }
        if report.sides:
            numbers["shorter_side"] = "\u2013".join(f"{side:,}" for side in sorted({report.sides[0], report.sides[2]}))
        tiles = (
            f'<div class="card"><b>{number}</b><span class="soft">{self.text(key)}</span></div>'
            for key, number in numbers.items()
        )
        return f'<section class="tiles">{"".join(tiles)}</section>'

    def reasons(self, report: Report) -> str:
        why = [
            f'<li class="{"good" if line.good else "bad"}">{escape(sentence("reason", line, self.language))}</li>'
            for line in report.verdict.reasons
        ]
        what = [f"<li>{escape(sentence('advice', line, self.language))}</li>" for line in report.verdict.advice]
        what = what or [f'<li class="good">{self.text("nothing_to_do")}</li>']
        cards = (("reasons", why), ("advice", what))
        return self.two(f"<h2>{self.text(key)}</h2><ul>{''.join(lines)}</ul>" for key, lines in cards)

    def samples(self, report: Report) -> str:
        if not report.samples:
            return ""
        figures = "".join(map(self.figure, report.samples))
        return f'{self.heading("samples", "samples_note")}<section class="strip">{figures}</section>'

    def figure(self, example: Example) -> str:
        picture = '<div class="none"></div>'
        if example.thumb is not None:
            picture = image(example.thumb, "jpeg")
        last = escape(PurePosixPath(example.name).name)
        name = f'<span class="soft" title="{escape(example.name)}">{last}</span>'
        words = "".join(f"<span>{escape(text)}</span>" for text in (example.text, example.note) if text)
        return f"<figure>{picture}<figcaption>{words}{name}</figcaption></figure>"

    def file(self, example: Example) -> str:
        """A line for a picture that cannot be shown."""
        words = " \u00b7 ".join(escape(part) for part in (example.note, example.text) if part)
        return f'<li>{escape(example.name)} <span class="soft">{words}</span></li>'

    def findings(self, report: Report) -> str:
        cards = "".join(map(self.finding, report.findings))
        empty = f'<p class="soft">{self.text("no_findings")}</p>'
        passed = "".join(f"<li>{escape(left_out(found, self.language))}</li>" for found in report.left_out)
        if passed:
            cards += f'<div class="card finding"><h3>{self.text("left_out")}</h3><ul class="soft">{passed}</ul></div>'
        return self.heading("findings") + (cards or empty)

    def finding(self, finding: Finding) -> str:
        groups = shown(finding.groups)
        if all(example.thumb is None for group in groups for example in group):
            pictures = f'<ul class="files">{"".join(self.file(example) for (example,) in groups)}</ul>'
        elif all(len(group) == 1 for group in groups):
            pictures = f'<div class="strip">{"".join(self.figure(group[0]) for group in groups)}</div>'
        else:
            boxes = (f'<div class="group">{"".join(map(self.figure, group))}</div>' for group in groups)
            pictures = f'<div class="groups">{"".join(boxes)}</div>'
        rest = ""
        if finding.count > sum(map(len, groups)):
            rest = f'<p class="soft">{self.text("not_shown", count=finding.count, most=MOST_GROUPS)}</p>'
        return (
            f'<section class="card finding"><div class="head"><h3>{self.text("finding." + finding.kind)} '
            f'<b>{finding.count:,}</b></h3><span class="badge {finding.level}">'
            f"{self.text('level.' + finding.level)}</span></div>"
            f'<p class="soft">{self.text("means." + finding.kind)}</p>{pictures}{rest}</section>'
        )

    def captions(self, report: Report) -> str:
        names = "".join(f"<th>{self.text(key)}</th>" for key in ("language", "share", "least", "median", "most"))
        rows = ""
        for language, lengths in report.languages.items():
            cells = "".join(f"<td>{number:,}</td>" for number in lengths)
            rows += f"<tr><td>{self.text('language.' + language)}</td>{cells}</tr>"
        card = f'<div class="card"><table><tr>{names}</tr>{rows}</table></div>'
        return self.heading("captions", "languages_note") + card + self.rare_words(report)

    def rare_words(self, report: Report) -> str:
        if not report.rare_words:
            return ""
        chips = "".join(f"<span>{escape(word)} <i>{n}</i></span>" for word, n in report.rare_words[:MOST_WORDS])
        if report.counts.rare > MOST_WORDS:
            chips += f"<i>{self.text('more_words', count=report.counts.rare - MOST_WORDS)}</i>"
        return (
            f'<div class="card finding"><h3>{self.text("rare_words")} <b>{report.counts.rare:,}</b></h3>'
            f'<p class="soft">{self.text("rare_words_note")}</p><div class="chips">{chips}</div></div>'
        )

    def attributes(self, report: Report) -> str:
        note = self.text("uncounted", names=", ".join(report.uncounted)) if report.uncounted else ""
        note = f'<p class="soft">{note}</p>'
        if not report.attributes:
            return f"{self.heading('attributes', 'no_attributes')}{note}"
        head = f'<h2>{self.text("attributes")}</h2><p class="soft">{self.text("attributes_note", few=FEW)}</p>'
        return f"{head}{self.two(map(self.coverage, report.attributes), 'attributes')}{note}"

    def coverage(self, coverage: Coverage) -> str:
        most = coverage.values[0][1]
        values = coverage.values
        if len(values) > MOST_VALUES:  # the ends tell the story: what there is plenty of, and what is lacking
            values = [*values[: MOST_VALUES // 2], *values[-MOST_VALUES // 2 :]]
        rows = "".join(
            f'<div class="value{" few" if count < FEW else ""}"><span title="{escape(value)}">{escape(value)}</span>'
            f'<div class="bar"><div style="width:{100 * count / most:.1f}%"></div></div><i>{count:,}</i></div>'
            for value, count in values
        )
        rest = [self.text("more_values", count=len(coverage.values) - MOST_VALUES)] if values != coverage.values else []
        rest += [f"{self.text('without')}: {coverage.without:,}"] if coverage.without else []
        return f'<h3>{escape(coverage.name)}</h3>{rows}<p class="soft">{", ".join(rest)}</p>'

    def footer(self, report: Report) -> str:
        read = f"{self.text('read_as')}: {escape(report.layout)}"
        if report.columns is not None:
            text = report.columns.template or ", ".join(report.columns.texts)
            read += f" ({self.text('columns_read', file=report.columns.file, text=text)})"
        split = f"{self.text('split')}: {self.text('split_counts', **report.splits)}"
        limits = self.text("limits", base=WITH_BASE, scratch=FROM_SCRATCH)
        return f"<footer>{''.join(f'<p>{line}</p>' for line in (read, split, limits))}</footer>"
