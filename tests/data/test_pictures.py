from __future__ import annotations

import io
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bespoke.data.pictures import MIN_SIDE, decode, whole
from bespoke.errors import UserError

RED, WHITE = (255, 0, 0), (255, 255, 255)


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def colour_of(pixels: np.ndarray, tolerance: int = 3) -> tuple[int, ...]:
    """The one colour of a picture [3, S, S]; fails where there are several."""
    assert int(np.ptp(pixels.reshape(3, -1).astype(int), axis=1).max()) <= tolerance
    return tuple(int(value) for value in pixels.reshape(3, -1).astype(float).mean(1).round())


def halves(left: tuple[int, int, int], right: tuple[int, int, int], size: tuple[int, int]) -> Image.Image:
    picture = Image.new("RGB", size, left)
    picture.paste(right, (size[0] // 2, 0, size[0], size[1]))
    return picture


def test_a_picture_becomes_square_rgb_bytes() -> None:
    pixels = decode(encoded(Image.new("RGB", (40, 30), RED)), 32)
    assert (pixels.shape, pixels.dtype, colour_of(pixels)) == ((3, 32, 32), np.uint8, RED)


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(decode(encoded(Image.fromarray(noise)), 32), noise.transpose(2, 0, 1))


def test_the_centre_of_the_longer_side_is_kept() -> None:
    picture = Image.new("RGB", (90, 30), RED)
    picture.paste((0, 0, 255), (30, 0, 60, 30))
    assert colour_of(decode(encoded(picture), 30)) == (0, 0, 255)


def test_a_crop_is_cut_out_and_may_stand_over_the_edge() -> None:
    picture = encoded(halves(RED, (0, 255, 0), (80, 40)))
    assert colour_of(decode(picture, 16, (44, 0, 80, 36))) == (0, 255, 0)
    assert colour_of(decode(picture, 16, (-40, -40, 36, 36))) == RED


def test_a_crop_of_a_large_jpeg_hits_the_same_place_as_in_a_png() -> None:
    picture = Image.linear_gradient("L").convert("RGB").resize((1000, 1200))
    box = (300, 500, 700, 900)
    jpeg = decode(encoded(picture, "JPEG", quality=95), 32, box).astype(int)
    png = decode(encoded(picture), 32, box).astype(int)
    assert int(np.abs(jpeg - png).max()) <= 3


def test_cmyk_becomes_rgb() -> None:
    assert colour_of(decode(encoded(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG", quality=100), 16)) == (
        pytest.approx(RED, abs=4)
    )


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    grey = Image.fromarray(np.full((32, 32), 128 * 257, np.uint16))
    assert colour_of(decode(encoded(grey), 16)) == (128, 128, 128)


def test_palette_pictures_become_rgb() -> None:
    assert colour_of(decode(encoded(Image.new("RGB", (32, 32), RED).quantize(4)), 16)) == RED


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_is_transparent_becomes_white(kind: str) -> None:
    clear = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    assert colour_of(decode(encoded(clear, kind), 16)) == WHITE


def test_a_transparent_palette_colour_becomes_white() -> None:
    picture = Image.new("P", (32, 32), 0)
    picture.putpalette([255, 0, 0])
    assert colour_of(decode(encoded(picture, transparency=0), 16)) == WHITE


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in (RED, (0, 255, 0))]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    assert colour_of(decode(data, 16)) == RED


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_turned_by_exif_is_put_upright(kind: str) -> None:
    upright = halves(RED, (0, 0, 255), (64, 64))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    stored = upright.transpose(Image.Transpose.ROTATE_90)
    pixels = decode(encoded(stored, kind, exif=exif), 32).astype(int)
    expected = np.asarray(upright.resize((32, 32))).transpose(2, 0, 1).astype(int)
    assert int(np.abs(pixels - expected)[:, :, [4, 28]].max()) < 20


def test_a_crop_counts_in_the_upright_picture() -> None:
    upright = halves(RED, (0, 0, 255), (100, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = encoded(upright.transpose(Image.Transpose.ROTATE_90), exif=exif)
    assert colour_of(decode(stored, 16, (60, 0, 100, 40))) == (0, 0, 255)


@pytest.mark.parametrize("size", [(1, 1), (200, MIN_SIDE - 1)])
def test_a_picture_that_is_too_small_is_refused_with_the_smallest_side(size: tuple[int, int]) -> None:
    with pytest.raises(UserError, match=rf"^tiny.png: {size[0]}x{size[1]} pixels, .* {MIN_SIDE} or more"):
        decode(encoded(Image.new("RGB", size)), 32, name="tiny.png")


def test_a_crop_beside_the_picture_is_refused() -> None:
    with pytest.raises(UserError, match="0x"):
        decode(encoded(Image.new("RGB", (32, 32))), 32, (40, 0, 80, 40))


@pytest.mark.parametrize("size", [(10_000, 10_000), (20_000, 20_000)])
def test_a_giant_picture_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    header = bytearray(encoded(Image.new("1", (16, 16))))
    header[16:24] = b"".join(side.to_bytes(4, "big") for side in size)
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    with pytest.raises(UserError, match=r"^bomb\.png: over 89 million pixels"):
        decode(bytes(header), 32, name="bomb.png")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_picture_is_refused(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(UserError, match=r"^half: (broken|not a JPEG)"):
        decode(data[: len(data) // 2], 32, name="half")


@pytest.mark.parametrize("data", [b"", b"<html>", encoded(Image.new("RGB", (32, 32)), "GIF")])
def test_what_is_no_jpeg_png_or_webp_is_refused(data: bytes) -> None:
    with pytest.raises(UserError, match=r"^x\.png: not a JPEG, PNG or WEBP picture"):
        decode(data, 32, name="x.png")


def test_random_damage_never_raises_anything_but_user_errors() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    rng = np.random.default_rng(1)
    for kind in ("JPEG", "PNG", "WEBP"):
        data = np.frombuffer(encoded(Image.fromarray(noise), kind), np.uint8)
        for _ in range(60):
            damaged = data.copy()
            damaged[rng.integers(0, len(data), 4)] = rng.integers(0, 256, 4)
            with suppress(UserError):
                decode(damaged.tobytes(), 16)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"rose\.jpg: no such picture file"):
        decode(tmp_path / "rose.jpg", 32)


def test_a_picture_is_read_whole_at_its_own_size_and_upright() -> None:
    picture = halves(RED, WHITE, (40, 20))
    assert whole(encoded(picture)).tobytes() == picture.tobytes()
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned right by a quarter
    upright = whole(encoded(picture, exif=turned.tobytes()))
    assert (upright.size, upright.getpixel((10, 5)), upright.getpixel((10, 35))) == ((20, 40), RED, WHITE)
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert whole(encoded(clear)).getpixel((3, 3)) == WHITE


def test_what_cannot_be_read_whole_is_refused_in_the_same_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="each side must be 16 or more"):
        whole(encoded(Image.new("RGB", (15, 30))))
    with pytest.raises(UserError, match="not a JPEG, PNG or WEBP picture"):
        whole(b"hello", name="letter")
    with pytest.raises(UserError, match="no such picture file"):
        whole(tmp_path / "none.png")
