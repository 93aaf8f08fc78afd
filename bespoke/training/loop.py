"""How does a run go, from the first step to the last? One straight loop for CPU, GPU and many processes."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType

from bespoke.config import Config
from bespoke.data.front_end import front_end_text
from bespoke.data.store import PairStore
from bespoke.errors import UserError
from bespoke.method.joint_loss import Terms
from bespoke.pipeline import Pipeline
from bespoke.training.alarms import alarms
from bespoke.training.checkpoint import load_latest
from bespoke.training.edit_step import edit_step
from bespoke.training.edit_watch import EditWatch
from bespoke.training.journal import Journal, note_editing, write_card
from bespoke.training.plan import Base, Budget
from bespoke.training.set_up import SetUp, set_up
from bespoke.training.state import Progress, made_for, restore, roll_back, save
from bespoke.training.step import Diverged, contrastive_step, draw, joint_step
from bespoke.training.watch import Watch

WARM_UP_STEPS = 100


@dataclass(frozen=True)
class Report:
    """What the caller is told after a step."""

    step: int
    images: int  # shown so far
    seconds: float
    share: float  # of the budget, 0 to 1
    notes: tuple[str, ...] = ()  # alarms and other things to print, in plain words
    sheet: Path | None = None  # a sample sheet that has just been written


def train(
    config: Config,
    store: PairStore,
    run: Path,
    budget: Budget,
    *,
    base: Base | None = None,
    model: Path | None = None,
    validate: Callable[[Pipeline], dict[str, float]] | None = None,
    tell: Callable[[Report], None] = lambda report: None,
    begun: Callable[[], None] = lambda: None,
) -> bool:
    """Train a model on the pairs of `store` into the folder `run`; True when the budget is spent, False when stopped.

    Where `run` holds checkpoints it goes on from the newest whole one, exactly: the steps that follow are those of an
    uninterrupted run. SIGTERM and Ctrl-C save and leave. Under torchrun every process calls this alike.
    base: the model that the run starts from, or teaches to edit; it is needed until there is a checkpoint.
    model: the folder that the model is written to; RUN/model unless given.
    validate: further numbers of the averaged model for the journal, called at every validation.
    begun: called once base, checkpoints and catalogue have been found to go together, before anything is written.
    Raises UserError for a base or checkpoints that do not fit, a full disk, or a training that keeps diverging.
    """
    checkpoint = load_latest(run / "checkpoints")
    if checkpoint is None and any((run / name).exists() for name in ("metrics.jsonl", "samples")):
        raise UserError(
            f"{run}: was trained, but its checkpoints are gone; put {run / 'checkpoints'} back, or go on from its "
            f"model in a new run: --from {run} --out NEW"
        )
    work = set_up(config, store, base, checkpoint, lambda text: tell(Report(0, 0, 0.0, 0.0, (text,))))
    goes_with, reads_with = made_for(config, store, work.front_end, base), front_end_text(work.front_end)
    config, place, settings = work.config, work.place, work.config.training
    model_folder = run / "model" if model is None else model
    watch = (EditWatch if config.editing else Watch)(store, work.front_end, config, place.device)

    # Where a former sitting left off.
    progress, notes = restore(checkpoint, work.players, goes_with)
    notes += work.notes
    begun()
    del checkpoint  # it holds weights of its own
    images = progress.step * settings.batch_size
    if progress.step:
        resumed = work.made()  # a kill may have come between a checkpoint and its model
        if place.leads:
            notes.append(f"Going on from step {progress.step:,}, {progress.seconds / 60:.1f} minutes into training.")
            if budget.share(progress.seconds, images) >= 1:
                notes.append("Its budget is spent, so nothing is trained; give more with --minutes or --images.")
            resumed.save_pretrained(model_folder)
    elif place.leads:
        if work.opening(0.0):
            notes.append(f"The first {settings.contrast_first:.0%} teach what matches what; drawing begins after that.")
        save(run, work.players, progress, goes_with, reads_with)  # something to roll back to
    journal = Journal(run, from_step=progress.step, from_images=images) if place.leads else None

    with StopRequest() as stop:
        while (share := place.agree(budget.share(progress.seconds, images))) < 1:
            pipeline = sheet = None
            try:
                began = time.monotonic()
                terms = take_step(work, progress, share)
                images = progress.step * settings.batch_size
                progress.seconds = place.agree(progress.seconds + time.monotonic() - began)

                # What is written down.
                began = time.monotonic()
                if journal and progress.step % settings.log_every == 0:
                    journal.write(progress.step, images, progress.seconds, {k: float(v) for k, v in terms.items()})
                stopping = bool(place.agree(stop.requested))
                minutes = progress.seconds / 60
                spent = budget.share(progress.seconds, images) >= 1
                due = minutes >= (progress.validations + 1) * settings.validation_every_minutes
                if (due and not work.opening(share)) or spent:  # in the opening nothing has learned to draw yet
                    progress.validations = int(minutes / settings.validation_every_minutes)
                    pipeline = work.made()
                    if journal:
                        numbers = watch.numbers(pipeline) | (validate(pipeline) if validate else {})
                        journal.write(progress.step, images, progress.seconds, numbers)
                        sheet = watch.sheet(pipeline, run / "samples" / f"{images:09d}.png")
                        notes += alarms(numbers)

                # What is kept.
                progress.seconds = place.agree(progress.seconds + time.monotonic() - began)
                minutes = progress.seconds / 60
                spent = budget.share(progress.seconds, images) >= 1  # looking takes time, too
                if minutes >= (progress.saves + 1) * settings.checkpoint_every_minutes or stopping or spent:
                    progress.saves = int(minutes / settings.checkpoint_every_minutes)
                    if not place.agree(place.leads and save(run, work.players, progress, goes_with, reads_with)):
                        raise Diverged("a weight or a moment")
                    pipeline = pipeline or work.made()
                    if journal and spent and sheet is None:  # the budget ran out over the writing
                        sheet = watch.sheet(pipeline, run / "samples" / f"{images:09d}.png")
                    if place.leads:
                        pipeline.save_pretrained(model_folder)
            except Diverged as error:
                progress, notes = roll_back(run, work.players, goes_with, progress, error)
                images = progress.step * settings.batch_size
                if journal:
                    journal.rewind(progress.step, images)
                continue
            share = budget.share(progress.seconds, images)
            tell(Report(progress.step, images, progress.seconds, share, tuple(notes), sheet))
            notes = []
            if stopping:
                break

    # The end.
    share = budget.share(progress.seconds, images)
    if notes:
        tell(Report(progress.step, images, progress.seconds, share, tuple(notes)))
    if journal:
        journal.close()
        if config.editing:
            note_editing(model_folder.with_name("MODEL_CARD.md"), images, progress.seconds)
        else:
            write_card(run / "MODEL_CARD.md", config, store, images, progress.seconds, share >= 1, base)
    return share >= 1


def take_step(work: SetUp, progress: Progress, share: float) -> Terms:
    """The step that is due at this share of the budget; returns its terms. Raises Diverged."""
    config, players, place = work.config, work.players, work.place
    players.set_rates(config, learning_rate_factor(progress.step, share))
    batch = work.batches.at(progress.step, place.rank, place.world)
    opening, drawing = work.opening(share), not (work.opening(share) or config.editing)
    penalised = drawing and config.loss.penalty_weight > 0 and progress.step % config.loss.penalty_every == 0
    key = (config.seed, progress.step, progress.attempt)
    draws = draw(config, players.networks, key, place, penalised=penalised)
    step = edit_step if config.editing else contrastive_step if opening else joint_step
    terms = step(players, batch, draws, config, place)
    if opening and work.follows:  # until drawing begins; then each has its own teacher
        players.networks.text_encoder.start_realism()
    players.average.update(config.training.batch_size, seen=progress.step * config.training.batch_size)
    progress.step += 1
    return terms


def learning_rate_factor(step: int, share: float) -> float:
    """A short rise, full rate for the first half of the budget, then half a cosine down to a twentieth."""
    fall = 1.0 if share < 0.5 else max(0.05, math.cos(math.pi * (min(share, 1.0) - 0.5)))
    return min(1.0, (step + 1) / WARM_UP_STEPS) * fall


class StopRequest:
    """Turns SIGTERM and Ctrl-C into a wish that the loop grants after the step at hand; a second one is final."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> StopRequest:
        self._former = {number: signal.signal(number, self._ask) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
