"""How are a model's edits evaluated from the command line?"""

from __future__ import annotations

import json
from pathlib import Path

from bespoke.commands.check import DATA, PAGE, check_place, free_place, named_for
from bespoke.commands.evaluate import judges_of, split_asked, usual_split
from bespoke.commands.folders import claim_folder
from bespoke.commands.screen import Bar, say
from bespoke.commands.train import open_catalogue
from bespoke.data.columns import Columns
from bespoke.errors import UserError
from bespoke.evaluation.edits import Way, evaluate_edits
from bespoke.evaluation.edits_exact import ExactRow, exact_edits, is_builtin
from bespoke.evaluation.edits_report import edits_data, edits_page, mean
from bespoke.evaluation.edits_texts import EDIT_TEXTS
from bespoke.generation import model_name
from bespoke.method.editor import USUAL_STRENGTH
from bespoke.pages.texts import fill, languages_of
from bespoke.pipeline import Pipeline


def evaluate_model_edits(
    model: str,
    catalogue: str,
    *,
    split: str | None,
    num_pictures: int,
    seed: int,
    language: str | None,
    columns: Columns,
    skip_bad: bool,
    out: Path | None,
) -> None:
    """Evaluate a model's edits on a catalogue, write the report, and say what came out. Raises UserError."""
    languages, named = languages_of(language), split_asked(split)
    if out is not None:
        check_place(out, catalogue)
    pipeline = Pipeline.from_pretrained(model)
    if pipeline.networks.editor is None:
        raise UserError(f"{model}: has not been taught to edit; run `bespoke train {catalogue} --out RUN --edit` first")
    store = open_catalogue(catalogue, pipeline.networks.settings.image_size, skip_bad=skip_bad, columns=columns)
    chosen = named or usual_split(store, languages[0])
    judges, exact = judges_of(store), list[ExactRow]()
    with Bar("Evaluating edits") as bar:
        tell = lambda what, done, total: bar.update(done, total, f"{what}: {done:,} of {total:,}")  # noqa: E731
        edits = evaluate_edits(pipeline, store, judges, split=chosen, num_pictures=num_pictures, seed=seed, tell=tell)
        if is_builtin(store):
            exact = exact_edits(pipeline, num_pictures=min(100, num_pictures), seed=seed, tell=tell)
    name = model_name(model, pipeline)
    folder = claim_folder(free_place(f"evaluation-{name.split()[0]}", catalogue) if out is None else out)
    reads = any(judge.examination.reads for judge in judges)
    data = json.dumps(edits_data(edits, exact, name, reads=reads), ensure_ascii=False, indent=2) + "\n"
    try:
        (folder / DATA).write_text(data, "utf-8")
        for each in languages:
            named_for(folder / PAGE, each, languages).write_text(
                edits_page(edits, exact, name, each, reads=reads), "utf-8"
            )
    except OSError as error:
        raise UserError(f"{folder}: the report cannot be written ({error.strerror}); name another --out") from error
    for way in (Way("identity"), Way("anew"), Way("edit", USUAL_STRENGTH)):
        said = {name: mean(edits, way, name) or 0.0 for name in ("prefers_new", "background")}
        label = fill(EDIT_TEXTS[f"way.{way.name}"], languages[0], strength=f"{way.strength or 0:g}")
        metrics = (fill(EDIT_TEXTS[f"column.{name}"], languages[0]) for name in said)
        say(f"  {label}: " + ", ".join(f"{m} {100 * v:.1f}%" for m, v in zip(metrics, said.values(), strict=True)))
    say(fill(EDIT_TEXTS["report"], languages[0], path=str(folder / PAGE)))
