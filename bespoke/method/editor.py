"""How does a picture change with its text, and nothing else with it? The editor.

    x_edit = m * edited + (1 - m) * x,    edited = x + A x + c

Every pixel gets a change of colour (A, c) of its own and a share m. Where m is 0 the picture stays as it is, bit for
bit; where it is not, light, shadow and grain still come from the picture itself, at whatever size it has: A, c and m
are enlarged, never the picture. c is what the text says plus shares of a few colours found in the picture, so that what
lies under a stripe can come from beside it. An old pattern's marks become what of their ground lies around them; a new
one's are of one colour, laid over all that (see patterns.py).

What teaches it stands in edit_loss.py.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from bespoke.method.discriminator import Down
from bespoke.method.generator import Generator
from bespoke.method.layers import SLOPE, FiLM, UpConv3, WordAttention, blur, conv3, leaky
from bespoke.method.patterns import Marks, ground_of, laid, likeliest, over
from bespoke.method.text_encoder import DualTextEncoder, TextEmbedding

NUM_COLORS = 12  # A [3, 3] and c [3] of a pixel
NUM_PICKED = 4  # colours that are found in a picture, to be used elsewhere in it
NUM_GROUPS = 4  # that channels are normalised in: an edit must not depend on what else is in the batch
SHARPNESS = 3.0  # how much surer m is than the probability that a place should change
USUAL_STRENGTH = 0.7


class Change(NamedTuple):
    """What the text asks of a picture: from where to where, and by which words."""

    new_style: Tensor  # [N, S] of the text it should get at b = 0, see Generator.style
    old_style: Tensor  # [N, S] of the text it had
    new: TextEmbedding  # S_D of the text it should get; mask: only the words that the old text lacks
    old: TextEmbedding  # S_D of the text it had; mask: only the words that the new text lacks
    told: Tensor  # [N, L] bool, all words of the text it should get
    lay: Tensor  # [N, 3] in [0, 1), where and how a pattern lies, see patterns.py

    def rows(self, which: slice) -> Change:
        """What is asked of some of the pictures."""
        new, old = (TextEmbedding(*(part[which] for part in text)) for text in (self.new, self.old))
        return Change(self.new_style[which], self.old_style[which], new, old, self.told[which], self.lay[which])


class Edited(NamedTuple):
    """N pictures after a change, and how they came about."""

    pictures: Tensor  # x_edit: [N, 3, H, W], nominally in [-1, 1]
    mask: Tensor  # m: [N, 1, H, W] in [0, 1]
    logits: Tensor  # [N, 1, H, W], of the probability that a place should change; m is sharper: all or nothing
    colors: Tensor  # [N, 12, H, W]: A row by row, then c
    pages: Tensor  # [N, 1 + P], logits of the choices in the book of patterns
    mark: Tensor  # [N, 3], the colour of a new pattern's marks
    palette: Tensor  # [N, K, 3], colours that were found in the picture


class Up(nn.Module):
    """Twice the size, joined with what the encoder saw there: h (1 + W(e)) + B(e), W and B beginning at zero."""

    def __init__(self, width_in: int, width_out: int, style_width: int) -> None:
        super().__init__()
        self.film1 = FiLM(width_in, style_width, NUM_GROUPS)
        self.grow = UpConv3(width_in, width_out)
        self.combine = nn.Conv2d(width_out, 2 * width_out, 1)
        self.film2 = FiLM(width_out, style_width, NUM_GROUPS)
        self.conv = conv3(width_out, width_out)
        nn.init.zeros_(self.combine.weight)
        nn.init.zeros_(self.combine.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, seen: Tensor, style: Tensor) -> Tensor:
        """[N, C, H, W], [N, C', 2 H, 2 W], [N, S] -> [N, C', 2 H, 2 W]"""
        h = blur(self.grow(leaky(self.film1(x, style))))
        scale, shift = self.combine(leaky(seen)).chunk(2, dim=1)
        h = torch.addcmul(shift, h, 1 + scale)
        detail: Tensor = self.conv(leaky(self.film2(h, style)))
        return h + detail


class Editor(nn.Module):
    """Picture and change in, colours and mask out: down to an eighth of the size, and up again with the words known."""

    def __init__(
        self,
        *,
        embedding_width: int,  # E
        style_width: int,  # S
        widths: tuple[int, ...],  # channels at 1/8, 1/4 and 1/2 of the picture's size
        detail_width: int = 16,  # channels at full size
    ) -> None:
        super().__init__()
        down = widths[::-1]
        self.stem = conv3(12, down[0])
        self.stages = nn.ModuleList(Down(a, b) for a, b in pairwise(down))
        self.read = nn.Sequential(
            nn.Linear(2 * style_width + 4 * embedding_width, style_width),
            nn.LeakyReLU(SLOPE),
            nn.Linear(style_width, style_width),
        )
        self.nothing = nn.Parameter(torch.randn(1, 1, embedding_width))  # a word that is there where none has changed
        self.look_new = WordAttention(widths[0], embedding_width)
        self.look_old = WordAttention(widths[0], embedding_width)
        self.film = FiLM(widths[0], style_width, NUM_GROUPS)
        self.conv = conv3(widths[0], widths[0])
        first, last = pairwise(widths)
        self.up = Up(*first, style_width)
        self.draw = Up(*last, style_width)
        self.last_film = FiLM(widths[-1], style_width, NUM_GROUPS)
        self.grow = UpConv3(widths[-1], detail_width)
        self.detail = conv3(3, detail_width)
        self.mix = nn.Conv2d(2 * detail_width, 2 * detail_width, 1)
        self.pick = nn.Conv2d(first[1], NUM_PICKED, 1)
        self.look_marks = WordAttention(style_width, embedding_width)
        self.marks = Marks(style_width, first[1], NUM_PICKED)
        self.find_ground = nn.Conv2d(2 * detail_width, 1, 1)
        self.to_colors = nn.Conv2d(2 * detail_width, NUM_COLORS + 2 + NUM_PICKED, 1)
        nn.init.zeros_(self.to_colors.weight)  # at first nothing changes
        nn.init.zeros_(self.to_colors.bias)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor, change: Change) -> Edited:
        """[N, 3, H, W] in [-1, 1] -> Edited"""
        made = self.without_pattern(pictures, change)
        marks = laid(likeliest(made.pages), change.lay, pictures.shape[-1])
        colors = over(made.colors, marks, made.mark[:, :, None, None])
        return made._replace(pictures=compose(pictures, colors, made.mask), colors=colors)

    def without_pattern(self, pictures: Tensor, change: Change) -> Edited:
        """All of an edit but for the marks of a new pattern."""
        x = self.stem(F.pixel_unshuffle(pictures, 2).contiguous(memory_format=torch.channels_last))
        maps = [x]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        step = change.new.sentence - change.old.sentence
        words = [mean_of_words(text) for text in (change.new, change.old)]
        asked = [change.new_style, change.new_style - change.old_style, change.new.sentence, step, *words]
        style = self.read(torch.cat(asked, dim=1))
        x = maps.pop()
        told = self.look_new(x, *self._words(change.new)) + self.look_old(x, *self._words(change.old))
        x = x + told.to(x.dtype)
        x = x + self.conv(leaky(self.film(x, style)))
        x = self.up(x, maps.pop(), style)
        weight = self.pick(leaky(F.group_norm(x, NUM_GROUPS))).float().flatten(2).softmax(2)
        palette = weight @ F.adaptive_avg_pool2d(pictures, x.shape[-1]).flatten(2).transpose(1, 2)
        seen = F.group_norm(x, NUM_GROUPS).float().abs().mean((2, 3))  # how large the product is, and which
        every = change.new._replace(mask=change.told)  # marks have colours that the text need not change
        asked_of_marks = style + self.look_marks(style[:, :, None, None], *self._words(every))[:, :, 0, 0]
        pages, mark = self.marks(asked_of_marks, seen, palette)
        x = self.draw(x, maps.pop(), style)
        x = blur(self.grow(leaky(self.last_film(x, style))))
        x = self.mix(leaky(torch.cat([x, self.detail(pictures).to(x.dtype)], dim=1)))
        x = leaky(x)
        told = self.to_colors(x).float().contiguous()
        matrix, shift, logits, off, picked = told.split([9, 3, 1, 1, NUM_PICKED], dim=1)
        shift = shift + (palette.transpose(1, 2) @ picked.flatten(2)).view_as(shift)
        colors, mask = torch.cat([matrix, shift], dim=1), (SHARPNESS * logits).sigmoid()
        marks, ground = self._marks_and_ground(x, pictures, mask.detach())
        colors = over(colors, off * marks, compose(ground, colors, torch.ones_like(mask)))
        return Edited(compose(pictures, colors, mask), mask, logits, colors, pages, mark, palette)

    def _marks_and_ground(self, x: Tensor, pictures: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """What could be the marks of an old pattern [N, 1, H, W], and what would be there without them [N, 3, H, W]."""
        weight = (self.find_ground(x).float() + mask.clamp(min=1e-4).log()).flatten(2).softmax(2)
        return ground_of(pictures, torch.einsum("nkp,ncp->nc", weight, pictures.flatten(2)), mask)

    def _words(self, text: TextEmbedding) -> tuple[Tensor, Tensor]:
        n = len(text.words)
        words = torch.cat([text.words, self.nothing.expand(n, 1, -1)], dim=1)
        return words, torch.cat([text.mask, text.mask.new_ones(n, 1)], dim=1)


def change_of(generator: Generator, text: DualTextEncoder, noise: Tensor, captions: Tensor, others: Tensor) -> Change:
    """The change from the texts `others` to the texts `captions`, [N, L] tokens (or [N, F] vectors) each.

    noise: [N, num_noise] standard normal; what a text leaves open is drawn from it, also where a pattern lies.
    """
    new, old, b = text(captions), text(others), torch.zeros(len(noise), device=noise.device)
    return Change(
        generator.style(noise, new, b)[0],
        generator.style(noise, old, b)[0],
        new.alignment._replace(mask=words_that_differ(captions, others, new.alignment.mask)),
        old.alignment._replace(mask=words_that_differ(others, captions, old.alignment.mask)),
        new.alignment.mask,
        torch.special.ndtr(noise[:, :3]),
    )


def mean_of_words(text: TextEmbedding) -> Tensor:
    """[N, E]: of the words that its mask leaves; 0 where it leaves none."""
    mask = text.mask.to(text.words.dtype)
    return torch.einsum("nle,nl->ne", text.words, mask) / mask.sum(1, keepdim=True).clamp(min=1)


def words_that_differ(tokens: Tensor, others: Tensor, mask: Tensor) -> Tensor:
    """[N, L], [N, L] tokens -> [N, L] bool: where `mask` is and the row's others do not have the token.

    A borrowed vector has one word, the sentence, which differs or does not.
    """
    if tokens.is_floating_point():
        return mask & (tokens != others).any(1, keepdim=True)
    return mask & ~(tokens[:, :, None] == others[:, None, :]).any(2)


def compose(pictures: Tensor, colors: Tensor, mask: Tensor) -> Tensor:
    """x + m (A x + c): pictures [N, 3, H, W], colours [N, 12, H, W], mask [N, 1, H, W] -> [N, 3, H, W]"""
    matrix, shift = colors[:, :9].unflatten(1, (3, 3)), colors[:, 9:]
    step: Tensor = (matrix * pictures[:, None]).sum(2) + shift  # on a CPU ten times as fast as einsum
    return pictures + mask * step


def strengthened(mask: Tensor, strength: float) -> Tensor:
    """m at a strength s in [0, 1]: its odds times those of s over those of the usual one, which leaves m as it is.

    0 changes nothing, 1 everything. Beyond the usual one colours overshoot: A and c were taught together with m.
    """
    if strength == 1:
        return torch.ones_like(mask)
    for_it, against = strength * (1 - USUAL_STRENGTH) * mask, (1 - strength) * USUAL_STRENGTH * (1 - mask)
    return for_it / (for_it + against).clamp(min=1e-12)
