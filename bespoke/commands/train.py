"""How is a training run started, shown, stopped and resumed from the command line?"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bespoke.commands.borrowed import check_borrowed
from bespoke.commands.check import check_outside
from bespoke.commands.screen import Bar, Rate, clock, leads, say
from bespoke.config import DEFAULT_PRESET, Config, resolve, resolve_editing, resolve_from
from bespoke.data.captions import SMALLEST_VOCABULARY
from bespoke.data.catalogue import Catalogue
from bespoke.data.columns import Columns
from bespoke.data.store import PairStore, prepare
from bespoke.errors import UserError
from bespoke.training.plan import (
    CONFIG,
    Base,
    Budget,
    Plan,
    check_free,
    claimed,
    forget_set_up,
    read_plan,
    write_plan,
)

if TYPE_CHECKING:
    from bespoke.pipeline import Pipeline

DEFAULT_MINUTES, EDIT_MINUTES = 60.0, 15.0
EDITING = "editing"  # the folder in a run where its editor is taught
_NO_MEMORY = re.compile("out of memory|(?:can't|cannot) allocate memory", re.IGNORECASE)  # of PyTorch, by device
_COUNT = re.compile(r"(\d+(?:\.\d+)?) ?([kM]?)", re.IGNORECASE)


def train(
    catalogue: str,
    out: Path,
    *,
    preset: str | None,
    minutes: float | None,
    images: str | None,
    base: str | None,
    resume: bool,
    overrides: Sequence[str],
    skip_bad: bool,
    columns: Columns,
    dry_run: bool,
    edit: bool = False,
) -> bool:
    """Train, or go on training; False where it was stopped before its budget was spent. Raises UserError.

    edit: teach the finished run `out` to edit, as a run of its own in the folder `out`/editing.
    """
    budget = make_budget(minutes, images)
    if edit and (preset or base):
        raise UserError("--edit: an editor goes with its run's own model; leave out --preset and --from")
    run = out / EDITING if edit else out
    if resume:
        plan = _resumed(run, budget, preset, overrides, base)
        if columns not in (Columns(), plan.columns):
            raise UserError("--resume reads the table as before; leave out --file-column, --text-column, --template")
    else:
        began, config = _to_edit(out, overrides) if edit else _begun(preset, overrides, base)
        plan = Plan(
            catalogue=catalogue,
            skip_bad=skip_bad,
            columns=columns,
            base=began,
            budget=budget or Budget(minutes=EDIT_MINUTES if edit else DEFAULT_MINUTES),
            config=config,
        )
    _check_memory(plan.config)
    if dry_run:
        Catalogue.open(catalogue, plan.columns)  # raises where there is none
        say(plan.model_dump_json(indent=2))
        return True
    if leads() and not resume:
        if Path(catalogue).is_dir():
            check_outside(out, catalogue)
        check_free(run)
        forget_set_up(run, out)
    check_borrowed([plan.config])
    if edit and resume:
        _check_taught(out, plan)
    store = open_catalogue(
        catalogue,
        plan.config.model.image_size,
        skip_bad=skip_bad or plan.skip_bad,
        columns=plan.columns,
    )
    again = f"bespoke train {shlex.quote(catalogue)} --out {_quoted(out)} --resume" + " --edit" * edit
    if not edit and (out / EDITING).exists() and leads():
        say(f"Its editor goes with the model as it was: remove {out / EDITING} and train it again with --edit.")
    return run_plan(plan, store, out, resume_with=again)


def _to_edit(run: Path, overrides: Sequence[str]) -> tuple[Base, Config]:
    """The model of a run that is to be taught to edit, and the config that teaches it."""
    if not (run / CONFIG).is_file():
        raise UserError(f"{run}: no run that could be taught to edit; train it first, without --edit")
    plan, model = read_plan(run), _model_of(run)
    config = resolve_editing(plan.config, overrides)
    as_it_is = config.model.model_copy(update={"grain": model.networks.settings.grain})
    base = Base(location=str(run), identity=model.identity, editor=plan.base)
    return base, config.model_copy(update={"model": as_it_is})


def _model_of(run: Path) -> Pipeline:
    from bespoke.pipeline import Pipeline  # slow to load, see above

    return Pipeline.from_pretrained(run, device="cpu", editor=False)


def _check_taught(run: Path, plan: Plan) -> None:
    """Raise UserError where the model of `run` is no longer the one that is being taught to edit."""
    if not (run / "model").is_dir():
        return  # its checkpoints hold all of it
    if plan.base is None or _model_of(run).identity != plan.base.identity:
        raise UserError(
            f"{run / EDITING}: {run} has been trained further since; remove that folder and leave out --resume"
        )


def _begun(preset: str | None, overrides: Sequence[str], location: str | None) -> tuple[Base | None, Config]:
    """What a fresh run starts from, and its config."""
    if location is None:
        config = resolve(preset or DEFAULT_PRESET, overrides)
        if config.training.freeze_discriminator_stages:
            raise UserError(
                f"--set training.freeze_discriminator_stages={config.training.freeze_discriminator_stages}: without a "
                "base nothing is worth keeping; leave it out, or pass --from"
            )
        pieces = config.model.vocabulary_size
        if pieces < SMALLEST_VOCABULARY and config.model.embeddings != "pretrained":
            raise UserError(
                f"--set model.vocabulary_size={pieces}: expected {SMALLEST_VOCABULARY} or more; choose a larger one"
            )
        return None, config
    model = _load_model(location)
    base = Base(location=location, identity=model.identity)
    return base, resolve_from(model.networks.settings, model.tokenizer.vocabulary_size, preset, overrides)


def _check_memory(config: Config) -> None:
    """Raise UserError for a batch that no memory of this machine could hold, before anything is written.

    A bound from below: training needs many times what the pictures themselves do.
    """
    if not hasattr(os, "sysconf"):
        return
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    batch, side = config.training.batch_size, config.model.image_size
    needed = batch // int(os.environ.get("WORLD_SIZE", "1")) * 3 * side**2 * 4  # float32
    if needed > there:
        raise UserError(
            f"training.batch_size={batch}: its pictures alone take {needed / 2**30:,.0f} GB of memory, this machine "
            f"has {there / 2**30:,.0f}; set a smaller one"
        )


def _load_model(location: str) -> Pipeline:
    from bespoke.pipeline import Pipeline  # slow to load: only where there is a base

    try:
        return Pipeline.from_pretrained(location, device="cpu", editor=False)
    except UserError as error:
        raise UserError(f"--from {error}") from error


def _resumed(
    out: Path, budget: Budget | None, preset: str | None, overrides: Sequence[str], location: str | None
) -> Plan:
    """The plan of a run that goes on; a budget given anew takes the place of its own."""
    if preset or overrides:
        raise UserError("--resume goes on with the run's own config; leave out --preset and --set")
    plan = read_plan(out)
    began = plan.base.identity if plan.base else None
    # Named as it was, it need not be there any more.
    same = plan.base is not None and location == plan.base.location
    if location is not None and not same and _load_model(location).identity != began:
        origin = f"started from the model {began}" if began else "started from scratch"
        raise UserError(f"--from {location}: {out} {origin}; leave out --from, or train into a new --out")
    return plan.model_copy(update={"budget": budget}) if budget else plan


def make_budget(minutes: float | None, images: str | None) -> Budget | None:
    """The budget that --minutes or --images (such as 2M or 500k) ask for; None where neither is given."""
    if minutes is not None and images is not None:
        raise UserError("--minutes and --images: expected one of the two; leave one out")
    try:
        if images is not None:
            return Budget(images=_count(images))
        return None if minutes is None else Budget(minutes=minutes)
    except ValidationError:
        what = f"--minutes {minutes:g}" if images is None else f"--images {images}"
        raise UserError(f"{what}: expected more than 0; choose how long to train") from None


def _count(text: str) -> int:
    found = _COUNT.fullmatch(text.strip())
    if found is None:
        raise UserError(f"--images {text}: expected a number such as 500000, 500k or 2M; write it so")
    return round(float(found[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[found[2].lower()])


def open_catalogue(location: str, size: int, *, skip_bad: bool, columns: Columns | None = None) -> PairStore:
    """Read a catalogue into the cache, showing how far it is, and say what is in it. Raises UserError."""
    catalogue = Catalogue.open(location, columns)
    rate = Rate()
    with Bar("Reading pictures") as bar:
        store = prepare(
            catalogue,
            size,
            skip_bad=skip_bad,
            progress=lambda done, total: bar.update(done, total, f"{done:,} pictures, {rate(done):.0f} a second"),
        )
    parts = ", ".join(f"{len(store.indices(split)):,} for {split}" for split in ("train", "validation", "test"))
    say(f"{store.manifest.catalogue}: {len(store):,} pictures with {store.num_captions:,} captions ({parts})")
    for problem in store.problems:
        say(f"  noticed: {problem}")
    return store


def run_plan(plan: Plan, store: PairStore, out: Path, *, resume_with: str) -> bool:
    """Write the plan down and train by it, under a progress bar; False where it was stopped. Raises UserError."""
    # Loads TensorBoard, too: a catalogue that cannot be read is told before.
    from bespoke.training.loop import Report, train
    from bespoke.training.workplace import leave_workplace

    edits = plan.config.editing is not None
    run, model = (out / EDITING if edits else out), out / "model"
    what = "Teaching to edit" if edits else "Training"
    say(f"{what} {_budget_text(plan.budget)} with preset {plan.config.preset}; Ctrl-C saves and stops.")
    images_rate, share_rate, sheets = Rate(), Rate(), 0

    def tell(report: Report) -> None:
        nonlocal sheets
        speed, gain = images_rate(report.images), share_rate(report.share)
        left = f", {clock(max(0.0, 1 - report.share) / gain)} left" if gain > 0 else ""
        status = f"{report.images:,} pictures, {speed:.0f} a second{left}"
        bar.update(min(report.share, 1.0), 1.0, status)  # the last step may overrun
        for note in report.notes:
            bar.say(f"[{clock(report.seconds)}] {note}")
        if report.sheet:
            shown = "pictures, edited, where" if edits else "balance 0, 0.5, 1, real pictures"
            rows = f"; its rows: {shown}; its columns: captions.txt" if not sheets else ""
            bar.say(f"[{clock(report.seconds)}] {report.images:,} pictures shown. Samples: {report.sheet}{rows}")
            sheets += 1

    def begun() -> None:
        """Not before: a run that another process trains, or that does not go with the catalogue, keeps its budget."""
        if leads():
            write_plan(run, plan)

    with Bar("Training") as bar, claimed(out) if leads() else nullcontext():
        try:
            finished = train(plan.config, store, run, plan.budget, base=plan.base, model=model, tell=tell, begun=begun)
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, MemoryError) and not _NO_MEMORY.search(str(error)):
                raise
            raise UserError(
                f"training.batch_size={plan.config.training.batch_size}: the memory ran out; start anew with "
                "a smaller one, or with a smaller model (docs/commands.md has the presets)"
            ) from error
    if finished:
        say(f"Finished. The model is in {model}, its samples are in {run / 'samples'}.")
    else:
        say(f"Stopped; everything is saved in {out}. Go on with: {resume_with}")
    leave_workplace()
    return finished


def _budget_text(budget: Budget) -> str:
    return f"for {budget.minutes:g} minutes" if budget.minutes else f"on {budget.images:,} pictures"


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
