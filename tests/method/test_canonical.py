"""Do the canonical directions find what two sides share, and does a picture's colour statistic see colours?"""

from __future__ import annotations

import pytest
import torch

from bespoke.method.canonical import (
    LEVELS,
    NUM_COLORS,
    CanonicalColors,
    CanonicalWords,
    Directions,
    canonical_directions,
    colors_of,
    start_from,
)


def test_they_are_those_of_the_textbook() -> None:
    """Without a ridge the squared correlations are the eigenvalues of Cxx^-1 Cxy Cyy^-1 Cyx (Hotelling 1936)."""
    random = torch.Generator().manual_seed(0)
    shared = torch.randn(4000, 2, generator=random, dtype=torch.float64)
    x = torch.cat([shared, torch.randn(4000, 3, generator=random, dtype=torch.float64)], 1)
    y = torch.cat([shared + torch.randn(4000, 2, generator=random, dtype=torch.float64), x[:, 4:]], 1)
    x, y = x - x.mean(0), y - y.mean(0)
    ((left, right),) = canonical_directions(x, y, ridges=[0.0], num=3)
    xx, yy, xy = x.T @ x, y.T @ y, x.T @ y
    expected = torch.linalg.eigvals(torch.linalg.solve(xx, xy) @ torch.linalg.solve(yy, xy.T)).real.sort().values
    u, v = x @ left, y @ right
    correlation = (u * v).sum(0) / (u.norm(dim=0) * v.norm(dim=0))
    torch.testing.assert_close(correlation.square(), expected.flip(0)[:3])
    # Either side carries the root of the correlation.
    torch.testing.assert_close(u.square().mean(0), correlation)


def test_a_ridge_keeps_chance_from_looking_like_agreement() -> None:
    """Fewer pairs than numbers: without a ridge everything agrees with everything."""
    random = torch.Generator().manual_seed(0)
    x, y = (torch.randn(20, 30, generator=random, dtype=torch.float64) for _ in range(2))
    x, y = x - x.mean(0), y - y.mean(0)

    def agreement(ridge: float) -> float:
        ((left, right),) = canonical_directions(x, y, [ridge], num=5)
        return float(((x @ left) * (y @ right)).sum(0).mean())

    assert agreement(3.0) < 0.3 * agreement(1e-9)


def test_colors_are_shares_of_the_whole_and_of_fields() -> None:
    picture = torch.full((1, 3, 96, 96), -1.0)  # black, with a white upper left ninth
    picture[:, :, :32, :32] = 1.0
    share = colors_of(picture)[0].square() - 1e-3
    whole, fields = share[: LEVELS**3], share[LEVELS**3 :].view(LEVELS**3, 3, 3)
    torch.testing.assert_close(whole.sum(), torch.tensor(1.0))
    assert whole[0] == pytest.approx(8 / 9, abs=0.1)  # the grid begins with black, which spreads a little
    assert whole[-1] == pytest.approx(1 / 9, abs=0.03)
    assert fields[-1, 0, 0] > 0.7  # its last row and column are a third black
    assert fields[-1, 1:, 1:].max() < 0.01


def test_colors_do_not_depend_on_the_size_of_the_picture() -> None:
    random = torch.Generator().manual_seed(0)
    small = torch.rand(2, 3, 32, 32, generator=random) * 2 - 1
    large = small.repeat_interleave(8, 2).repeat_interleave(8, 3)
    torch.testing.assert_close(colors_of(large), colors_of(small))


def test_a_generator_can_follow_their_slope_towards_a_color() -> None:
    brick = torch.tensor([0.6, -0.6, -0.6])[None, :, None, None].expand(1, 3, 16, 16)
    picture = brick.clone().requires_grad_()
    red = colors_of(torch.tensor([1.0, -1.0, -1.0])[None, :, None, None].expand(1, 3, 16, 16))
    (slope,) = torch.autograd.grad((colors_of(picture) - red).square().sum(), picture)
    pull = -slope.mean((0, 2, 3))
    assert pull[0] > 0 > pull[1]
    assert torch.isfinite(slope).all()


def test_matching_sides_meet_in_one_place_and_only_the_way_up_learns() -> None:
    torch.manual_seed(0)
    pictures, captions = CanonicalColors(4, 16), CanonicalWords(10, 4, 16)
    reds = torch.tensor([[1.0, -1.0, -1.0], [-1.0, -1.0, 1.0]])[:, :, None, None].expand(2, 3, 8, 8)
    colors = colors_of(reds)
    mean = colors.mean(0)
    along = (colors - mean)[0]
    directions = torch.zeros(NUM_COLORS, 4)
    directions[:, 0] = along / along.square().sum()
    words = torch.zeros(10, 4)
    words[5, 0], words[6, 0] = 2.0, 0.0  # "red" and "blue"
    start_from(pictures, captions, Directions(directions, mean, words, torch.tensor([1.0, 0, 0, 0])))
    seen, told = pictures(reds), captions(torch.tensor([[5, 0], [6, 0]]))
    torch.testing.assert_close(seen, told, atol=1e-4, rtol=1e-4)
    assert [name for name, _ in captions.named_parameters()] == ["up.weight"]
    assert [name for name, _ in pictures.named_parameters()] == ["up.weight"]
