from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from bespoke.data.sample import sample_attributes, sample_drawing
from bespoke.data.sample_objects import NEW_LINE, OBJECTS
from bespoke.data.sample_reading import Reader, Right, Shown, count_right, product_mask


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(of_each=8)


def test_nine_in_ten_real_pictures_of_all_kinds_are_read_right(reader: Reader) -> None:
    asked = [sample_attributes(70 + row, index, [kind]) for row, kind in enumerate(OBJECTS) for index in range(3)]
    pictures = [
        sample_drawing(70 + number // 3, number % 3, 64, attributes).picture for number, attributes in enumerate(asked)
    ]
    right = count_right(pictures, asked, reader)
    assert right.num_pictures == 51
    assert right.kind >= 46
    assert right.color >= 46


def test_the_mask_is_found_without_being_told_and_without_the_shadow() -> None:
    drawn = [sample_drawing(4, index, 64, sample_attributes(4, index)) for index in range(20)]
    overlaps = []
    for drawing in drawn:
        guess = product_mask(drawing.picture)
        overlaps.append((guess & drawing.mask).sum() / (guess | drawing.mask).sum())
    assert np.median(overlaps) > 0.9
    assert np.mean(overlaps) > 0.8


def test_edges_that_are_off_and_a_grain_do_not_hide_the_product() -> None:
    attributes = sample_attributes(4, 1, [NEW_LINE])
    drawing = sample_drawing(4, 1, 64, replace(attributes, size="medium", position="center"))
    levels = np.asarray(drawing.picture, dtype=np.float64)
    levels += np.random.default_rng(0).normal(0, 8, levels.shape)
    levels[[0, -1]], levels[:, [0, -1]] = 0, 0
    guess = product_mask(Image.fromarray(levels.clip(0, 255).astype(np.uint8)))
    assert (guess & drawing.mask).sum() > 0.85 * (guess | drawing.mask).sum()


def test_clouds_in_the_ground_and_halos_are_no_product() -> None:
    overlaps = []
    for index in range(12):
        drawing = sample_drawing(4, index, 64, sample_attributes(4, index))
        levels = np.asarray(drawing.picture, dtype=np.float64)
        blurred = np.asarray(drawing.picture.filter(ImageFilter.GaussianBlur(3)), dtype=np.float64)
        levels = np.where(drawing.mask[..., None], levels, 0.6 * levels + 0.4 * blurred)
        levels[..., 2] -= np.linspace(0, 60, 64)[None]  # yellower to the right
        guess = product_mask(Image.fromarray(levels.clip(0, 255).astype(np.uint8)))
        overlaps.append((guess & drawing.mask).sum() / (guess | drawing.mask).sum())
    assert np.median(overlaps) > 0.85


def test_a_picture_of_nothing_shows_nothing(reader: Reader) -> None:
    assert reader.read(Image.new("RGB", (64, 64), "white")) == Shown("", "")
    assert reader.read(Image.new("RGB", (64, 64), "black")) == Shown("", "")


def test_what_was_not_asked_for_counts_as_wrong(reader: Reader) -> None:
    asked = [sample_attributes(11, index, [NEW_LINE]) for index in range(4)]
    pictures = [sample_drawing(11, index, 64, attributes).picture for index, attributes in enumerate(asked)]
    assert count_right(pictures, asked, reader) == Right(4, 4, 4, 4)
    other_color = [replace(attributes, color="none") for attributes in asked]
    assert count_right(pictures, other_color, reader) == Right(4, 4, 0, 0)
    assert count_right(pictures, [replace(asked[0], object="mug"), *asked[1:]], reader) == Right(4, 3, 4, 3)
    with pytest.raises(ValueError, match="longer than"):
        count_right(pictures[:3], asked, reader)
