"""How is a model evaluated from the command line? Judges first, once per catalogue; then a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from bespoke.commands.check import DATA, PAGE, check_place, free_place
from bespoke.commands.screen import Bar, Rate, clock, say
from bespoke.commands.train import open_catalogue
from bespoke.data.columns import Columns
from bespoke.data.item import SPLITS, Split
from bespoke.data.store import PairStore
from bespoke.errors import UserError
from bespoke.evaluation import report_texts, teach
from bespoke.evaluation.evaluate import check_balances, evaluate
from bespoke.evaluation.examine import Examined, examined
from bespoke.evaluation.judge import FAMILIES, Family
from bespoke.evaluation.questions import ask
from bespoke.evaluation.report import page
from bespoke.evaluation.report_texts import sentence
from bespoke.evaluation.result import Evaluation, as_data
from bespoke.evaluation.verdict import weigh
from bespoke.generation import claim_folder, model_name
from bespoke.pages.texts import Language, language_of
from bespoke.pipeline import LARGEST_SEED, Pipeline

DEFAULT_BALANCES = (0.0, 0.5, 1.0)
_MARKS = {True: "+", False: "-"}


def evaluate_model(
    model: str,
    catalogue: str,
    *,
    split: str,
    balances: Sequence[float],
    num_pictures: int,
    seed: int,
    language: str | None,
    columns: Columns,
    skip_bad: bool,
    out: Path | None,
) -> None:
    """Evaluate a model on a catalogue, write the report, and say the verdict. Raises UserError."""
    spoken, asked = language_of(language), check_balances(balances or DEFAULT_BALANCES)
    if not 0 <= seed <= LARGEST_SEED // 2:
        raise UserError(f"--seed {seed}: expected a whole number from 0 to {LARGEST_SEED // 2}; choose one")
    if out is not None:
        check_place(out, catalogue)
    pipeline = Pipeline.from_pretrained(model)
    store = open_catalogue(catalogue, pipeline.networks.settings.image_size, skip_bad=skip_bad, columns=columns)
    chosen = _split(split)
    ask(store, chosen, num_pictures=num_pictures, seed=seed)  # says what is wrong before judges are taught
    judges = [_judge(store, family) for family in FAMILIES]
    name = model_name(model, pipeline)
    with Bar("Evaluating") as bar:
        evaluation = evaluate(
            pipeline,
            store,
            judges,
            split=chosen,
            balances=asked,
            num_pictures=num_pictures,
            seed=seed,
            model_name=name,
            monitors=_monitors(Path(model)),
            tell=lambda what, done, total: bar.update(done, total, f"{what}: {done:,} of {total:,} pictures"),
        )
    folder = claim_folder(free_place(f"evaluation-{name.split()[0]}", catalogue) if out is None else out)
    _write(evaluation, folder, spoken)
    _tell(evaluation, folder, spoken)


def _split(name: str) -> Split:
    for split in SPLITS:
        if split == name:
            return split
    raise UserError(f"--split {name}: expected one of {', '.join(SPLITS)}; choose one of them")


def _judge(store: PairStore, family: Family) -> Examined:
    """A judge of the catalogue; where there is none yet, it is taught and examined under a progress bar."""
    with Bar(f"Teaching a judge ({family})") as bar:
        taught = teach.judge_of(store, family, _shown(bar), num_pictures=teach.PICTURES)
    with Bar(f"Examining a judge ({family})") as bar:
        return examined(store, taught, _shown(bar))


def _shown(bar: Bar) -> Callable[[int, int], None]:
    rate = Rate()

    def tell(done: int, total: int) -> None:
        speed = rate(done)
        left = f", {clock((total - done) / speed)} left" if speed > 0 else ""
        bar.update(done, total, f"{done:,} of {total:,} pictures, {speed:.0f} a second{left}")

    return tell


def _monitors(run: Path) -> dict[str, float]:
    """The last signals of health that training wrote down; none for a bare model folder."""
    file = run / "metrics.jsonl"
    if not file.is_file():
        return {}
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if '"caption_sensitivity"' in line]
    if not rows:
        return {}
    return {name: value for name, value in rows[-1].items() if "/" not in name and isinstance(value, (int, float))}


def _write(evaluation: Evaluation, folder: Path, language: Language) -> None:
    verdict = weigh(evaluation)
    data = as_data(evaluation) | {
        "verdict": verdict.decision,
        "verdict_balance": verdict.balance,
        "verdict_text": report_texts.say(f"verdict.{verdict.decision}", language),
        "reasons": [{"key": line.key, "good": line.good, "text": sentence(line, language)} for line in verdict.reasons],
    }
    try:
        (folder / DATA).write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", "utf-8")
        (folder / PAGE).write_text(page(evaluation, language), "utf-8")
    except OSError as error:
        raise UserError(f"{folder}: the report cannot be written ({error.strerror}); name another --out") from error


def _tell(evaluation: Evaluation, folder: Path, language: Language) -> None:
    """The verdict and its reasons, in a few lines."""
    verdict = weigh(evaluation)
    say(f"{evaluation.protocol.model_name}: {report_texts.say('verdict.' + verdict.decision, language)}")
    say(f"  {report_texts.say('about_balance', language, balance=f'{verdict.balance:g}')}")
    for line in verdict.reasons:
        say(f"  {_MARKS[line.good]} {sentence(line, language)}")
    say(report_texts.say("screen.report", language, path=str(folder / PAGE)))
