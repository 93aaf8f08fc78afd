"""How do few pictures last longer? Random changes that keep colours, because captions speak of colours.

The same policy for real and generated pictures, drawn anew for each; differentiable (DiffAugment, Zhao et al. 2020,
without its hue and saturation changes).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

NUM_DRAWS = 11  # uniform numbers a picture
NUM_COLOR_DRAWS = 6  # the same for `recolor`


def augment(pictures: Tensor, draws: Tensor, probability: float) -> Tensor:
    """Zoom, shift, brighten and partly cover pictures, each change with `probability`.

    pictures: [N, 3, H, W] in [-1, 1]; draws: [N, NUM_DRAWS] uniform in [0, 1), which decide everything.
    """
    if probability == 0:
        return pictures
    n, size = len(pictures), pictures.shape[-1]
    (
        zoom_on, zoom, shift_on, shift_x, shift_y,
        light_on, light, hole_on, hole_x, hole_y, hole_size,
    ) = draws.unbind(1)  # fmt: skip
    on = lambda draw: (draw < probability).float()  # noqa: E731

    theta = torch.zeros(n, 2, 3, device=pictures.device)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 + on(zoom_on) * (zoom - 0.5) * 0.4
    theta[:, 0, 2], theta[:, 1, 2] = on(shift_on) * (shift_x - 0.5) * 0.5, on(shift_on) * (shift_y - 0.5) * 0.5
    grid = F.affine_grid(theta, list(pictures.shape), align_corners=False)
    pictures = F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)

    pictures = pictures + (on(light_on) * (light - 0.5) * 0.4)[:, None, None, None]

    half = on(hole_on) * (0.15 + 0.1 * hole_size) * size
    place = torch.arange(size, device=pictures.device) + 0.5
    rows = (place[None] - hole_y[:, None] * size).abs() < half[:, None]
    columns = (place[None] - hole_x[:, None] * size).abs() < half[:, None]
    return pictures * ~(rows[:, :, None] & columns[:, None, :])[:, None]


def recolor(pictures: Tensor, draws: Tensor, probability: float) -> Tensor:
    """Turn hues by any angle, scale saturation by 0 to 2 and contrast by 0.5 to 1.5, each with `probability`.

    What `augment` leaves out of DiffAugment, and the hues that others turn: to measure what they do to named colours.
    pictures: [N, 3, H, W] in [-1, 1]; draws: [N, NUM_COLOR_DRAWS] uniform in [0, 1), which decide everything.
    """
    hue_on, hue, saturation_on, saturation, contrast_on, contrast = draws[:, :, None, None, None].unbind(1)
    on = lambda draw: (draw < probability).float()  # noqa: E731

    gray = pictures.mean(1, keepdim=True)
    color = pictures - gray
    across = (color.roll(1, 1) - color.roll(-1, 1)) / math.sqrt(3)  # a quarter turn about the gray axis
    angle = on(hue_on) * 2 * math.pi * hue
    color = angle.cos() * color + angle.sin() * across
    pictures = gray + (1 + on(saturation_on) * (2 * saturation - 1)) * color

    level = pictures.mean((1, 2, 3), keepdim=True)
    return level + (1 + on(contrast_on) * (contrast - 0.5)) * (pictures - level)
