from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bespoke.data import cache_writer
from bespoke.data.catalogue import Catalogue
from bespoke.data.columns import Columns
from bespoke.data.item import SPLITS, Item, Problems
from bespoke.data.pictures import decode
from bespoke.data.store import PairStore, cache_folder, prepare
from bespoke.errors import UserError

FolderMaker = Callable[..., Path]


def names_by_split(store: PairStore) -> dict[str, set[str]]:
    return {split: {store.name(index) for index in store.indices(split).tolist()} for split in SPLITS}


def test_a_store_gives_back_what_the_catalogue_holds(make_folder: FolderMaker) -> None:
    folder = make_folder(3, row=lambda number: {"class": "ab"[number % 2], "texts": ["赤い", "rot"]})
    store = prepare(Catalogue.open(folder), 16)
    assert (len(store), store.num_captions, store.size) == (3, 9, 16)
    for index in range(3):
        assert store.name(index) == f"{index}.png"
        assert store.captions(index) == [f"vase number {index}", "赤い", "rot"]
        assert store.attributes(index) == {"class": "ab"[index % 2]}
        assert np.array_equal(store.pictures[index], decode(folder / f"{index}.png", 16))
    assert store.group.tolist() == [0, 1, 0]
    assert store.caption(int(store.caption_start[2])) == "vase number 2"
    assert np.array_equal(store.take(np.array([2, 0])), store.pictures[[2, 0]])


def test_pictures_without_a_class_have_no_group(make_folder: FolderMaker) -> None:
    assert prepare(Catalogue.open(make_folder(2)), 16).group.tolist() == [-1, -1]


def test_a_catalogue_of_one_picture_is_a_store(make_folder: FolderMaker) -> None:
    store = prepare(Catalogue.open(make_folder(1)), 16)
    assert [len(store.indices(split)) for split in SPLITS] == [1, 0, 0]


def test_a_second_call_decodes_nothing(make_folder: FolderMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalogue.open(make_folder(3))
    first = prepare(catalogue, 16)
    monkeypatch.setattr(cache_writer, "decode", None)
    second = prepare(catalogue, 16)
    assert (second.folder, second.fingerprint) == (first.folder, first.fingerprint)


def test_another_caption_picture_or_size_makes_another_cache(make_folder: FolderMaker) -> None:
    folder = make_folder(3)
    stores = [prepare(Catalogue.open(folder), 16), prepare(Catalogue.open(folder), 20)]
    make_folder(3, row=lambda number: {"text": "a cup"} if number == 1 else {})
    stores.append(prepare(Catalogue.open(folder), 16))
    Image.new("RGB", (20, 20), "red").save(folder / "0.png")
    stores.append(prepare(Catalogue.open(folder), 16))
    assert len({store.folder for store in stores}) == len({store.fingerprint for store in stores}) == 4


def test_the_fingerprint_of_a_store_survives_a_copy_to_another_place(make_folder: FolderMaker, tmp_path: Path) -> None:
    folder = make_folder(3)
    first = prepare(Catalogue.open(folder), 16)
    shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copyfile)
    second = prepare(Catalogue.open(tmp_path / "copy"), 16)
    assert first.folder != second.folder
    assert first.fingerprint == second.fingerprint


def test_the_split_is_the_same_at_every_size(make_folder: FolderMaker) -> None:
    catalogue = Catalogue.open(make_folder(60))
    assert names_by_split(prepare(catalogue, 16)) == names_by_split(prepare(catalogue, 20))


def test_every_picture_is_on_one_side(make_folder: FolderMaker) -> None:
    sides = names_by_split(prepare(Catalogue.open(make_folder(60)), 16))
    assert all(sides.values())
    assert sum(map(len, sides.values())) == len(set.union(*sides.values())) == 60


def test_identical_pictures_in_different_files_are_on_the_same_side(make_folder: FolderMaker) -> None:
    folder = make_folder(40)
    lines = (folder / "metadata.jsonl").read_text().splitlines()
    for number in range(40):  # the same pixels, other bytes
        Image.open(folder / f"{number}.png").save(folder / f"{number}.webp", lossless=True)
        lines.append(json.dumps({"file_name": f"{number}.webp", "text": "a copy"}))
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    for side in names_by_split(prepare(Catalogue.open(folder), 20)).values():
        assert {name for name in side if name.endswith(".webp")} == {
            name.replace(".png", ".webp") for name in side if name.endswith(".png")
        }


def test_a_training_copy_of_an_official_test_picture_is_left_out_and_said(make_folder: FolderMaker) -> None:
    folder = make_folder(4, row=lambda number: {"split": "test" if number == 3 else "train"})
    shutil.copyfile(folder / "3.png", folder / "0.png")
    store = prepare(Catalogue.open(folder), 16)
    assert names_by_split(store) == {"train": {"1.png", "2.png"}, "validation": set(), "test": {"3.png"}}
    assert store.problems == ["1 pictures left out of training: copies, or of the shots, of pictures held out"]


def spoil(folder: Path) -> None:
    """Make three of the pictures bad: broken, missing, without caption."""
    (folder / "2.png").write_bytes(b"broken")
    (folder / "4.png").unlink()
    text = (folder / "metadata.jsonl").read_text().replace("vase number 5", " ")
    (folder / "metadata.jsonl").write_text(text)


def test_bad_pictures_stop_with_the_first_one_and_their_number(make_folder: FolderMaker) -> None:
    folder = make_folder(8)
    spoil(folder)
    with pytest.raises(UserError, match=r"2\.png: not a .* \(3 bad of 8 pictures; pass --skip-bad"):
        prepare(Catalogue.open(folder), 16)


def test_bad_pictures_are_left_out_and_listed_with_skip_bad(make_folder: FolderMaker) -> None:
    folder = make_folder(8)
    spoil(folder)
    store = prepare(Catalogue.open(folder), 16, skip_bad=True)
    assert [store.name(index) for index in range(len(store))] == ["0.png", "1.png", "3.png", "6.png", "7.png"]
    assert store.manifest.num_bad == 3
    assert [line.rsplit("/", 1)[1].split(":")[0] for line in store.manifest.bad] == ["2.png", "4.png", "5.png"]
    assert [problem[:14] for problem in store.problems] == ["3 bad pictures"]


def test_bad_pictures_still_stop_when_the_cache_was_made_with_skip_bad(make_folder: FolderMaker) -> None:
    folder = make_folder(8)
    spoil(folder)
    prepare(Catalogue.open(folder), 16, skip_bad=True)
    with pytest.raises(UserError, match="3 bad of 8"):
        prepare(Catalogue.open(folder), 16)


def test_a_name_that_comes_twice_is_bad_and_used_once(make_folder: FolderMaker) -> None:
    folder = make_folder(3)
    with (folder / "metadata.jsonl").open("a") as file:
        file.write(json.dumps({"file_name": "1.png", "text": "again"}))
    with pytest.raises(UserError, match=r"^1\.png: named twice; .* \(1 bad of 4 pictures"):
        prepare(Catalogue.open(folder), 16)
    store = prepare(Catalogue.open(folder), 16, skip_bad=True)
    assert store.indices("train").tolist() == [0, 1, 2]


@pytest.mark.parametrize("skip_bad", [False, True])
def test_without_any_usable_picture_there_is_no_store(make_folder: FolderMaker, skip_bad: bool) -> None:
    folder = make_folder(2)
    for path in folder.glob("*.png"):
        path.write_bytes(b"broken")
    with pytest.raises(UserError, match=r"no usable picture \(.*0\.png: not a"):
        prepare(Catalogue.open(folder), 16, skip_bad=skip_bad)
    assert not list(cache_folder().glob("*.part"))


def test_an_empty_catalogue_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metadata.jsonl").touch()
    with pytest.raises(UserError, match="no usable picture"):
        prepare(Catalogue.open(tmp_path), 16)


@pytest.mark.parametrize("name", ["pictures.u8", "captions.offsets", "split.i8", "meta.json", "records.jsonl"])
def test_a_damaged_cache_is_made_again(make_folder: FolderMaker, name: str) -> None:
    catalogue = Catalogue.open(make_folder(3))
    store = prepare(catalogue, 16)
    path = store.folder / name
    os.truncate(path, path.stat().st_size // 2)
    again = prepare(catalogue, 16)
    assert (again.fingerprint, again.captions(2), len(again.pictures)) == (store.fingerprint, ["vase number 2"], 3)


def test_progress_counts_up_to_the_number_of_pictures(make_folder: FolderMaker) -> None:
    seen: list[tuple[int, int | None]] = []
    prepare(Catalogue.open(make_folder(70)), 16, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (70, 70)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_a_crop_is_part_of_the_picture(make_folder: FolderMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder(1)
    catalogue = Catalogue.open(folder)

    def cropped(_location: str, _problems: Problems, _columns: Columns) -> Any:
        yield Item("0.png", folder / "0.png", ("vase",), {}, None, (2, 2, 18, 18))

    monkeypatch.setattr(catalogue, "reader", catalogue.reader._replace(read=cropped))
    pixels = np.asarray(Image.open(folder / "0.png")).transpose(2, 0, 1)
    assert np.array_equal(prepare(catalogue, 16).pictures[0], pixels[:, 2:18, 2:18])


def test_the_cache_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BESPOKE_CACHE", str(tmp_path / "elsewhere"))
    assert cache_folder() == tmp_path / "elsewhere"
    monkeypatch.delenv("BESPOKE_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "bespoke"
