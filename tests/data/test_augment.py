"""Do pictures change as they are said to, and only then?"""

from __future__ import annotations

import math

import pytest
import torch

from bespoke.data.augment import MOST_STRETCHED, NUM_COLOR_DRAWS, NUM_DRAWS, NUM_TURN_DRAWS, augment, recolor

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


STILL = torch.full((1, NUM_DRAWS), OFF)


def turns(**on: float) -> torch.Tensor:
    columns = {"turn": OFF, "stretch": OFF} | on
    row = [number for name, draw in columns.items() for number in (0.0 if name in on else OFF, draw)]
    assert len(row) == NUM_TURN_DRAWS
    return torch.tensor([row])


def dot(x: float, y: float) -> torch.Tensor:
    """A soft dot on black, [1, 3, 64, 64]; x, y in [-1, 1], y downwards."""
    place = (torch.arange(64) + 0.5) / 32 - 1
    far = (place[None] - x).square() + (place[:, None] - y).square()
    return (2 * torch.exp(-far / 0.02) - 1).expand(1, 3, 64, 64)


def where(picture: torch.Tensor) -> tuple[float, float]:
    """The middle of what is bright."""
    light, place = (picture[0, 0] + 1).clamp(min=0), (torch.arange(64) + 0.5) / 32 - 1
    return float((light.sum(0) * place).sum() / light.sum()), float((light.sum(1) * place).sum() / light.sum())


def test_upright_pictures_stay_what_they_are() -> None:
    picture = dot(0.4, 0.0)
    torch.testing.assert_close(augment(picture, STILL, 0.5, turns(), 0.5), picture, atol=1e-5, rtol=0)
    torch.testing.assert_close(augment(picture, STILL, 0.5), picture, atol=1e-5, rtol=0)
    torch.testing.assert_close(augment(picture, STILL, 0.5, turns(turn=0.0, stretch=0.0)), picture, atol=1e-5, rtol=0)


def test_pictures_turn_by_an_eighth_to_each_side() -> None:
    eighth = 0.4 / math.sqrt(2)
    for draw, y in ((0.0, eighth), (0.5, 0.0), (1.0, -eighth)):
        made = augment(dot(0.4, 0.0), STILL, 0.5, turns(turn=draw), 0.5)
        x = 0.4 if y == 0 else eighth
        assert where(made) == pytest.approx((x, y), abs=0.01), draw


def test_what_gets_wider_gets_less_high() -> None:
    for draw, scale in ((0.0, MOST_STRETCHED), (1.0, 1 / MOST_STRETCHED)):
        made = augment(dot(0.4, 0.4), STILL, 0.0, turns(stretch=draw), 0.5)
        assert where(made) == pytest.approx((0.4 * scale, 0.4 / scale), abs=0.01), draw
