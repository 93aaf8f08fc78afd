"""Is one scale enough to go from pictures to numbers and back?"""

from __future__ import annotations

import torch

from bespoke.data.levels import as_image, to_levels, to_signed


def test_every_level_comes_back_as_it_was() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    signed = to_signed(levels)
    assert (float(signed[0]), float(signed[255])) == (-1.0, 1.0)
    assert torch.equal(to_levels(signed), levels)


def test_what_lies_outside_becomes_black_or_full() -> None:
    assert to_levels(torch.tensor([-7.0, 7.0])).tolist() == [0, 255]


def test_an_image_has_its_rows_down_and_its_colors_in_order() -> None:
    levels = torch.zeros(3, 2, 4, dtype=torch.uint8)
    levels[0, 1, 3] = 200
    image = as_image(levels)
    assert image.size == (4, 2)
    assert image.getpixel((3, 1)) == (200, 0, 0)
