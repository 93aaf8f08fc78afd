"""Where does a catalogue come from when there is none? It is drawn: any size, any count, exact attributes."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import numpy as np

from bespoke.data.cache_writer import Progress
from bespoke.data.item import SHOT
from bespoke.data.sample_attributes import Attributes, changed, other_values, random_attributes
from bespoke.data.sample_captions import captions
from bespoke.data.sample_objects import BASE_KINDS, OBJECTS
from bespoke.data.sample_pictures import Drawing, draw
from bespoke.errors import UserError

SMALLEST_SIDE = 16  # pixels, as for every other catalogue
FOLDER_SIZE = 1000  # pictures
CHANGED = {"color": 0.3, "pattern": 0.5, "background": 0.2}  # what variants of a shot differ in, and how often
LANGUAGES = {
    "en": (("en", "en", "en"),),
    "ja": (("ja", "ja", "ja"),),
    "both": (("en", "ja", "en"), ("ja", "en", "ja")),  # in turn
}
ATTRIBUTES, PICTURE, CAPTIONS, VARIANTS = range(4)  # each has random numbers of its own


def write_sample(
    folder: str | Path,
    num_pictures: int,
    size: int,
    seed: int,
    language: Literal["en", "ja", "both"] = "en",
    objects: Collection[str] = BASE_KINDS,
    progress: Progress | None = None,
    variants: int = 1,
) -> Path:
    """Draw a catalogue of products: `num_pictures` PNGs of `size` x `size` pixels, metadata.jsonl, three captions each.

    Picture and captions i depend on (seed, i, objects) alone: a larger catalogue begins with the smaller one, and the
    pictures are the same in every language. `objects` are the kinds of products in it: leave one out to hold it out.
    variants: how many pictures in turn show one shot (`same_shot`), each but the first with another colour, pattern or
    background; then first captions tell all three.
    metadata.jsonl comes last, so a folder that has one is complete; an interrupted catalogue is drawn again. Raises
    UserError for a folder that holds anything else, and for values out of range.
    """
    folder = Path(folder)
    if num_pictures < 1:
        raise UserError(f"num_pictures={num_pictures}: expected 1 or more; ask for at least one picture")
    if size < SMALLEST_SIDE:
        raise UserError(f"size={size}: expected {SMALLEST_SIDE} or more pixels; choose a larger side")
    if variants < 1:
        raise UserError(f"variants={variants}: expected 1 or more; 1 draws every product once")
    if language not in LANGUAGES:
        raise UserError(f"language={language!r}: expected one of {', '.join(LANGUAGES)}; choose one of them")
    sample_attributes(seed, 0, objects)  # says what is wrong with them before a folder is made
    unfinished = folder / "metadata.jsonl.part"
    if folder.exists() and not (unfinished.exists() or (folder.is_dir() and not any(folder.iterdir()))):
        raise UserError(f"{folder}: expected a new or an empty folder for the sample catalogue; name another one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8", newline="\n") as lines:
            for index in range(num_pictures):
                row = _write_pair(folder, index, size, seed, language, objects, variants)
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
                if progress is not None:
                    progress(index + 1, num_pictures)
        unfinished.replace(folder / "metadata.jsonl")
    except OSError as error:
        raise UserError(
            f"{folder}: the sample catalogue could not be written ({error.strerror}); free space or name another folder"
        ) from error
    return folder


def _write_pair(
    folder: Path, index: int, size: int, seed: int, language: str, objects: Collection[str], variants: int
) -> dict[str, object]:
    """Draw picture `index` into its file and return its line of metadata.jsonl."""
    name = f"{index // FOLDER_SIZE:04d}/{index % FOLDER_SIZE:03d}.png"
    shot, variant = divmod(index, variants)
    attributes = _variant(seed, shot, sample_attributes(seed, shot, objects), variant)
    texts = sample_captions(seed, shot, attributes, language, CHANGED if variants > 1 else ())
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    sample_drawing(seed, shot, size, attributes).picture.save(path, compress_level=1)
    row = {"file_name": name, "texts": texts, **asdict(attributes)}
    return row | {SHOT: str(shot)} if variants > 1 else row


def _variant(seed: int, shot: int, attributes: Attributes, variant: int) -> Attributes:
    """The `variant`-th of a shot: the first as it is, the others with another colour, pattern or background each."""
    left = {name: other_values(attributes, name) for name in CHANGED}
    rng, shown = _random(seed, shot, VARIANTS), attributes
    for _ in range(variant):
        ways = [name for name in CHANGED if left[name]]
        if not ways:
            return attributes
        # Patterns come most often: they have fewer values than colours, but take longest to learn.
        share = np.array([CHANGED[name] for name in ways])
        name = ways[int(rng.choice(len(ways), p=share / share.sum()))]
        shown = changed(attributes, name, left[name].pop(int(rng.integers(len(left[name])))))
    return shown


def sample_attributes(seed: int, index: int, objects: Collection[str] = BASE_KINDS) -> Attributes:
    """What picture `index` of a catalogue of these `objects` shows; their order does not matter."""
    unknown = sorted(set(objects) - OBJECTS.keys())
    if unknown or not objects:
        wrong = f"{unknown[0]!r}" if unknown else "none at all"
        raise UserError(f"objects: expected some of {', '.join(OBJECTS)}, got {wrong}; name products of this list")
    return random_attributes(_random(seed, index, ATTRIBUTES), [kind for kind in OBJECTS if kind in objects])


def sample_drawing(seed: int, index: int, size: int, attributes: Attributes, *, lay: int = 0) -> Drawing:
    """Picture `index` and the mask of its product.

    With an attribute `changed`, it is the known target of an edit: the same product, pose, light and background but
    for that attribute. With another `lay` a pattern lies elsewhere on it, which no caption tells.
    """
    return draw(attributes, size, _random(seed, index, PICTURE), lay=lay)


def sample_captions(
    seed: int, index: int, attributes: Attributes, language: str = "en", told: Collection[str] = ()
) -> list[str]:
    """The three captions of picture `index`, or of an edit of it; the first tells colours, pattern and `told`."""
    languages = LANGUAGES[language][index % len(LANGUAGES[language])]
    return captions(attributes, languages, _random(seed, index, CAPTIONS), told)


def _random(seed: int, index: int, purpose: int) -> np.random.Generator:
    if seed < 0:
        raise UserError(f"seed={seed}: expected 0 or more; choose another number")
    return np.random.default_rng([seed, index, purpose])
