"""How does a catalogue become clean? It is copied without doubles and unusable pictures; the original stays."""

from __future__ import annotations

import json
import shutil
import unicodedata
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image, ImageOps

from bespoke.data.cache_writer import Progress
from bespoke.data.catalogue import Catalogue
from bespoke.data.check import Report
from bespoke.data.item import Item
from bespoke.errors import UserError

METADATA = "metadata.jsonl"
_OWN_COLUMNS = ("file_name", "text", "texts", "split")


def write_cleaned(catalogue: Catalogue, report: Report, folder: Path, progress: Progress | None = None) -> int:
    """Write the usable pictures of a checked catalogue into an empty folder, and say how many they are.

    Captions of copies and of repeated rows go to the picture that stays; files are copied byte for byte unless the
    catalogue crops them. metadata.jsonl comes last, so a folder that has one is complete. Raises UserError where the
    disk refuses.
    """
    inherited = _captions_of_copies(catalogue, report)
    part = folder / f"{METADATA}.part"
    done = 0
    try:
        with part.open("w", encoding="utf-8", errors="replace", newline="\n") as lines:
            for place, item in enumerate(catalogue):
                if not report.usable[place]:
                    continue
                name = _copy(item, folder)
                texts = [*dict.fromkeys([*item.texts, *inherited.get(place, ())])]
                lines.write(json.dumps(_row(item, name, texts), ensure_ascii=False) + "\n")
                done += 1
                if progress is not None and (done % 64 == 0 or done == report.counts.usable):
                    progress(done, report.counts.usable)
        part.replace(folder / METADATA)
    except OSError as error:
        raise UserError(
            f"{error.filename or folder}: cannot be copied ({error.strerror}); free some disk space, or mend the file"
        ) from error
    return done


def _captions_of_copies(catalogue: Catalogue, report: Report) -> dict[int, list[str]]:
    """Captions that would be lost with a copy, by the picture that stays."""
    inherited: dict[int, list[str]] = {}
    for place, item in enumerate(catalogue):
        home = int(report.home[place])
        if home != place:
            inherited.setdefault(home, []).extend(item.texts)
    return inherited


def _row(item: Item, name: str, texts: list[str]) -> dict[str, Any]:
    # A column that was no caption there must not become one here.
    attributes = {f"{key}_" if key in _OWN_COLUMNS else key: value for key, value in item.attributes.items()}
    split = {} if item.split is None else {"split": item.split}
    return {"file_name": name, "texts": texts, **split, **attributes}


def _copy(item: Item, folder: Path) -> str:
    """Copy one picture and return its name: safe on every system, and no other's."""
    parts = PurePosixPath(unicodedata.normalize("NFC", item.name)).parts
    name = PurePosixPath(*(part for part in parts if part not in ("/", "..")))
    if item.crop is not None:
        name = name.with_suffix(".png")
    number, free = 1, name
    while (folder / free).exists():
        number += 1
        free = name.with_stem(f"{name.stem}-{number}")
    target = folder / free
    target.parent.mkdir(parents=True, exist_ok=True)
    if item.crop is not None:
        _crop(item, target)
    elif isinstance(item.source, bytes):
        target.write_bytes(item.source)
    else:
        shutil.copyfile(item.source, target)
    return free.as_posix()


def _crop(item: Item, target: Path) -> None:
    assert item.crop is not None
    with item.open() as stream, Image.open(stream) as picture:
        upright = ImageOps.exif_transpose(picture)
        left, top, right, bottom = item.crop
        box = max(0, left), max(0, top), min(upright.width, right), min(upright.height, bottom)
        upright.convert("RGBA" if "A" in upright.getbands() else "RGB").crop(box).save(target)
