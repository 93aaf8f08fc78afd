"""How does a picture change with its text, and nothing else with it? The editor, and what teaches it.

    x_edit = m * edited + (1 - m) * x,    edited = x + A x + c

Every pixel gets a change of colour (A, c) of its own and a share m. Where m is 0 the picture stays as it is, bit for
bit; where it is not, light, shadow and grain still come from the picture itself, at whatever size it has: A, c and m
are enlarged, never the picture.

| step   | trains | holds fixed                                                          |
|--------|--------|----------------------------------------------------------------------|
| critic | critic | editor                                                               |
| editor | editor | critic, generator, both text encoders, the discriminator's average   |

The generator is the teacher: drawn at b = 0 from the same noise, G(z, y) and G(z, y') differ in little but what the
captions differ in, so that the one shows what the other should become. Real pictures, which have no such twin, are
judged by the discriminator: the text they had is the hard negative of the text they should get.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from bespoke.method.discriminator import Discriminator, Down, PictureFeatures
from bespoke.method.generator import Generator
from bespoke.method.joint_loss import Terms, relativistic, sentence_nce
from bespoke.method.layers import SLOPE, FiLM, UpConv3, WordAttention, blur, conv3, leaky
from bespoke.method.text_encoder import DualTextEncoder, TextEmbedding

NUM_COLORS = 12  # A [3, 3] and c [3] of a pixel
NUM_GROUPS = 4  # that channels are normalised in: an edit must not depend on what else is in the batch
SHARPNESS = 3.0  # how much surer m is than the probability that a place should change
USUAL_STRENGTH = 0.7
TAU = 0.1  # temperature of cosines
LEAST_AREA = 0.01  # share of a picture that twins must differ in for the generator to have followed the text
LEAST_APART, MOST_APART = 0.25, 0.5  # how far twins differ where m is 0 and where it is 1, of the range of 2


class Change(NamedTuple):
    """What the text asks of a picture: from where to where, and by which words."""

    new_style: Tensor  # [N, S] of the text it should get at b = 0, see Generator.style
    old_style: Tensor  # [N, S] of the text it had
    new: TextEmbedding  # S_D of the text it should get; mask: only the words that the old text lacks
    old: TextEmbedding  # S_D of the text it had; mask: only the words that the new text lacks


class Edited(NamedTuple):
    """N pictures after a change, and how they came about."""

    pictures: Tensor  # x_edit: [N, 3, H, W], nominally in [-1, 1]
    mask: Tensor  # m: [N, 1, H, W] in [0, 1]
    logits: Tensor  # [N, 1, H, W], of the probability that a place should change; m is sharper: all or nothing
    colors: Tensor  # [N, 12, H, W]: A row by row, then c


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
            nn.Linear(2 * style_width + embedding_width, style_width),
            nn.LeakyReLU(SLOPE),
            nn.Linear(style_width, style_width),
        )
        self.nothing = nn.Parameter(torch.randn(1, 1, embedding_width))  # a word that is there where none has changed
        self.look_new = WordAttention(widths[0], embedding_width)
        self.look_old = WordAttention(widths[0], embedding_width)
        self.film = FiLM(widths[0], style_width, NUM_GROUPS)
        self.conv = conv3(widths[0], widths[0])
        self.ups = nn.ModuleList(Up(a, b, style_width) for a, b in pairwise(widths))
        self.last_film = FiLM(widths[-1], style_width, NUM_GROUPS)
        self.grow = UpConv3(widths[-1], detail_width)
        self.detail = conv3(3, detail_width)
        self.to_colors = nn.Conv2d(2 * detail_width, NUM_COLORS + 1, 1)
        nn.init.zeros_(self.to_colors.weight)  # at first nothing changes
        nn.init.zeros_(self.to_colors.bias)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor, change: Change) -> Edited:
        """[N, 3, H, W] in [-1, 1] -> Edited"""
        x = self.stem(F.pixel_unshuffle(pictures, 2).contiguous(memory_format=torch.channels_last))
        maps = [x]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        step = change.new.sentence - change.old.sentence
        style = self.read(torch.cat([change.new_style, change.new_style - change.old_style, step], dim=1))
        x = maps.pop()
        told = self.look_new(x, *self._words(change.new)) + self.look_old(x, *self._words(change.old))
        x = x + told.to(x.dtype)
        x = x + self.conv(leaky(self.film(x, style)))
        for up in self.ups:
            x = up(x, maps.pop(), style)
        x = blur(self.grow(leaky(self.last_film(x, style))))
        x = torch.cat([x, self.detail(pictures).to(x.dtype)], dim=1)
        colors, logits = self.to_colors(leaky(x)).float().split([NUM_COLORS, 1], dim=1)
        mask = (SHARPNESS * logits).sigmoid()
        return Edited(compose(pictures, colors, mask), mask, logits, colors)

    def _words(self, text: TextEmbedding) -> tuple[Tensor, Tensor]:
        n = len(text.words)
        words = torch.cat([text.words, self.nothing.expand(n, 1, -1)], dim=1)
        return words, torch.cat([text.mask, text.mask.new_ones(n, 1)], dim=1)


def change_of(generator: Generator, text: DualTextEncoder, noise: Tensor, captions: Tensor, others: Tensor) -> Change:
    """The change from the texts `others` to the texts `captions`, [N, L] tokens (or [N, F] vectors) each.

    noise: [N, num_noise] standard normal; what a text leaves open is drawn from it.
    """
    new, old, b = text(captions), text(others), torch.zeros(len(noise), device=noise.device)
    return Change(
        generator.style(noise, new, b)[0],
        generator.style(noise, old, b)[0],
        new.alignment._replace(mask=words_that_differ(captions, others, new.alignment.mask)),
        old.alignment._replace(mask=words_that_differ(others, captions, old.alignment.mask)),
    )


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
    return pictures + mask * (torch.einsum("nijhw,njhw->nihw", matrix, pictures) + shift)


def strengthened(mask: Tensor, strength: float) -> Tensor:
    """m at a strength s in [0, 1]: its odds times those of s over those of the usual one, which leaves m as it is.

    0 changes nothing, 1 everything. Beyond the usual one colours overshoot: A and c were taught together with m.
    """
    if strength == 1:
        return torch.ones_like(mask)
    for_it, against = strength * (1 - USUAL_STRENGTH) * mask, (1 - strength) * USUAL_STRENGTH * (1 - mask)
    return for_it / (for_it + against).clamp(min=1e-12)


@dataclass(frozen=True, kw_only=True)
class EditWeights:
    """Of the terms below, in their order."""

    pair: float = 5.0
    where: float = 1.0
    same: float = 5.0
    mismatch: float = 0.5
    sentence: float = 0.25
    direction: float = 0.5
    naturalness: float = 0.5
    area: float = 0.1


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Real pictures before and after their edit, as the critic sees them, and the texts of both."""

    real: PictureFeatures  # of x
    edited: PictureFeatures  # of x_edit
    y: Tensor  # [N, E], S_D of the text that x has: the hard negative of x_edit
    y_new: Tensor  # [N, E], S_D of the text that x_edit should have
    changes: Tensor  # [N] bool, False where y_new is y
    caption_ids: Tensor  # [N], equal texts y share an id


def critic_loss(critic: Discriminator, sides: Sides) -> Terms:
    """L_C, by term: a real picture with its text ranks above an edited one with the text it was edited for."""
    b = torch.zeros(len(sides.y), device=sides.y.device)
    n, n_edit = critic.naturalness(sides.real, b), critic.naturalness(sides.edited, b)
    a, a_edit = critic.alignment(sides.real, sides.y), critic.alignment(sides.edited, sides.y_new)
    a_other = critic.alignment(sides.real, sides.y_new)
    return {
        "naturalness": relativistic(n, n_edit),
        "conditional": relativistic(n + a, n_edit + a_edit),
        "mismatch": 0.5 * mean_over(sides.changes, F.softplus(a_other - a)),
        "sentence": sentence_nce(sides.real.embedding, sides.y, sides.caption_ids),
    }


def editor_loss(critic: Discriminator, sides: Sides, weights: EditWeights) -> Terms:
    """L_E on real pictures, by term: the new text fits better than the old one, and the picture still looks real."""
    on, b = sides.changes, torch.zeros(len(sides.y), device=sides.y.device)
    n, n_edit = critic.naturalness(sides.real, b).detach(), critic.naturalness(sides.edited, b)
    a_old, a_new = critic.alignment(sides.edited, sides.y), critic.alignment(sides.edited, sides.y_new)
    v, v_edit = sides.real.embedding.detach(), sides.edited.embedding
    y, y_new = F.normalize(sides.y, dim=1), F.normalize(sides.y_new, dim=1)
    fits = F.cross_entropy(v_edit @ y_new.T / TAU, torch.arange(len(on), device=on.device), reduction="none")
    turned = F.cosine_similarity(v_edit - v, y_new - y, dim=1, eps=1e-4)
    return {
        "mismatch": weights.mismatch * mean_over(on, F.softplus(a_old - a_new)),
        "sentence": weights.sentence * mean_over(on, fits),
        "direction": weights.direction * mean_over(on, 1 - turned),
        "naturalness": weights.naturalness * F.softplus(n - n_edit).mean(),
    }


def mean_over(which: Tensor, values: Tensor) -> Tensor:
    """The mean of `values` [N] where `which` [N] is true; 0 where it nowhere is."""
    return (values * which).sum() / which.sum().clamp(min=1)


def preservation_loss(x: Tensor, made: Edited, changes: Tensor, weights: EditWeights) -> Terms:
    """L_E on real pictures, by term: its own text changes nothing in a picture, another no more than need be."""
    moved = (made.pictures - x).abs().mean((1, 2, 3))
    return {"same": weights.same * (moved * ~changes).mean(), "area": weights.area * made.mask.mean()}


def twin_loss(x: Tensor, made: Edited, twin: Tensor, changes: Tensor, weights: EditWeights) -> Terms:
    """L_E on generated pictures, by term: G(z, y) should become its twin G(z, y'), and m is where the two differ.

    Twins that hardly differ although their texts do are left out: they would teach that the text changes nothing.
    """
    apart = blur((twin - x).abs().amax(1, keepdim=True))
    where = ((apart - LEAST_APART) / (MOST_APART - LEAST_APART)).clamp(0, 1)
    teaches = ~changes | (where.mean((1, 2, 3)) > LEAST_AREA)
    unlike = (made.pictures - twin).abs().mean((1, 2, 3))
    unsure = F.binary_cross_entropy_with_logits(made.logits, where, reduction="none").mean((1, 2, 3))
    return {
        "pair": weights.pair * (unlike * teaches).mean(),
        "where": weights.where * (unsure * teaches).mean(),
    }
