"""What do Inception, CLIP and DINOv2 make of pictures? The networks that papers measure with; none is ours.

They were taught on pictures of the whole web, so that their numbers can stand beside published ones, as those of our
judges never may; what matters in one catalogue they may hardly see. Nothing is chosen by them.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bespoke.evaluation.result import PaperCard

DINOV2_SIDE = 224  # pixels; Stein et al. (2023) scale whole pictures to it
CLIP_COLORS = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # mean and deviation
IMAGENET_COLORS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAPTIONS_AT_ONCE = 256


class Network(ABC):
    """What all have in common: pictures in, features out."""

    def __init__(self, card: PaperCard, module: nn.Module, device: torch.device) -> None:
        self.card = card
        self.device = device
        self.module: Any = module.to(device).eval().requires_grad_(False)

    def look(self, pictures: Tensor) -> Tensor:
        """[N, 3, S, S] uint8 -> features [N, F] float32, on the CPU."""
        with torch.no_grad():
            features: Tensor = self._features(pictures.to(self.device))
        return features.float().cpu()

    @abstractmethod
    def _features(self, pictures: Tensor) -> Tensor:
        """[N, 3, S, S] uint8, on the network's device -> [N, F]"""


class Inception(Network):
    """Inception v3 of 2015, pooled: F = 2048. It scales pictures by itself, as TensorFlow did."""

    def _features(self, pictures: Tensor) -> Tensor:
        features: Tensor = self.module(pictures)[0]
        return features

    def logits(self, features: Tensor) -> Tensor:
        """[N, 2048] -> [N, 1008], without the bias: so was the Inception score always computed."""
        weight: Tensor = self.module.fc.weight.cpu()
        return features @ weight.T


class Clip(Network):
    """Pictures and captions in one space: F = 768 of the usual one. Not normalised."""

    def __init__(self, card: PaperCard, module: nn.Module, device: torch.device, tokenizer: Any, folder: Path) -> None:
        super().__init__(card, module, device)
        self.tokenizer = tokenizer
        self.side: int = self.module.config.vision_config.image_size
        self.length: int = self.module.config.text_config.max_position_embeddings
        self.mean, self.deviation = _colors(folder, CLIP_COLORS)

    def _features(self, pictures: Tensor) -> Tensor:
        seen = self.module.vision_model(pixel_values=prepared(pictures, self.side, self.mean, self.deviation))
        features: Tensor = self.module.visual_projection(seen.pooler_output)
        return features

    def read(self, captions: Sequence[str]) -> Tensor:
        """[N, F] float32, on the CPU; of a long caption the first 77 word pieces."""
        parts = []
        for start in range(0, len(captions), _CAPTIONS_AT_ONCE):
            some = list(captions[start : start + _CAPTIONS_AT_ONCE])
            tokens = self.tokenizer(some, padding=True, truncation=True, max_length=self.length, return_tensors="pt")
            with torch.no_grad():
                told = self.module.text_model(**tokens.to(self.device))
                parts.append(self.module.text_projection(told.pooler_output).float().cpu())
        return torch.cat(parts)


class Dinov2(Network):
    """A vision transformer that no captions taught; its class token: F = 1024 of the usual one."""

    def __init__(self, card: PaperCard, module: nn.Module, device: torch.device, folder: Path) -> None:
        super().__init__(card, module, device)
        self.mean, self.deviation = _colors(folder, IMAGENET_COLORS)

    def _features(self, pictures: Tensor) -> Tensor:
        seen = self.module(pixel_values=prepared(pictures, DINOV2_SIDE, self.mean, self.deviation))
        features: Tensor = seen.pooler_output
        return features


def prepared(pictures: Tensor, side: int, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    """[N, 3, S, S] uint8 -> [N, 3, side, side] float32, scaled as Pillow does (bicubic), then normalised."""
    scaled = pictures.float()
    for size in ((pictures.shape[2], side), (side, side)):  # Pillow rounds to whole levels after each direction
        scaled = F.interpolate(scaled, size=size, mode="bicubic", antialias=True).round().clamp(0, 255)
    center, spread = (torch.tensor(values, device=pictures.device)[:, None, None] for values in (mean, deviation))
    return (scaled / 255 - center) / spread


def _colors(folder: Path, usual: tuple[Sequence[float], Sequence[float]]) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and deviation of the colours that a model was taught with, where its folder says so."""
    file = folder / "preprocessor_config.json"
    told = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return told.get("image_mean", usual[0]), told.get("image_std", usual[1])
