"""How is the balance of a model measured from the command line? Against its rivals, by a test fixed beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bespoke.commands.check import check_place
from bespoke.commands.evaluate import judges_of, split_asked, usual_split
from bespoke.commands.folders import claim_folder
from bespoke.commands.screen import Bar, say
from bespoke.commands.train import open_catalogue
from bespoke.data.columns import Columns
from bespoke.errors import UserError
from bespoke.evaluation.evaluate import check_balances
from bespoke.evaluation.questions import ask
from bespoke.experiments.acceptance import accept
from bespoke.experiments.bench import write_reports
from bespoke.experiments.front import draw_way, measure
from bespoke.experiments.front_report import Report, as_data, as_markdown, as_page, way_name
from bespoke.experiments.ways import ways_of
from bespoke.generation import model_name
from bespoke.pages.texts import language_of
from bespoke.pipeline import Pipeline

NAME = "front"
DEFAULT_BALANCES = (0.0, 0.25, 0.5, 0.75, 1.0)
LEAST_BALANCES = 3  # two points are always in order


def measure_balance(
    model: str,
    catalogue: str,
    out: Path,
    *,
    balances: Sequence[float],
    best_of: int,
    against: Sequence[str],
    split: str | None,
    num_pictures: int,
    language: str | None,
    columns: Columns,
    skip_bad: bool,
) -> None:
    """Draw the same captions and noise in every way, have them judged, write the report, and say what the test says.

    against: further models as RUN@B, drawn at balance B. Raises UserError.
    """
    spoken, asked = language_of(language), check_balances(balances or DEFAULT_BALANCES)
    if len(asked) < LEAST_BALANCES:
        raise UserError(f"--balance: {len(asked)} of them say nothing about what rises; give {LEAST_BALANCES} or more")
    if best_of < 1:
        raise UserError(f"--best-of {best_of}: expected 1 (leave that rival out) or more; choose how many candidates")
    named = [_named(each) for each in against]
    wanted = split_asked(split)
    check_place(out, catalogue)
    pipeline = Pipeline.from_pretrained(model, editor=False)
    settings = pipeline.networks.settings
    if not settings.balance:
        raise UserError(f"{model}: trained without a balance, every b gives the same pictures; name a run that has one")
    others = [(other, Pipeline.from_pretrained(other, editor=False), balance) for other, balance in named]
    for other, one, _ in others:
        if one.networks.settings.image_size != settings.image_size:
            raise UserError(
                f"--against {other}: draws {one.networks.settings.image_size} px pictures, {model} "
                f"{settings.image_size}; name a model of the same size"
            )
    store = open_catalogue(catalogue, settings.image_size, skip_bad=skip_bad, columns=columns)
    chosen = wanted or usual_split(store, spoken)
    questions = ask(store, chosen, num_pictures=num_pictures, seed=0)  # says what is wrong before judges are taught
    judges = judges_of(store)
    folder = claim_folder(out)
    ways = ways_of(
        pipeline,
        questions.captions,
        name=model_name(model, pipeline),
        balances=asked,
        best_of=best_of,
        others=[(model_name(other, one), one, balance) for other, one, balance in others],
    )
    drawn = []

    def shown(what: str, done: int, total: int) -> None:
        bar.update(done, total, f"{what}: {done:,} of {total:,} pictures")

    with Bar("Measuring the balance") as bar:
        for number, way in enumerate(ways, 1):
            name = f"{way_name(way, asked[0], spoken)} ({number} of {len(ways)})"
            drawn.append(draw_way(way, judges, questions, name, shown))
        bar.update(1, 1, "numbers and their intervals")
        fronts = measure(ways, drawn, store, judges, questions)
    report = Report(
        model=ways[0].model,
        catalogue=store.manifest.catalogue,
        fingerprint=store.fingerprint,
        split=chosen,
        questions=questions,
        ways=ways,
        drawn=drawn,
        fronts=fronts,
        verdict=accept(fronts),
    )
    told = as_markdown(report, spoken)
    write_reports(folder, NAME, data=as_data(report), markdown=told, page=as_page(report, spoken))
    say(told)
    say(f"{folder / NAME}.html, .md and .json hold what was measured")


def _named(against: str) -> tuple[str, float]:
    """The run and the balance of RUN@B."""
    run, _, balance = against.rpartition("@")
    try:
        if not run or not 0 <= (value := float(balance)) <= 1:
            raise ValueError
    except ValueError:
        raise UserError(
            f"--against {against}: expected RUN@B, a model and the balance from 0 to 1 it draws at, such as runs/low@0"
        ) from None
    return run, value
