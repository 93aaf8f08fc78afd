"""Which settings suit a catalogue best? A search with two aims at once: close to real pictures, and true to the text.

Every trial is a run of its own with the whole budget. Optuna does not prune studies of several objectives, and nothing
here pretends to: the learning rate falls over the budget, so half-way numbers do not say how a trial would end, and a
trial that is worse on both aims still teaches the sampler where not to look. Ended early is only what cannot end well:
training that keeps diverging (three returns to the last good checkpoint, then the loop gives up). Such a trial is told
to Optuna as failed, never as a bad number, which would be made up; it is listed with its reason and counts as a trial.

The best of many trials look better than they are: they were chosen on the pictures that they are judged by.
"""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bespoke.config import Config, resolve
from bespoke.errors import UserError
from bespoke.evaluation.examine import Examined
from bespoke.evaluation.questions import ask
from bespoke.experiments.bench import Bench, Measured, check_equal
from bespoke.training.by_catalogue import fitted
from bespoke.training.step import Diverged

if TYPE_CHECKING:
    import optuna

STUDY = "study.db"
LEAST_DISTANCE = 1e-9  # of real pictures from each other; keeps a ratio finite


class Range(NamedTuple):
    """Values that are tried for one key of the config."""

    low: float
    high: float
    log: bool = True


SPACE: dict[str, Range] = {
    "training.generator_rate": Range(1e-4, 1e-3),
    "training.discriminator_rate": Range(2e-4, 2e-3),
    "training.text_rate": Range(1e-4, 4e-3),
    "training.beta1": Range(0.0, 0.7, log=False),
    "training.augment": Range(0.0, 0.8, log=False),
    "loss.penalty_weight": Range(0.05, 5.0),
    "loss.sentence_fake": Range(0.05, 2.0),
    "loss.word_fake": Range(0.02, 1.0),
    "loss.balance_ratio": Range(1.0, 8.0),
}


class Trial(NamedTuple):
    """One set of values and what came of it."""

    number: int
    settings: dict[str, float]
    distance: float | None = None  # in times that of real pictures from each other; None where training failed
    alignment: float | None = None  # share of captions found again, at most what real pictures get
    reason: str | None = None  # why training failed
    best: bool = False  # no other trial is better at both


class Real(NamedTuple):
    """What real pictures get by one judge, and whether its numbers count."""

    judge: str
    distance: float | None  # Frechet, squared; None: not counted, since this judge does not see
    alignment: float | None  # share of captions found again; None: not counted, since it does not read


class Standard(NamedTuple):
    """One measured trial, to take the protocol of all from, and what real pictures get by each judge."""

    found: Measured
    real: list[Real]


class Search:
    """A study in the folder of an experiment; what is there goes on."""

    def __init__(self, bench: Bench, preset: str, overrides: Sequence[str]) -> None:
        """Raises UserError where Optuna is missing, or the folder holds a search for something else."""
        self.bench, self.preset, self.overrides = bench, preset, tuple(overrides)
        self.own = of_preset(preset, overrides, len(bench.store.indices("train")))
        self.space = space_of(preset, overrides)
        questions = ask(bench.store, bench.asked.split, num_pictures=bench.asked.num_pictures, seed=bench.asked.seed)
        if questions.others is None:
            raise UserError(
                "tune: all captions read the same, so nothing can be found again; write captions that differ"
            )
        self.seed = resolve(preset, overrides).seed
        self.study = _open_study(bench.out / STUDY)
        asked = {
            "fingerprint": bench.store.fingerprint,
            "budget": bench.plan.budget.model_dump(),
            "config": resolve(preset, overrides).model_dump(mode="json", exclude={"gates"}),
            "space": {key: list(values) for key, values in self.space.items()},
            "measured": bench.how(),
        }
        if "asked" in self.study.user_attrs:
            check_equal(bench.out, json.loads(self.study.user_attrs["asked"]), json.loads(json.dumps(asked)))
        else:
            self.study.enqueue_trial(self.own)
            self.study.set_user_attr("asked", json.dumps(asked))

    def run(self, num_trials: int, tell: Callable[[str], None] = lambda text: None) -> bool:
        """Go on until there are so many trials, failed ones included; False where training was stopped."""
        while (number := self._next(num_trials)) is not None:
            config = self._config(self.study.trials[number].params)
            changes = as_options(self._settings(number)) or "the preset as it is"
            tell(f"Trial {number} ({number + 1} of {num_trials}): {changes}")
            name = trial_name(number)
            try:
                found = self.bench.measured(name, config)
            except UserError as error:
                if not isinstance(error.__cause__, Diverged):
                    raise
                self.study.set_user_attr(f"failed-{number}", str(error))
                self._tell(number, None)
                tell(f"Trial {number} failed: {error}")
                continue
            if found is None:
                return False
            self._tell(number, aims(found, self.bench.judges))
            # A measured trial never goes on; its model stays.
            shutil.rmtree(self.bench.out / name / "checkpoints", ignore_errors=True)
        return True

    def trials(self) -> list[Trial]:
        """All that have ended, in their order."""
        best = {trial.number for trial in self.study.best_trials}
        rows = []
        for trial in self.study.trials:
            settings = self._settings(trial.number)
            if trial.state.name == "COMPLETE":
                distance, alignment = trial.values
                rows.append(Trial(trial.number, settings, distance, alignment, best=trial.number in best))
            elif trial.state.name == "FAIL":
                reason = self.study.user_attrs.get(f"failed-{trial.number}", "interrupted before it began")
                rows.append(Trial(trial.number, settings, reason=reason))
        return rows

    def standard(self) -> Standard | None:
        """None while nothing is measured."""
        for trial in self.study.trials:
            name = trial_name(trial.number)
            if trial.state.name == "COMPLETE":
                plan = self.bench.plan.model_copy(update={"config": self._config(trial.params)})
                if (found := self.bench.read(name, plan)) is not None:
                    return Standard(found, real_values(found, self.bench.judges))
        return None

    def _next(self, num_trials: int) -> int | None:
        """The trial to work on: one that was broken off, else a new one; None when there are enough."""
        for trial in self.study.trials:
            if trial.state.name == "RUNNING":
                if trial.params.keys() == self.space.keys():
                    return trial.number
                self._tell(trial.number, None)  # killed while its values were being drawn
        if sum(trial.state.is_finished() for trial in self.study.trials) >= num_trials:
            return None
        # From the seed and from how many trials there are: a search that was broken off draws what it would have drawn.
        self.study.sampler = import_optuna().samplers.TPESampler(seed=self.seed + len(self.study.trials))
        return self.study.ask(_distributions(self.space)).number

    def _tell(self, number: int, values: tuple[float, float] | None) -> None:
        failed = import_optuna().trial.TrialState.FAIL
        if values is None:
            self.study.tell(number, state=failed)
        else:
            self.study.tell(number, list(values))

    def _settings(self, number: int) -> dict[str, float]:
        """What a trial changes."""
        return self._changed(self.study.trials[number].params)

    def _changed(self, params: Mapping[str, float]) -> dict[str, float]:
        return {key: value for key, value in rounded(params).items() if value != self.own[key]}

    def _config(self, params: Mapping[str, float]) -> Config:
        changes = (f"{key}={value!r}" for key, value in self._changed(params).items())
        return resolve(self.preset, [*self.overrides, *changes])


def space_of(preset: str, overrides: Sequence[str]) -> dict[str, Range]:
    """What is searched: all of SPACE that `overrides` leave open, widened where the preset's own value lies outside.

    Raises UserError where nothing is left.
    """
    fixed = {override.partition("=")[0].strip() for override in overrides}
    own = of_preset(preset, overrides, 1)  # how many pictures there are moves no value out of its range
    space = {
        key: Range(min(values.low, own[key]), max(values.high, own[key]), values.log)
        for key, values in SPACE.items()
        if key not in fixed
    }
    if not space:
        raise UserError("tune: every value that could be searched for is fixed by --set; leave one out")
    return space


def of_preset(preset: str, overrides: Sequence[str], num_pictures: int) -> dict[str, float]:
    """The values that the preset has, for so many training pictures, where others are searched for."""
    tree = fitted(resolve(preset, overrides), num_pictures, from_base=False).model_dump()
    fixed = {override.partition("=")[0].strip() for override in overrides}
    places = {key: key.split(".") for key in SPACE if key not in fixed}
    return {key: float(tree[section][name]) for key, (section, name) in places.items()}


def trial_name(number: int) -> str:
    """Of the run in the folder of the search."""
    return f"trial-{number:03d}"


def counted(judges: Sequence[Examined]) -> tuple[Sequence[Examined], Sequence[Examined]]:
    """The judges whose distances count, and those whose findings of captions do: the ones that passed that part of
    their examination, or all where none did, which the report then says."""
    seeing = [judge for judge in judges if judge.examination.sees]
    reading = [judge for judge in judges if judge.examination.reads]
    return seeing or judges, reading or judges


def aims(found: Measured, judges: Sequence[Examined]) -> tuple[float, float]:
    """How far the pictures of a trial are from real ones, and how many captions are found again from them.

    The mean over the judges that are counted. What is found more often than for real pictures counts as for real
    pictures: a search must not learn to please judges.
    """
    seeing, reading = counted(judges)
    distances, hits = [], []
    for row in _rows(found, "frechet", seeing):
        real = max(row["real"]["value"], LEAST_DISTANCE)
        distances.append(math.log(max(row["generated_half"]["value"], LEAST_DISTANCE) / real))
    for row in _rows(found, "retrieval", reading):
        hits.append(min(row["generated"]["value"], row["real"]["value"]))
    return math.exp(statistics.fmean(distances)), statistics.fmean(hits)


def real_values(found: Measured, judges: Sequence[Examined]) -> list[Real]:
    """What real pictures get on both aims, judge by judge."""
    seeing, reading = counted(judges)
    distances = {row["judge"]: float(row["real"]["value"]) for row in _rows(found, "frechet", seeing)}
    hits = {row["judge"]: float(row["real"]["value"]) for row in _rows(found, "retrieval", reading)}
    families = [judge.taught.judge.family for judge in judges]
    return [Real(family, distances.get(family), hits.get(family)) for family in families]


def _rows(found: Measured, metric: str, judges: Sequence[Examined]) -> list[dict[str, Any]]:
    (balance,) = {row["balance"] for row in found.rows}
    rows = []
    for judge in judges:
        row = found.row(metric, judge.taught.judge.family, balance)
        assert row is not None
        rows.append(row)
    return rows


def rounded(params: Mapping[str, float]) -> dict[str, float]:
    """Three digits: what is shown is what was trained."""
    return {key: float(f"{value:.3g}") for key, value in params.items()}


def as_options(settings: Mapping[str, float]) -> str:
    """As `bespoke train` takes them."""
    return " ".join(f"--set {key}={value:g}" for key, value in settings.items())


def import_optuna() -> Any:
    """Raises UserError where it is not installed."""
    try:
        import optuna
    except ImportError:
        raise UserError("tune: the search needs optuna; pip install optuna") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _distributions(space: Mapping[str, Range]) -> dict[str, Any]:
    made = import_optuna().distributions.FloatDistribution
    return {key: made(values.low, values.high, log=values.log) for key, values in space.items()}


def _open_study(file: Path) -> optuna.Study:
    """Raises UserError where the file is no study, or one of another version of Optuna."""
    optuna = import_optuna()
    try:
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA schema_version")
        return optuna.create_study(
            storage=f"sqlite:///{file.resolve()}",
            study_name="tune",
            directions=["minimize", "maximize"],
            load_if_exists=True,
        )
    except (sqlite3.Error, optuna.exceptions.OptunaError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{file}: no search ({reason}); put it aside, or name another --out") from error
