"""What becomes of generated pictures? A folder of marked PNGs with metadata.jsonl: itself a catalogue."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bespoke.data.columns import text_columns
from bespoke.data.records import read_records, text_encoding
from bespoke.data.tables import as_texts
from bespoke.editing import EditedPicture
from bespoke.errors import UserError
from bespoke.pipeline import Picture, Pipeline
from bespoke.provenance import mark

METADATA = "metadata.jsonl"
MASKS = "masks"  # the folder of masks beside edited pictures
TABLES = (".jsonl", ".csv", ".xlsx", ".parquet")
# Suffixes of files that hold texts, but not as lines, nor in a table that is read here.
OTHERS = (".json", ".tsv", ".xls", ".xlsm", ".ods", ".doc", ".docx", ".odt", ".rtf", ".pdf", ".html", ".xml", ".yaml")
MOST_UNKNOWN = 10_000  # different words that are counted; bounds the memory


def read_prompts(path: Path) -> Iterator[str]:
    """The texts of a file, one at a time: the lines of a text file, or the column text of a table.

    Empty lines are no texts. Raises UserError for a missing file, one of another kind, and where a row of a table has
    no text.
    """
    give = "give a text file with one text a line, or a .jsonl, .csv or .xlsx with a column text"
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no ordinary file, and texts are read twice" if path.exists() else ""
        raise UserError(f"{path}: {what or 'no such file'}; {give}")
    if path.suffix.lower() in OTHERS:
        raise UserError(f"{path}: {path.suffix} is read neither as lines nor as a table; {give}")
    return _read_table(path) if path.suffix.lower() in TABLES else _read_lines(path)


def _read_lines(path: Path) -> Iterator[str]:
    with path.open(encoding=text_encoding(path)) as file:
        for line in file:
            if text := line.strip():
                yield text


def _read_table(path: Path) -> Iterator[str]:
    for number, record in read_records(path):
        texts = [text for column in text_columns(record) for text in as_texts(record.get(column), f"{path}:{number}")]
        if not texts:
            columns = ", ".join(map(str, record))
            raise UserError(f"{path}:{number}: no text (columns: {columns}); put what to draw in the column text")
        yield from texts


@dataclass
class PromptReport:
    """What is known of texts before they are drawn."""

    num_texts: int = 0
    num_with_unknown: int = 0  # texts that hold a word never seen in training
    unknown: Counter[str] = field(default_factory=Counter)  # those words, and in how many texts each stands


def examine(prompts: Iterable[str], pipeline: Pipeline) -> PromptReport:
    """Read through all texts once: how many there are, and which of their words the model has never seen."""
    report = PromptReport()
    for text in prompts:
        report.num_texts += 1
        words = pipeline.tokenizer.unknown(text)
        report.num_with_unknown += bool(words)
        report.unknown.update(w for w in words if w in report.unknown or len(report.unknown) < MOST_UNKNOWN)
    return report


def write_pictures(pictures: Iterable[Picture], folder: Path, *, model: str) -> Iterator[Path]:
    """Write each picture into `folder` as it comes, and yield its file; a row of metadata.jsonl follows every picture.

    model: who made them, kept in each file and row. Whenever it is broken off, what is there is a whole catalogue.
    Raises UserError if the disk refuses.
    """
    for number, picture in enumerate(pictures, 1):
        file = folder / f"{number:06d}.png"
        mark(picture.image, file, prompt=picture.text, seed=picture.seed, balance=picture.balance, model=model)
        row = {
            "file_name": file.name,
            "text": picture.text,
            "seed": picture.seed,
            "balance": picture.balance,
            "alignment": picture.alignment,
            "model": model,
        }
        _add_row(folder / METADATA, row)
        yield file


def write_edits(
    pictures: Iterable[EditedPicture], folder: Path, *, model: str, original: str, source_type: str
) -> Iterator[Path]:
    """Write each edited picture into `folder`, in `folder`/masks where it changed, and yield its file.

    original: the SHA-256 of the picture file that was edited, kept in each file and row; source_type: what the edits
    are, see provenance.type_of_edit. Otherwise as `write_pictures`.
    """
    for number, picture in enumerate(pictures, 1):
        file, where = folder / f"{number:06d}.png", folder / MASKS / f"{number:06d}.png"
        origin = {"edited_from": original, "source": picture.source, "strength": picture.strength}
        # The editor is taught with pictures that are drawn at balance 0.
        mark(
            picture.image,
            file,
            prompt=picture.text,
            seed=picture.seed,
            balance=0.0,
            model=model,
            source_type=source_type,
            chain=origin,
        )
        part = where.with_name(f".{where.name}.part")
        try:
            where.parent.mkdir(exist_ok=True)
            picture.mask.save(part, format="PNG")
            part.replace(where)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            raise UserError(f"{where}: could not be written ({error.strerror}); free some disk space") from error
        row = {
            "file_name": file.name,
            "text": picture.text,
            "source": picture.source,
            "strength": picture.strength,
            "seed": picture.seed,
            "alignment": picture.alignment,
            "model": model,
            "edited_from": original,
        }
        _add_row(folder / METADATA, row)
        yield file


def _add_row(metadata: Path, row: Mapping[str, object]) -> None:
    line = json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        with metadata.open("ab") as lines:
            lines.write(line.encode("utf-8", "replace"))  # half a surrogate pair is no text
    except OSError as error:
        raise UserError(f"{metadata}: could not be written ({error.strerror}); free some disk space") from error


def model_name(path: str | Path, pipeline: Pipeline) -> str:
    """How a model is named in what it makes: the run's name and the hash of its weights."""
    place = Path(path).resolve()
    name = place.parent.name if place.name == "model" else place.name
    return f"{name or 'model'} {pipeline.identity}"
