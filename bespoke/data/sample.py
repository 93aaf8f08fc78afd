"""Where does a catalogue come from when there is none? It is drawn: any size, any count, exact attributes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Literal

from bespoke.data.sample_captions import captions
from bespoke.data.sample_objects import OBJECTS
from bespoke.data.sample_pictures import BACKGROUNDS, COLORS, PATTERNS, POSITIONS, SIZES, draw
from bespoke.errors import UserError

SMALLEST_SIDE = 16  # pixels, as for every other catalogue
FOLDER_SIZE = 1000  # pictures
LANGUAGES = {
    "en": (("en", "en", "en"),),
    "ja": (("ja", "ja", "ja"),),
    "both": (("en", "ja", "en"), ("ja", "en", "ja")),  # in turn
}


def write_sample(
    folder: str | Path,
    num_pictures: int,
    size: int,
    seed: int,
    language: Literal["en", "ja", "both"] = "en",
) -> Path:
    """Draw a catalogue of products: `num_pictures` PNGs of `size` x `size` pixels, metadata.jsonl, three captions each.

    Picture and captions i depend on (seed, i) alone: a larger catalogue begins with the smaller one, and the pictures
    are the same in every language. metadata.jsonl comes last, so a folder that has one is complete; an interrupted
    catalogue is drawn again. Raises UserError for a folder that holds anything else, and for values out of range.
    """
    folder = Path(folder)
    if num_pictures < 1:
        raise UserError(f"num_pictures={num_pictures}: expected 1 or more; ask for at least one picture")
    if size < SMALLEST_SIDE:
        raise UserError(f"size={size}: expected {SMALLEST_SIDE} or more pixels; choose a larger side")
    if language not in LANGUAGES:
        raise UserError(f"language={language!r}: expected one of {', '.join(LANGUAGES)}; choose one of them")
    unfinished = folder / "metadata.jsonl.part"
    if folder.exists() and not (unfinished.exists() or (folder.is_dir() and not any(folder.iterdir()))):
        raise UserError(f"{folder}: expected a new or an empty folder for the sample catalogue; name another one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8", newline="\n") as lines:
            for index in range(num_pictures):
                lines.write(json.dumps(_write_pair(folder, index, size, seed, language), ensure_ascii=False) + "\n")
        unfinished.replace(folder / "metadata.jsonl")
    except OSError as error:
        raise UserError(
            f"{folder}: the sample catalogue could not be written ({error.strerror}); free space or name another folder"
        ) from error
    return folder


def _write_pair(folder: Path, index: int, size: int, seed: int, language: str) -> dict[str, object]:
    """Draw picture `index` into its file and return its line of metadata.jsonl."""
    name = f"{index // FOLDER_SIZE:04d}/{index % FOLDER_SIZE:03d}.png"
    attributes = sample_attributes(seed, index)
    languages = LANGUAGES[language][index % len(LANGUAGES[language])]
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    draw(attributes, size, random.Random(f"{seed} {index} picture")).save(path, compress_level=1)
    texts = captions(attributes, languages, random.Random(f"{seed} {index} captions {language}"))
    return {"file_name": name, "texts": texts, **attributes}


def sample_attributes(seed: int, index: int) -> dict[str, str]:
    """What picture `index` shows; `accent` is the second colour of a pattern, "none" without one."""
    rng = random.Random(f"{seed} {index} attributes")
    color, pattern = rng.choice(list(COLORS)), rng.choice(PATTERNS)
    accents = [other for other in COLORS if _contrast(color, other) > 120]
    return {
        "object": rng.choice(list(OBJECTS)),
        "color": color,
        "pattern": pattern,
        "accent": "none" if pattern == "plain" else rng.choice(accents),
        "size": rng.choice(list(SIZES)),
        "position": rng.choice(list(POSITIONS)),
        "background": rng.choice(list(BACKGROUNDS)),
    }


def _contrast(one: str, other: str) -> float:
    return sum((a - b) ** 2 for a, b in zip(COLORS[one], COLORS[other], strict=True)) ** 0.5
