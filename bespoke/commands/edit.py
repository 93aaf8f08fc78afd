"""How is a picture edited from the command line? PNGs with a metadata.jsonl beside them, and a sheet to choose from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from bespoke.commands.folders import claim_folder, free_name
from bespoke.commands.generate import unknown_text
from bespoke.commands.screen import say
from bespoke.data.pictures import BadPicture, whole
from bespoke.editing import EditedPicture, Editing
from bespoke.errors import UserError
from bespoke.generation import METADATA, PromptReport, model_name, write_edits
from bespoke.method.editor import USUAL_STRENGTH
from bespoke.networks import weights_hash
from bespoke.pipeline import Pipeline, seeds_of
from bespoke.provenance import mark, type_of_edit

DEFAULT_FOLDER = Path("edits")
SHEET = "sheet.png"
STRENGTHS = (0.3, 0.5, 0.7, 0.9, 1.0)
CELL, LABEL = 192, 18  # pixels of a picture on the sheet, and of the line under it


def edit(
    model: str,
    picture: Path,
    text: str,
    *,
    source: str | None,
    strength: float,
    mask: Path | None,
    num_images: int,
    seed: int | None,
    sheet: bool,
    out: Path | None,
) -> None:
    """Write the edited pictures of one picture into a folder and say where. Raises UserError."""
    pipeline = Pipeline.from_pretrained(model)
    shown, limit = _read(picture), None if mask is None else _read(mask, flat=False)
    seeds = seeds_of(num_images, seed)
    still: list[int] = []  # seeds of versions that are the picture as it was

    def version(strength: float, seed: int) -> Editing:
        return pipeline.edit(shown, text, source=source, strength=strength, mask=limit, seed=seed)

    def versions() -> Iterator[EditedPicture]:
        """One at a time: all versions of a large picture would fill the memory."""
        for each in seeds:
            picture = (made if each == seeds[0] else version(strength, each)).pictures[0]
            if picture.mask.getbbox() is None:
                still.append(each)
            yield picture

    made = version(strength, seeds[0])  # a mistake is told before there is a folder
    folder = claim_folder(free_name(DEFAULT_FOLDER) if out is None else out)
    say(_changes(made, source))
    if warning := unknown_text(PromptReport(unknown=Counter(made.unknown_words))):
        say(warning)
    original, source_type = hashlib.sha256(picture.read_bytes()).hexdigest(), type_of_edit(picture)
    assert pipeline.networks.editor is not None
    # A model's id says nothing of its editor.
    name = f"{model_name(model, pipeline)} editor {weights_hash(pipeline.networks.editor)}"
    count, done = len(seeds), 0
    try:
        written = write_edits(versions(), folder, model=name, original=original, source_type=source_type)
        for _ in written:
            done += 1
        if sheet:
            mark(
                _sheet(shown, version, seeds),
                folder / SHEET,
                prompt=text,
                seed=seeds[0],
                balance=0.0,
                model=name,
                source_type=source_type,
            )
    except KeyboardInterrupt:
        rest = f" For the others give --seed {seeds[done]} and a new --out." if done < count else ""
        say(f"Stopped: {done:,} of {count:,} pictures are in {folder}, described in {folder / METADATA}.{rest}")
        raise
    say(f"{count:,} {'picture' if count == 1 else 'pictures'} in {folder}, described in {folder / METADATA}")
    if still and strength > 0:
        remedy = "raise --strength, allow more by --mask, or say by --from what it shows now"
        say(f"Nothing changed in {len(still):,} of {count:,}: {remedy}")
    if sheet:
        say(f"Sheet: {folder / SHEET}; its rows: strength {', '.join(f'{each:g}' for each in STRENGTHS)}")


def _read(file: Path, *, flat: bool = True) -> Image.Image:
    if not file.is_file():
        raise UserError(f"{file}: no such picture file; check its name")
    try:
        return whole(file, flat=flat)
    except BadPicture as error:
        raise UserError(str(error).removesuffix(" or take it out")) from None  # which is said of a catalogue


def _changes(made: Editing, source: str | None) -> str:
    if source is None:
        return "No --from text: the model has to guess what may change; say what the picture shows now."
    return f"Changes: {' '.join(made.old_words) or 'nothing'} -> {' '.join(made.new_words) or 'nothing'}"


def _sheet(picture: Image.Image, version: Callable[[float, int], Editing], seeds: Sequence[int]) -> Image.Image:
    """The picture and where it changes on top; below a row a strength, a column a seed."""
    columns = max(2, len(seeds))
    sheet = Image.new("RGB", (columns * CELL, (1 + len(STRENGTHS)) * (CELL + LABEL)), "white")
    draw = ImageDraw.Draw(sheet)

    def put(image: Image.Image, row: int, column: int, label: str) -> None:
        scale = CELL / max(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        cell = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
        x, y = column * CELL, row * (CELL + LABEL)
        sheet.paste(cell, (x + (CELL - cell.width) // 2, y + (CELL - cell.height) // 2))
        draw.text((x + 4, y + CELL + 2), label, fill="black")

    put(picture, 0, 0, "source")
    for row, strength in enumerate(STRENGTHS, 1):
        for column, seed in enumerate(seeds):
            made = version(strength, seed)
            put(made.images[0], row, column, f"strength {strength:g}, seed {seed}")
            if strength == USUAL_STRENGTH and column == 0:
                put(made.mask, 0, 1, "mask")
    return sheet
