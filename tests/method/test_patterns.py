"""Patterns come out of a book, and are laid wherever chance says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bespoke.method.patterns import (
    CHECKS,
    CYCLES,
    DOTS,
    NUM_CHOICES,
    PAGES,
    STRIPES,
    WIDTHS,
    Marks,
    ground_of,
    laid,
    likeliest,
    over,
    window,
)

SIDE = 64


def page(kind: int, steps: int = 3, *, right: float = 0.0, down: float = 0.0, turned: float = 0.0) -> Tensor:
    """[SIDE, SIDE]: a page of a kind, so many steps from the coarsest, in a lay."""
    choice = 1 + PAGES.index((kind, CYCLES[steps]))
    return laid(torch.tensor([choice]), torch.tensor([[right, down, turned]]), SIDE)[0, 0]


@pytest.mark.parametrize("kind", [STRIPES, CHECKS, DOTS])
def test_marks_cover_what_their_width_says_and_come_round_after_a_step(kind: int) -> None:
    here, width = page(kind), WIDTHS[kind]
    assert bool(((here >= 0) & (here <= 1)).all())
    area = {STRIPES: width, CHECKS: 1 - (1 - width) ** 2, DOTS: torch.pi * width**2 / 4}[kind]
    assert here.mean().item() == pytest.approx(area, abs=0.04)
    assert torch.allclose(page(kind, right=1.0, down=2.0), here, atol=1e-4)
    assert (page(kind, right=0.5) - here).abs().mean() > 0.1
    assert (page(kind, steps=4) - here).abs().mean() > 0.1


def test_what_pages_show() -> None:
    upright, lying = page(STRIPES), page(STRIPES, turned=0.6)
    assert bool((upright == upright[:1]).all())
    assert torch.allclose(lying, upright.T)
    lines, dots = page(CHECKS) > 0.5, page(DOTS) > 0.5
    assert bool(lines.all(0).any())  # from top to foot, and from side to side
    assert bool(lines.all(1).any())
    assert not dots.all(0).any()
    assert not dots.all(1).any()
    assert torch.allclose(page(DOTS, right=0.5, down=1.0), page(DOTS), atol=1e-4)  # the next row, half a step aside
    assert torch.equal(page(DOTS, turned=0.6), page(DOTS))  # nothing but stripes turns


def test_no_pattern_has_no_marks() -> None:
    assert not laid(torch.tensor([0, 0]), torch.rand(2, 3), SIDE).any()


def test_windows_are_odd_and_grow_with_the_picture() -> None:
    assert [window(9 / 64, side) for side in (4, 32, 64, 128, 256)] == [1, 3, 9, 17, 35]


def test_ground_is_what_is_near_its_colour_and_goes_on_under_marks() -> None:
    green, white = (torch.tensor(color)[:, None, None] for color in ((-0.6, 0.4, -0.6), (1.0, 1.0, 1.0)))
    x, where = torch.ones(1, 3, SIDE, SIDE), torch.zeros(1, 1, SIDE, SIDE)
    light = torch.linspace(-0.15, 0.15, SIDE)  # from left to right
    where[:, :, 16:48, 16:48] = 1
    ground = (green + light).expand(1, 3, SIDE, SIDE)
    striped = torch.where(torch.arange(SIDE)[:, None] % 8 < 2, white.expand(3, SIDE, SIDE), ground[0])
    x = torch.where(where > 0, striped, x)
    marks, around = ground_of(x, green.flatten()[None], where)
    on = (where > 0) & (torch.arange(SIDE)[:, None] % 8 < 2)
    assert marks[on].min() > 0.99
    assert marks[(where > 0) & ~on].max() < 0.5
    assert (
        (around - ground)[on.expand(-1, 3, -1, -1)].abs().mean()
        < 0.05
        < 0.1 * (x - ground)[on.expand(-1, 3, -1, -1)].abs().mean()
    )
    far = torch.full((1, 3), 5.0)
    assert torch.allclose(ground_of(x, far, where)[1], x)  # where there is none, all stays


def test_what_is_laid_over_a_change_is_one_change() -> None:
    torch.manual_seed(0)
    x, colors = torch.rand(2, 3, 4, 4), torch.randn(2, 12, 4, 4)
    share, color = torch.rand(2, 1, 4, 4), torch.rand(2, 3)

    def after(colors: Tensor) -> Tensor:
        return x + torch.einsum("nijhw,njhw->nihw", colors[:, :9].unflatten(1, (3, 3)), x) + colors[:, 9:]

    expected = (1 - share) * after(colors) + share * color[:, :, None, None]
    assert torch.allclose(after(over(colors, share, color[:, :, None, None])), expected, atol=1e-5)


def test_the_likeliest_is_told_step_by_step() -> None:
    share = torch.full((3, NUM_CHOICES), 1e-4)
    share[0, 0] = 0.6  # likelier than all pages together
    share[0, 1] = 0.4
    share[1, 0] = 0.4  # likelier than any page, but not than all
    share[1, 1 : 1 + len(CYCLES)] = 0.3 / len(CYCLES)  # of many stripes none stands out
    share[1, 2] += 0.01
    share[1, 1 + PAGES.index((DOTS, CYCLES[0]))] = 0.2
    share[2, 1 + PAGES.index((CHECKS, CYCLES[5]))] = 0.9
    choices = likeliest(share.log()).tolist()
    assert choices == [0, 2, 1 + PAGES.index((CHECKS, CYCLES[5]))]


def test_marks_follow_the_text_the_picture_and_the_palette() -> None:
    torch.manual_seed(0)
    marks = Marks(8, 5, 4)
    style, seen, palette = torch.randn(2, 8), torch.rand(2, 5), torch.rand(2, 4, 3)
    pages, color = marks(style, seen, palette)
    assert (pages.shape, color.shape) == ((2, NUM_CHOICES), (2, 3))
    assert not torch.allclose(pages, marks(style.flip(0), seen, palette)[0])
    assert not torch.allclose(pages, marks(style, seen.flip(0), palette)[0])
    with torch.no_grad():
        marks.color[-1].weight.zero_()
        marks.color[-1].bias.zero_()
        marks.color[-1].bias[3] = 50.0
    assert torch.allclose(marks(style, seen, palette)[1], palette[:, 0], atol=1e-6)
