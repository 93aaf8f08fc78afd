"""Do colours change as they are said to, and only then?"""

from __future__ import annotations

import math

import pytest
import torch

from bespoke.data.augment import NUM_COLOR_DRAWS, recolor

OFF = 0.9  # a draw that is not below a probability of a half


def draws(**on: float) -> torch.Tensor:
    """One picture's draws: the changes named are on, with those draws."""
    columns = {"hue": OFF, "saturation": OFF, "contrast": OFF} | on
    row = [number for name, draw in columns.items() for number in (0.0 if name in on else OFF, draw)]
    assert len(row) == NUM_COLOR_DRAWS
    return torch.tensor([row])


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_nothing_changes_that_is_not_drawn(pictures: torch.Tensor) -> None:
    torch.testing.assert_close(recolor(pictures, draws(), 0.5), pictures)
    torch.testing.assert_close(recolor(pictures, draws(hue=0.3, contrast=0.1), 0.0), pictures)


def test_a_third_of_a_turn_makes_green_of_red_and_keeps_gray() -> None:
    red, green = torch.eye(3)[0], torch.eye(3)[1]
    color = lambda channels: channels.view(1, 3, 1, 1).expand(1, 3, 4, 4)  # noqa: E731
    torch.testing.assert_close(recolor(color(red), draws(hue=1 / 3), 0.5), color(green), atol=1e-6, rtol=0)
    gray = torch.linspace(-1, 1, 16).view(1, 1, 4, 4).expand(1, 3, 4, 4)
    torch.testing.assert_close(recolor(gray, draws(hue=0.7, saturation=0.9), 0.5), gray)


def test_saturation_goes_from_none_to_twice(pictures: torch.Tensor) -> None:
    gray = pictures.mean(1, keepdim=True)
    torch.testing.assert_close(recolor(pictures, draws(saturation=0.0), 0.5), gray.expand_as(pictures))
    torch.testing.assert_close(recolor(pictures, draws(saturation=1.0), 0.5), 2 * pictures - gray)


def test_contrast_goes_from_half_to_one_and_a_half_about_the_mean(pictures: torch.Tensor) -> None:
    for draw, scale in ((0.0, 0.5), (1.0, 1.5)):
        made = recolor(pictures, draws(contrast=draw), 0.5)
        torch.testing.assert_close(made.mean(), pictures.mean())
        assert float(made.std() / pictures.std()) == pytest.approx(scale, rel=1e-5)


def test_a_full_turn_changes_nothing(pictures: torch.Tensor) -> None:
    near = recolor(pictures, draws(hue=math.nextafter(1.0, 0.0)), 0.5)
    torch.testing.assert_close(near, pictures, atol=1e-5, rtol=0)
