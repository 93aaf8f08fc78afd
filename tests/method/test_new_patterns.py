"""Which pattern is new in a twin is found wherever it lies, and so is the colour of its marks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bespoke.method.edit_loss import differs
from bespoke.method.new_patterns import color_of_marks, lay_of, look_for, new_pattern, spread
from bespoke.method.patterns import CHECKS, CYCLES, DOTS, PAGES, STRIPES, laid

SIDE = 64


@pytest.mark.parametrize("kind", [STRIPES, CHECKS, DOTS])
@pytest.mark.parametrize("steps", [2, 4])
def test_a_page_is_found_wherever_it_lies_and_however_it_is_lit(kind: int, steps: int) -> None:
    torch.manual_seed(0)
    choice, lays = 1 + PAGES.index((kind, CYCLES[steps])), torch.rand(6, 3)
    light = torch.linspace(0.4, 1.0, SIDE)[None, None, :, None]
    x = light * (
        -0.5 + laid(torch.full((6,), choice), lays, SIDE) * torch.tensor([1.0, -0.3, 0.2])[None, :, None, None]
    )
    where = torch.zeros(6, 1, SIDE, SIDE)
    where[:, :, 12:52, 16:48] = 1
    x = torch.where(where > 0, x, 1.0)  # what lies outside is bright, and says nothing
    plain = torch.where(where > 0, -0.5 * light, 1.0).expand(6, 3, -1, -1)
    found = look_for(x, plain, where)
    assert (1 + found.gained.argmax(1)).tolist() == [choice] * 6
    marks = laid(torch.full((6,), choice), lay_of(torch.full((6,), choice - 1), found.picks), SIDE)
    missed = (marks - laid(torch.full((6,), choice), lays, SIDE)).abs().mean() / marks.mean()
    assert missed < 0.6  # it is laid as it was found; at random 1.4
    assert look_for(plain, x, where).gained.max() < 0.01 * found.gained.max()  # what goes is not new
    assert look_for(x, x, where).gained.max() <= 0


@pytest.mark.parametrize("kind", [STRIPES, CHECKS, DOTS])
def test_a_page_is_the_same_one_in_a_larger_picture(kind: int) -> None:
    torch.manual_seed(0)
    choice, side = 1 + PAGES.index((kind, CYCLES[4])), 2 * SIDE
    x = laid(torch.full((3,), choice), torch.rand(3, 3), side).expand(-1, 3, -1, -1)
    found = look_for(x, torch.zeros_like(x), torch.ones(3, 1, side, side))
    assert (1 + found.gained.argmax(1)).tolist() == [choice] * 3


def _marks(twin: Tensor, x: Tensor) -> Tensor:
    return color_of_marks(twin, x, differs(x, twin, torch.tensor([False])))


def test_the_colour_of_marks_is_that_of_what_is_new_and_rare() -> None:
    red, white, blue = (
        torch.tensor(color)[:, None, None] for color in ((0.8, -0.6, -0.6), (1.0, 1.0, 1.0), (-1, -1, 1))
    )
    x = torch.zeros(1, 3, 64, 64)
    x[0, :, 16:48, 16:48] = red
    twin, dots = x.clone(), x.clone()
    twin[0, :, 16:48, 16:48:8], twin[0, :, 16:48, 17:48:8] = white, white  # stripes of two in eight
    dots[0, :, 20:48:8, 20:48:8], dots[0, :, 21:48:8, 20:48:8] = blue, blue
    assert torch.allclose(_marks(twin, x)[0], white.flatten(), atol=0.1)
    # From stripes to dots, red is what is new between them and blue what is rare as well.
    found = _marks(dots, twin)[0]
    assert (found - blue.flatten()).abs().mean() < (found - red.flatten()).abs().mean()
    assert not _marks(x, x).any()


@pytest.mark.parametrize("choice", [4, 12, 20])
def test_a_new_pattern_is_known_wherever_it_begins(choice: int) -> None:
    torch.manual_seed(0)
    x = torch.full((4, 3, 64, 64), -0.5)
    twin = x + 0.8 * laid(torch.full((4,), choice), torch.rand(4, 3), 64)
    found, marks = new_pattern(twin, x, differs(x, twin, torch.ones(4, dtype=torch.bool)))
    assert found.tolist() == [choice] * 4
    assert ((twin - x)[:, :1] / 0.8 - marks).abs().mean() < 0.5 * marks.mean()


def test_a_pattern_that_the_edit_has_without_it_is_not_new() -> None:
    x, where = torch.full((1, 3, 64, 64), -0.5), torch.ones(1, 1, 64, 64)
    marks, blue = laid(torch.tensor([4]), torch.rand(1, 3), 64), torch.tensor([-0.8, -0.5, 0.8])[None, :, None, None]
    striped, recolored = x + marks, blue + marks

    def choice(e: Tensor, twin: Tensor) -> int:
        found, shown = new_pattern(twin, e, where)
        assert bool(shown.any()) == bool(found > 0)
        return int(found)

    assert choice(recolored, recolored) == 0
    assert choice(striped, recolored) == 0  # nor if it knows no blue yet
    assert choice(blue + 0 * x, recolored) == 4
    assert choice(x, x + 0.05 * marks) == 0  # too faint to be one


def test_an_old_pattern_that_is_still_there_hides_no_new_one() -> None:
    torch.manual_seed(0)
    x, where = torch.full((1, 3, 64, 64), -0.5), torch.ones(1, 1, 64, 64)
    dots, stripes = (laid(torch.tensor([each]), torch.rand(1, 3), 64) for each in (20, 4))
    assert new_pattern(x + dots, x + stripes, where)[0].tolist() == [20]
    assert new_pattern(x + stripes, x + dots, where)[0].tolist() == [4]


def test_an_edge_in_one_place_is_no_pattern_but_lines_all_over_are() -> None:
    x, where = torch.zeros(1, 3, SIDE, SIDE), torch.ones(1, 1, SIDE, SIDE)
    stripes = laid(torch.tensor([4]), torch.zeros(1, 3), SIDE)
    half = stripes * (torch.arange(SIDE) < SIDE // 4)
    everywhere, once = (spread(x + marks, x, where, stripes).item() for marks in (stripes, half))
    assert everywhere > 0.9
    assert once < 0.5 * everywhere
    assert spread(x, x, where, stripes).item() < 1e-3
