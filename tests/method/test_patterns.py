"""Patterns are drawn from waves and compared by them, wherever they begin."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bespoke.method.patterns import CYCLES, LEAST_ENERGY, Marks, laid, over, strengths_of_waves, turned_like

HERE = torch.zeros(1, 3)


def stripes(period: int, *, color: tuple[float, float, float] = (1.0, 1.0, 1.0), side: int = 64) -> Tensor:
    """[1, 3, side, side]: upright ones on grey."""
    on = (torch.arange(side) % period < period // 2).float()
    return torch.tensor(color)[None, :, None, None] * on.expand(1, 1, side, -1)


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_waves_that_lie_elsewhere_are_the_same_ones_moved_or_turned(kind: int) -> None:
    strengths = torch.zeros(1, 3, len(CYCLES))
    strengths[0, kind, 2], side = 1.0, 32
    here = laid(strengths, HERE, side)
    assert here.shape == (1, 1, side, side)
    moved = laid(strengths, torch.tensor([[3 / side, 5 / side, 0.2]]), side)
    # Eight cycles over the side come round, so that what leaves at one edge enters at the other.
    assert torch.allclose(moved, here.roll((5, 3), (2, 3)), atol=1e-4)
    turned = laid(strengths, torch.tensor([[0.0, 0.0, 0.7]]), side)
    assert torch.allclose(turned, here.transpose(2, 3), atol=1e-6)


def test_one_wave_makes_stripes_two_make_dots_and_less_than_two_make_checks() -> None:
    wave, side = 4.0 * torch.eye(len(CYCLES))[2], 64  # eight cycles
    none = torch.zeros_like(wave)
    upright = laid(torch.stack([wave, none, none])[None], HERE, side)[0, 0] > 2
    assert bool((upright == upright[:1]).all())
    assert 0 < upright.float().mean() < 0.5
    crossed = laid(torch.stack([wave, wave, none])[None], HERE, side)[0, 0]
    dots, lines = crossed > 5, crossed < 0.5
    assert not dots.all(0).any()  # no column is marked from top to foot
    assert not dots.all(1).any()
    assert bool(lines.all(0).any())  # some are
    assert bool(lines.all(1).any())
    staggered = laid(torch.stack([none, none, wave])[None], HERE, side)[0, 0] > 2
    assert bool(staggered.any())
    assert torch.equal(staggered, staggered.roll((8, 4), (0, 1)))  # the next row, half a step aside
    assert not torch.equal(staggered, staggered.roll((8, 0), (0, 1)))


def test_marks_follow_the_text_the_picture_and_the_palette() -> None:
    torch.manual_seed(0)
    marks, side = Marks(8, 5, 4), 32
    style, seen, palette, lay = torch.randn(2, 8), torch.rand(2, 5), torch.rand(2, 4, 3), torch.rand(2, 3)
    waves, color = marks(style, seen, palette, lay, side)
    assert (waves.shape, color.shape) == ((2, 1, side, side), (2, 3))
    assert not torch.allclose(waves, marks(style.flip(0), seen, palette, lay, side)[0])
    assert not torch.allclose(waves, marks(style, seen.flip(0), palette, lay, side)[0])
    with torch.no_grad():
        marks.color.weight.zero_()
        marks.color.bias.zero_()
        marks.color.bias[3] = 50.0
    assert torch.allclose(marks(style, seen, palette, lay, side)[1], palette[:, 0], atol=1e-6)


def test_what_is_laid_over_a_change_is_one_change() -> None:
    torch.manual_seed(0)
    x, matrix, shift = torch.rand(2, 3, 4, 4), torch.randn(2, 9, 4, 4), torch.randn(2, 3, 4, 4)
    share, color = torch.rand(2, 1, 4, 4), torch.rand(2, 3)
    both = over(matrix, shift, share, color)

    def after(matrix: Tensor, shift: Tensor) -> Tensor:
        return x + torch.einsum("nijhw,njhw->nihw", matrix.unflatten(1, (3, 3)), x) + shift

    expected = (1 - share) * after(matrix, shift) + share * color[:, :, None, None]
    assert torch.allclose(after(both[:, :9], both[:, 9:]), expected, atol=1e-5)


def test_the_strengths_of_waves_do_not_say_where_a_wave_begins() -> None:
    there = strengths_of_waves(stripes(8))
    assert there.shape == (1, 72, 8, 8)
    inner = there[..., 2:-2, 2:-2]

    def apart(picture: Tensor) -> float:
        return float((strengths_of_waves(picture)[..., 2:-2, 2:-2] - inner).abs().mean())

    plain = apart(torch.full((1, 3, 64, 64), 0.5))
    assert apart(stripes(8).roll(3, 3)) < 0.3 * plain
    assert apart(stripes(8).transpose(2, 3)) > plain  # another direction
    assert apart(stripes(16)) > 0.5 * plain  # another length
    assert apart(stripes(8, color=(1.0, 0.0, 0.0))) > 0.3 * plain  # another colour
    assert apart(stripes(8, color=(1.0, 1.0, -1.0))) > 0.1 * plain  # equally strong, but against the others


def test_what_is_plain_has_no_waves_however_bright_it_is() -> None:
    inner = strengths_of_waves(torch.full((2, 3, 64, 64), 0.9))[..., 3:-3, 3:-3]
    assert torch.allclose(inner, torch.full_like(inner, LEAST_ENERGY**0.5), atol=1e-5)


def test_waves_are_turned_as_the_twin_s_pattern_runs() -> None:
    x, twin = torch.zeros(2, 3, 64, 64), torch.cat([stripes(8), stripes(8).transpose(2, 3)])
    lay = torch.rand(2, 3)
    turned = turned_like(twin, x, lay)
    assert torch.equal(turned[:, :2], lay[:, :2])
    assert (turned[:, 2] >= 0.5).tolist() == [False, True]
    marks = laid(torch.eye(len(CYCLES))[2].repeat(2, 3, 1) * torch.tensor([1.0, 0, 0])[:, None], turned, 64)
    across, down = (marks.diff(dim=dim).abs().mean((1, 2, 3)) for dim in (3, 2))
    assert (down > across).tolist() == [False, True]  # so a first kind of wave is always one that is right
