"""Which column of a table names the picture, which holds the caption? As told, or guessed where there is no doubt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from string import Formatter
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from bespoke.data.markup import as_words
from bespoke.data.pictures import SUFFIXES
from bespoke.errors import UserError

FILE_COLUMN = "file_name"
TEXT_COLUMNS = ("text", "texts")
# What people call these columns, as _plain() writes it.
_FILE_NAMES = """
    file filename image images imagefile imagefilename imagename imagepath picture picturefile photo photofile path
    ファイル ファイル名 画像 画像名 画像ファイル 画像ファイル名 画像パス 写真 写真名 写真ファイル 写真ファイル名
    """.split()  # noqa: SIM905
_TEXT_NAMES = """
    text texts caption captions description descriptions productdescription
    テキスト キャプション 説明 説明文 商品説明 商品説明文 商品の説明 紹介文 商品紹介
    """.split()  # noqa: SIM905
# What shop systems call them; these count where none of the above is there.
_SHOPS_FILE_NAMES = "imagesrc imageurl 画像url 商品画像 商品画像パス 商品画像url".split()  # noqa: SIM905
_SHOPS_TEXT_NAMES = "bodyhtml pc用商品説明文".split()  # noqa: SIM905
_LOOSE_ENDS = " \u3000,;:.-/|、。・：；"  # what a template leaves behind where its last cells are empty


class Columns(BaseModel):
    """How a table is to be read; what is left out is guessed. Only `columns_asked` makes one from a user's words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str | None = None
    texts: tuple[str, ...] = ()  # each gives a caption
    template: str | None = None  # a caption put together from several columns, in place of `texts`


class Chosen(NamedTuple):
    """The columns of one table that are read."""

    file: str
    texts: tuple[str, ...]
    template: str | None

    def others(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The cells that are attributes; what a template names is both."""
        return {name: cell for name, cell in record.items() if name != self.file and name not in self.texts}


def columns_asked(file: str | None, texts: Sequence[str], template: str | None) -> Columns:
    """What --file-column, --text-column and --template say. Raises UserError."""
    if texts and template is not None:
        raise UserError("--text-column and --template: both say where the caption is; leave one out")
    if template is not None:
        template_columns(template)
    return Columns(file=file, texts=tuple(texts), template=template)


def template_columns(template: str) -> list[str]:
    """The columns that a template such as "{color} {type}" names. Raises UserError where it is not one."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise UserError(f"--template {template!r}: {error}; write columns as {{color}} and braces as {{{{") from None
    if any(spec or conversion for _, _, spec, conversion in parts):
        raise UserError(f"--template {template!r}: expected names of columns alone in braces; write {{color}}")
    names = [name for _, name, _, _ in parts if name is not None]
    if not names or not all(names):
        raise UserError(f"--template {template!r}: expected names of columns in braces; write {{color}} {{type}}")
    return names


def fill(template: str, record: Mapping[str, Any]) -> str:
    """The caption that a template makes of one row; empty where all its cells are."""
    cells = {name: as_words(_cell(record.get(name))).strip() for name in template_columns(template)}
    if not any(cells.values()):
        return ""
    parts = [literal + (cells[name] if name else "") for literal, name, _, _ in Formatter().parse(template)]
    return " ".join("".join(parts).split()).strip(_LOOSE_ENDS)


def _cell(value: Any) -> str:
    return "" if value is None else str(value).strip()


def choose(columns: Columns, record: Mapping[str, Any], where: str) -> Chosen:
    """Find the columns of a table by its names and, for the picture, by its first row. Raises UserError."""
    looks_like_data = next((name for name in record if name.lower().endswith(SUFFIXES)), None)
    if looks_like_data is not None:
        raise UserError(
            f"{where}: {looks_like_data} stands where the names of the columns should; write them into the first line, "
            "such as file_name,text"
        )
    file = _told(columns.file, record, where, "--file-column") if columns.file else _guess_file(record)
    if file is None:
        raise UserError(
            f"{where}: no file_name (columns: {', '.join(record)}); say which one names the picture: --file-column NAME"
        )
    return choose_texts(columns, record, where, file)


def choose_texts(columns: Columns, record: Mapping[str, Any], where: str, file: str = "") -> Chosen:
    """Find the columns that hold captions, in a table whose column `file` names the picture, if any does.

    Raises UserError.
    """
    named = f"(columns: {', '.join(record)})"
    if columns.template is not None:
        told = {name: _told(name, record, where, "--template") for name in template_columns(columns.template)}
        return Chosen(file, (), _renamed(columns.template, told))
    if columns.texts:
        return Chosen(file, tuple(_told(name, record, where, "--text-column") for name in columns.texts), None)
    texts = tuple(name for name in TEXT_COLUMNS if name in record)
    texts = texts or _like(_TEXT_NAMES, record, file) or _like(_SHOPS_TEXT_NAMES, record, file)
    if len(texts) > 1 and texts != TEXT_COLUMNS:
        raise UserError(f"{where}: the caption may be in {' or '.join(texts)}; choose: --text-column NAME")
    if not texts:
        raise UserError(
            f"{where}: no column text or texts {named}; say which holds the caption: --text-column NAME, or "
            "build it: --template '{color} {type}'"
        )
    return Chosen(file, texts, None)


def text_columns(record: Mapping[str, Any]) -> list[str]:
    """The columns called text or texts, whatever their case, width and spaces."""
    return [name for name in record if _plain(name) in TEXT_COLUMNS]


def fits_heading(cells: Iterable[Any], columns: Columns) -> int:
    """How well a row names columns, from 0 to 2: one that says which picture, and one that says what it shows."""
    names = [name for name in map(_cell, cells) if name]
    of_picture, of_caption = _sought(columns)
    return sum(any(_plain(name) in sought for name in names) for sought in (of_picture, of_caption))


def is_read(name: str, columns: Columns) -> bool:
    """Whether a column of that name says which picture or what it shows."""
    return any(_plain(name) in sought for sought in _sought(columns))


def _sought(columns: Columns) -> tuple[set[str], set[str]]:
    """What the columns of pictures and of captions may be called, as _plain() writes it."""
    texts = template_columns(columns.template) if columns.template is not None else columns.texts
    told_file, told_texts = {_plain(columns.file)} if columns.file else set(), set(map(_plain, texts))
    return told_file or {*_FILE_NAMES, *_SHOPS_FILE_NAMES}, told_texts or {*_TEXT_NAMES, *_SHOPS_TEXT_NAMES}


def _renamed(template: str, names: Mapping[str, str]) -> str:
    """The template with its columns spelled as the table spells them."""
    escaped = lambda text: text.replace("{", "{{").replace("}", "}}")  # noqa: E731
    parts = Formatter().parse(template)
    return "".join(escaped(literal) + (f"{{{names[name]}}}" if name else "") for literal, name, _, _ in parts)


def _told(name: str, record: Mapping[str, Any], where: str, option: str) -> str:
    """The column a user means; spaces, width and case do not matter where only one fits."""
    if name in record:
        return name
    alike = [column for column in record if _plain(column) == _plain(name)]
    if len(alike) != 1:
        raise UserError(f"{where}: no column {name} (columns: {', '.join(record)}); give one of them to {option}")
    return alike[0]


def _guess_file(record: Mapping[str, Any]) -> str | None:
    """The column whose name says file, or else the only one whose cell looks like a picture's."""
    if FILE_COLUMN in record:
        return FILE_COLUMN
    by_cell = [name for name, cell in record.items() if str(cell).strip().lower().endswith(SUFFIXES)]
    by_name, by_shop = _like(_FILE_NAMES, record), _like(_SHOPS_FILE_NAMES, record)
    for found in (by_name, [name for name in by_name if name in by_cell], by_shop, numbered_files(record)[:1], by_cell):
        if len(found) == 1:
            return found[0]
    return None


def numbered_files(names: Iterable[str]) -> list[str]:
    """The columns for the first, the second, ... picture of a row, such as 画像1 and 画像2, by their numbers."""
    series: list[tuple[int, str]] = []
    for name in names:
        plain = _plain(name)
        bare = plain.rstrip("0123456789")
        if plain != bare and bare in (*_FILE_NAMES, *_SHOPS_FILE_NAMES):
            series.append((int(plain.removeprefix(bare)), name))
    return [name for _, name in sorted(series, key=lambda part: part[0])]


def product_column(names: Iterable[str]) -> str | None:
    """The column by which Shopify tells several rows of one product, of which only the first says what it is."""
    return next((name for name in names if _plain(name) == "handle"), None)


def _like(names: Iterable[str], record: Mapping[str, Any], *taken: str) -> tuple[str, ...]:
    return tuple(column for column in record if _plain(column) in names and column not in taken)


def _plain(name: str) -> str:
    """A column's name without what people write now so, now so, and without a remark in brackets behind it."""
    spelled = unicodedata.normalize("NFKC", name).casefold().strip().replace("body (html)", "body html")  # Shopify's
    bare = re.sub(r"(?<=.)\([^()]*\)$", "", spelled)
    return "".join(c for c in bare if c not in " _-")
