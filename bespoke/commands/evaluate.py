"""How is a model evaluated from the command line? Judges first, once per catalogue; then a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from bespoke.commands.check import DATA, PAGE, check_place, free_place, named_for
from bespoke.commands.folders import claim_folder
from bespoke.commands.screen import Bar, Rate, clock, say
from bespoke.commands.train import open_catalogue
from bespoke.config import DEFAULT_PRESET, resolve, resolve_gates
from bespoke.data.columns import Columns
from bespoke.data.item import PARTS, SPLITS, Part
from bespoke.data.split import LEAST, part_to_ask
from bespoke.data.store import PairStore
from bespoke.errors import UserError
from bespoke.evaluation import report_texts, teach
from bespoke.evaluation.against import Before, read_before
from bespoke.evaluation.against import as_data as changes_data
from bespoke.evaluation.against import summary as changes_summary
from bespoke.evaluation.evaluate import check_balances, evaluate
from bespoke.evaluation.examine import Examined, examined
from bespoke.evaluation.gates import Gate, all_passed, check_gates, summary
from bespoke.evaluation.judge import FAMILIES, Family
from bespoke.evaluation.paper_metrics import as_data as papers_data
from bespoke.evaluation.paper_texts import missing_sentence
from bespoke.evaluation.paper_weights import asked_networks, open_networks
from bespoke.evaluation.questions import ask
from bespoke.evaluation.report import page
from bespoke.evaluation.report_texts import gate_sentence, sentence
from bespoke.evaluation.result import Evaluation, as_data
from bespoke.evaluation.verdict import usual_balance, weigh
from bespoke.generation import model_name
from bespoke.pages.texts import Language, languages_of
from bespoke.pipeline import LARGEST_SEED, Pipeline
from bespoke.settings import GateSettings
from bespoke.training.plan import CONFIG, read_plan

DEFAULT_BALANCES = (0.0, 0.5, 1.0)
_MARKS = {True: "+", False: "-"}


def evaluate_model(
    model: str,
    catalogue: str,
    *,
    split: str | None,
    balances: Sequence[float],
    num_pictures: int,
    seed: int,
    language: str | None,
    columns: Columns,
    skip_bad: bool,
    out: Path | None,
    overrides: Sequence[str] = (),
    by_gates: bool = False,
    against: Path | None = None,
    metrics: Sequence[str] = (),
) -> bool:
    """Evaluate a model on a catalogue, write the report, and say the verdict; True when the model passes its gates.

    overrides: changes of the gates that the model's run was given; by_gates: say which of them fail; against: an
    earlier report to compare with; metrics: networks of others that are asked as well. Raises UserError.
    """
    languages, asked = languages_of(language), check_balances(balances or DEFAULT_BALANCES)
    named = split_asked(split)
    if not 0 <= seed <= LARGEST_SEED // 2:
        raise UserError(f"--seed {seed}: expected a whole number from 0 to {LARGEST_SEED // 2}; choose one")
    if out is not None:
        check_place(out, catalogue)
    settings = _gates_of(Path(model), overrides)
    before = None if against is None else read_before(against)
    asked_of_others = asked_networks(metrics)
    pipeline = Pipeline.from_pretrained(model, editor=False)
    store = open_catalogue(catalogue, pipeline.networks.settings.image_size, skip_bad=skip_bad, columns=columns)
    chosen = named or usual_split(store, languages[0])
    questions = ask(store, chosen, num_pictures=num_pictures, seed=seed)  # says what is wrong before judges are taught
    measured: dict[str, Any] = {
        "balance": usual_balance(asked),
        "fingerprint": store.fingerprint,
        "split": chosen,
        "seed": seed,
        "num_pictures": len(questions),
    }
    if before is not None:
        before.check_alike(judges=None, **measured)
    networks, missing = open_networks(asked_of_others, pipeline.device)
    for line in missing:
        say(missing_sentence(line, languages[0]))
    judges = judges_of(store)
    if before is not None:
        before.check_alike(judges=[judge.taught.identity for judge in judges], **measured)
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
            networks=networks,
            tell=lambda what, done, total: bar.update(done, total, f"{what}: {done:,} of {total:,} pictures"),
        )
    evaluation = replace(evaluation, papers=replace(evaluation.papers, missing=tuple(missing)))
    folder = claim_folder(free_place(f"evaluation-{name.split()[0]}", catalogue) if out is None else out)
    gates = check_gates(evaluation, settings)
    spoken = languages[0]
    for each in languages:
        data, html = (named_for(folder / name, each, languages) for name in (DATA, PAGE))
        _write(evaluation, gates, page(evaluation, each, settings, before), before, data, html, each)
    _tell(evaluation, before, spoken)
    _tell_papers(evaluation, spoken)
    _tell_gates(gates, spoken, failures=by_gates)
    say(report_texts.say("screen.report", spoken, path=str(folder / PAGE)))
    return all_passed(gates)


def _gates_of(model: Path, overrides: Sequence[str]) -> GateSettings:
    """The gates that a run was started with, else those of the default preset, changed by `overrides`."""
    run = model.parent if model.name == "model" else model
    config = read_plan(run).config if (run / CONFIG).is_file() else resolve(DEFAULT_PRESET)
    return resolve_gates(config, overrides)


def judges_of(store: PairStore) -> list[Examined]:
    """The judges of a catalogue; those that are not there yet are taught and examined under progress bars."""
    return [_judge(store, family) for family in FAMILIES]


def split_named(name: str) -> Part:
    """Raises UserError where there is no such split."""
    for split in PARTS:
        if split == name:
            return split
    raise UserError(f"--split {name}: expected one of {', '.join(PARTS)}; choose one of them")


def split_asked(name: str | None) -> Part | None:
    """None where nobody chose. Raises UserError where there is no such split."""
    return None if name is None else split_named(name)


def usual_split(store: PairStore, language: Language) -> Part:
    """What is asked unless somebody chose, said where it is not validation."""
    counts: dict[str, int] = {split: len(store.indices(split)) for split in SPLITS}
    part = part_to_ask(counts)
    if part != "validation":
        say(report_texts.say("screen.held_out", language, least=LEAST, **counts))
    return part


def _judge(store: PairStore, family: Family) -> Examined:
    try:
        with Bar(f"Teaching a judge ({family})") as bar:
            taught = teach.judge_of(store, family, _shown(bar))
    except KeyboardInterrupt:
        say("Stopped. What the judges have learned so far is kept: the same command goes on from there.")
        raise
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
    rows = []
    for line in file.read_text("utf-8", "replace").splitlines():
        if '"caption_sensitivity"' in line:
            with suppress(ValueError):  # a killed run may leave half a line
                rows.append(json.loads(line))
    if not rows:
        return {}
    return {name: value for name, value in rows[-1].items() if "/" not in name and isinstance(value, (int, float))}


def _write(
    evaluation: Evaluation,
    gates: Sequence[Gate],
    page: str,
    before: Before | None,
    data_file: Path,
    page_file: Path,
    language: Language,
) -> None:
    verdict = weigh(evaluation)
    data = as_data(evaluation) | {
        "gates_passed": all_passed(gates),
        "gates": [
            {
                "gate": gate.name,
                "measured": gate.measured,
                "limit": gate.limit,
                "passed": gate.passed,
                "text": gate_sentence(gate.said, language),
                "advice": gate_sentence(gate.advice, language) if gate.advice else None,
            }
            for gate in gates
        ],
        "verdict": verdict.decision,
        "verdict_balance": verdict.balance,
        "verdict_text": report_texts.say(f"verdict.{verdict.decision}", language),
        "reasons": [{"key": line.key, "good": line.good, "text": sentence(line, language)} for line in verdict.reasons],
        "papers": papers_data(evaluation.papers, language),
        "against": None if before is None else changes_data(before, before.changes(evaluation)),
    }
    try:
        data_file.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", "utf-8")
        page_file.write_text(page, "utf-8")
    except OSError as error:
        folder = page_file.parent
        raise UserError(f"{folder}: the report cannot be written ({error.strerror}); name another --out") from error


def _tell(evaluation: Evaluation, before: Before | None, language: Language) -> None:
    """The verdict, its reasons and what is better or worse than before, in a few lines."""
    verdict = weigh(evaluation)
    say(f"{evaluation.protocol.model_name}: {report_texts.say('verdict.' + verdict.decision, language)}")
    say(f"  {report_texts.say('about_balance', language, balance=f'{verdict.balance:g}')}")
    for line in verdict.reasons:
        say(f"  {_MARKS[line.good]} {sentence(line, language)}")
    if before is not None:
        say(report_texts.say("against", language, name=before.model_name))
        changed = changes_summary(before.changes(evaluation))
        if not changed:
            say(f"  {report_texts.say('against_nothing', language)}")
        for metric, direction in changed.items():
            name = report_texts.say(f"metric.{metric}", language, of=evaluation.protocol.retrieval_of)
            say(f"  {name}: {report_texts.say('against.' + direction, language)}")


def _tell_papers(evaluation: Evaluation, language: Language) -> None:
    """What networks of others say of the balance that the verdict is about."""
    rows = [row for row in evaluation.papers.rows if row.balance == weigh(evaluation).balance]
    if rows:
        say(report_texts.say("papers", language))
    for row in rows:
        metric = report_texts.say(f"paper_metric.{row.metric}", language)
        generated, real = row.at_equal_n
        shown = {"generated": f"{generated.value:.4g}", "real": f"{real.value:.4g}"}
        say(f"  {report_texts.say('paper_figure', language, metric=metric, n=generated.n, **shown)}")


def _tell_gates(gates: Sequence[Gate], language: Language, *, failures: bool) -> None:
    """Whether the model may be released and, where asked, why not and what to do."""
    say(f"{report_texts.say('gates', language)}: {gate_sentence(summary(gates), language)}")
    for gate in gates if failures else ():
        if gate.advice:
            say(f"  - {gate_sentence(gate.said, language)} {gate_sentence(gate.advice, language)}")
