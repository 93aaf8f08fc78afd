"""What is trained, and on what? The networks as they begin, the pairs in their order, the model as it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from bespoke.config import Config
from bespoke.data.batches import PairBatches
from bespoke.data.borrowed_eyes import borrowed_eyes
from bespoke.data.front_end import FrontEnd, make_front_end
from bespoke.data.stillness import contrast_of_still_parts
from bespoke.data.store import PairStore
from bespoke.method.efficientnet import EfficientNetLite0
from bespoke.method.projected import ProjectedDiscriminator
from bespoke.networks import Networks, build_networks
from bespoke.pipeline import Pipeline
from bespoke.precision import computes_bf16
from bespoke.training.by_catalogue import fitted
from bespoke.training.checkpoint import Checkpoint
from bespoke.training.plan import Base
from bespoke.training.settle import settled_networks
from bespoke.training.start import start_from_canonical
from bespoke.training.state import kept_front_end
from bespoke.training.step import Players
from bespoke.training.transfer import freeze, load_base, take_over, take_over_editor
from bespoke.training.workplace import Workplace, find_workplace

Say = Callable[[str], None]


@dataclass(frozen=True)
class SetUp:
    """All that a step needs."""

    config: Config  # with what the size of the catalogue decides
    place: Workplace
    front_end: FrontEnd
    players: Players
    batches: PairBatches
    follows: bool  # S_G stands where S_D stands until drawing begins
    notes: tuple[str, ...]  # on how it begins

    def made(self) -> Pipeline:
        """The model as it stands; every process calls it."""
        networks = (
            self.players.settled()
            if self.config.editing
            else settled_networks(self.players, self.batches, self.config, self.place)
        )
        return Pipeline(networks, self.front_end)

    def opening(self, share: float) -> bool:
        """Whether nothing is drawn yet at this share of the budget, and the contrast of real pairs alone is taught."""
        return share < self.config.training.contrast_first and not self.config.editing


def set_up(config: Config, store: PairStore, base: Base | None, checkpoint: Checkpoint | None, say: Say) -> SetUp:
    """Networks, optimizers and batches of a run, before a checkpoint is put into them.

    Raises UserError for a base that is gone or does not fit.
    """
    indices, editing = store.indices("train"), config.editing
    num_of_shots = int((store.shots[indices] >= 0).sum()) if editing else 0
    config = fitted(
        config,
        len(indices),
        from_base=bool(base and not editing),
        num_of_shots=num_of_shots,
        contrast=contrast_of_still_parts(store, indices),
    )
    place, settings = find_workplace(), config.training
    start = load_base(base) if base and checkpoint is None else None
    front_end = _front_end(config, store, start, checkpoint)
    torch.manual_seed(config.seed)
    networks = build_networks(config.model, front_end.vocabulary_size, editor=editing is not None).to(place.device)
    follows = config.model.embeddings == "dual" and config.model.realism_start == "alignment" and base is None
    notes: list[str] = []
    slow = place.device.type == "cpu" and settings.precision == "auto" and not computes_bf16(place.device)
    if slow and checkpoint is None:
        notes.append(
            "This processor has no instructions for bf16, so training computes in fp32: in the same minutes it shows a "
            "quarter to a third of the pictures that a processor with them does. Give it more minutes."
        )
    if start:
        take_over(networks, front_end, start)
        if editing and base and base.editor:
            notes.append(take_over_editor(networks, base.editor))
        if not editing:
            notes.append(_taken_over(networks, front_end, start, settings.freeze_discriminator_stages or 0))
    elif checkpoint is None and config.model.canonical_width:
        say("Finding what the colours of the pictures and the words of the captions share.")
        start_from_canonical(networks, store, front_end, place)
    if follows and checkpoint is None:
        networks.text_encoder.start_realism()
    freeze(networks.discriminator, settings.freeze_discriminator_stages or 0)
    projected = projected_discriminator(config).to(place.device) if config.loss.projected and not editing else None
    batches = PairBatches(
        store,
        "train",
        front_end,
        seed=config.seed,
        batch_size=settings.batch_size,
        word_dropout=0.0 if editing else settings.word_dropout,  # a dropped word would look like a change
        word_swaps=editing.word_swaps if editing else settings.word_swaps,
        twins=editing is not None,
        progress=lambda done, total: say(f"Captions encoded: {done:,} of {total:,}."),
    )
    players = Players.make(networks, config, projected)
    return SetUp(config, place, front_end, players, batches, follows, tuple(notes))


def projected_discriminator(config: Config) -> ProjectedDiscriminator:
    """One that has learned nothing yet. Raises UserError where what it looks through is not installed."""
    projected = ProjectedDiscriminator(EfficientNetLite0(borrowed_eyes()), config.model.image_size)
    return projected.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _front_end(config: Config, store: PairStore, start: Pipeline | None, checkpoint: Checkpoint | None) -> FrontEnd:
    """What the run reads captions with: its own, where it has begun, else one that its base has, or grows into."""
    kept = kept_front_end(checkpoint, config.model)
    if kept is not None:
        return kept
    if config.editing and start:
        return start.tokenizer  # an editor reads what its model reads
    captions = (caption for index in store.indices("train") for caption in store.captions(int(index)))
    return make_front_end(config.model, captions, start.tokenizer if start else None)


def _taken_over(networks: Networks, front_end: FrontEnd, start: Pipeline, frozen: int) -> str:
    new = front_end.vocabulary_size - start.tokenizer.vocabulary_size
    stages = len(networks.settings.discriminator_widths)
    return (
        f"Starting from the model {start.identity}: new pieces in the captions: {new}; "
        f"stages of the discriminator that stay as they are: {frozen} of {stages}."
    )
