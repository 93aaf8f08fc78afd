"""How are data sets laid out on disk? One reader per layout of pictures and captions in a folder.

A reader is two functions: does this folder look like mine, and a generator of its items in a fixed order.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path, PurePosixPath

from bespoke.data.columns import Chosen, Columns, choose
from bespoke.data.file_names import FileFinder, name_key
from bespoke.data.item import Item, Problems, Split
from bespoke.data.pictures import SUFFIXES
from bespoke.data.records import read_records, text_encoding
from bespoke.data.tables import METADATA_NAMES, read_table
from bespoke.errors import UserError

OTHER_TABLES = (".xls", ".xlsm", ".ods", ".tsv")  # not read; named to whoever has one
OTHER_KINDS = (".gif", ".tif", ".tiff", ".bmp", ".heic", ".heif", ".avif")  # of pictures, the same

SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "test": "test",
}


def split_of(named: str, where: str) -> Split:
    """What a column `split` says. Raises UserError for another word."""
    try:
        return SPLIT_FOLDERS[named.lower()]
    except KeyError:
        raise UserError(
            f"{where}: split '{named}': use train, validation or test, or give a column that means something else "
            "another name"
        ) from None


def read_lines(path: Path) -> tuple[str, ...]:
    """Return the captions of a text file, one a line, without empty lines, in any encoding that tables may have."""
    text = path.read_text(text_encoding(path))
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _metadata_files(folder: Path) -> list[tuple[Path, Split | None]]:
    """The tables of a picture folder: one at its top, or one in each folder named after a split."""
    for name in METADATA_NAMES:
        if (folder / name).is_file():
            return [(folder / name, None)]
    found: list[tuple[Path, Split | None]] = []
    for sub, split in SPLIT_FOLDERS.items():
        found += [(folder / sub / name, split) for name in METADATA_NAMES if (folder / sub / name).is_file()][:1]
    return found


def table_by_another_name(folder: Path) -> Path | None:
    """The first table in a folder that would be read if it were called metadata, or were saved as one that is."""
    paths = [path for path in sorted(folder.iterdir()) if path.name not in METADATA_NAMES]
    return next((path for path in paths if is_table(path)), next(filter(_has_tabs, paths), None))


def _has_tabs(path: Path) -> bool:
    """Whether a file is the table that Excel saves as Unicode text."""
    if path.suffix.lower() == ".txt" and path.is_file():
        with suppress(UserError), path.open(encoding=text_encoding(path)) as lines:
            return "\t" in lines.readline()
    return False


def is_table(path: Path) -> bool:
    """Whether a file is a table by its name, read or not; lock files of a spreadsheet's program are none."""
    suffixes = (*(Path(name).suffix for name in METADATA_NAMES), *OTHER_TABLES)
    return path.suffix.lower() in suffixes and not path.name.startswith((".", "~$")) and path.is_file()


def is_imagefolder(folder: Path) -> bool:
    """Pictures beside a metadata table, the convention of Hugging Face's ImageFolder."""
    return bool(_metadata_files(folder))


def columns_of(folder: Path, columns: Columns) -> Chosen | None:
    """The columns that are read from the first table; None where it has no rows. Raises UserError."""
    table = _metadata_files(folder)[0][0]
    return next((choose(columns, record, f"{table}:{number}") for number, record in read_records(table, columns)), None)


def read_imagefolder(folder: Path, problems: Problems, columns: Columns) -> Iterator[Item]:
    """Yield the rows of the metadata; a column `split` (train, validation or test) is an official split."""
    finder, tables = FileFinder(folder), _metadata_files(folder)
    for table, table_split in tables:
        for other in (table.with_name(name) for name in METADATA_NAMES if name != table.name):
            if other.is_file():
                problems.add("tables that are not read", other.relative_to(folder).as_posix())
        prefix = "" if table.parent == folder else table.parent.name + "/"
        for row in read_table(table, columns, problems):
            split = table_split
            named = row.attributes.pop("split", None)
            if named is not None:
                split = split_of(named, f"{table}: {row.file_name}")
            name = finder.find(prefix + row.file_name)
            yield Item(name, folder / name, row.texts, row.attributes, split)


def pictures_in(folder: Path) -> Iterator[str]:
    """Names of all pictures in a folder and below, read or not, relative to it; what is hidden is passed over."""
    for place, subfolders, files in os.walk(folder):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for file in sorted(files):
            if not file.startswith(".") and PurePosixPath(file).suffix.lower() in (*SUFFIXES, *OTHER_KINDS):
                yield (Path(place) / file).relative_to(folder).as_posix()


def is_text_pairs(folder: Path) -> bool:
    """A picture with a text file of the same name beside it, in the folder or below."""
    return any(text is not None for _, text in _pictures_below(folder, Problems()))


def read_text_pairs(folder: Path, problems: Problems) -> Iterator[Item]:
    """Yield every picture below the folder with the lines of its text file."""
    for path in sorted(folder.iterdir()):
        if is_table(path):
            problems.add("tables that are not read", path.name)
    for path, text in _pictures_below(folder, problems):
        yield Item(path.relative_to(folder).as_posix(), path, () if text is None else read_lines(text))


def _pictures_below(
    folder: Path, problems: Problems, above: frozenset[tuple[int, int]] = frozenset()
) -> Iterator[tuple[Path, Path | None]]:
    """Pictures in sorted order, each with its text file, one folder's names in memory at a time.

    Hidden files and folders are passed over, and so are links to a folder in which they lie, `above`.
    """
    status = folder.stat()
    above |= {(status.st_dev, status.st_ino)}
    paths = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    texts = {name_key(path.stem): path for path in paths if path.suffix.lower() == ".txt"}
    for path in paths:
        text = texts.get(name_key(path.stem))
        if path.suffix.lower() in SUFFIXES:
            yield path, text
        elif text is not None and path.suffix.lower() in OTHER_KINDS:
            problems.add("pictures of a kind that is not read", path.name)
    for path in paths:
        if path.suffix.lower() not in SUFFIXES and path.is_dir():
            status = path.stat()
            if (status.st_dev, status.st_ino) not in above:
                yield from _pictures_below(path, problems, above)


def class_splits(folder: Path) -> dict[str, Split]:
    """Read trainvalclasses.txt and testclasses.txt: the class-disjoint split of Reed et al. (2016)."""
    splits: dict[str, Split] = {}
    lists: tuple[tuple[str, Split], ...] = (("trainvalclasses.txt", "train"), ("testclasses.txt", "test"))
    for name, split in lists:
        path = folder / name
        if not path.is_file():
            raise UserError(f"{path}: no such file; put the class lists that come with the captions there")
        for line in read_lines(path):
            if splits.setdefault(line, split) != split:
                raise UserError(f"{path}: class {line} is in trainvalclasses.txt too; leave it in one of the two")
    return splits


def is_oxford102(folder: Path) -> bool:
    """Oxford-102 flowers as distributed: jpg/ and text_c10/class_*/."""
    return (folder / "jpg").is_dir() and (folder / "text_c10").is_dir()


def read_oxford102(folder: Path, problems: Problems) -> Iterator[Item]:
    """Yield the flowers class by class; captions without a picture are listed as problems."""
    splits = class_splits(folder)
    for class_folder in sorted(path for path in (folder / "text_c10").glob("class_*") if path.is_dir()):
        if class_folder.name not in splits:
            problems.add("classes in neither class list", class_folder.name)
            continue
        for captions in sorted(class_folder.glob("image_*.txt")):
            name = f"jpg/{captions.stem}.jpg"
            if not (folder / name).is_file():
                problems.add("caption files without a picture", captions.relative_to(folder).as_posix())
                continue
            attributes = {"class": class_folder.name}
            yield Item(name, folder / name, read_lines(captions), attributes, splits[class_folder.name])


def is_cub200(folder: Path) -> bool:
    """CUB-200-2011 birds as distributed, with text_c10/ beside or inside."""
    return (_cub_base(folder) / "bounding_boxes.txt").is_file() and (_cub_base(folder) / "images").is_dir()


def _cub_base(folder: Path) -> Path:
    inner = folder / "CUB_200_2011"
    return inner if inner.is_dir() else folder


def read_cub200(folder: Path, problems: Problems) -> Iterator[Item]:
    """Yield the birds in the order of images.txt, each with the crop that the text-to-image literature uses."""
    base = _cub_base(folder)
    beside = next((place for place in (folder, base) if (place / "text_c10").is_dir()), None)
    if beside is None:
        raise UserError(f"{folder}: no folder text_c10; put the captions of Reed et al. (2016) there")
    splits = class_splits(beside)
    for name, corners in _cub_rows(base):
        path = base / "images" / name
        captions = (beside / "text_c10" / name).with_suffix(".txt")
        class_name = name.split("/")[0]
        if class_name not in splits:
            problems.add("pictures of classes in neither class list", name)
        elif not captions.is_file():
            problems.add("pictures without a caption file", name)
        elif not path.is_file():
            problems.add("caption files without a picture", name)
        else:
            relative = path.relative_to(folder).as_posix()
            attributes = {"class": class_name}
            yield Item(relative, path, read_lines(captions), attributes, splits[class_name], bird_crop(*corners))


def _cub_rows(base: Path) -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    """Names of pictures with their bounding boxes: left, top, width, height in pixels."""
    path = base / "bounding_boxes.txt"
    if not (base / "images.txt").is_file():
        raise UserError(f"{base / 'images.txt'}: no such file; get the data set anew")
    with (
        (base / "images.txt").open(encoding="utf-8", errors="surrogateescape") as names,
        path.open(encoding="utf-8", errors="surrogateescape") as boxes,
    ):
        for line, (name_row, box_row) in enumerate(zip_longest(names, boxes, fillvalue=""), 1):
            try:
                number, name = name_row.split()
                box_number, left, top, width, height = box_row.split()
                corners = float(left), float(top), float(width), float(height)
                bird_crop(*corners)
            except (ValueError, OverflowError):  # no number, or none that is finite
                raise UserError(f"{path}:{line}: no bounding box for '{name_row.strip()}'; get the file anew") from None
            if number != box_number:
                raise UserError(f"{path}:{line}: box {box_number} where images.txt has {number}; get both anew")
            yield name, corners


def bird_crop(left: float, top: float, width: float, height: float) -> tuple[int, int, int, int]:
    """The square around a bounding box whose half side is 0.75 of the box's longer side, in pixels."""
    centre_x, centre_y = int(left + width / 2), int(top + height / 2)
    half = int(max(width, height) * 0.75)
    return centre_x - half, centre_y - half, centre_x + half, centre_y + half


COCO_YEARS = ("2017", "2014")  # the same pictures, divided otherwise: only one of them is read


def is_coco(folder: Path) -> bool:
    """COCO captions as distributed: annotations/captions_{train,val}{2014,2017}.json."""
    return _coco_year(folder) is not None


def _coco_year(folder: Path) -> str | None:
    """The newest year with captions, one with pictures before one without."""
    years = [year for year in COCO_YEARS if (folder / "annotations" / f"captions_train{year}.json").is_file()]
    return next(
        (year for year in years if _coco_pictures(folder, f"train{year}").is_dir()), years[0] if years else None
    )


def _coco_pictures(folder: Path, part: str) -> Path:
    inner = folder / "images" / part
    return inner if inner.is_dir() else folder / part


def read_coco(folder: Path, problems: Problems) -> Iterator[Item]:
    """Yield the pictures of train and, as the test split, of val; one JSON file is in memory at a time."""
    year = _coco_year(folder)
    parts: tuple[tuple[str, Split], ...] = ((f"train{year}", "train"), (f"val{year}", "test"))
    for part, split in parts:
        path = folder / "annotations" / f"captions_{part}.json"
        if not path.is_file():
            problems.add("missing annotation files", path.name)
            continue
        try:
            content = json.loads(path.read_bytes())
            names = {entry["id"]: PurePosixPath(entry["file_name"]) for entry in content["images"]}
            texts: dict[int, list[str]] = {}
            for entry in content["annotations"]:
                texts.setdefault(entry["image_id"], []).append(" ".join(entry["caption"].split()))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(f"{path}: not COCO captions ({error}); download the annotations again") from None
        del content
        for number, name in names.items():
            picture = _coco_pictures(folder, part) / name
            if not picture.is_file():
                problems.add("captions of missing pictures", f"{part}/{name}")
                continue
            captions = tuple(text for text in texts.get(number, ()) if text)
            yield Item(picture.relative_to(folder).as_posix(), picture, captions, {}, split)
