"""Which statistics belong to averaged weights? Those measured with them, not the average of what was measured before.

The generator normalises by the statistics of a batch while it learns and by running statistics afterwards. Weights
averaged over thousands of pictures have other activations than any weights that were live, so the statistics are
measured once more (as stochastic weight averaging does, Izmailov et al. 2018).
"""

from __future__ import annotations

import copy

import torch

from bespoke.config import Config
from bespoke.data.batches import PairBatches
from bespoke.method.generator import Generator
from bespoke.method.layers import Standardise
from bespoke.networks import Networks
from bespoke.precision import autocast
from bespoke.training.step import Players, draw
from bespoke.training.workplace import Workplace

NUM_PICTURES = 512


@torch.no_grad()
def settled_networks(players: Players, batches: PairBatches, config: Config, place: Workplace) -> Networks:
    """A copy of the averaged networks whose generator has statistics of its own, in eval mode.

    Always measured on the same captions and noise, over the balances of training: the copy is a pure function of the
    weights. Every process has to call it.
    """
    modules = {name: copy.deepcopy(module) for name, module in players.average.averaged.items()}
    networks = players.networks.with_modules(modules)
    generator = networks.generator
    assert isinstance(generator, Generator)
    norms = [module for module in generator.modules() if isinstance(module, Standardise)]
    momentum = norms[0].momentum
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
        norm.train()  # and nothing else: statistics are those of drawing, with the noise of drawing
    for step in range(max(1, NUM_PICTURES // config.training.batch_size)):
        batch = batches.at(step, place.rank, place.world)
        draws = draw(config, networks, (config.seed, step), place, penalised=False)
        with autocast(place.device, config.training.precision):
            text = networks.text_encoder(batch.captions.to(place.device))
            generator(draws.noise, text, draws.balance)
    for norm in norms:
        norm.momentum = momentum
        norm.eval()
    return networks
