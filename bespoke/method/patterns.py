"""How does an editor take a pattern off a product, and put one on? It fills marks with ground, and lays from a book.

The old pattern lies where the picture shows it: its marks become what of the ground lies around them. The new one the
text tells, and how large it is the product. Where on it a pattern begins, and whether stripes stand or lie, no text
says. Pixel by pixel, stripes that lie elsewhere are farther from a twin's than no stripes at all: an editor that is
told so learns to leave alone what it cannot know. So all the rest of an edit is taught without new patterns, and which
page of the book it is by new_patterns.py.
"""

from __future__ import annotations

from itertools import product

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
LIKE = 0.25  # how far the colours of a ground scatter, of the range of 2
LEAST = 0.02  # share of ground around a pixel below which it mostly stays as it is
AROUND = 9 / 64  # of the side; so far around them, more than marks is to be seen


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
    stripes = lines_at(torch.where((lay[:, 2] < 0.5)[:, None, None], x, y), STRIPES, step)
    checks = lines_at(x, CHECKS, step).maximum(lines_at(y, CHECKS, step))
    dots, kinds = dots_at(x, y, step), kinds[:, None, None]
    covered = torch.where(kinds == STRIPES, stripes, torch.where(kinds == CHECKS, checks, dots))
    return (covered * (choice > 0)[:, None, None])[:, None]


def lines_at(x: Tensor, kind: int, step: Tensor) -> Tensor:
    """How far lines at whole numbers cover places x, in steps of so many pixels."""
    return _cover(x - x.round(), kind, step)


def dots_at(x: Tensor, y: Tensor, step: Tensor) -> Tensor:
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


def ground_of(x: Tensor, color: Tensor, where: Tensor) -> tuple[Tensor, Tensor]:
    """How far each pixel is something else than a ground of about one colour, and what of that ground lies around it.

    x: [N, 3, H, W]; color: [N, 3]; where: [N, 1, H, W] in [0, 1], what counts -> [N, 1, H, W] in [0, 1], [N, 3, H, W]
    """
    size = window(AROUND, x.shape[-1])
    like = torch.exp(-(x - color[:, :, None, None]).square().sum(1, keepdim=True) / (2 * LIKE**2))
    seen = torch.cat([x * like * where, like * where], dim=1)
    around = F.avg_pool2d(F.avg_pool2d(seen, (size, 1), 1, (size // 2, 0)), (1, size), 1, (0, size // 2))
    return 1 - like, (around[:, :3] + LEAST * x) / (around[:, 3:] + LEAST)


def over(colors: Tensor, share: Tensor, color: Tensor) -> Tensor:
    """x + A x + c, and then a share s of other colours laid over it, as one A and c [N, 12, H, W].

    (1 - s) (x + A x + c) + s color = x + (A - s (A + 1)) x + (c + s (color - c));
    colors [N, 12, H, W], share [N, 1, H, W], color [N, 3, H, W] or [N, 3, 1, 1]
    """
    matrix, shift = colors.tensor_split([9], dim=1)
    one = torch.eye(3, device=colors.device).view(1, 9, 1, 1)
    return torch.cat([matrix - share * (matrix + one), shift + share * (color - shift)], dim=1)


def likeliest(logits: Tensor) -> Tensor:
    """Choices [N] of logits [N, 1 + P]: none or any, then which kind, then which page of it, each what is likelier."""
    share = logits.softmax(1)
    pages = share[:, 1:].unflatten(1, (len(WIDTHS), len(CYCLES)))  # as PAGES has them
    kind = pages.sum(2).argmax(1)
    page = 1 + kind * len(CYCLES) + pages[torch.arange(len(pages)), kind].argmax(1)
    return torch.where(share[:, 0] > 0.5, 0, page)
