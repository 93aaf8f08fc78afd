"""How does a picture file become a square of RGB bytes?

Whatever the file holds (CMYK, 16 bits, palette, alpha, rotation by EXIF, several frames), the answer is uint8 RGB.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from bespoke.errors import UserError

FORMATS = ("JPEG", "PNG", "WEBP")  # nothing else is parsed: fewer decoders, fewer holes
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
MAX_PIXELS = 89_000_000  # just under the size at which Pillow warns of a decompression bomb
MIN_SIDE = 16  # pixels, after the crop
_EXIF_ORIENTATION = 0x0112

# Giant pictures are refused below with a message of ours; Pillow's own warning would only double it.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

Box = tuple[int, int, int, int]
Read = TypeVar("Read")
Fault = Literal["missing", "broken", "tiny", "oversized"]


class BadPicture(UserError):
    """A picture that cannot be used; `found` says in a word or two what is there instead."""

    def __init__(self, fault: Fault, message: str, found: str = "") -> None:
        super().__init__(message)
        self.fault = fault
        self.found = found


class Inspected(NamedTuple):
    """A decoded picture, and what was seen of it on the way."""

    pixels: NDArray[np.uint8]  # [3, size, size] RGB
    width: int  # upright and cropped, before it became a square
    height: int
    transparent: bool


def decode(
    source: Path | bytes | BinaryIO,
    size: int,
    crop: Box | None = None,
    *,
    name: str | None = None,
) -> NDArray[np.uint8]:
    """Read a picture as [3, size, size] uint8 RGB: the shorter side is resized with Lanczos, the centre kept.

    `crop` is (left, top, right, bottom) in pixels of the upright picture and is clipped to it. `name` is what errors
    call the picture where `source` is no path. Raises BadPicture for anything that is not a usable picture.
    """
    return inspect(source, size, crop, name=name).pixels


def inspect(
    source: Path | bytes | BinaryIO,
    size: int,
    crop: Box | None = None,
    *,
    name: str | None = None,
) -> Inspected:
    """Decode a picture and say what it was before; arguments and errors are those of `decode`."""
    label = _label(source, name)
    return _read(source, label, lambda picture: _square(picture, size, crop, label))


def whole(source: Path | bytes | BinaryIO, *, name: str | None = None, flat: bool = True) -> Image.Image:
    """Read a picture as it is, but upright and, if `flat`, RGB, what is transparent on white.

    Errors are those of `decode`.
    """
    label = _label(source, name)

    def upright(picture: Image.Image) -> Image.Image:
        _centre_square((0, 0, *picture.size), label)  # says what is too small
        turned = ImageOps.exif_transpose(picture)
        return as_rgb(turned)[0] if flat else turned

    return _read(source, label, upright)


def _label(source: Path | bytes | BinaryIO, name: str | None) -> str:
    return name or (str(source) if isinstance(source, Path) else "picture")


def _read(source: Path | bytes | BinaryIO, label: str, use: Callable[[Image.Image], Read]) -> Read:
    """What `use` makes of an open picture; whatever goes wrong is a BadPicture."""
    try:
        opened = _opened(source)
    except OSError as error:
        raise unreadable(label, error) from None
    try:
        with opened as stream, Image.open(stream, formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise _too_large(label, f"{picture.width}x{picture.height}")
            return use(picture)
    except UserError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(label) from None
    except UnidentifiedImageError:
        message = f"{label}: not a JPEG, PNG or WEBP picture; convert it or take it out"
        raise BadPicture("broken", message) from None
    except Exception as error:  # a hostile file can make a decoder raise nearly anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadPicture("broken", f"{label}: broken picture ({reason}); replace it or take it out", reason) from None


def unreadable(label: str, error: OSError) -> BadPicture:
    """What to tell a user about a picture file that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return BadPicture("missing", f"{label}: no such picture file; restore it or take it out of the catalogue")
    reason = error.strerror or "unknown reason"
    return BadPicture("broken", f"{label}: cannot be opened ({reason}); check the file and its rights", reason)


def _opened(source: Path | bytes | BinaryIO) -> AbstractContextManager[BinaryIO]:
    if isinstance(source, Path):
        return source.open("rb")
    return io.BytesIO(source) if isinstance(source, bytes) else nullcontext(source)  # the caller closes what it opened


def _too_large(label: str, found: str = "") -> BadPicture:
    message = f"{label}: over {MAX_PIXELS // 1_000_000} million pixels; make it smaller or take it out"
    return BadPicture("oversized", message, found)


def _square(picture: Image.Image, size: int, crop: Box | None, label: str) -> Inspected:
    """Turn upright, crop, flatten and resize an open picture to [3, size, size] uint8 RGB."""
    left, top, right, bottom = _clip(crop, _upright_size(picture))
    box = _centre_square((left, top, right, bottom), label)
    if picture.format == "JPEG":
        # Let the JPEG decoder drop resolution that Lanczos would throw away; twice the size keeps it sharp.
        full = picture.size[0]
        ratio = min(1.0, 2 * size / (box[2] - box[0]))
        picture.draft(None, (max(1, int(picture.size[0] * ratio)), max(1, int(picture.size[1] * ratio))))
        scale = picture.size[0] / full
        box = (box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale)
    picture, transparent = as_rgb(ImageOps.exif_transpose(picture))
    box = (box[0], box[1], min(box[2], picture.width), min(box[3], picture.height))
    resized = picture.resize((size, size), Image.Resampling.LANCZOS, box=box)
    pixels = np.ascontiguousarray(np.asarray(resized, dtype=np.uint8).transpose(2, 0, 1))
    return Inspected(pixels, right - left, bottom - top, transparent)


def _upright_size(picture: Image.Image) -> tuple[int, int]:
    width, height = picture.size
    return (height, width) if picture.getexif().get(_EXIF_ORIENTATION, 1) in (5, 6, 7, 8) else (width, height)


def _clip(crop: Box | None, pixels: tuple[int, int]) -> Box:
    left, top, right, bottom = crop or (0, 0, *pixels)
    return max(0, left), max(0, top), min(pixels[0], right), min(pixels[1], bottom)


def _centre_square(box: Box, label: str) -> tuple[float, float, float, float]:
    width, height = box[2] - box[0], box[3] - box[1]
    side = min(width, height)
    if side < MIN_SIDE:
        found = f"{max(0, width)}x{max(0, height)}"
        raise BadPicture(
            "tiny",
            f"{label}: {found} pixels, but each side must be {MIN_SIDE} or more; give a larger picture or take it out",
            found,
        )
    left, top = box[0] + (width - side) / 2, box[1] + (height - side) / 2
    return left, top, left + side, top + side


def as_rgb(picture: Image.Image) -> tuple[Image.Image, bool]:
    """Convert any mode to RGB; what is transparent becomes white, as on a catalogue page, and makes the answer True."""
    if picture.mode.startswith("I") or picture.mode == "F":  # 16-bit grey, which convert() would clip, not scale
        grey = np.asarray(picture, dtype=np.float64) / 257.0
        return Image.fromarray(np.rint(grey.clip(0, 255)).astype(np.uint8)).convert("RGB"), False
    if "A" in picture.getbands() or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        flat = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
        if profile := picture.info.get("icc_profile"):
            flat.info["icc_profile"] = profile  # as convert() does
        return flat, rgba.getchannel("A").getextrema() != (255, 255)
    return picture.convert("RGB"), False
