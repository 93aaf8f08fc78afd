from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bespoke.data.columns import Chosen, Columns, choose, columns_asked, fill
from bespoke.errors import UserError

ROW = {"商品番号": "A-1", "画像": "cup.png", "色": "赤", "種類": "カップ", "説明文": "赤いカップ"}


def chosen(record: Mapping[str, Any], **asked: Any) -> Chosen:
    return choose(Columns(**asked), record, "metadata.csv:2")


@pytest.mark.parametrize(
    ("record", "file", "text"),
    [
        ({"file_name": "a.png", "text": "pot"}, "file_name", "text"),
        ({"text": "pot", "Image File": "a.png"}, "Image File", "text"),
        ({"filename": "a.png", "Caption": "pot", "price": 3}, "filename", "Caption"),
        (ROW, "画像", "説明文"),
        ({"ﾌｧｲﾙ名": "a", "商品説明": "壺"}, "ﾌｧｲﾙ名", "商品説明"),
        ({"main shot": "a/b.JPG", "description": "pot"}, "main shot", "description"),
        ({"image": "https://shop/1", "photo": "a.png", "text": "pot"}, "photo", "text"),
        ({"file_name": "a.png", "text": "pot", "description": "long"}, "file_name", "text"),
        ({"Image Src": "a", "Variant Image": "a.png", "Body (HTML)": "pot"}, "Image Src", "Body (HTML)"),
        ({"商品画像URL": "a.png", "PC用商品説明文": "壺"}, "商品画像URL", "PC用商品説明文"),
        ({"商品画像URL": "a.png", "画像": "b.png", "PC用商品説明文": "壺", "説明": "壺"}, "画像", "説明"),
        ({"画像10": "c.png", "画像2": "b.png", "text": "壺"}, "画像2", "text"),
    ],
)
def test_columns_are_guessed_where_their_names_leave_no_doubt(record: dict, file: str, text: str) -> None:
    assert chosen(record) == Chosen(file, (text,), None)


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        ({"a": "1", "b": "2"}, r"no file_name \(columns: a, b\); say which one names the picture: --file-column NAME"),
        ({"front": "1.png", "back": "2.png", "text": "x"}, r"no file_name \(columns: front, back, text\)"),
        (
            {"file_name": "1.png", "words": "x"},
            r"no column text or texts \(columns: file_name, words\); .*--text-column",
        ),
        ({"file": "1.png", "caption": "x", "description": "y"}, "may be in caption or description; choose: --text-col"),
        ({"1.png": "2.png", "a red cup": "a blue cup"}, "1.png stands where the names of the columns should"),
    ],
)
def test_where_there_is_doubt_the_columns_are_listed_with_the_option_to_give(record: dict, complaint: str) -> None:
    with pytest.raises(UserError, match=rf"^metadata.csv:2: .*{complaint}") as caught:
        chosen(record)
    assert "\n" not in str(caught.value)


def test_columns_that_are_told_win_and_need_not_be_spelled_to_the_letter() -> None:
    assert chosen(ROW, file="画像", texts=("種類", "説明文")) == Chosen("画像", ("種類", "説明文"), None)
    assert chosen({"File Name": "a.png", "ＴＥＸＴ": "pot"}, file="file_name", texts=("text",)).texts == ("ＴＥＸＴ",)


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        ({"file": "写真"}, "--file-column"),
        ({"texts": ("備考",)}, "--text-column"),
        ({"template": "{素材}"}, "--template"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_those_that_are(asked: dict, option: str) -> None:
    with pytest.raises(UserError, match=rf"no column .* \(columns: 商品番号, 画像, .*\); give one of them to {option}"):
        chosen(ROW, **asked)


def test_a_template_takes_the_place_of_the_caption_and_its_columns_stay_attributes() -> None:
    found = chosen(ROW, template="{色}の{種類}")
    assert fill(found.template or "", ROW) == "赤のカップ"
    assert found.others(ROW) == {"商品番号": "A-1", "色": "赤", "種類": "カップ", "説明文": "赤いカップ"}


@pytest.mark.parametrize(
    ("cells", "caption"),
    [
        ({"color": "red", "type": "mug", "description": "with dots"}, "red mug: with dots"),
        ({"color": "red", "type": "mug", "description": None}, "red mug"),
        ({"color": "", "type": "mug", "description": " with  dots "}, "mug: with dots"),
        ({"color": 7, "type": None, "description": ""}, "7"),
        ({"color": None, "type": "", "description": "  "}, ""),
    ],
)
def test_empty_cells_leave_no_loose_ends_in_a_caption(cells: dict, caption: str) -> None:
    assert fill("{color} {type}: {description}", cells) == caption


@pytest.mark.parametrize("template", ["", "no column", "{", "{color", "{} cup", "{price:.2f}", "{color!r}"])
def test_what_is_no_template_is_refused(template: str) -> None:
    with pytest.raises(UserError, match="--template .*; write "):
        columns_asked(None, (), template)


def test_braces_may_stand_in_a_template_where_they_are_doubled() -> None:
    found = chosen({"file_name": "a.png", "Type": "mug"}, template="{{new}} {type}")
    assert fill(found.template or "", {"Type": "mug"}) == "{new} mug"


def test_a_text_column_and_a_template_are_one_too_many() -> None:
    with pytest.raises(UserError, match="--text-column and --template: both say where the caption is; leave one out"):
        columns_asked(None, ["a"], "{b}")
