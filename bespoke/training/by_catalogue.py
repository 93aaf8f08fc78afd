"""What follows from the pictures that there are? Settings that were left open, so that nobody has to tune them."""

from __future__ import annotations

import numpy as np

from bespoke.config import Config
from bespoke.data.check_verdict import FROM_SCRATCH

# Of each transform, by the number of training pictures: a discriminator that has seen every picture a hundred times
# knows them by heart. After Zhao et al. 2020 (arXiv 2006.10738), whose gains are large below 1,000 pictures and gone
# above 30,000.
AUGMENT = {300: 0.8, 1000: 0.6, 5000: 0.3}

# Of the finest noise, by the contrast of the stillest parts of real pictures (data/stillness.py): a plain ground shows
# as grain what leaves would lack (docs/results/small-data.md). Where the limits lie is ours.
GRAIN = {0.5: 0.25, 1.5: 1.0}


def fitted(
    config: Config, num_pictures: int, *, from_base: bool, num_of_shots: int = 0, contrast: float | None = None
) -> Config:
    """The config with nothing left open; model.grain only where the contrast of the still parts is known.

    num_of_shots: pictures that say which shot they are of, and so have twins to learn edits from. Where most do, no
    critic is needed.

    What edges and surfaces look like, a base has seen more often than a small catalogue can show: from a base, half of
    the discriminator's stages stay fixed.
    """
    settings = config.training
    augment, frozen = settings.augment, settings.freeze_discriminator_stages
    if augment is None:
        augment = round(float(np.interp(np.log(num_pictures), np.log([*AUGMENT]), [*AUGMENT.values()])), 2)
    if frozen is None or not from_base:
        small = from_base and num_pictures < FROM_SCRATCH
        frozen = len(config.model.discriminator_widths) // 2 if small else 0
    chosen = {"augment": augment, "freeze_discriminator_stages": frozen}
    model, editing = config.model, config.editing
    if model.grain is None and contrast is not None:
        grain = float(np.interp(np.log(max(contrast, 1e-3)), np.log([*GRAIN]), [*GRAIN.values()]))
        model = model.model_copy(update={"grain": round(grain, 2)})
    if editing is not None and editing.critic is None:
        editing = editing.model_copy(update={"critic": 2 * num_of_shots < num_pictures})
    training = settings.model_copy(update=chosen)
    return config.model_copy(update={"model": model, "training": training, "editing": editing})
