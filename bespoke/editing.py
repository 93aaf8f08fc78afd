"""How is one picture changed by its text? Seen at the model's size, changed at its own.

The editor says for every place which change of colour is due and how much of it. That is enlarged, and not the picture:
detail stays, and where nothing is due no byte changes. A picture that is not square is seen whole, its edges continued
to a square.
"""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass, field
from numbers import Real
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from bespoke.data.front_end import FrontEnd
from bespoke.data.levels import to_signed
from bespoke.data.pictures import MAX_PIXELS, MIN_SIDE, as_rgb
from bespoke.data.words import UNITS
from bespoke.errors import UserError
from bespoke.method.editor import change_of, strengthened
from bespoke.networks import Networks
from bespoke.precision import autocast

ROWS_AT_ONCE = 256  # of a large picture; bounds the memory
EDGE_NOISE = 4e-3  # squared difference of colour, of the range of 2, that is no edge yet
LEAST_MASK = 0.02  # below, nothing changes at all

Array = NDArray[np.float32]
Box = tuple[float, float, float, float]


class EditedPicture(NamedTuple):
    """One edited picture, at the size of the picture that was given, and how to make it again."""

    image: Image.Image
    mask: Image.Image  # L, where it changed: 0 is not at all, to the last bit
    text: str
    source: str | None  # the text it had, where that was told
    strength: float
    seed: int
    alignment: float  # cosine in [-1, 1] of picture and new text in the model's own alignment space


@dataclass(frozen=True)
class Editing:
    """The pictures of one call, and what the texts differ in."""

    pictures: list[EditedPicture]
    # What either text has and the other lacks; none where the old one was not told.
    new_words: list[str] = field(default_factory=list)
    old_words: list[str] = field(default_factory=list)
    unknown_words: list[str] = field(default_factory=list)  # of the new text, never seen in training

    @property
    def images(self) -> list[Image.Image]:
        return [picture.image for picture in self.pictures]

    @property
    def alignment(self) -> list[float]:
        return [picture.alignment for picture in self.pictures]

    @property
    def seeds(self) -> list[int]:
        return [picture.seed for picture in self.pictures]

    @property
    def mask(self) -> Image.Image:
        """Where the first picture changed."""
        return self.pictures[0].mask


class Editable(NamedTuple):
    """A picture that can be edited."""

    whole: Image.Image  # RGB, upright, at its own size
    seen: Tensor  # [1, 3, S, S] in [-1, 1], what the model is shown
    box: tuple[int, int, int, int]  # where in what is shown the picture lies: left, top, right, bottom


def edit_picture(
    networks: Networks,
    front_end: FrontEnd,
    picture: Image.Image,
    text: str,
    *,
    source: str | None,
    strength: float,
    mask: Image.Image | None,
    seeds: list[int],
) -> Editing:
    """Change a picture by its text, once for each seed. See Pipeline.edit."""
    if networks.editor is None:
        raise UserError(
            "this model has not been taught to edit; teach it by `bespoke train CATALOGUE --out RUN --edit`, or "
            "generate anew from the text"
        )
    _check_kinds(picture, mask, text, source, strength)
    if not text.strip():
        raise UserError("the new text is empty; say what the picture should show")
    if source is not None and not source.strip():
        raise UserError("the old text is empty; say what the picture shows now, or leave it out")
    if not 0 <= strength <= 1:
        raise UserError(f"strength={strength:g}: expected a number from 0 (as it is) to 1 (all over); choose one")
    tokens = front_end.encode([source or "", text])
    if source is not None and torch.equal(tokens[0], tokens[1]):
        raise UserError(f"the new text reads like the old one ({text!r:.80}); {_remedy(text, source)}")
    shown = editable(picture, networks.settings.image_size)
    limit = None if mask is None else _limit(mask, shown.whole)
    old, new = tokens.to(next(networks.generator.parameters()).device).split(1)
    pictures = []
    for seed in seeds:
        colors, where = _ask(networks, shown.seen, new, old, seed)
        image, changed = blend(shown, colors, strengthened(where, strength), limit)
        alignment = _alignment(networks, editable(image, networks.settings.image_size).seen, new)
        pictures.append(EditedPicture(image, changed, text, source, strength, seed, alignment))
    new_words, old_words = words_that_differ(text, source) if source else ([], [])
    return Editing(pictures, new_words, old_words, front_end.unknown(text))


def _remedy(text: str, source: str) -> str:
    """What to do about two texts that read alike."""
    if any(words_that_differ(text, source)):
        return "the words that differ come after all that is read of a long text: say them earlier"
    return "change the words that should show"


def _check_kinds(picture: object, mask: object, text: object, source: object, strength: object) -> None:
    """Raise UserError for what is no picture, such as the name of its file, no text, or no number."""
    for name, given in (("picture", picture), ("mask", Image.Image() if mask is None else mask)):
        if not isinstance(given, Image.Image):
            raise UserError(f"{name}={type(given).__name__}: expected a picture of PIL; open it by PIL.Image.open")
    for name, given in (("new", text), ("old", "" if source is None else source)):
        if not isinstance(given, str):
            raise UserError(f"the {name} text is {given!r:.40}: expected a string that says what the picture shows")
    if not isinstance(strength, Real):
        raise UserError(f"strength={strength!r}: expected a number from 0 (as it is) to 1 (all over); choose one")


def editable(picture: Image.Image, size: int) -> Editable:
    """A picture in any mode and shape as the model is shown it. Raises UserError where it is too small or too large."""
    if picture.width * picture.height > MAX_PIXELS:
        raise UserError(
            f"picture of {picture.width}x{picture.height}: over {MAX_PIXELS // 10**6} million pixels; shrink it"
        )
    if min(picture.size) < MIN_SIDE:
        found = f"{picture.width}x{picture.height}"
        raise UserError(f"picture of {found}: each side must be {MIN_SIDE} pixels or more; give a larger one")
    whole = as_rgb(ImageOps.exif_transpose(picture))[0]
    longer = max(whole.size)
    width, height = (max(1, round(size * side / longer)) for side in whole.size)
    small = np.asarray(whole.resize((width, height), Image.Resampling.LANCZOS))
    left, top = (size - width) // 2, (size - height) // 2
    square = np.pad(small, ((top, size - height - top), (left, size - width - left), (0, 0)), mode="edge")
    seen = to_signed(torch.from_numpy(square.copy()).permute(2, 0, 1)[None])
    return Editable(whole, seen, (left, top, left + width, top + height))


def words_that_differ(text: str, source: str) -> tuple[list[str], list[str]]:
    """Words of `text` that `source` lacks, and the other way round, as they stand there."""
    new, old = _words(text), _words(source)
    before, after = ([word.lower() for word in words] for words in (old, new))
    steps = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    changed = [(slice(*step[1:3]), slice(*step[3:])) for step in steps if step[0] != "equal"]
    return [word for _, rows in changed for word in new[rows]], [word for rows, _ in changed for word in old[rows]]


def _words(text: str) -> list[str]:
    units: list[str] = UNITS.findall(unicodedata.normalize("NFKC", text))
    return [unit for unit in units if any(letter.isalnum() for letter in unit)]


@torch.no_grad()
def _ask(networks: Networks, seen: Tensor, new: Tensor, old: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """What the editor says of a picture [1, 3, S, S]: colours [12, S, S] and mask [S, S]."""
    assert networks.editor is not None
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(1, networks.generator.num_noise, generator=generator).to(new.device)
    with autocast(new.device):
        change = change_of(networks.generator, networks.text_encoder, noise, new, old)
        made = networks.editor(seen.to(new.device), change)
    return made.colors[0].float().cpu(), made.mask[0, 0].float().cpu()


@torch.no_grad()
def _alignment(networks: Networks, seen: Tensor, new: Tensor) -> float:
    with autocast(new.device):
        embedding = networks.discriminator(seen.to(new.device)).embedding
    sentence = networks.text_encoder.alignment(new).sentence
    return round(float(torch.cosine_similarity(embedding, sentence)), 6)


def blend(shown: Editable, colors: Tensor, mask: Tensor, limit: Array | None = None) -> tuple[Image.Image, Image.Image]:
    """Apply colours [12, S, S] and mask [S, S] to the picture at its own size; returns it, and the mask at that size.

    limit: [H, W] in [0, 1], how much may change where.
    """
    width, height = shown.whole.size
    grows = max(width, height) > mask.shape[1]
    lines = follow_edges(mask, shown.seen[0]) if grows else torch.cat([torch.zeros(3, *mask.shape), mask[None]])
    left, top, right, bottom = shown.box
    picture, changed = np.asarray(shown.whole).copy(), np.zeros((height, width), np.uint8)
    for first in range(0, height, ROWS_AT_ONCE):
        last = min(first + ROWS_AT_ONCE, height)
        scale = (bottom - top) / height
        box = (left, top + first * scale, right, top + last * scale)

        def enlarged(plane: Tensor, size: tuple[int, int] = (width, last - first), box: Box = box) -> Array:
            return np.asarray(Image.fromarray(plane.numpy()).resize(size, Image.Resampling.BILINEAR, box=box))

        rows = picture[first:last]
        x = np.moveaxis(rows, 2, 0).astype(np.float32) / 127.5 - 1
        share: Array = enlarged(lines[3]).copy()
        for slope, channel in zip(lines[:3], x, strict=True):
            share += enlarged(slope) * channel
        share = share.clip(0, 1)
        if limit is not None:
            share = share * limit[first:last]
        share = np.where(share < LEAST_MASK, 0, share)
        if not share.any():
            continue
        for row in range(3):
            step = enlarged(colors[9 + row]).copy()
            for column in range(3):
                step += enlarged(colors[3 * row + column]) * x[column]
            levels = np.rint((x[row] + share * step + 1) * 127.5).clip(0, 255).astype(np.uint8)
            rows[..., row] = np.where(share > 0, levels, rows[..., row])
        changed[first:last] = np.rint(255 * share)
    image, profile = Image.fromarray(picture), shown.whole.info.get("icc_profile") or b""
    if profile[16:20] == b"RGB ":  # without it the same bytes are other colours; that of CMYK or grey is not for RGB
        image.info["icc_profile"] = profile
    return image, Image.fromarray(changed)


def follow_edges(mask: Tensor, guide: Tensor) -> Tensor:
    """A mask [S, S] as a line in colour for every place, [4, S, S]: slopes for the three colours and an offset.

    Enlarged and applied to the large picture, it has that picture's edges (the guided filter, He et al. 2010, 2015).
    guide: [3, S, S], the small picture.
    """

    def around(x: Tensor) -> Tensor:
        """[K, S, S] -> the mean of 5x5 places, at the border of those there are."""
        return F.avg_pool2d(x[None], 5, stride=1, padding=2, count_include_pad=False)[0]

    mean, level = around(guide), around(mask[None])
    spread = around((guide[:, None] * guide[None]).flatten(0, 1)) - (mean[:, None] * mean[None]).flatten(0, 1)
    common = around(guide * mask) - mean * level
    matrix = spread.unflatten(0, (3, 3)).permute(2, 3, 0, 1) + EDGE_NOISE * torch.eye(3)
    slope = torch.linalg.solve(matrix, common.permute(1, 2, 0)).permute(2, 0, 1)
    return around(torch.cat([slope, level - (slope * mean).sum(0, keepdim=True)]))


def _limit(mask: Image.Image, picture: Image.Image) -> Array:
    """The user's mask [H, W] in [0, 1]: white may change, black stays.

    Raises UserError for one of another size, where all is black, and where nothing but what is transparent is white.
    """
    flat, transparent = as_rgb(ImageOps.exif_transpose(mask))
    upright = flat.convert("L")
    if upright.size != picture.size:
        sizes = (f"{side.width}x{side.height}" for side in (upright, picture))
        raise UserError("mask of {}, picture of {}: expected the same size; scale the mask".format(*sizes))
    free = np.asarray(upright, dtype=np.float32) / np.float32(255)
    if free.max() < LEAST_MASK:  # also 0 and 1 out of an array: that 1 is as good as black
        raise UserError("mask: all black, so nothing may change; paint white (255) what may, or leave the mask out")
    if transparent and free.min() == 1:  # white paint on nothing, say: whoever paints a mask wants something to stay
        raise UserError("mask: what is transparent is white, too, so all may change; paint black what should stay")
    return free
