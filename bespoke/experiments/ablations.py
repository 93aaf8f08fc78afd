"""Which claims can be put to the test? Arms of a comparison: each changes the config in one respect only.

A0 to A9 are the runs that every claim about two embeddings should be held against; docs/commands.md lists them, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from bespoke.config import PRESETS, Config, resolve
from bespoke.errors import UserError


class Ablation(NamedTuple):
    """One arm: what it changes, as `--set` would, and the question that it answers against `dual`."""

    change: tuple[str, ...]
    question: str


def _faithful() -> tuple[str, ...]:
    """What the preset dte-faithful takes away and weighs otherwise, without its sizes and rates."""
    row = PRESETS["dte-faithful"].model_dump()
    respects = {
        "model": ("balance", "word_attention_size", "canonical_width", "realism_start"),
        "loss": tuple(row["loss"]),
        "training": ("contrast_first", "augment", "word_dropout", "word_swaps"),
    }
    return tuple(f"{part}.{key}={json.dumps(row[part][key])}" for part, keys in respects.items() for key in keys)


_NO_CONTRAST = ("loss.sentence=0", "loss.word=0", "loss.sentence_fake=0", "loss.word_fake=0")

ABLATIONS: dict[str, Ablation] = {
    # A0 and A1 are baselines, the field's answers to the whole question, on the sizes and rates of the preset.
    "dte-faithful": Ablation(_faithful(), "A0: what does all bring that goes beyond the paper?"),
    "df-gan": Ablation(
        (*_faithful(), *_NO_CONTRAST, "loss.kl=0", "loss.adversarial_leak=1", "model.embeddings=shared"),
        "A1: is a matching-aware hinge with one embedding, taught by it alone, enough?",
    ),
    "dual": Ablation(("model.embeddings=dual",), "A2: the method itself: two embeddings, each with a loss of its own"),
    "shared": Ablation(("model.embeddings=shared",), "A3: is one embedding, taught by both losses, enough?"),
    "head": Ablation(("model.embeddings=head",), "A4: is realism as a head on the alignment embedding enough?"),
    "frozen": Ablation(("model.embeddings=frozen",), "A5: is an embedding learned before the generator as good?"),
    "no-stop-gradient": Ablation(
        ("loss.adversarial_leak=1",),
        "A6: what does it bring that adversarial terms do not teach the alignment encoder?",
    ),
    "no-words": Ablation(
        ("loss.word=0", "loss.word_fake=0", "model.word_attention_size=0"),
        "A7: what do single words bring beside the sentence, in the losses and in the generator?",
    ),
    "color-augmentation": Ablation(
        ("training.augment_colors=true",), "A8: what does it cost to change colours that captions name?"
    ),
    "contrast-fakes": Ablation(
        ("loss.contrast_fake=1",), "A9: what does it bring that only real pictures teach the contrast?"
    ),
    "pretrained": Ablation(("model.embeddings=pretrained",), "is an encoder borrowed from elsewhere as good?"),
    "hinge": Ablation(("loss.relativistic=false",), "what does the relativistic pairing bring?"),
    "no-swaps": Ablation(("training.word_swaps=0",), "what do captions with a swapped word bring?"),
    "no-contrast": Ablation(
        ("loss.sentence_fake=0", "loss.word_fake=0"), "what does the contrast bring to the generator?"
    ),
    "no-opening": Ablation(("training.contrast_first=0",), "what does the opening of contrast alone bring?"),
    "projected": Ablation(("loss.projected=0.2",), "what does a discriminator bring that looks through borrowed eyes?"),
    "no-balance": Ablation(("model.balance=false",), "what does S_D bring to the generator?"),
    **{
        f"fixed-{b}": Ablation(
            ("model.balance=true", f"training.balance={b}"),
            f"what does one generator for all balances cost at b = {b}?",
        )
        for b in ("0", "0.5", "1")
    },
    "fresh-realism": Ablation(
        ("model.realism_start=fresh",), "what does it bring that S_G starts as a copy of what S_D knows?"
    ),
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
