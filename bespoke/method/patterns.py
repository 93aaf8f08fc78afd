"""How does an editor put a pattern on a product? Out of a book, laid wherever chance says.

Which pattern it is the text says, and how large the product. Where on it a pattern begins, and whether stripes stand
or lie, no text says. Pixel by pixel, stripes that lie elsewhere are farther from a twin's than no stripes at all: an
editor that is told so learns to leave alone what it cannot know. So all the rest of an edit is taught without patterns,
and the page is taught to be the one that, in its best lay, explains best what stands out in the twin.
"""

from __future__ import annotations

import functools
from itertools import product
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from bespoke.method.layers import SLOPE

STRIPES, CHECKS, DOTS = range(3)
WIDTHS = {STRIPES: 0.27, CHECKS: 0.16, DOTS: 0.54}  # of a line, or across a dot, as a share of a step
CYCLES = (5.0, 6.0, 7.2, 8.6, 10.3, 12.4, 14.9, 17.8)  # steps over a picture's side
PAGES = tuple(product(WIDTHS, CYCLES))
NUM_CHOICES = 1 + len(PAGES)  # the first is no pattern
NUM_PLACES = {STRIPES: 8, CHECKS: 8, DOTS: 6}  # in a step that marks are looked for at, in each direction
AROUND = 9 / 64  # of the side; marks are what stands out from what lies so far around them
TWICE = 0.9  # of what upright and lying lines explain together: two explain more than one by chance, too


class Marks(nn.Module):
    """Which pattern text and picture ask for, and of which colour its marks are."""

    def __init__(self, style_width: int, seen_width: int, num_picked: int) -> None:
        super().__init__()
        self.page = nn.Sequential(
            nn.Linear(style_width + seen_width, style_width), nn.LeakyReLU(SLOPE), nn.Linear(style_width, NUM_CHOICES)
        )
        self.color = nn.Sequential(
            nn.Linear(style_width, style_width), nn.LeakyReLU(SLOPE), nn.Linear(style_width, 3 + num_picked)
        )

    def forward(self, style: Tensor, seen: Tensor, palette: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the choices [N, 1 + P], and the marks' colour [N, 3].

        style: [N, S]; seen: [N, C], of the picture; palette: [N, K, 3], colours that may be used.
        """
        told = self.color(style).float()
        color = told[:, :3] + torch.einsum("nk,nkc->nc", told[:, 3:].softmax(1), palette)
        return self.page(torch.cat([style, seen], dim=1)).float(), color


def laid(choice: Tensor, lay: Tensor, side: int) -> Tensor:
    """How far marks cover each pixel: choices [N], 0 for none, lays [N, 3] in [0, 1) -> [N, 1, side, side] in [0, 1]

    lay: how far right and how far down, in steps of the pattern, and from 1/2 on stripes lie.
    """
    kinds, cycles = torch.tensor([(STRIPES, side), *PAGES], dtype=lay.dtype, device=lay.device)[choice].unbind(1)
    step = (side / cycles)[:, None, None]  # pixels
    place = torch.arange(side, device=lay.device) + 0.5 - side / 2
    x, y = place / step - lay[:, 0, None, None], (place / step - lay[:, 1, None, None]).transpose(1, 2)
    stripes = _lines(torch.where((lay[:, 2] < 0.5)[:, None, None], x, y), STRIPES, step)
    checks = _lines(x, CHECKS, step).maximum(_lines(y, CHECKS, step))
    dots, kinds = _dots(x, y, step), kinds[:, None, None]
    covered = torch.where(kinds == STRIPES, stripes, torch.where(kinds == CHECKS, checks, dots))
    return (covered * (choice > 0)[:, None, None])[:, None]


def _lines(x: Tensor, kind: int, step: Tensor) -> Tensor:
    """How far lines at whole numbers cover places x, in steps of so many pixels."""
    return _cover(x - x.round(), kind, step)


def _dots(x: Tensor, y: Tensor, step: Tensor) -> Tensor:
    """How far dots cover places x, y; in every other row they are moved by half a step."""
    beside = x + 0.5 * (y.round() % 2)
    return _cover(torch.hypot(beside - beside.round(), y - y.round()), DOTS, step)


def _cover(away: Tensor, kind: int, step: Tensor) -> Tensor:
    """How far a line or dot covers a pixel that is so many steps away from its middle."""
    half = WIDTHS[kind] * step / 2
    return (half - step * away.abs() + 0.5).clamp(min=0).minimum((2 * half).clamp(max=1))


def window(share: float, side: int) -> int:
    """The odd number of pixels that comes nearest to a share of a picture's side, from below."""
    return 2 * max(0, int((share * side - 1) / 2)) + 1


class Found(NamedTuple):
    """How much of what stands out in N pictures the pages explain, and in which lays."""

    explained: Tensor  # [N, P], sums over pixels and colours of squared levels
    picks: tuple[Tensor, ...]  # [N, F] each, which lay of a page, of upright and of lying lines of one


def look_for(x: Tensor, where: Tensor, picks: tuple[Tensor, ...] = ()) -> Found:
    """Every page in x [N, 3, H, W], `where` [N, 1, H, W] counts; picks: in these lays, else each in its best."""
    masks, size = _stand_out(x.shape[-1], x.device), window(AROUND, x.shape[-1])
    around = F.avg_pool2d(torch.cat([x * where, where], dim=1), size, stride=1, padding=size // 2)
    stands_out = where * (x - around[:, :3] / around[:, 3:].clamp(min=1e-3))
    explained = []
    for number, marks in enumerate(masks):  # [F, L, H W]
        along = torch.einsum("ncp,flp->ncfl", stands_out.flatten(2), marks).square().sum(1)
        share = along / torch.einsum("np,flp->nfl", where.flatten(1), marks.square()).clamp(min=1e-3)
        if len(picks) <= number:
            picks = (*picks, share.argmax(2))
        explained.append(share.gather(2, picks[number][:, :, None])[:, :, 0])
    stripes, upright, lying, dots = explained
    return Found(torch.cat([stripes, TWICE * (upright + lying), dots], dim=1), picks)


def lay_of(page: Tensor, picks: tuple[Tensor, ...]) -> Tensor:
    """The lay [N, 3], as `laid` takes it, in which pages [N] were found."""
    stripes, upright, lying, dots = (pick.gather(1, (page % len(CYCLES))[:, None])[:, 0] for pick in picks)
    num, num_dots = NUM_PLACES[CHECKS], NUM_PLACES[DOTS]
    shares = {
        STRIPES: (stripes % NUM_PLACES[STRIPES] / NUM_PLACES[STRIPES],) * 2,
        CHECKS: (upright / num, lying / num),
        DOTS: (dots // num_dots / num_dots, dots % num_dots / num_dots),
    }
    places = torch.stack([torch.stack(share, 1) for share in shares.values()])  # [3, N, 2]
    found = places[page // len(CYCLES), torch.arange(len(page), device=page.device)]
    return torch.cat([found, (stripes >= NUM_PLACES[STRIPES]).to(found)[:, None]], dim=1)


@functools.cache
def _stand_out(side: int, device: torch.device) -> tuple[Tensor, ...]:
    """How stripes, upright lines, lying lines and dots stand out in every place: [F, L, side * side] each."""
    step = side / torch.tensor(CYCLES, device=device)[:, None, None]
    place = torch.arange(side, device=device) + 0.5 - side / 2

    def along(kind: int) -> Tensor:
        """[F, L, side]: how far from the middle of a line, in steps"""
        return place / step - torch.arange(NUM_PLACES[kind], device=device)[:, None] / NUM_PLACES[kind]

    stripes, upright = (
        _lines(along(kind), kind, step)[:, :, None].expand(-1, -1, side, -1) for kind in (STRIPES, CHECKS)
    )
    x, y = along(DOTS)[:, :, None, None], along(DOTS)[:, None, :, :, None]
    dots, size = _dots(x, y, step[..., None, None]).flatten(1, 2), window(AROUND, side)
    pages = (torch.cat([stripes, stripes.transpose(2, 3)], dim=1), upright, upright.transpose(2, 3), dots)
    return tuple((page - F.avg_pool2d(page, size, 1, size // 2)).flatten(2) for page in pages)


def over(colors: Tensor, share: Tensor, color: Tensor) -> Tensor:
    """x + A x + c, and then a share s of one colour laid over it, as one A and c [N, 12, H, W].

    (1 - s) (x + A x + c) + s color = x + (A - s (A + 1)) x + (c + s (color - c));
    colors [N, 12, H, W], share [N, 1, H, W] in [0, 1], color [N, 3]
    """
    matrix, shift = colors.tensor_split([9], dim=1)
    one = torch.eye(3, device=colors.device).view(1, 9, 1, 1)
    return torch.cat([matrix - share * (matrix + one), shift + share * (color[:, :, None, None] - shift)], dim=1)


def likeliest(logits: Tensor) -> Tensor:
    """Choices [N] of logits [N, 1 + P]: none or any, then which kind, then which page of it, each what is likelier."""
    share = logits.softmax(1)
    pages = share[:, 1:].unflatten(1, (len(WIDTHS), len(CYCLES)))  # as PAGES has them
    kind = pages.sum(2).argmax(1)
    page = 1 + kind * len(CYCLES) + pages[torch.arange(len(pages)), kind].argmax(1)
    return torch.where(share[:, 0] > 0.5, 0, page)
