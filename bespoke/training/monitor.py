"""Is the training in good health? Signals that need only tensors, and alarms in plain words.

None of these numbers may be used to choose between models or to report quality: they come from the networks that are
being trained. They say where to look. Thresholds are rules of thumb; those marked ours were not found elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


def sign_accuracy(real: Tensor, fake: Tensor) -> float:
    """E[sign(n(x) - n(x'))] in [-1, 1] over all pairs of real [N] and fake [M] scores; 1: always told apart."""
    return float(torch.sign(real[:, None] - fake[None, :]).double().mean())


def effective_rank(embeddings: Tensor) -> float:
    """In how many directions embeddings [N, E] spread: exp of the entropy of the normalised singular values.

    Between 1 (all are multiples of one vector) and min(N, E); 0 if all are zero, nan if one is not finite. It is not
    centred: a large vector common to all lowers it. Comparable only at equal N and E.
    """
    if not bool(torch.isfinite(embeddings).all()):
        return math.nan
    singular = torch.linalg.svdvals(embeddings.double())
    if not bool(singular.any()):
        return 0.0
    share = singular / singular.sum()
    return float(torch.special.entr(share).sum().exp())


def linear_cka(first: Tensor, second: Tensor) -> float:
    """Linear centred kernel alignment, in [0, 1], of two embeddings [N, E1] and [N, E2] of the same N texts.

    1: equal up to rotation and scale; nan if one of them is the same for all texts or not finite. Do not use it with N
    below a few times E: even unrelated embeddings then look alike.
    """
    # The first row goes first: what is the same for all texts is then exactly zero.
    first, second = (x - x.mean(0) for x in ((y.double() - y.double()[0]) for y in (first, second)))
    cross = torch.linalg.matrix_norm(first.T @ second).square()
    scale = torch.linalg.matrix_norm(first.T @ first) * torch.linalg.matrix_norm(second.T @ second)
    return float(cross / scale)


def caption_sensitivity(features: Tensor, other_caption: Tensor, other_noise: Tensor) -> float:
    """How far pictures move with the caption, divided by how far they move with the noise.

    Features [N, F] of G(z, y), G(z, y') and G(z', y), row by row. Near 0: the text is ignored; very large or infinite:
    the noise is; nan: both are.
    """
    by_caption = torch.linalg.vector_norm((other_caption - features).double(), dim=1).mean()
    by_noise = torch.linalg.vector_norm((other_noise - features).double(), dim=1).mean()
    return float(by_caption / by_noise)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Rings when `condition`, given the numbers called `needs` in that order, is true."""

    name: str
    needs: tuple[str, ...]
    condition: Callable[..., bool]
    message: str  # {0}, {1}, ...: the numbers


ALARMS = (
    Alarm(
        "discriminator overfits",
        ("sign_accuracy_train", "sign_accuracy_validation"),
        lambda train, validation: train > 0.95 and validation < 0.5,
        "The discriminator knows the training pictures by heart (on a scale from -1 to 1 it tells them from generated "
        "ones at {0:.2f}, pictures it has not seen only at {1:.2f}): raise training.augment or add pictures.",
    ),
    Alarm(
        "alignment head exploited",
        ("top1_fake", "top1_validation"),
        lambda fake, validation: fake > 2 * validation + 0.1,  # the margin is ours: a batch's top-1 is noisy
        "Generated pictures match their captions better ({0:.2f}) than real validation pictures do ({1:.2f}): "
        "the generator exploits the alignment head; lower loss.sentence_fake and loss.word_fake, or raise "
        "training.augment.",
    ),
    Alarm(
        "penalty unbalanced",
        ("penalty_real", "penalty_fake"),
        lambda real, fake: fake > 10 * real,
        "The discriminator is much steeper at generated pictures ({1:.3g}) than at real ones ({0:.3g}): raise "
        "loss.penalty_weight.",
    ),
    Alarm(
        "text ignored",
        ("caption_sensitivity",),
        lambda sensitivity: sensitivity < 0.1,  # ours
        "Pictures hardly change with the caption ({0:.3f} of what the noise changes): the text is being ignored; check "
        "that captions tell pictures apart, or raise loss.conditional and loss.mismatch.",
    ),
    Alarm(
        "noise ignored",
        ("caption_sensitivity",),
        lambda sensitivity: sensitivity > 10,  # ours
        "All pictures of one caption look the same (the caption changes them {0:.3g} times as much as the noise): "
        "expect little variety; lower loss.sentence_fake and loss.word_fake.",
    ),
    Alarm(
        "realism embedding collapsed",
        ("effective_rank_realism",),
        lambda rank: rank < 5,
        "The realism embedding uses only {0:.1f} directions: it says nearly the same for every caption; check the "
        "captions, or lower loss.kl and raise loss.free_bits.",
    ),
    Alarm(
        "alignment embedding collapsed",
        ("effective_rank_alignment",),
        lambda rank: rank < 5,
        "The alignment embedding uses only {0:.1f} directions: it cannot tell captions apart; check the captions, or "
        "raise loss.sentence.",
    ),
    Alarm(
        "embeddings have become one",
        ("cka",),
        lambda cka: cka > 0.95,  # ours
        "The two text embeddings have become one (similarity {0:.2f} of 1): the balance has nothing left to balance.",
    ),
    Alarm(
        "balance has lost its grip",
        ("gradient_ratio",),
        lambda ratio: not 0.1 <= ratio <= 20,  # 20 is ours: good runs come to 10 after the opening, then to 0.5 to 2
        "At balance 0.5 alignment pulls at the pictures {0:.2g} times as hard as realism (0.1 to 20 is healthy): "
        "adjust loss.sentence_fake and loss.word_fake.",
    ),
    Alarm(
        "activations grow",
        ("activation_growth",),
        lambda growth: growth > 10,
        "The generator's activations grow {0:.0f} times from its first stage to its last: lower "
        "training.generator_rate.",
    ),
)


_NOT_A_NUMBER = (
    "{0} is not a number: the networks answer the same to everything, or have diverged; go back to an earlier "
    "checkpoint or start again."
)


def alarms(numbers: Mapping[str, float]) -> list[str]:
    """The messages of all alarms that ring; an alarm whose numbers are not all given is silent.

    A number that an alarm needs and that is nan is an alarm of its own.
    """
    messages = []
    for alarm in ALARMS:
        if not all(name in numbers for name in alarm.needs):
            continue
        values = [numbers[name] for name in alarm.needs]
        if not any(map(math.isnan, values)) and alarm.condition(*values):
            messages.append(alarm.message.format(*values))
    watched = dict.fromkeys(name for alarm in ALARMS for name in alarm.needs)
    messages.extend(_NOT_A_NUMBER.format(name) for name in watched if math.isnan(numbers.get(name, 0.0)))
    return messages
