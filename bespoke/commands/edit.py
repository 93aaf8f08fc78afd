"""How is a picture edited from the command line? PNGs with a metadata.jsonl beside them, and a sheet to choose from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from bespoke.commands.folders import claim_folder, free_name
from bespoke.commands.generate import unknown_text
from bespoke.commands.screen import say
from bespoke.data.pictures import whole
from bespoke.editing import Editing
from bespoke.errors import UserError
from bespoke.generation import METADATA, PromptReport, model_name, write_edits
from bespoke.method.editor import USUAL_STRENGTH
from bespoke.networks import weights_hash
from bespoke.pipeline import Pipeline
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
    made = pipeline.edit(shown, text, source=source, strength=strength, mask=limit, num_images=num_images, seed=seed)
    rows = [
        pipeline.edit(shown, text, source=source, strength=each, mask=limit, num_images=num_images, seed=made.seeds[0])
        for each in (STRENGTHS if sheet else ())
    ]
    folder = claim_folder(free_name(DEFAULT_FOLDER) if out is None else out)
    say(_changes(made, source))
    if warning := unknown_text(PromptReport(unknown=Counter(made.unknown_words))):
        say(warning)
    original, source_type = hashlib.sha256(picture.read_bytes()).hexdigest(), type_of_edit(picture)
    assert pipeline.networks.editor is not None
    # A model's id says nothing of its editor.
    name = f"{model_name(model, pipeline)} editor {weights_hash(pipeline.networks.editor)}"
    for _ in write_edits(made.pictures, folder, model=name, original=original, source_type=source_type):
        pass
    if sheet:
        mark(
            _sheet(shown, rows),
            folder / SHEET,
            prompt=text,
            seed=made.seeds[0],
            balance=0.0,
            model=name,
            source_type=source_type,
        )
    count = len(made.pictures)
    say(f"{count:,} {'picture' if count == 1 else 'pictures'} in {folder}, described in {folder / METADATA}")
    if sheet:
        say(f"Sheet: {folder / SHEET}; its rows: strength {', '.join(f'{each:g}' for each in STRENGTHS)}")


def _read(file: Path, *, flat: bool = True) -> Image.Image:
    if not file.is_file():
        raise UserError(f"{file}: no such picture file; check its name")
    return whole(file, flat=flat)


def _changes(made: Editing, source: str | None) -> str:
    if source is None:
        return "No --from text: the model has to guess what may change; say what the picture shows now."
    return f"Changes: {' '.join(made.old_words) or 'nothing'} -> {' '.join(made.new_words) or 'nothing'}"


def _sheet(picture: Image.Image, rows: Sequence[Editing]) -> Image.Image:
    """The picture and where it changes on top; below a row a strength, a column a seed."""
    columns = max(2, len(rows[0].pictures))
    sheet = Image.new("RGB", (columns * CELL, (1 + len(rows)) * (CELL + LABEL)), "white")
    draw = ImageDraw.Draw(sheet)

    def put(image: Image.Image, row: int, column: int, label: str) -> None:
        scale = CELL / max(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        cell = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
        x, y = column * CELL, row * (CELL + LABEL)
        sheet.paste(cell, (x + (CELL - cell.width) // 2, y + (CELL - cell.height) // 2))
        draw.text((x + 4, y + CELL + 2), label, fill="black")

    middle = min(rows, key=lambda made: abs(made.pictures[0].strength - USUAL_STRENGTH))
    put(picture, 0, 0, "source")
    put(middle.mask, 0, 1, "mask")
    for number, made in enumerate(rows, 1):
        for column, edited in enumerate(made.pictures):
            put(edited.image, number, column, f"strength {edited.strength:g}, seed {edited.seed}")
    return sheet
