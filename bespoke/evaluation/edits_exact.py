"""What is an edit worth where the true answer is known? Asked on fresh pictures of the built-in catalogue.

Every attribute is told by the drawing itself: of all values that it could have, the one whose picture comes nearest.
Where on a product a pattern begins, no text says: patterns are told by the sizes of their waves, wherever they lie, and
by the squares of what those differ in: a pattern is a few strong waves, roughness is many weak ones.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from bespoke.data.sample import sample_attributes, sample_captions, sample_drawing
from bespoke.data.sample_attributes import NAMES, Attributes, changed, other_values
from bespoke.data.sample_colors import COLORS, main_color
from bespoke.data.store import PairStore
from bespoke.evaluation.edits import STRENGTHS, Way, ask_editor
from bespoke.evaluation.edits import changed as edited_at
from bespoke.evaluation.seeing import draw
from bespoke.pipeline import Pipeline

EDITED = ("color", "pattern", "background")  # what is changed; the others must stay
NUM_LAYS = 12  # places, sizes and directions that each pattern is compared in
ONE_LAY = ("plain", "color-block")  # patterns that lie as they lie
FRESH = 10**6  # seeds of catalogues that nobody trains on begin here


class ExactRow(NamedTuple):
    """What one way did to one attribute, means over the pictures."""

    attribute: str
    way: Way
    num_pictures: int
    right: float  # share with the value that the new text says
    kept: float  # share whose other attributes are all as they were
    background: float  # mean difference from the true target outside the product, as a share of the range
    to_target: float  # mean difference from the true target, as a share of the range


class Known(NamedTuple):
    """A drawn picture, its edit, and the true answer."""

    picture: NDArray[np.uint8]  # [S, S, 3]
    mask: NDArray[np.bool_]  # [S, S], of the product
    target: NDArray[np.uint8]
    attributes: Attributes
    wanted: Attributes
    source: str
    text: str
    seed: int  # of its drawing
    number: int


def is_builtin(store: PairStore) -> bool:
    """Whether a catalogue was drawn by us: its pictures have exactly the attributes of drawings."""
    return set(NAMES) <= store.attributes(0).keys()


def exact_edits(
    pipeline: Pipeline, *, num_pictures: int = 100, seed: int = 0, tell: Callable[[str, int, int], None]
) -> list[ExactRow]:
    """Change colours, then patterns, then backgrounds, of as many fresh drawings each, by every way but inversion."""
    rows = []
    for attribute in EDITED:
        known = []
        for case in _cases(attribute, num_pictures, pipeline.networks.settings.image_size, FRESH + seed):
            known.append(case)
            tell(f"drawings of another {attribute}", len(known), num_pictures)
        for number, (way, pictures) in enumerate(_ways(pipeline, known, seed)):
            rows.append(_row(attribute, way, known, pictures))
            tell(f"{attribute} told", number + 1, len(STRENGTHS) + 3)
    return rows


def _cases(attribute: str, count: int, size: int, seed: int) -> Iterator[Known]:
    rng, number, found = np.random.default_rng([seed, EDITED.index(attribute)]), 0, 0
    while found < count:
        number += 1
        has = sample_attributes(seed, number)
        values = other_values(has, attribute)
        if not values:  # a plain product without a second colour takes no pattern
            continue
        wanted = changed(has, attribute, values[int(rng.integers(len(values)))])
        source, text = (sample_captions(seed, number, each)[0] for each in (has, wanted))
        if source == text:
            continue
        before, after = (sample_drawing(seed, number, size, each) for each in (has, wanted))
        found += 1
        yield Known(
            np.asarray(before.picture), before.mask, np.asarray(after.picture), has, wanted, source, text, seed, number
        )


def _ways(pipeline: Pipeline, known: Sequence[Known], seed: int) -> Iterator[tuple[Way, Tensor]]:
    x = torch.from_numpy(np.stack([case.picture for case in known])).permute(0, 3, 1, 2).contiguous()
    texts, sources = [case.text for case in known], [case.source for case in known]
    seeds = list(range(seed, seed + len(known)))
    yield Way("target"), torch.from_numpy(np.stack([case.target for case in known])).permute(0, 3, 1, 2).contiguous()
    yield Way("identity"), x
    yield Way("anew"), torch.cat(list(draw(pipeline, texts, seeds, 0.5)))
    asked = zip(*ask_editor(pipeline, x, texts, sources, seeds), strict=True)
    colors, masks = (torch.cat(parts) for parts in asked)
    for strength in STRENGTHS:
        yield Way("edit", strength), edited_at(x, colors, masks, strength)


def _row(attribute: str, way: Way, known: Sequence[Known], pictures: Tensor) -> ExactRow:
    made = pictures.permute(0, 2, 3, 1).numpy()
    told = [{name: _told(case, name, picture) for name in EDITED} for case, picture in zip(known, made, strict=True)]
    right = [each[attribute] == getattr(case.wanted, attribute) for each, case in zip(told, known, strict=True)]
    kept = [
        all(each[name] == getattr(case.attributes, name) for name in EDITED if name != attribute)
        for each, case in zip(told, known, strict=True)
    ]
    apart = [_apart(picture, case.target) for case, picture in zip(known, made, strict=True)]
    behind, to_target = (
        [each[~case.mask].mean() for case, each in zip(known, apart, strict=True)],
        [each.mean() for each in apart],
    )
    means = (float(np.mean(values)) for values in (right, kept, behind, to_target))
    return ExactRow(attribute, way, len(known), *means)


def _told(case: Known, name: str, picture: NDArray[np.uint8]) -> str:
    """The value that a picture shows: its colour by all pixels of the product, else the nearest of all drawings.

    Drawn both as it was and as it should be: whether an edit has failed says nothing of what else it changed.
    """
    if name == "color":
        return main_color(Image.fromarray(picture), case.mask)
    if name == "pattern" and case.attributes.second_color == "none":
        return case.attributes.pattern  # there is none to be seen
    told: dict[float, str] = {}
    for like in (case.attributes, case.wanted):
        if name == "pattern":
            patterns = _patterns(case.seed, case.number, len(picture), like)
            seen = patterns.waves(picture)
            told |= {float(np.square(seen - each).mean()): value for value, each in patterns.drawn}
            continue
        for value in (getattr(like, name), *other_values(like, name)):
            drawn = _drawn(case.seed, case.number, len(picture), replace(like, **{name: value}))
            told[float(_apart(picture, drawn)[~case.mask].mean())] = value
    return told[min(told)]


class _Patterns:
    """What each pattern looks like on one product, wherever on it it begins."""

    def __init__(self, seed: int, number: int, size: int, like: Attributes) -> None:
        plain = sample_drawing(seed, number, size, replace(like, pattern="plain"))
        first, second = (np.asarray(COLORS[each], float) for each in (like.color, like.second_color))
        self._plain, self._mask = np.asarray(plain.picture, dtype=np.float64), plain.mask
        self._step = (second - first) / ((second - first) ** 2).sum()
        self.drawn: list[tuple[str, NDArray[np.float64]]] = []
        for value in (like.pattern, *other_values(like, "pattern")):
            for lay in range(1, 2 if value in ONE_LAY else NUM_LAYS + 1):
                drawing = sample_drawing(seed, number, size, replace(like, pattern=value), lay=lay)
                self.drawn.append((value, self.waves(np.asarray(drawing.picture))))

    def waves(self, picture: NDArray[np.uint8]) -> NDArray[np.float64]:
        """How strong each wave is in the share of the second colour [S, S // 2 + 1], which does not say where it is."""
        share = ((picture - self._plain) @ self._step) * self._mask
        return np.asarray(np.abs(np.fft.rfft2(share)))


@functools.lru_cache(maxsize=1024)  # every way is told by the same drawings
def _patterns(seed: int, number: int, size: int, like: Attributes) -> _Patterns:
    return _Patterns(seed, number, size, like)


@functools.lru_cache(maxsize=4096)
def _drawn(seed: int, number: int, size: int, attributes: Attributes) -> NDArray[np.uint8]:
    return np.asarray(sample_drawing(seed, number, size, attributes).picture)


def _apart(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[S, S]: mean difference of two pictures [S, S, 3], as a share of the range."""
    return np.abs(first.astype(np.float64) - second).mean(-1) / 255
