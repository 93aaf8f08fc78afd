"""Does the projected discriminator see, learn with its heads alone, and pass on what it sees?"""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bespoke.data.borrowed_eyes import INSTALL, PACKAGE, borrowed_eyes
from bespoke.method.efficientnet import WIDTHS, EfficientNetLite0
from bespoke.method.projected import NUM_SCALES, ProjectedDiscriminator

pytestmark = pytest.mark.skipif(find_spec(PACKAGE.replace("-", "_")) is None, reason=f"needs `{INSTALL}`")


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return borrowed_eyes()


def flower(size: int) -> Tensor:
    """A drawn daisy, [1, 3, size, size]: white petals around a yellow disc, on green."""
    place = torch.linspace(-1, 1, size)
    y, x = torch.meshgrid(place, place, indexing="ij")
    radius, angle = (x**2 + y**2).sqrt(), torch.atan2(y, x)
    petals = (radius < 0.45 + 0.1 * (21 * angle).cos()).float()
    disc = (radius < 0.25).float()
    color = torch.tensor([[-0.7, -0.2, -0.8], [0.9, 0.9, 0.9], [0.9, 0.6, -0.8]])
    share = torch.stack([1 - petals.maximum(disc), petals * (1 - disc), disc])
    return torch.einsum("khw,kc->chw", share, color)[None]


def test_the_eyes_name_a_daisy(weights: dict[str, Tensor]) -> None:
    """All that is between the picture and the last map is right only if the classes after it are."""
    maps = EfficientNetLite0(weights)(flower(224))
    assert [tuple(seen.shape) for seen in maps] == [(1, c, 56 // 2**i, 56 // 2**i) for i, c in enumerate(WIDTHS)]
    norm = "_bn1"
    scale = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + 1e-3).sqrt()
    last = F.conv2d(maps[-1], weights["_conv_head.weight"])
    last = (last - weights[f"{norm}.running_mean"][:, None, None]) * scale[:, None, None]
    last = F.relu6(last + weights[f"{norm}.bias"][:, None, None]).mean((2, 3))
    classes = last @ weights["_fc.weight"].T + weights["_fc.bias"]
    assert classes.argmax().item() == 985  # ImageNet's daisy


@pytest.mark.parametrize("size", [32, 64, 128])
def test_every_scale_gives_a_logit_and_a_gradient_to_the_picture(weights: dict[str, Tensor], size: int) -> None:
    torch.manual_seed(0)
    projected = ProjectedDiscriminator(EfficientNetLite0(weights), size)
    pictures = torch.cat([flower(size), torch.rand(2, 3, size, size) * 2 - 1]).requires_grad_()
    logits = projected(pictures)
    assert logits.shape == (3, NUM_SCALES)
    for scale in range(NUM_SCALES):
        (gradient,) = torch.autograd.grad(logits[:, scale].sum(), pictures, retain_graph=True)
        assert (gradient.abs().amax((1, 2, 3)) > 0).all()


def test_pictures_do_not_see_each_other(weights: dict[str, Tensor]) -> None:
    torch.manual_seed(0)
    projected = ProjectedDiscriminator(EfficientNetLite0(weights), 64).eval()
    pictures = torch.cat([flower(64), torch.rand(2, 3, 64, 64) * 2 - 1])
    together = projected(pictures)
    assert torch.allclose(together[:1], projected(pictures[:1]), atol=1e-4)


def test_heads_alone_learn_and_tell_flowers_from_noise(weights: dict[str, Tensor]) -> None:
    torch.manual_seed(0)
    projected = ProjectedDiscriminator(EfficientNetLite0(weights), 32)
    fixed = {name: value.clone() for name, value in projected.named_buffers() if "over_" in name}
    assert {name.split(".")[0] for name, _ in projected.named_parameters()} == {"heads"}
    optimizer = torch.optim.Adam(projected.parameters(), 4e-3, (0.0, 0.99))
    flowers = flower(32) + 0.05 * torch.randn(8, 3, 32, 32)
    noise = flower(32).flatten(2)[:, :, torch.randperm(32 * 32)].unflatten(2, (32, 32)).expand(8, -1, -1, -1)
    for _ in range(30):
        loss = F.softplus(projected(noise) - projected(flowers)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (projected(flowers).min(0).values > projected(noise).max(0).values).all()
    assert all(torch.equal(value, dict(projected.named_buffers())[name]) for name, value in fixed.items())


def test_other_weights_are_refused(weights: dict[str, Tensor]) -> None:
    with pytest.raises(KeyError):
        EfficientNetLite0({name: value for name, value in weights.items() if name != "_conv_stem.weight"})
