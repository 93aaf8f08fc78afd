"""How does a run go, from the first step to the last? One straight loop for CPU, GPU and many processes."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType

import torch

from bespoke.config import Config
from bespoke.data.batches import PairBatches
from bespoke.data.front_end import front_end_text, make_front_end
from bespoke.data.store import PairStore
from bespoke.networks import build_networks
from bespoke.pipeline import Pipeline
from bespoke.training.alarms import alarms
from bespoke.training.by_size import fitted
from bespoke.training.checkpoint import load_latest
from bespoke.training.edit_step import edit_step
from bespoke.training.edit_watch import EditWatch
from bespoke.training.journal import Journal, note_editing, write_card
from bespoke.training.plan import Base, Budget
from bespoke.training.settle import settled_networks
from bespoke.training.start import start_from_canonical
from bespoke.training.state import kept_front_end, made_for, restore, roll_back, save
from bespoke.training.step import Diverged, Players, contrastive_step, draw, joint_step
from bespoke.training.transfer import freeze, load_base, take_over
from bespoke.training.watch import Watch
from bespoke.training.workplace import find_workplace

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
) -> bool:
    """Train a model on the pairs of `store` into the folder `run`; True when the budget is spent, False when stopped.

    Where `run` holds checkpoints it goes on from the newest whole one, exactly: the steps that follow are those of an
    uninterrupted run. SIGTERM and Ctrl-C save and leave. Under torchrun every process calls this alike.
    base: the model that the run starts from, or teaches to edit; it is needed until there is a checkpoint.
    model: the folder that the model is written to; RUN/model unless given.
    validate: further numbers of the averaged model for the journal, called at every validation.
    Raises UserError for a base or checkpoints that do not fit, a full disk, or a training that keeps diverging.
    """
    # What is trained, and on what.
    num_pictures = len(store.indices("train"))
    asked, config = config, fitted(config, num_pictures, from_base=base is not None and config.editing is None)
    place, settings, editing = find_workplace(), config.training, config.editing
    model_folder = run / "model" if model is None else model
    captions = (caption for index in store.indices("train") for caption in store.captions(int(index)))
    checkpoint = load_latest(run / "checkpoints")
    start = load_base(base) if base and checkpoint is None else None
    front_end = kept_front_end(checkpoint, config.model)
    if front_end is None and editing and start:
        front_end = start.tokenizer  # an editor reads what its model reads
    if front_end is None:
        front_end = make_front_end(config.model, captions, start.tokenizer if start else None)
    torch.manual_seed(config.seed)
    networks = build_networks(config.model, front_end.vocabulary_size, editor=editing is not None).to(place.device)
    if start:
        take_over(networks, front_end, start)
    elif checkpoint is None and config.model.canonical_width:
        tell(Report(0, 0, 0.0, 0.0, ("Finding what the colours of the pictures and the words of the captions share.",)))
        start_from_canonical(networks, store, front_end, place)
    follows = config.model.embeddings == "dual" and config.model.realism_start == "alignment" and base is None
    if follows and checkpoint is None:
        networks.text_encoder.start_realism()
    freeze(networks.discriminator, settings.freeze_discriminator_stages or 0)
    players = Players.make(networks, config)
    batches = PairBatches(
        store,
        "train",
        front_end,
        seed=config.seed,
        batch_size=settings.batch_size,
        word_dropout=0.0 if editing else settings.word_dropout,  # a dropped word would look like a change
        word_swaps=editing.word_swaps if editing else settings.word_swaps,
        progress=lambda done, total: tell(Report(0, 0, 0.0, 0.0, (f"Captions encoded: {done:,} of {total:,}.",))),
    )
    watch = (EditWatch if editing else Watch)(store, front_end, config, place.device)

    def made() -> Pipeline:
        """The model as it stands; every process calls it."""
        networks = players.settled() if editing else settled_networks(players, batches, config, place)
        return Pipeline(networks, front_end)

    # Where a former sitting left off.
    goes_with, reads_with = made_for(asked, store, front_end, base), front_end_text(front_end)
    progress, notes = restore(checkpoint, players, goes_with)
    if start and not editing:
        notes.append(
            f"Starting from the model {start.identity}: new pieces in the captions: "
            f"{front_end.vocabulary_size - start.tokenizer.vocabulary_size}; stages of the discriminator that stay as "
            f"they are: {settings.freeze_discriminator_stages} of {len(config.model.discriminator_widths)}."
        )
    del checkpoint, start  # they hold weights of their own
    if place.leads and progress.step:
        notes.append(f"Going on from step {progress.step:,}, {progress.seconds / 60:.1f} minutes into training.")
    elif place.leads:
        if settings.contrast_first and not editing:
            notes.append(f"The first {settings.contrast_first:.0%} teach what matches what; drawing begins after that.")
        save(run, players, progress, goes_with, reads_with)  # something to roll back to
    images = progress.step * settings.batch_size
    if progress.step:
        resumed = made()  # a kill may have come between a checkpoint and its model
        if place.leads:
            resumed.save_pretrained(model_folder)
    journal = Journal(run, from_step=progress.step, from_images=images) if place.leads else None

    with StopRequest() as stop:
        while (share := place.agree(budget.share(progress.seconds, images))) < 1:
            pipeline = sheet = None
            try:
                # One step.
                began = time.monotonic()
                players.set_rates(config, learning_rate_factor(progress.step, share))
                key = (config.seed, progress.step, progress.attempt)
                batch = batches.at(progress.step, place.rank, place.world)
                opening = share < settings.contrast_first and not editing
                penalised = config.loss.penalty_weight > 0 and progress.step % config.loss.penalty_every == 0
                draws = draw(config, networks, key, place, penalised=penalised and not (opening or editing))
                step = edit_step if editing else contrastive_step if opening else joint_step
                terms = step(players, batch, draws, config, place)
                if opening and follows:  # until drawing begins; then each has its own teacher
                    networks.text_encoder.start_realism()
                players.average.update(settings.batch_size, seen=images)
                progress.step += 1
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
                if (due and not opening) or spent:  # in the opening nothing has learned to draw yet
                    progress.validations = int(minutes / settings.validation_every_minutes)
                    pipeline = made()
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
                    if not place.agree(place.leads and save(run, players, progress, goes_with, reads_with)):
                        raise Diverged("a weight or a moment")
                    pipeline = pipeline or made()
                    if place.leads:
                        pipeline.save_pretrained(model_folder)
            except Diverged as error:
                progress, notes = roll_back(run, players, goes_with, progress, error)
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
        if editing:
            note_editing(model_folder.with_name("MODEL_CARD.md"), images, progress.seconds)
        else:
            write_card(run / "MODEL_CARD.md", config, store, images, progress.seconds, share >= 1, base)
    return share >= 1


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
