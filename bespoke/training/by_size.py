"""What follows from how many pictures there are? Settings that were left open, so that nobody has to tune them."""

from __future__ import annotations

import numpy as np

from bespoke.config import Config
from bespoke.data.check_verdict import FROM_SCRATCH

# Of each transform, by the number of training pictures: a discriminator that has seen every picture a hundred times
# knows them by heart. After Zhao et al. 2020 (arXiv 2006.10738), whose gains are large below 1,000 pictures and gone
# above 30,000.
AUGMENT = {300: 0.8, 1000: 0.6, 5000: 0.3}

TEXT_RATE, WORD_DROPOUT = 2e-3, 0.05
# From a base on a small catalogue: words are known already, and a few hundred captions are soon known by heart. Chosen
# on the built-in catalogue, as docs/base-models.md tells.
KNOWN_TEXT_RATE, KNOWN_WORD_DROPOUT = 3e-4, 0.2


def fitted(config: Config, num_pictures: int, *, from_base: bool) -> Config:
    """The config with nothing left open.

    What edges and surfaces look like, and what words mean, a base has seen more often than a small catalogue can show:
    from a base, half of the discriminator's stages stay fixed, and text encoders learn slowly, from captions with gaps.
    """
    settings, small = config.training, from_base and num_pictures < FROM_SCRATCH
    augment = round(float(np.interp(np.log(num_pictures), np.log([*AUGMENT]), [*AUGMENT.values()])), 2)
    chosen = {
        "augment": augment,
        "text_rate": KNOWN_TEXT_RATE if small else TEXT_RATE,
        "word_dropout": KNOWN_WORD_DROPOUT if small else WORD_DROPOUT,
        "freeze_discriminator_stages": len(config.model.discriminator_widths) // 2 if small else 0,
    }
    left_open = {name: value for name, value in chosen.items() if getattr(settings, name) is None}
    if not from_base:
        left_open["freeze_discriminator_stages"] = 0
    return config.model_copy(update={"training": settings.model_copy(update=left_open)})
