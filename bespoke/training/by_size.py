"""What follows from the pictures that there are? Settings that were left open, so that nobody has to tune them."""

from __future__ import annotations

import numpy as np

from bespoke.config import Config
from bespoke.data.check_verdict import FROM_SCRATCH

# Of each transform, by the number of training pictures: a discriminator that has seen every picture a hundred times
# knows them by heart. After Zhao et al. 2020 (arXiv 2006.10738), whose gains are large below 1,000 pictures and gone
# above 30,000.
AUGMENT = {300: 0.8, 1000: 0.6, 5000: 0.3}
TURN = {300: 0.8, 1000: 0.6, 5000: 0.0}  # with all of Oxford-102 it brought nothing
LECAM = {1000: 0.1, 5000: 0.0}  # what keeps such a discriminator from driving real and generated pictures apart


def fitted(config: Config, num_pictures: int, *, from_base: bool, num_of_shots: int = 0) -> Config:
    """The config with nothing left open.

    num_of_shots: pictures that say which shot they are of, and so have twins to learn edits from. Where most do, no
    critic is needed.

    A base is taught for minutes, too few for its discriminator to know the pictures by heart: there, turning and LeCam
    only hold up (kind and colour right in 65% of drawn teddy bears instead of 75%, docs/base-models.md).
    What edges and surfaces look like, a base has seen more often than a small catalogue can show: from a base, half of
    the discriminator's stages stay fixed.
    """
    settings = config.training
    augment, frozen = settings.augment, settings.freeze_discriminator_stages
    if augment is None:
        augment = _between(AUGMENT, num_pictures)
    turn, lecam, fresh = settings.turn, config.loss.lecam, not from_base and config.editing is None
    if turn is None:
        turn = _between(TURN, num_pictures) if fresh else 0.0
    if lecam is None:
        lecam = _between(LECAM, num_pictures) if fresh else 0.0
    if frozen is None or not from_base:
        small = from_base and num_pictures < FROM_SCRATCH
        frozen = len(config.model.discriminator_widths) // 2 if small else 0
    chosen = {"augment": augment, "turn": turn, "freeze_discriminator_stages": frozen}
    editing = config.editing
    if editing is not None and editing.critic is None:
        editing = editing.model_copy(update={"critic": 2 * num_of_shots < num_pictures})
    loss = config.loss.model_copy(update={"lecam": lecam})
    return config.model_copy(update={"training": settings.model_copy(update=chosen), "loss": loss, "editing": editing})


def _between(known: dict[int, float], num_pictures: int) -> float:
    """The value at a size: that of the nearest known one outside of them, else on the way in logarithms."""
    return round(float(np.interp(np.log(num_pictures), np.log([*known]), [*known.values()])), 2)
