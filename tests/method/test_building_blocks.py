"""Layers against what they stand for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bespoke.method.layers import DownConv3, UpConv3, WholeMap, WordAttention, blur, fourier


def test_upconv3_is_enlargement_and_convolution() -> None:
    torch.manual_seed(0)
    layer = UpConv3(5, 7).double()
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 5, 6, 6, dtype=torch.float64)
    expected = F.conv2d(F.interpolate(x, scale_factor=2.0), layer.weight, layer.bias, padding=1)
    assert torch.allclose(layer(x), expected)


def test_downconv3_is_convolution_and_mean_of_two_by_two() -> None:
    torch.manual_seed(0)
    layer = DownConv3(5, 7).double()
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 5, 6, 8, dtype=torch.float64)
    expected = F.avg_pool2d(F.conv2d(x, layer.weight, layer.bias, padding=1), 2)
    assert torch.allclose(layer(x), expected)


def test_wholemap_is_a_depthwise_convolution_as_large_as_its_input() -> None:
    torch.manual_seed(0)
    layer = WholeMap(6, 2, 4).double()
    x = torch.randn(3, 6, 4, 4, dtype=torch.float64)
    assert torch.allclose(layer(x), torch.nn.Conv2d.forward(layer, x).flatten(1))


@torch.no_grad()
@pytest.mark.parametrize(
    "change",
    [
        lambda weight: weight.add_(1.0),
        lambda weight: torch._foreach_lerp_([weight], [torch.ones_like(weight)], 0.5),
        lambda weight: weight.copy_(torch.ones_like(weight)),
        lambda weight: setattr(weight, "data", torch.ones_like(weight)),
    ],
)
def test_what_upconv3_keeps_follows_its_weights(change: Callable[[Tensor], object]) -> None:
    layer, x = UpConv3(2, 3), torch.randn(1, 2, 4, 4)
    kept = layer(x)
    assert torch.equal(kept, layer(x))
    change(layer.weight)
    expected = F.conv2d(F.interpolate(x, scale_factor=2.0), layer.weight, layer.bias, padding=1)
    assert torch.allclose(layer(x), expected, atol=1e-5)
    assert not torch.allclose(layer(x), kept, atol=1e-2)


def test_blur_keeps_a_plain_picture_and_takes_a_checkerboard_away() -> None:
    plain = torch.full((1, 3, 8, 6), 0.7)
    assert torch.allclose(blur(plain), plain)
    checkerboard = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1
    assert blur(checkerboard[None, None])[..., 1:-1, 1:-1].abs().max() < 1e-6
    assert blur(torch.eye(9)[4][:, None].mul(torch.eye(9)[4])[None, None]).sum() == 1  # a dot in the middle is spread


def test_word_attention_ignores_padding_and_sees_words() -> None:
    torch.manual_seed(0)
    attention = WordAttention(16, 8)
    x, words, mask = torch.randn(2, 16, 4, 4), torch.randn(2, 5, 8), torch.ones(2, 5, dtype=torch.bool)
    mask[:, 3:] = False
    first = attention(x, words, mask)
    assert torch.equal(first, attention(x, words.masked_fill(~mask[..., None], 9.0), mask))
    assert not torch.allclose(first, attention(x, words.roll(1, 1), mask))


def test_balance_features_tell_balances_apart() -> None:
    features = fourier(torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]))
    assert features.shape == (5, 8)
    assert torch.cdist(features, features).fill_diagonal_(1.0).min() > 0.1
