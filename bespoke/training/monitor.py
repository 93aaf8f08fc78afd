"""Is the training in good health? Signals that need only tensors; alarms.py says when they are bad.

None of these numbers may be used to choose between models or to report quality: they come from the networks that are
being trained. They say where to look.
"""

from __future__ import annotations

import math

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
