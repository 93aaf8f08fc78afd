"""What must be kept to go on exactly? Weights, averages, optimizers, where the run stands; nothing else is random."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from bespoke.config import Config
from bespoke.data.caption_tokens import front_end_hash
from bespoke.data.front_end import FrontEnd, front_end_of
from bespoke.data.store import PairStore
from bespoke.errors import UserError
from bespoke.packing import pack, pack_optimizer, unpack, unpack_optimizer
from bespoke.settings import ModelSettings, Settings
from bespoke.training.checkpoint import Checkpoint, load_latest, save_checkpoint
from bespoke.training.plan import Base
from bespoke.training.step import Diverged, Players

ROLLBACKS = 3  # how often a run may go back to one and the same checkpoint

# Keys that checkpoints have been made without, and what held before them: where it still does, such a run can go on.
ADDED: dict[str, dict[str, object]] = {
    "model": {"balance": True, "realism_start": "fresh", "grain": 1.0},
    "loss": {"naturalness": 1.0, "contrast_fake": 0.0, "adversarial_leak": 0.0, "projected": 0.0},
    "training": {"augment_colors": False, "projected_rate": 4e-4, "ema_ramp": 0.05},
}


@dataclass
class Progress:
    """Where a run stands: all that changes besides tensors."""

    step: int = 0
    seconds: float = 0.0  # of training, over all sittings
    attempt: int = 0  # rollbacks so far; part of the key of all random numbers
    validations: int = 0
    saves: int = 0


class MadeFor(NamedTuple):
    """What a checkpoint goes with, part by part, so that it can be said which of them is another one now."""

    config: str  # JSON
    catalogue: str
    front_end: str
    base: str  # empty where there is none

    @property
    def digest(self) -> str:
        """One hash for all of it: all that checkpoints of earlier versions hold."""
        return hashlib.sha256("".join(self).encode()).hexdigest()


def made_for(config: Config, store: PairStore, front_end: FrontEnd, base: Base | None) -> MadeFor:
    """What a checkpoint goes with; only how often a run is saved and logged, and what is asked of it, may change."""
    unset = {section: _as_before(getattr(config, section), keys) for section, keys in ADDED.items()}
    freely = {"validation_every_minutes", "checkpoint_every_minutes", "log_every"}
    told = config.model_dump_json(
        exclude={**unset, "training": unset["training"] | freely, "gates": True}, exclude_none=True
    )
    return MadeFor(told, store.fingerprint, front_end_hash(front_end), base.identity if base else "")


def _differing(checkpoint: Checkpoint, now: MadeFor) -> str:
    """What a checkpoint was made with that is another one now, and what to do: one line for people."""
    try:
        then = MadeFor(**checkpoint.values["made_for_parts"])
    except (KeyError, TypeError):  # of an earlier version, which kept the hash alone
        then = None
    if then is None:
        what, mend = "another catalogue, config or version", "those it was started with"
    elif then.catalogue != now.catalogue:
        what, mend = "another catalogue (other pictures, captions or attributes)", "the one it was started with"
    elif then.config != now.config:
        before, after = _flat(then.config), _flat(now.config)
        key = next((key for key in [*before, *after] if before.get(key) != after.get(key)), "")
        change = f"{key} was {before.get(key, 'unset')}, now it is {after.get(key, 'unset')}" if key else "its order"
        what, mend = f"another config ({change})", "the config.json it was started with"
    elif then.base != now.base:
        what, mend = f"another base ({then.base or 'none'}, not {now.base or 'none'})", "the one it was started with"
    else:
        what, mend = "another version of Bespoke, which reads captions otherwise", "that version"
    return f"{checkpoint.path}: made with {what}; resume with {mend}, or train into a new folder"


def _flat(config: str) -> dict[str, str]:
    """A config as `section.key` -> value, with what keys that were left out stand for."""
    tree = json.loads(config)
    flat = {f"{section}.{key}": json.dumps(value) for section, keys in ADDED.items() for key, value in keys.items()}
    for section, values in tree.items():
        inner = values if isinstance(values, dict) else {"": values}
        flat |= {f"{section}.{key}".rstrip("."): json.dumps(value) for key, value in inner.items()}
    return flat


def _as_before(settings: Settings, keys: dict[str, object]) -> set[str]:
    return {key for key, before in keys.items() if getattr(settings, key) == before}


def save(run: Path, players: Players, progress: Progress, goes_with: MadeFor, reads_with: str) -> bool:
    """Write a checkpoint of everything; False, with nothing written, where a number in it is not finite.

    goes_with: see `made_for`. reads_with: the text of the front end, which cannot be made again without the base that
    it grew from. Raises UserError if the disk refuses; earlier checkpoints stay.
    """
    tensors: dict[str, Tensor] = {}
    for name, network in players.learning().items():
        tensors |= pack(f"network/{name}", network.state_dict())
    for name, network in players.average.averaged.items():
        tensors |= pack(f"average/{name}", network.state_dict())
    for name, optimizer in players.optimizers.items():
        tensors |= pack_optimizer(f"optimizer/{name}", optimizer)
    values = {
        "progress": asdict(progress),
        "made_for": goes_with.digest,
        "made_for_parts": goes_with._asdict(),
        "front_end": reads_with,
    }
    try:
        save_checkpoint(run / "checkpoints", step=progress.step, tensors=tensors, values=values)
    except FloatingPointError:
        return False
    return True


def kept_front_end(checkpoint: Checkpoint | None, settings: ModelSettings) -> FrontEnd | None:
    """What the run of a checkpoint reads captions with; None where there is no checkpoint, or an early one without."""
    text = checkpoint.values.get("front_end") if checkpoint else None
    return front_end_of(settings, text) if text else None


def restore(checkpoint: Checkpoint | None, players: Players, goes_with: MadeFor) -> tuple[Progress, list[str]]:
    """Put the newest whole checkpoint of a run into `players`; where there is none yet, leave them as they are.

    Returns where the run stands, and notes on checkpoints that had to be passed over.
    Raises UserError where the checkpoint belongs to another catalogue or config.
    """
    if checkpoint is None:
        return Progress(), []
    if checkpoint.values.get("made_for") != goes_with.digest:
        raise UserError(_differing(checkpoint, goes_with))
    for name, network in players.learning().items():
        network.load_state_dict(unpack(f"network/{name}", checkpoint.tensors))
    for name, network in players.average.averaged.items():
        network.load_state_dict(unpack(f"average/{name}", checkpoint.tensors))
    for name, optimizer in players.optimizers.items():
        unpack_optimizer(f"optimizer/{name}", checkpoint.tensors, optimizer)
        optimizer.zero_grad()  # a step that was broken off leaves gradients, which the next would add to
    return Progress(**checkpoint.values["progress"]), list(checkpoint.notes)


def roll_back(
    run: Path, players: Players, goes_with: MadeFor, progress: Progress, error: Diverged
) -> tuple[Progress, list[str]]:
    """Return to the newest checkpoint and take another random road from there.

    Raises UserError after ROLLBACKS returns to the same one: then the settings are at fault.
    """
    earlier, notes = restore(load_latest(run / "checkpoints"), players, goes_with)
    if progress.attempt - earlier.attempt >= ROLLBACKS:
        raise UserError(
            f"{run}: training keeps diverging ({error}); lower training.generator_rate and "
            "training.discriminator_rate, or raise loss.penalty_weight"
        ) from error
    notes.append(
        f"After step {progress.step:,} something was not finite ({error}): went back to step {earlier.step:,}."
    )
    earlier.attempt, earlier.seconds = progress.attempt + 1, progress.seconds
    return earlier, notes
