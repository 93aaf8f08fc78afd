"""Do the metrics equal their references, closed forms and floors?"""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from prdc import compute_prdc
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from bespoke.evaluation.metrics import (
    diversity,
    frechet_distance,
    kernel_distance,
    manifold,
    near_copies,
    preference,
    retrieval,
)

F = 24  # features


def features(n: int, *, seed: int, scale: float = 1.0, shift: float = 0.0) -> Tensor:
    """Correlated features of n pictures, [n, F]."""
    mix = torch.randn(F, F, generator=torch.Generator().manual_seed(99)) / math.sqrt(F)
    return scale * torch.randn(n, F, generator=torch.Generator().manual_seed(seed)) @ mix + shift


class AsTheyAre(nn.Module):
    """The feature module of the references: the features are the pictures."""

    num_features = F

    def forward(self, x: Tensor) -> Tensor:
        return x


def test_the_frechet_distance_is_that_of_torchmetrics() -> None:
    real, fake = features(400, seed=1), features(300, seed=2, scale=1.3, shift=0.2)
    reference = FrechetInceptionDistance(feature=AsTheyAre(), normalize=True, input_img_size=(F,))
    reference.set_dtype(torch.float64)
    reference.update(real.double(), real=True)
    reference.update(fake.double(), real=False)
    assert frechet_distance(real, fake) == pytest.approx(float(reference.compute()), abs=1e-3)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save:UserWarning")
def test_the_kernel_distance_is_that_of_torchmetrics() -> None:
    real, fake = features(200, seed=1), features(200, seed=2, scale=1.3, shift=0.2)
    reference = KernelInceptionDistance(feature=AsTheyAre(), subsets=1, subset_size=200, normalize=True)
    reference.update(real, real=True)
    reference.update(fake, real=False)
    ours = kernel_distance(real, fake, generator=torch.Generator(), num_subsets=1, subset_size=200)
    assert ours == pytest.approx(float(reference.compute()[0]), abs=1e-3)


def test_precision_recall_density_and_coverage_are_those_of_prdc() -> None:
    real, fake = features(300, seed=1), features(250, seed=2, scale=0.8, shift=0.1)
    reference = compute_prdc(real_features=real.double().numpy(), fake_features=fake.double().numpy(), nearest_k=5)
    ours = manifold(real, fake)._asdict()
    assert {name: float(values.mean()) for name, values in ours.items()} == pytest.approx(reference, abs=1e-3)


def test_the_frechet_distance_of_two_normal_distributions_is_the_closed_form() -> None:
    real = torch.randn(200_000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    fake = 2 * torch.randn(200_000, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64) + 1
    # |mu1 - mu2|^2 + tr(S1 + S2 - 2 sqrt(S1 S2)) = 3 + 3 (1 + 4 - 4)
    assert frechet_distance(real, fake) == pytest.approx(6, rel=0.02)


def test_equal_sets_are_at_the_floor() -> None:
    real = features(200, seed=1)
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-8)
    assert kernel_distance(real, real, generator=torch.Generator(), num_subsets=1) <= 0
    same = manifold(real, real)
    assert [float(value.mean()) for value in (same.precision, same.recall, same.coverage)] == [1, 1, 1]
    assert float(same.density.mean()) == pytest.approx(1, abs=0.3)


def test_sets_far_apart_have_no_overlap() -> None:
    apart = manifold(features(50, seed=1), features(50, seed=2, shift=1000))
    assert all(float(values.sum()) == 0 for values in apart)


@given(seed=st.integers(0, 10_000))
def test_the_order_of_pictures_does_not_matter(seed: int) -> None:
    real, fake = features(60, seed=seed), features(50, seed=seed + 1, scale=1.2)
    shuffled = fake[torch.randperm(50, generator=torch.Generator().manual_seed(seed))]
    assert frechet_distance(real, shuffled) == pytest.approx(frechet_distance(real, fake), rel=1e-6, abs=1e-6)
    for ours, again in zip(manifold(real, fake), manifold(real, shuffled), strict=True):
        assert float(again.mean()) == pytest.approx(float(ours.mean()))


@given(seed=st.integers(0, 10_000))
def test_more_noise_is_never_better(seed: int) -> None:
    real, clean = features(300, seed=seed), features(300, seed=seed + 1)
    noise = torch.randn(300, F, generator=torch.Generator().manual_seed(seed + 2))
    distances = [frechet_distance(real, clean + strength * noise) for strength in (0.0, 1.0, 2.0, 4.0)]
    assert distances == sorted(distances)


def test_a_few_pictures_too_few_is_said() -> None:
    with pytest.raises(ValueError, match="expected more than 5 pictures of each kind, got 5 and 9"):
        manifold(features(5, seed=1), features(9, seed=2))


def test_retrieval_counts_pictures_whose_caption_is_the_closest() -> None:
    captions = torch.eye(4)
    pictures = torch.eye(4)[[0, 1, 3, 3]]  # the third looks like the fourth's caption
    others = torch.tensor([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
    assert retrieval(pictures, captions, others).tolist() == [1, 1, 0, 1]
    assert retrieval(torch.ones(4, 4) / 2, captions, others).tolist() == [0, 0, 0, 0]  # ties are no hits


def test_a_picture_prefers_its_caption_or_the_altered_one() -> None:
    captions, altered = torch.eye(3)[[0, 0]], torch.eye(3)[[1, 1]]
    assert preference(torch.eye(3)[[0, 1]], captions, altered).tolist() == [1, 0]


def test_diversity_is_the_mean_distance_between_pictures_of_a_caption() -> None:
    same, triangle = torch.zeros(3, 2), torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    assert diversity(torch.stack([same, triangle])).tolist() == pytest.approx([0, (3 + 4 + 5) / 3])


def test_a_copy_of_a_training_picture_is_found_and_a_new_picture_is_not() -> None:
    train, held_out, new = features(200, seed=1), features(200, seed=2), features(50, seed=3)
    found = near_copies(train, held_out, torch.cat([train[[7, 3]], new]))
    assert found.near[:2].tolist() == [1, 1]
    assert found.nearest[:2].tolist() == [7, 3]
    assert float(found.near[2:].mean()) < 0.1


def test_without_held_out_pictures_nothing_is_told_of_copies() -> None:
    train = torch.randn(20, 8, generator=torch.Generator().manual_seed(0))
    found = near_copies(train, train[:0], train[:5])
    assert (found.limit, found.near.sum(), found.nearest.tolist()) == (0.0, 0.0, [0, 1, 2, 3, 4])
