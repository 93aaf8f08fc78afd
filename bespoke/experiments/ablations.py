"""Which claims can be put to the test? Arms of a comparison: each changes the config in one respect only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bespoke.config import Config, resolve
from bespoke.errors import UserError


class Ablation(NamedTuple):
    """One arm: what it changes, as `--set` would, and the question that it answers against `dual`."""

    change: tuple[str, ...]
    question: str


ABLATIONS: dict[str, Ablation] = {
    "dual": Ablation(("model.embeddings=dual",), "the method itself: two embeddings, each with a loss of its own"),
    "shared": Ablation(("model.embeddings=shared",), "is one embedding, taught by both losses, enough?"),
    "frozen": Ablation(("model.embeddings=frozen",), "is an embedding learned before the generator as good?"),
    "pretrained": Ablation(("model.embeddings=pretrained",), "is an encoder borrowed from elsewhere as good?"),
    "hinge": Ablation(("loss.relativistic=false",), "what does the relativistic pairing bring?"),
    "no-words": Ablation(("loss.word=0", "loss.word_fake=0"), "what do single words bring beside the sentence?"),
    "no-swaps": Ablation(("training.word_swaps=0",), "what do captions with a swapped word bring?"),
    "no-contrast": Ablation(
        ("loss.sentence_fake=0", "loss.word_fake=0"), "what does the contrast bring to the generator?"
    ),
    "no-opening": Ablation(("training.contrast_first=0",), "what does the opening of contrast alone bring?"),
    "no-start": Ablation(("model.canonical_width=0",), "what do colours and words that met in closed form bring?"),
}


def arms_named(names: str) -> list[str]:
    """The arms of a list such as "dual,shared", the one that the others are compared with first. Raises UserError."""
    arms = [name.strip() for name in names.split(",")]
    for arm in arms:
        if arm not in ABLATIONS:
            raise UserError(f"--arms {names}: no arm {arm!r}; choose of {', '.join(ABLATIONS)}")
    if len(arms) < 2 or len(set(arms)) < len(arms):
        raise UserError(f"--arms {names}: expected two or more different arms; name each once, such as dual,shared")
    return arms


def arm_configs(arm: str, preset: str, overrides: Sequence[str], num_seeds: int) -> list[Config]:
    """The configs of one arm, one a seed, from the preset's seed on. Raises UserError."""
    base = resolve(preset, [*overrides, *ABLATIONS[arm].change])
    return [base.model_copy(update={"seed": base.seed + number}) for number in range(num_seeds)]
