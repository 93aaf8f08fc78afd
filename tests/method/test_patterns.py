"""Patterns are drawn from waves and compared by them, wherever they begin."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bespoke.method.patterns import (
    CYCLES,
    FAR,
    LEAST_ENERGY,
    NEAR,
    NUM_LAYS,
    Marks,
    Waves,
    laid,
    lays_around,
    over,
    strengths_of_waves,
)

SIDE = 64
STRIPES, UPRIGHT, LEVEL, MOVED = range(4)


def lay(right: float = 0.0, down: float = 0.0, turned: float = 0.0, size: float = 0.5) -> Tensor:
    """[1, 1, 4]"""
    return torch.tensor([[[right, down, turned, size]]])


def waves(strengths: dict[int, float], length: int = 3) -> Waves:
    """Of one length."""
    told, shares = torch.zeros(1, 4), torch.zeros(1, 2, len(CYCLES))
    for kind, strength in strengths.items():
        told[0, kind] = strength
    shares[:, :, length] = 1
    return Waves(told, shares)


def stripes(period: int, *, color: tuple[float, float, float] = (1.0, 1.0, 1.0), side: int = 64) -> Tensor:
    """[1, 3, side, side]: upright ones on grey."""
    on = (torch.arange(side) % period < period // 2).float()
    return torch.tensor(color)[None, :, None, None] * on.expand(1, 1, side, -1)


@pytest.mark.parametrize("kind", [STRIPES, UPRIGHT, LEVEL, MOVED])
def test_a_pattern_comes_round_after_a_step_and_is_another_in_between(kind: int) -> None:
    here = laid(waves({kind: 1.0}), lay(), SIDE)
    assert here.shape == (1, 1, SIDE, SIDE)
    assert torch.allclose(laid(waves({kind: 1.0}), lay(1.0, 2.0), SIDE), here, atol=1e-4)  # two rows, if moved
    half = laid(waves({kind: 1.0}), lay(0.5, 0.5 * (kind != MOVED)), SIDE)
    assert torch.allclose(half, -here, atol=1e-4)
    assert not torch.allclose(laid(waves({kind: 1.0}), lay(size=1.0), SIDE), here, atol=0.5)


def test_stripes_turn_and_nothing_else_does() -> None:
    for kind in range(4):
        here, turned = (laid(waves({kind: 1.0}), lay(turned=turn), SIDE) for turn in (0.0, 0.5))
        assert torch.allclose(turned, here.transpose(2, 3) if kind == STRIPES else here, atol=1e-5)


def test_one_wave_makes_stripes_and_waves_that_cross_make_dots_and_checks() -> None:
    stripes = laid(waves({STRIPES: 4.0}), lay(), SIDE)[0, 0] > 2
    assert bool((stripes == stripes[:1]).all())
    assert 0 < stripes.float().mean() < 0.5
    dots = laid(waves({MOVED: 2.0, LEVEL: 1.0}), lay(), SIDE)[0, 0] > 1.5
    assert not dots.all(0).any()  # no column is marked from top to foot
    assert not dots.all(1).any()
    beside = laid(waves({MOVED: 2.0, LEVEL: 1.0}), lay(0.5, 1.0), SIDE)[0, 0] > 1.5
    assert torch.equal(beside, dots)  # the next row is moved by half a step
    checks = laid(waves({UPRIGHT: -1.0, LEVEL: -1.0}), lay(), SIDE)[0, 0] > -0.2
    assert bool(checks.all(0).any())  # lines
    assert bool(checks.all(1).any())
    assert not checks.all()


def test_waves_of_two_lengths_are_in_step_in_the_middle_of_the_picture() -> None:
    short, long = (laid(waves({UPRIGHT: 1.0}, length), lay(0.3), SIDE)[0, 0, 0] for length in (3, 4))
    middle, edge = slice(SIDE // 2 - 1, SIDE // 2 + 1), slice(0, 4)
    assert (short - long)[middle].abs().max() < 0.2
    assert (short - long)[edge].abs().max() > 0.5


def test_marks_follow_the_text_the_picture_and_the_palette() -> None:
    torch.manual_seed(0)
    marks = Marks(8, 5, 4)
    style, seen, palette = torch.randn(2, 8), torch.rand(2, 5), torch.rand(2, 4, 3)
    told, color = marks(style, seen, palette)
    assert (told.strengths.shape, told.shares.shape, color.shape) == ((2, 4), (2, 2, len(CYCLES)), (2, 3))
    assert torch.allclose(told.shares.sum(2), torch.ones(2, 2))
    for other in (marks(style.flip(0), seen, palette)[0], marks(style, seen.flip(0), palette)[0]):
        assert not torch.allclose(told.strengths, other.strengths)
        assert not torch.allclose(told.shares, other.shares)
    with torch.no_grad():
        marks.color[-1].weight.zero_()
        marks.color[-1].bias.zero_()
        marks.color[-1].bias[3] = 50.0
    assert torch.allclose(marks(style, seen, palette)[1], palette[:, 0], atol=1e-6)


def test_lays_are_tried_all_over_or_nearby_and_begin_with_the_one_that_was_drawn() -> None:
    drawn = torch.rand(3, 4, generator=torch.Generator().manual_seed(0))
    far, near = (lays_around(drawn, reach) for reach in (FAR, NEAR))
    for lays in (far, near):
        assert lays.shape == (3, NUM_LAYS, 4)
        assert torch.allclose(lays[:, 0], drawn)
        assert bool(((lays >= 0) & (lays < 1)).all())
        assert torch.equal(lays, lays_around(drawn, FAR if lays is far else NEAR))
    counts = torch.histc((far[0] - drawn[0])[:, 0] % 1, 8, 0, 1)
    assert counts.tolist() == [NUM_LAYS / 8] * 8
    assert torch.equal(near[:, :, 2], drawn[:, None, 2].expand(-1, NUM_LAYS))  # what lies is not turned any more
    away = ((near - drawn[:, None] + 0.5) % 1 - 0.5).abs().amax((0, 1))
    assert away[:2].max() <= NEAR[0] / 2 + 1e-5


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
