"""How far are generated pictures from real ones, and do they fit their captions? Tensors in, numbers out.

Features come from a network that took no part in training the generator (judge.py): with the generator's own
discriminator every number here would be too good. Distances depend on the number of pictures and on the network:
compare them at equal n and with the same judge only, and never with a published FID.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

NEIGHBOURS = 5  # k of precision, recall, density and coverage (Naeem et al. 2020)
KERNEL_SUBSET = 1000  # pictures a subset of the kernel distance, or as many as there are


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """Squared Frechet distance of the normal distributions fitted to two sets of features (Heusel et al. 2017).

    real [N, F], fake [M, F], both N and M at least 2. Biased upwards by about F^2 / 2N for normal features.
    """
    real, fake = real.double(), fake.double()
    mean = (real.mean(0) - fake.mean(0)).square().sum()
    first, second = real.T.cov(), fake.T.cov()
    # tr sqrt(A B) by the symmetric product sqrt(A) B sqrt(A), whose eigenvalues are the same and real.
    values, vectors = torch.linalg.eigh(first)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ second @ root).clamp(min=0).sqrt().sum()
    return float(mean + first.trace() + second.trace() - 2 * cross)


def kernel_distance(
    real: Tensor, fake: Tensor, *, generator: torch.Generator, num_subsets: int = 100, subset_size: int = KERNEL_SUBSET
) -> float:
    """Unbiased squared MMD with the cubic kernel (x y / F + 1)^3, mean over random subsets (Binkowski et al. 2018).

    real [N, F], fake [M, F]. Unlike the Frechet distance it has no bias in N: it may come out below 0 for equal sets.
    """
    size = min(subset_size, len(real), len(fake))
    total = 0.0
    for _ in range(num_subsets):
        x, y = (sample[torch.randperm(len(sample), generator=generator)[:size]].double() for sample in (real, fake))
        within = sum((_cubic(z, z).sum() - _cubic(z, z).trace()) / (size * (size - 1)) for z in (x, y))
        total += float(within - 2 * _cubic(x, y).mean())
    return total / num_subsets


def _cubic(x: Tensor, y: Tensor) -> Tensor:
    """[N, F], [M, F] -> [N, M]"""
    product: Tensor = (x @ y.T / x.shape[1] + 1) ** 3
    return product


class Manifold(NamedTuple):
    """Two sets seen as unions of balls. The mean of each is the metric; what stands for a picture serves intervals."""

    precision: Tensor  # [M] 0 or 1: the generated picture lies within a real one's ball
    recall: Tensor  # [N] 0 or 1: the real picture lies within a generated one's ball
    density: Tensor  # [M] balls of real pictures around the generated one, over k
    coverage: Tensor  # [N] 0 or 1: some generated picture lies within the real one's ball


def manifold(real: Tensor, fake: Tensor, *, neighbours: int = NEIGHBOURS) -> Manifold:
    """Precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020).

    real [N, F], fake [M, F], more than `neighbours` of each; a ball reaches to the k-th nearest of its own set.
    Precision and recall depend on N and M: give equal numbers.
    """
    if min(len(real), len(fake)) <= neighbours:
        raise ValueError(f"expected more than {neighbours} pictures of each kind, got {len(real)} and {len(fake)}")
    return _manifold(real.double(), fake.double(), neighbours)


def manifold_means(real: Tensor, fake: Tensor, *, neighbours: int = NEIGHBOURS) -> Tensor:
    """The four means of `manifold`, [4], in the precision of the features: for intervals, which ask for many."""
    return torch.stack([each.mean() for each in _manifold(real, fake, neighbours)])


def _manifold(real: Tensor, fake: Tensor, neighbours: int) -> Manifold:
    apart = torch.cdist(real, fake)  # [N, M]
    # topk takes a quarter of the time of kthvalue; each picture is the nearest to itself.
    around_real, around_fake = (
        torch.cdist(x, x).topk(neighbours + 1, dim=1, largest=False).values[:, -1] for x in (real, fake)
    )
    inside = apart < around_real[:, None]
    return Manifold(
        precision=inside.any(0).double(),
        recall=(apart < around_fake[None, :]).any(1).double(),
        density=inside.double().sum(0) / neighbours,
        coverage=(apart.min(1).values < around_real).double(),
    )


def retrieval(pictures: Tensor, captions: Tensor, others: Tensor) -> Tensor:
    """Whether each picture's own caption is closer to it than all others: the hits of R-precision, [N] 0 or 1.

    pictures, captions: [N, E] unit vectors; others: [N, K] int64, for each picture K captions of other pictures.
    The mean over pictures is R@1 of K + 1; guessing gives 1 / (K + 1). Ties count as misses.
    """
    own = (pictures * captions).sum(1)
    rivals = torch.einsum("ne,nke->nk", pictures, captions[others])
    return (own > rivals.max(1).values).double()


def preference(pictures: Tensor, captions: Tensor, altered: Tensor) -> Tensor:
    """Whether each picture is closer to its caption than to the caption with one word swapped: [N] 0 or 1.

    All [N, E] unit vectors. Guessing gives 1/2; ties count as misses.
    """
    return ((pictures * captions).sum(1) > (pictures * altered).sum(1)).double()


def diversity(features: Tensor) -> Tensor:
    """Mean distance between pictures of the same caption: [N, Z, F] features of Z pictures each -> [N].

    Divide by the same number of real pictures of one class, or by that of pictures of different captions.
    """
    apart = torch.cdist(features, features)
    z = features.shape[1]
    return apart.sum((1, 2)) / (z * (z - 1))


class Copies(NamedTuple):
    """Generated pictures beside the training pictures nearest to them."""

    near: Tensor  # [M] 0 or 1: nearer to a training picture than all but a share of the held-out real ones are
    nearest: Tensor  # [M] int64, which training picture
    distance: Tensor  # [M]
    limit: float  # below it, a picture counts as near


def near_copies(train: Tensor, held_out: Tensor, fake: Tensor, *, share: float = 0.01) -> Copies:
    """Suspected copies of training pictures. train [T, F], held_out [N, F], fake [M, F].

    Real pictures that were held out exceed the limit with probability `share`: that is the floor. A low number is no
    proof that nothing was memorised: look at the pictures, too. Without held-out pictures nothing can be told.
    """
    distance, nearest = torch.cdist(fake, train).min(1)
    limit = float(torch.cdist(held_out, train).min(1).values.quantile(share)) if len(held_out) else 0.0
    return Copies((distance < limit).double(), nearest, distance, limit)


def inception_score(logits: Tensor, *, num_parts: int = 10) -> float:
    """exp(mean KL(p(class | picture) || p(class))), mean over parts of the pictures (Salimans et al. 2016).

    logits [N, K] in random order, N at least `num_parts`. It knows no real pictures, grows with N / num_parts, and
    says little of pictures that are not like ImageNet's.
    """
    parts = [part.double().log_softmax(1) for part in logits.tensor_split(num_parts)]
    spread = [(log.exp() * (log - log.exp().mean(0).log())).sum(1).mean().exp() for log in parts]
    return float(torch.stack(spread).mean())


def clip_score(pictures: Tensor, captions: Tensor) -> Tensor:
    """100 times the cosine of each picture and its caption, at least 0: [N, F], [N, F] -> [N] (Hessel et al. 2021).

    Without their factor of 2.5, as papers on generation give it. Wording weighs as much as content: compare on the same
    captions only.
    """
    return 100 * F.cosine_similarity(pictures.double(), captions.double()).clamp(min=0)


def ssim(first: Tensor, second: Tensor, sigma: float = 1.5) -> Tensor:
    """Structural similarity [N] of pictures [N, C, H, W] in [0, 1], at most 1 (Wang et al. 2004, 11x11 window).

    It says how much of the structure has stayed, not whether a change was the right one.
    """
    place = torch.arange(-5, 6, dtype=first.dtype)
    bell = torch.exp(-place.square() / (2 * sigma**2))
    window = (bell[:, None] * bell / bell.sum() ** 2)[None, None]

    def smooth(x: Tensor) -> Tensor:
        planes = F.pad(x.flatten(0, 1)[:, None], (5,) * 4, mode="reflect")
        return F.conv2d(planes, window).view_as(x)

    mean_1, mean_2 = smooth(first), smooth(second)
    var_1, var_2 = smooth(first * first) - mean_1.square(), smooth(second * second) - mean_2.square()
    both = smooth(first * second) - mean_1 * mean_2
    c1, c2 = 0.01**2, 0.03**2
    likeness = (
        (2 * mean_1 * mean_2 + c1) * (2 * both + c2) / ((mean_1.square() + mean_2.square() + c1) * (var_1 + var_2 + c2))
    )
    return likeness.double().mean((1, 2, 3))
