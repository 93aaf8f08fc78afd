"""What do the commands that train many models have in common? One folder, equal budgets, the same judges for all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bespoke.commands.borrowed import check_borrowed
from bespoke.commands.check import check_outside
from bespoke.commands.evaluate import judges_of, split_asked, usual_split
from bespoke.commands.screen import Bar
from bespoke.commands.train import make_budget, open_catalogue, run_plan
from bespoke.config import Config
from bespoke.data.columns import Columns
from bespoke.data.store import PairStore
from bespoke.errors import UserError
from bespoke.evaluation.evaluate import Tell
from bespoke.evaluation.questions import ask
from bespoke.experiments.bench import Asked, Bench, claim_experiment
from bespoke.pages.texts import Language
from bespoke.training.plan import Budget, Plan, claimed


def budget_asked(command: str, minutes: float | None, images: str | None) -> Budget:
    """The budget of each model. Raises UserError where there is none."""
    budget = make_budget(minutes, images)
    if budget is None:
        raise UserError(f"{command}: no budget; say how long each model is trained, with --minutes or --images")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError(f"{command}: started in many processes; start it in one")
    return budget


@contextmanager
def bench(
    kind: str,
    catalogue: str,
    out: Path,
    configs: Sequence[Config],
    budget: Budget,
    *,
    split: str | None,
    balances: tuple[float, ...],
    num_pictures: int,
    language: Language,
    columns: Columns,
    skip_bad: bool,
) -> Iterator[Bench]:
    """Everything that training and measuring models needs, in a folder that nobody else writes to meanwhile.

    configs: of the models, or one to stand for them: all have pictures of the same size. split: None for the one that
    is asked unless somebody chose. Raises UserError.
    """
    named = split_asked(split)
    check_outside(out, catalogue)
    check_borrowed(configs)  # missing, it is told before others have been trained
    plan = Plan(catalogue=catalogue, skip_bad=skip_bad, columns=columns, budget=budget, config=configs[0])
    store = open_catalogue(catalogue, plan.config.model.image_size, skip_bad=skip_bad, columns=columns)
    asked = Asked(named or usual_split(store, language), balances, num_pictures, seed=0)
    ask(store, asked.split, num_pictures=num_pictures, seed=asked.seed)  # says what is wrong before any training
    claim_experiment(out, kind)
    with claimed(out):
        yield Bench(out, plan, store, judges_of(store), asked, _train, _watch)


def _train(plan: Plan, store: PairStore, run: Path) -> bool:
    return run_plan(plan, store, run, resume_with="the same command again")


@contextmanager
def _watch(name: str) -> Iterator[Tell]:
    with Bar(f"Evaluating {name}") as bar:
        yield lambda what, done, total: bar.update(done, total, f"{what}: {done:,} of {total:,} pictures")
