from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from bespoke.data.catalogue import Catalogue
from bespoke.data.item import Item
from bespoke.data.readers import bird_crop
from bespoke.errors import UserError

FolderMaker = Callable[..., Path]
PictureMaker = Callable[..., Path]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def items_of(folder: Path, reader: str) -> dict[str, Item]:
    catalogue = Catalogue.open(folder)
    assert catalogue.reader.name == reader
    return {item.name: item for item in catalogue}


def test_an_imagefolder_gives_captions_and_attributes(make_folder: FolderMaker) -> None:
    folder = make_folder(2, row=lambda number: {"class": f"kind {number}"})
    items = items_of(folder, "imagefolder")
    assert items["1.png"] == Item("1.png", folder / "1.png", ("vase number 1",), {"class": "kind 1"})


def test_a_split_column_is_an_official_split(make_folder: FolderMaker) -> None:
    folder = make_folder(3, row=lambda number: {"split": ["train", "val", None][number]})
    assert [item.split for item in items_of(folder, "imagefolder").values()] == ["train", "validation", None]


def test_an_unknown_split_is_refused(make_folder: FolderMaker) -> None:
    with pytest.raises(UserError, match=r"0\.png: split 'tran': use train, validation or test"):
        list(Catalogue.open(make_folder(1, row=lambda _: {"split": "tran"})))


def test_folders_named_after_splits_are_official_splits(tmp_path: Path, make_picture: PictureMaker) -> None:
    for part in ("train", "test"):
        make_picture(tmp_path / part / "x.png")
        write(tmp_path / part / "metadata.csv", "file_name,text\nx.png,pot\n")
    items = items_of(tmp_path, "imagefolder")
    assert {name: item.split for name, item in items.items()} == {"train/x.png": "train", "test/x.png": "test"}


def test_text_pairs_take_the_lines_of_the_text_file(tmp_path: Path, make_picture: PictureMaker) -> None:
    make_picture(tmp_path / "deep" / "pot.png")
    write(tmp_path / "deep" / "pot.txt", "\ufeffa red pot\n\n a pot \n")
    make_picture(tmp_path / "cup.png")
    make_picture(tmp_path / ".hidden" / "no.png")
    items = items_of(tmp_path, "text_pairs")
    assert {name: item.texts for name, item in items.items()} == {"cup.png": (), "deep/pot.png": ("a red pot", "a pot")}


@pytest.mark.parametrize("text", ["ガラス.TXT", unicodedata.normalize("NFD", "ガラス.txt"), "ｶﾞﾗｽ.txt"])
def test_text_pairs_are_found_however_their_names_are_written(
    tmp_path: Path, make_picture: PictureMaker, text: str
) -> None:
    make_picture(tmp_path / "ガラス.png")
    write(tmp_path / text, "a vase")
    (item,) = items_of(tmp_path, "text_pairs").values()
    assert item.texts == ("a vase",)


def test_links_to_a_folder_around_them_are_not_followed(tmp_path: Path, make_picture: PictureMaker) -> None:
    make_picture(tmp_path / "shop" / "pot.png")
    write(tmp_path / "shop" / "pot.txt", "a pot")
    for name in ("first", "second"):
        (tmp_path / "shop" / name).symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "again").symlink_to(tmp_path / "shop", target_is_directory=True)
    assert set(items_of(tmp_path, "text_pairs")) == {"again/pot.png", "shop/pot.png"}


def test_what_stands_beside_text_pairs_and_is_not_read_is_listed(tmp_path: Path, make_picture: PictureMaker) -> None:
    make_picture(tmp_path / "pot.png")
    for name in ("pot", "cup", "jar"):
        write(tmp_path / f"{name}.txt", "a vessel")
    for name in ("cup.HEIC", "jar.tif", "alone.gif", "商品リスト.csv", "~$商品リスト.xlsx", "._商品リスト.csv"):
        write(tmp_path / name, "anything")
    catalogue = Catalogue.open(tmp_path)
    assert [item.name for item in catalogue] == ["pot.png"]
    assert list(catalogue.problems) == [
        "1 tables that are not read (first: 商品リスト.csv)",
        "2 pictures of a kind that is not read (first: cup.HEIC)",
    ]


def test_a_second_table_beside_the_one_that_is_read_is_listed(make_folder: FolderMaker) -> None:
    folder = make_folder(1)
    write(folder / "metadata.csv", "file_name,text\n0.png,old\n")
    catalogue = Catalogue.open(folder)
    assert [item.texts for item in catalogue] == [("vase number 0",)]
    assert list(catalogue.problems) == ["1 tables that are not read (first: metadata.csv)"]


@pytest.mark.parametrize("encoding", ["cp932", "utf-16"])
def test_text_pairs_may_be_as_windows_writes_them(tmp_path: Path, make_picture: PictureMaker, encoding: str) -> None:
    make_picture(tmp_path / "pot.png")
    (tmp_path / "pot.txt").write_bytes("赤い壺".encode(encoding))
    assert items_of(tmp_path, "text_pairs")["pot.png"].texts == ("赤い壺",)


def oxford(folder: Path, make_picture: PictureMaker) -> Path:
    for number, class_name in ((1, "class_00001"), (2, "class_00001"), (3, "class_00002")):
        write(folder / "text_c10" / class_name / f"image_{number:05}.txt", f"flower {number}\nbloom {number}\n")
        if number != 2:
            make_picture(folder / "jpg" / f"image_{number:05}.jpg", seed=number)
    write(folder / "trainvalclasses.txt", "class_00001\n")
    write(folder / "testclasses.txt", "class_00002\n")
    return folder


def test_oxford_gives_classes_official_splits_and_ten_captions(tmp_path: Path, make_picture: PictureMaker) -> None:
    items = items_of(oxford(tmp_path, make_picture), "oxford102")
    found = {name: (item.texts, item.attributes, item.split) for name, item in items.items()}
    assert found == {
        "jpg/image_00001.jpg": (("flower 1", "bloom 1"), {"class": "class_00001"}, "train"),
        "jpg/image_00003.jpg": (("flower 3", "bloom 3"), {"class": "class_00002"}, "test"),
    }


def test_oxford_captions_without_a_picture_are_listed_and_passed_over(
    tmp_path: Path, make_picture: PictureMaker
) -> None:
    catalogue = Catalogue.open(oxford(tmp_path, make_picture))
    for _ in range(2):  # a second walk does not count twice
        assert len(list(catalogue)) == 2
        assert list(catalogue.problems) == [
            "1 caption files without a picture (first: text_c10/class_00001/image_00002.txt)"
        ]


def test_oxford_without_class_lists_says_which_file_is_missing(tmp_path: Path, make_picture: PictureMaker) -> None:
    (oxford(tmp_path, make_picture) / "testclasses.txt").unlink()
    with pytest.raises(UserError, match=r"testclasses\.txt: no such file"):
        list(Catalogue.open(tmp_path))


def test_a_class_on_both_lists_is_refused(tmp_path: Path, make_picture: PictureMaker) -> None:
    write(oxford(tmp_path, make_picture) / "testclasses.txt", "class_00001\n")
    with pytest.raises(UserError, match=r"class_00001 is in trainvalclasses\.txt too"):
        list(Catalogue.open(tmp_path))


def cub(folder: Path, make_picture: PictureMaker, boxes: str) -> Path:
    names = ("001.Albatross/a.jpg", "002.Auklet/b.jpg")
    for name in names:
        make_picture(folder / "CUB_200_2011" / "images" / name, size=(100, 80))
        write((folder / "text_c10" / name).with_suffix(".txt"), f"a bird like {name}\n")
    write(folder / "CUB_200_2011" / "images.txt", "".join(f"{n} {name}\n" for n, name in enumerate(names, 1)))
    write(folder / "CUB_200_2011" / "bounding_boxes.txt", boxes)
    write(folder / "trainvalclasses.txt", "001.Albatross\n")
    write(folder / "testclasses.txt", "002.Auklet\n")
    return folder


def test_cub_gives_the_crop_of_the_literature_and_official_splits(tmp_path: Path, make_picture: PictureMaker) -> None:
    items = items_of(cub(tmp_path, make_picture, "1 20.0 30.0 40.0 20.0\n2 0.0 0.0 10.0 10.0\n"), "cub200")
    bird = items["CUB_200_2011/images/001.Albatross/a.jpg"]
    assert (bird.crop, bird.split, bird.attributes) == ((10, 10, 70, 70), "train", {"class": "001.Albatross"})
    assert items["CUB_200_2011/images/002.Auklet/b.jpg"].split == "test"


def test_the_bird_crop_is_a_square_of_one_and_a_half_longer_sides() -> None:
    left, top, right, bottom = bird_crop(60, 27, 325, 304)
    assert right - left == bottom - top == 2 * int(0.75 * 325)
    assert (left + right, top + bottom) == (2 * int(60 + 325 / 2), 2 * (27 + 304 // 2))


@pytest.mark.parametrize("second", ["", "2 nan 0.0 10.0 10.0\n", "2 0.0 0.0 inf 10.0\n"])
def test_cub_boxes_that_do_not_fit_the_pictures_are_refused(
    tmp_path: Path, make_picture: PictureMaker, second: str
) -> None:
    with pytest.raises(UserError, match=r"bounding_boxes\.txt:2: no bounding box for '2 002"):
        list(Catalogue.open(cub(tmp_path, make_picture, "1 20.0 30.0 40.0 20.0\n" + second)))


def test_cub_without_its_list_of_pictures_says_so(tmp_path: Path, make_picture: PictureMaker) -> None:
    (cub(tmp_path, make_picture, "") / "CUB_200_2011" / "images.txt").unlink()
    with pytest.raises(UserError, match=r"images\.txt: no such file; get the data set anew"):
        list(Catalogue.open(tmp_path))


def coco(folder: Path, make_picture: PictureMaker, year: str) -> Path:
    for part in ("train", "val"):
        make_picture(folder / f"{part}{year}" / "7.jpg")
        content = {
            "images": [{"id": 7, "file_name": "7.jpg"}, {"id": 8, "file_name": "8.jpg"}],
            "annotations": [{"image_id": 7, "caption": "A dog.\n"}, {"image_id": 7, "caption": "One dog"}],
        }
        write(folder / "annotations" / f"captions_{part}{year}.json", json.dumps(content))
    return folder


@pytest.mark.parametrize("year", ["2014", "2017"])
def test_coco_joins_captions_and_tests_on_its_validation_pictures(
    tmp_path: Path, make_picture: PictureMaker, year: str
) -> None:
    items = items_of(coco(tmp_path, make_picture, year), "coco")
    assert {name: (item.texts, item.split) for name, item in items.items()} == {
        f"train{year}/7.jpg": (("A dog.", "One dog"), "train"),
        f"val{year}/7.jpg": (("A dog.", "One dog"), "test"),
    }


def test_coco_reads_the_year_whose_pictures_are_there(tmp_path: Path, make_picture: PictureMaker) -> None:
    coco(tmp_path, make_picture, "2014")
    write(tmp_path / "annotations" / "captions_train2017.json", "{}")
    assert set(items_of(tmp_path, "coco")) == {"train2014/7.jpg", "val2014/7.jpg"}


@pytest.mark.parametrize("content", ['{"images": [{}]}', '{"images": [{"id": 1, "file_name": 7}]}', "[" * 100_000])
def test_coco_annotations_of_another_kind_are_refused(tmp_path: Path, make_picture: PictureMaker, content: str) -> None:
    write(coco(tmp_path, make_picture, "2017") / "annotations" / "captions_val2017.json", content)
    with pytest.raises(UserError, match=r"captions_val2017\.json: not COCO captions"):
        list(Catalogue.open(tmp_path))
