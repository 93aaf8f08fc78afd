"""What do the networks know before the first step? What colours and words of the catalogue say of each other."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bespoke.data.caption_tokens import CaptionTokens
from bespoke.data.captions import Tokenizer
from bespoke.data.front_end import FrontEnd
from bespoke.data.item import Split
from bespoke.data.levels import to_signed
from bespoke.data.store import PairStore
from bespoke.method.canonical import CanonicalWords, Directions, canonical_directions, colors_of, start_from
from bespoke.networks import Networks
from bespoke.training.workplace import Workplace

MOST_PICTURES = 10_000  # more hardly move the directions
MOST_JUDGED = 2_000  # pictures by which the ridge is chosen
LEAST_PICTURES = 4  # a word must describe so many pictures to have a say
MOST_WORDS = 2_000
RIDGES = (1.0, 3.0, 10.0, 30.0)  # one is chosen by the validation split
_BLOCK = 500  # pictures at a time


def start_from_canonical(networks: Networks, store: PairStore, front_end: FrontEnd, place: Workplace) -> None:
    """Give discriminator and alignment encoder the canonical directions of the training pairs.

    The ridge is the one by which validation pictures find their captions best. A pure function of the store and the
    front end but for the way up, which is drawn from torch's global generator; the same in all processes.
    """
    assert isinstance(front_end, Tokenizer)
    directions = catalogue_directions(store, front_end, networks.settings.canonical_width)
    pictures, captions = networks.discriminator.canonical, networks.text_encoder.alignment.canonical
    assert pictures is not None
    assert isinstance(captions, CanonicalWords)
    start_from(pictures, captions, directions)
    # The sign of an eigenvector may differ from machine to machine.
    place.share([*pictures.state_dict().values(), *captions.state_dict().values()])


@torch.no_grad()
def catalogue_directions(store: PairStore, tokenizer: Tokenizer, width: int) -> Directions:
    """Canonical directions between the colours of the training pictures and the pieces of their captions."""
    colors, counts = _sides(store, tokenizer, "train", MOST_PICTURES)
    found = (counts > 0).sum(0)
    kept = (found >= LEAST_PICTURES).nonzero()[:, 0]
    kept = kept[found[kept].argsort(descending=True, stable=True)[:MOST_WORDS]]
    rarity = (len(counts) / (1 + found[kept])).log().clamp(min=0)
    words = counts[:, kept] * rarity
    colors_mean, words_mean = colors.mean(0), words.mean(0)
    held_out_split: Split = "validation" if len(store.indices("validation")) else "train"
    held_out_colors, held_out_counts = _sides(store, tokenizer, held_out_split, MOST_JUDGED)
    held_out_colors -= colors_mean
    held_out_words = held_out_counts[:, kept] * rarity - words_mean
    colors -= colors_mean
    words -= words_mean
    best = None
    for left, right in canonical_directions(colors, words, RIDGES, width):
        # Both sides have length one on the training pairs, so that neither drowns the other.
        left /= (colors @ left).norm(dim=1).mean().clamp(min=1e-6)
        right /= (words @ right).norm(dim=1).mean().clamp(min=1e-6)
        surprise = _surprise(held_out_colors @ left, held_out_words @ right)
        if best is None or surprise < best[0]:
            best = surprise, left, right
    assert best is not None
    _, left, right = best
    num = left.shape[1]  # a small catalogue has fewer directions than there is room for
    color_rows, word_rows = torch.zeros(colors.shape[1], width), torch.zeros(counts.shape[1], width)
    color_rows[:, :num], word_rows[kept, :num] = left, rarity[:, None] * right
    return Directions(color_rows, colors_mean, word_rows, F.pad(words_mean @ right, (0, width - num)))


def _sides(store: PairStore, tokenizer: Tokenizer, split: Split, most: int) -> tuple[Tensor, Tensor]:
    """Colours [M, NUM_COLORS] of at most so many pictures, and how often each piece stands in a caption, [M, V]."""
    index = store.indices(split)
    if len(index) > most:
        index = np.random.default_rng(0).choice(index, most, replace=False)
    blocks = np.array_split(index, max(1, len(index) // _BLOCK))
    colors = torch.cat([colors_of(to_signed(torch.from_numpy(store.take(block)))) for block in blocks])
    captions = CaptionTokens(store, tokenizer)
    counts = torch.zeros(len(index), tokenizer.vocabulary_size)
    for row, picture in enumerate(index.tolist()):
        tokens = captions.take(np.arange(store.caption_start[picture], store.caption_start[picture + 1]))
        counts[row] = torch.bincount(torch.from_numpy(tokens).flatten(), minlength=counts.shape[1]) / len(tokens)
    counts[:, [tokenizer.pad_id, tokenizer.unk_id, tokenizer.null_id]] = 0
    return colors, counts


def _surprise(seen: Tensor, told: Tensor) -> float:
    """Mean log of the place at which a picture finds its captions among all: 0 when always first."""
    similar = F.normalize(seen, dim=1) @ F.normalize(told, dim=1).T
    place = (similar > similar.diagonal()[:, None]).sum(1) + 1
    return float(place.float().log().mean())
