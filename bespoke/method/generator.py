"""How do a caption's two embeddings and noise become a picture?"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from bespoke.method import layers
from bespoke.method.layers import FiLM, UpConv3, WordAttention, blur, conv3, fourier, leaky
from bespoke.method.text_encoder import DualTextEmbedding


class Generated(NamedTuple):
    """Pictures, and the distribution their condition was drawn from."""

    pictures: Tensor  # [N, 3, H, W] float32, nominally in [-1, 1]; clamp for display
    mean: Tensor  # [N, C] of the conditioning augmentation
    log_sigma: Tensor  # [N, C]


class Stage(nn.Module):
    """Twice the size, two modulated convolutions, noise for every pixel, a plain way past them."""

    def __init__(self, width_in: int, width_out: int, style_width: int, *, grow: bool) -> None:
        super().__init__()
        self.grow = grow
        self.film1 = FiLM(width_in, style_width)
        self.conv1 = UpConv3(width_in, width_out) if grow else conv3(width_in, width_out)
        self.film2 = FiLM(width_out, style_width)
        self.conv2 = conv3(width_out, width_out)
        self.skip = nn.Conv2d(width_in, width_out, 1, bias=False) if width_in != width_out else nn.Identity()
        self.noise = nn.Parameter(torch.full((1, width_out, 1, 1), 0.1))

    def forward(self, x: Tensor, style: Tensor, pixel_noise: Tensor) -> Tensor:
        """[N, C, H, W], [N, S], [N, 1, H', W'] -> [N, C', H', W'] with H' = 2 H where it grows."""
        past = F.interpolate(self.skip(x), scale_factor=2.0, mode="bilinear") if self.grow else self.skip(x)
        h = self.conv1(leaky(self.film1(x, style)))
        h = blur(h) if self.grow else h
        h = torch.addcmul(h, self.noise.to(h.dtype), pixel_noise.to(h.dtype))
        detail: Tensor = self.conv2(leaky(self.film2(h, style)))
        return past + detail


class Generator(nn.Module):
    """Residual up-sampler, every block modulated by the caption, with a look at single words at one size.

    The realism embedding S_G enters in full, through conditioning augmentation (StackGAN). The alignment embedding S_D
    comes on top, weighted by the balance b: c = P_G(s_G) + b P_D(s_D). At b = 0 this is the paper's generator, and
    without a balance it is that alone: S_D has no way in, and every b is b = 0.
    Noise alone lays out the 4x4 start, without a bias: where the caption or a constant had a say there, one layout
    served all pictures of a colour within a few hundred steps, and noise meant nothing from then on.
    """

    def __init__(
        self,
        *,
        image_size: int,
        embedding_width: int,  # E
        latent_width: int = 64,  # z
        condition_width: int = 128,  # C, conditioning augmentation
        style_width: int = 256,  # S
        widths: tuple[int, ...] = (256, 192, 128, 64),  # channels at 4x4, 8x8, ... up to half the image size
        word_attention_size: int = 8,  # picture side at which single words are looked at; 0: none
        balance: bool = True,
        grain: float = 1.0,  # of the finest stage's noise, what is drawn with once nobody learns
        last_width: int = 16,  # channels at full size
    ) -> None:
        super().__init__()
        if 4 * 2 ** len(widths) != image_size:
            raise ValueError(f"{len(widths)} widths make {4 * 2 ** len(widths)} px pictures, not {image_size}")
        self.grain = grain
        self.sizes = [4 * 2**i for i in range(len(widths))]
        self.noise_widths = [latent_width, condition_width, *(size * size for size in self.sizes)]
        self.augment_condition = nn.Linear(embedding_width, 2 * condition_width)
        self.from_realism = nn.Linear(condition_width, style_width)
        self.from_alignment = nn.Linear(embedding_width, style_width) if balance else None
        self.mix = nn.Sequential(
            nn.Linear(latent_width + style_width + 8, style_width),
            nn.LeakyReLU(layers.SLOPE),
            nn.Linear(style_width, style_width),
            nn.LeakyReLU(layers.SLOPE),
        )
        self.start = nn.Linear(latent_width, widths[0] * 16, bias=False)
        wide = (widths[0], *widths)
        self.stages = nn.ModuleList(
            Stage(a, b, style_width, grow=i > 0) for i, (a, b) in enumerate(zip(wide, widths, strict=False))
        )
        self.attention_stage = self.sizes.index(word_attention_size) if word_attention_size else None
        if self.attention_stage is not None:
            attended = widths[self.attention_stage]
            self.look_realism = WordAttention(attended, embedding_width)
            self.look_alignment = WordAttention(attended, embedding_width) if balance else None
        self.last_film = FiLM(widths[-1], style_width)
        self.grow = UpConv3(widths[-1], last_width)
        self.to_rgb = conv3(last_width, 3)
        nn.init.normal_(self.to_rgb.weight, std=0.05)

    @property
    def num_noise(self) -> int:
        """How many numbers of noise a picture takes."""
        return sum(self.noise_widths)

    def forward(self, noise: Tensor, text: DualTextEmbedding, balance: Tensor) -> Generated:
        """Draw one picture a caption.

        noise: [N, num_noise] standard normal: z, conditioning augmentation, a map for every size;
        balance: [N] in [0, 1].
        """
        z, _, *maps = noise.split(self.noise_widths, dim=1)
        if not self.training:
            maps[-1] = self.grain * maps[-1]
        style, mean, log_sigma = self.style(noise, text, balance)
        b = balance[:, None, None, None]

        x = self.start(z).unflatten(1, (-1, 4, 4)).contiguous(memory_format=torch.channels_last)
        for i, (stage, size) in enumerate(zip(self.stages, self.sizes, strict=True)):
            x = stage(x, style, maps[i].view(-1, 1, size, size))
            if i == self.attention_stage:
                told = self.look_realism(x, text.realism.words, text.realism.mask)
                if self.look_alignment is not None:
                    told = told + b * self.look_alignment(x, text.alignment.words, text.alignment.mask)
                x = x + told.to(x.dtype)
        x = blur(self.grow(leaky(self.last_film(x, style))))
        x = self.to_rgb(leaky(x))
        return Generated(x.float(), mean.float(), log_sigma.float())

    def style(self, noise: Tensor, text: DualTextEmbedding, balance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What modulates every block, [N, S], and the condition's mean and log of sigma, [N, C] each."""
        z, condition_noise, *_ = noise.split(self.noise_widths, dim=1)
        mean, log_sigma = self.augment_condition(text.realism.sentence).chunk(2, dim=1)
        s_g = mean + log_sigma.exp() * condition_noise
        condition = self.from_realism(s_g)
        if self.from_alignment is None:
            balance = torch.zeros_like(balance)
        else:
            condition = condition + balance[:, None] * self.from_alignment(text.alignment.sentence)
        return self.mix(torch.cat([z, condition, fourier(balance)], dim=1)), mean, log_sigma
