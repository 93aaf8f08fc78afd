"""What stands where on the page of the demo? From a folder of pictures to a model, told to whoever owns a shop."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import NamedTuple

from bespoke.commands.demo_texts import TEXTS
from bespoke.data.check import Report
from bespoke.data.check_texts import say as check_text
from bespoke.data.check_texts import sentence
from bespoke.data.sample_reading import Right
from bespoke.pages.document import Writer, document, image
from bespoke.pages.texts import Language

GOOD, FAIR = 0.8, 0.5  # shares of the texts that decide the page's colour
ENOUGH = 30_000  # pictures shown, by which some 80 of 100 are right (docs/base-models.md)
LIMITS = ("size", "letters", "identity", "details", "unseen", "drawn")
COMMANDS = (
    ("check", "bespoke check my-products"),
    ("train", "bespoke train my-products --from products --out runs/my-products --minutes 60"),
    ("generate", 'bespoke generate runs/my-products "{example}" -n 8 --best-of 4'),
    ("evaluate", "bespoke evaluate runs/my-products my-products"),
)


class Case(NamedTuple):
    """One text and three PNGs: what the base draws, what the new model draws, what a real picture looks like."""

    text: str
    before: bytes
    after: bytes
    real: bytes


@dataclass(frozen=True)
class Story:
    """Everything that happened."""

    checked: Report
    cases: list[Case]
    before: Right
    after: Right
    real: Right
    shown: int  # pictures, in training
    minutes: float  # of training
    minutes_in_all: float
    run: Path

    @property
    def longer(self) -> int:
        """Minutes to try next: three times as many, or as many as this computer needs to show enough pictures."""
        enough = self.minutes * ENOUGH / max(1, self.shown)
        return 5 * math.ceil(max(3 * self.minutes, enough) / 5)


def page(story: Story, language: Language) -> str:
    """The whole page."""
    writer = _Page(language, TEXTS)
    return document(writer.text("title"), "\n".join(writer.parts(story)), language)


class _Page(Writer):
    """Parts of the page in one language; captions and paths are escaped."""

    def parts(self, story: Story) -> Iterable[str]:
        yield f'<p class="kicker">{self.text("kicker")}</p><h1>{self.text("title")}</h1>'
        yield self.opening(story)
        yield self.tiles(story)
        yield self.data(story)
        yield self.cases(story)
        yield self.numbers(story)
        yield self.limits()
        yield self.own(story)
        yield f"<footer><p>{self.text('footer', run=str(story.run))}</p></footer>"

    def opening(self, story: Story) -> str:
        share = story.after.both / story.after.num_pictures
        name = "good" if share >= GOOD else "fair" if share >= FAIR else "poor"
        color = {"good": "go", "fair": "base", "poor": "not_yet"}[name]
        result = self.text("result", both=story.after.both, count=story.after.num_pictures)
        beside = self.text("beside", before=story.before.both, real=story.real.both, count=story.real.num_pictures)
        means = self.text("means." + name, longer=story.longer)
        if name != "good" and story.shown < ENOUGH:
            means = f"{self.text('means.pace', shown=f'{story.shown:,}', enough=f'{ENOUGH:,}')} {means}"
        lines = f"<b>{result}</b><p>{beside}</p><p>{means}</p>"
        return f'<section class="verdict {color}">{lines}</section>'

    def tiles(self, story: Story) -> str:
        tiles = {
            "pictures": f"{story.checked.counts.usable:,}",
            "trained": self.text("minutes", minutes=f"{story.minutes:g}"),
            "shown": f"{story.shown:,}",
            "in_all": self.text("minutes", minutes=f"{story.minutes_in_all:.1f}"),
        }
        cards = (
            f'<div class="card"><b>{number}</b><span class="soft">{self.text("tile." + key)}</span></div>'
            for key, number in tiles.items()
        )
        return f'<section class="tiles">{"".join(cards)}</section>'

    def cases(self, story: Story) -> str:
        pairs = "".join(map(self.case, story.cases))
        return f'{self.heading("cases", "cases_note")}<section class="pairs">{pairs}</section>'

    def case(self, case: Case) -> str:
        shown = (("before", case.before), ("after", case.after), ("real", case.real))
        figures = "".join(
            f'<figure>{image(png, "png")}<figcaption class="soft">{self.text("case." + key)}</figcaption></figure>'
            for key, png in shown
        )
        return f'<div class="pair"><p>{escape(case.text)}</p><div class="row">{figures}</div></div>'

    def numbers(self, story: Story) -> str:
        rights = {"before": story.before, "after": story.after, "real": story.real}
        cards = (
            f"<h3>{self.text('number.' + name)}</h3>"
            + "".join(
                self.bar("case." + key, getattr(right, name), right.num_pictures) for key, right in rights.items()
            )
            for name in ("kind", "color", "both")
        )
        note = self.text("numbers_note", count=story.after.num_pictures)
        return (
            f'<h2>{self.text("numbers")}</h2><p class="soft">{note}</p>{self.two(cards, "attributes")}'
            f'<p class="soft">{self.text("numbers_how")}</p>'
        )

    def bar(self, key: str, count: int, total: int) -> str:
        width = f"{100 * count / total:.1f}%"
        return (
            f'<div class="value"><span>{self.text(key)}</span>'
            f'<div class="bar"><div style="width:{width}"></div></div><i>{count:,}</i></div>'
        )

    def data(self, story: Story) -> str:
        verdict = story.checked.verdict
        lines = "".join(
            f'<li class="{"good" if line.good else "bad"}">{escape(sentence("reason", line, self.language))}</li>'
            for line in verdict.reasons
        )
        said = escape(check_text("verdict." + verdict.decision, self.language))
        means = escape(check_text("verdict_means." + verdict.decision, self.language))
        figures = "".join(
            f"<figure>{image(sample.thumb, 'jpeg')}<figcaption><span>{escape(sample.text)}</span></figcaption></figure>"
            for sample in story.checked.samples[:8]
            if sample.thumb is not None
        )
        return (
            f'{self.heading("data", "data_note")}<div class="card"><h3>{said}</h3><p class="soft">{means}</p>'
            f'<ul>{lines}</ul></div><section class="strip">{figures}</section>'
        )

    def limits(self) -> str:
        lines = "".join(f'<li class="bad">{self.text("limit." + key)}</li>' for key in LIMITS)
        return f'{self.heading("limits")}<div class="card"><ul>{lines}</ul></div>'

    def own(self, story: Story) -> str:
        steps = f"<p>{self.text('own.folder')}</p><pre>{self.text('own.table')}</pre>"
        for key, command in COMMANDS:
            line = command.format(example=self.plain("example"))
            steps += f"<p>{self.text('own.' + key)}</p><pre>{escape(line)}</pre>"
        again = f'bespoke generate {story.run} "{self.plain("again_example")}"'
        steps += f"<p>{self.text('own.again')}</p><pre>{escape(again)}</pre>"
        return f'{self.heading("own", "own_note")}<div class="card steps">{steps}</div>'
