"""When is a training not in good health? Alarms in plain words on the signals of monitor.py; loads no torch.

None of these numbers may be used to choose between models or to report quality: they come from the networks that are
being trained. They say where to look. Thresholds are rules of thumb; those marked ours were not found elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass


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


def ringing(numbers: Mapping[str, float]) -> list[Alarm]:
    """All alarms that ring; an alarm whose numbers are not all given, or not all numbers, is silent."""
    found = []
    for alarm in ALARMS:
        if not all(name in numbers for name in alarm.needs):
            continue
        values = [numbers[name] for name in alarm.needs]
        if not any(map(math.isnan, values)) and alarm.condition(*values):
            found.append(alarm)
    return found


def alarms(numbers: Mapping[str, float]) -> list[str]:
    """The messages of all alarms that ring. A number that an alarm needs and that is nan is an alarm of its own."""
    messages = [alarm.message.format(*(numbers[name] for name in alarm.needs)) for alarm in ringing(numbers)]
    watched = dict.fromkeys(name for alarm in ALARMS for name in alarm.needs)
    messages.extend(_NOT_A_NUMBER.format(name) for name in watched if math.isnan(numbers.get(name, 0.0)))
    return messages
