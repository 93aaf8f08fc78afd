"""What teaches an editor? Twins, which show what a picture should become; where there are none, a critic.

| step   | trains | holds fixed                                                          |
|--------|--------|----------------------------------------------------------------------|
| critic | critic | editor                                                               |
| editor | editor | critic, generator, both text encoders, the discriminator's average   |

Twins are pictures of one shot. Where a picture has none the generator is the teacher: drawn at b = 0 from the same
noise, G(z, y) and G(z, y') differ in little but what the captions differ in, so that the one shows what the other
should become. Real pictures without a twin are judged by the discriminator: the text they had is the hard negative of
the text they should get.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from bespoke.method.discriminator import Discriminator, PictureFeatures
from bespoke.method.editor import Edited, compose
from bespoke.method.joint_loss import Terms, relativistic, sentence_nce
from bespoke.method.layers import blur
from bespoke.method.new_patterns import color_of_marks, new_pattern
from bespoke.method.patterns import window

TAU = 0.1  # temperature of cosines
LEAST_AREA = 0.01  # share of a picture that twins must differ in for the generator to have followed the text
LEAST_CHANGE = 0.02  # mean difference of twins, of the range of 2, that a smaller one is counted as
NEAR = 0.05  # difference, of the range of 2, from which on it counts as it is; smaller ones by their square
GAP = 9 / 64  # of the side; what lies between places that differ, up to so wide, differs, too
LEAST_APART, MOST_APART = 0.25, 0.5  # how far generated twins differ where m is 0 and where it is 1, of the range of 2
LEAST_OF_SHOT, MOST_OF_SHOT = 0.1, 0.25  # and those of one shot, of where they differ most


@dataclass(frozen=True, kw_only=True)
class EditWeights:
    """Of the terms below, in their order."""

    pair: float = 1.0
    page: float = 0.5
    mark: float = 1.0
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


def differs(x: Tensor, twin: Tensor, shot: Tensor) -> Tensor:
    """How surely a place of twins [N, 3, H, W] differs: [N, 1, H, W] in [0, 1].

    With what lies between such places: a pattern changes a product, and not the stripes of it alone. shot: [N] bool,
    whether a twin is another picture of the shot. Those differ only where they should, and thin lines hardly do.
    """
    apart = blur((twin - x).abs().amax(1, keepdim=True))
    shot, most = shot[:, None, None, None], apart.amax((1, 2, 3), keepdim=True).clamp(min=1e-3)
    least = torch.where(shot, LEAST_OF_SHOT * most, LEAST_APART)
    sure = ((apart - least) / (torch.where(shot, MOST_OF_SHOT * most, MOST_APART) - least)).clamp(0, 1)
    gap = window(GAP, x.shape[-1])
    grown = F.max_pool2d(sure, gap, stride=1, padding=gap // 2)
    return torch.maximum(sure, -F.max_pool2d(-F.pad(grown, [gap // 2] * 4), gap, stride=1))


def unlike_twin(x: Tensor, made: Edited, twin: Tensor, where: Tensor, marks: Tensor) -> Tensor:
    """How far an edit is from the twin, [N], but for the twin's marks [N, 1, H, W].

    As it shows, and `where` the two differ also as if m were 1: else colours would learn nothing where m is 0, and m
    nothing where colours are wrong. Most places of a picture with a new pattern are right as they were: by absolute
    differences, every attempt to change the others would cost there from its beginning, and none was ever made.
    """
    whole = compose(x, made.colors, torch.ones_like(made.mask))
    shown, meant = (u.square() / (u.abs() + NEAR) for u in (made.pictures - twin, whole - twin))
    return ((1 - marks) * (shown + where * meant)).mean((1, 2, 3))


def twin_loss(x: Tensor, made: Edited, twin: Tensor, where: Tensor, changes: Tensor, weights: EditWeights) -> Terms:
    """L_E on twins, by term: the one, edited, should become the other, and m is `where` the two differ.

    made: without patterns; those of the twins are told by their pages. Twins that hardly differ although their texts
    do are left out: they would teach that the text changes nothing.
    """
    teaches = ~changes | (where.mean((1, 2, 3)) > LEAST_AREA)
    whole = (twin - x).abs().mean((1, 2, 3)).clamp(min=LEAST_CHANGE)
    e = compose(x, made.colors.detach(), torch.ones_like(where))
    page, marks = new_pattern(twin, e, where)
    unlike = unlike_twin(x, made, twin, where, marks) / whole
    other_page = F.cross_entropy(made.pages, page, reduction="none")
    wrong_color = (made.mark - color_of_marks(twin, e, where)).abs().mean(1)
    unsure = F.binary_cross_entropy_with_logits(made.logits, where, reduction="none").mean((1, 2, 3))
    return {
        "pair": weights.pair * (unlike * teaches).mean(),
        "page": weights.page * (other_page * teaches).mean(),
        "mark": weights.mark * (wrong_color * (teaches & (page > 0))).mean(),
        "where": weights.where * (unsure * teaches).mean(),
    }
