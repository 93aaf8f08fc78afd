"""What happens to files of strangers, and where? In this process, which may compute, read and write but little.

A line of JSON on standard input asks for a picture to be made anew or a table to be read; a line on standard output
answers. Whoever asks (sandbox.py) expects this process to die at any file, and starts another.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError

from bespoke.data.item import Problems
from bespoke.data.pictures import FORMATS, MIN_SIDE, as_rgb
from bespoke.data.readers import SPLIT_FOLDERS
from bespoke.data.tables import read_table, read_texts
from bespoke.errors import UserError
from bespoke.studio.limits import MOST_ROWS
from bespoke.studio.workshop.asked import Asked
from bespoke.studio.workshop.limits import (
    DECODER_BYTES,
    LONGEST_CAPTION,
    LONGEST_SIDE,
    MOST_CAPTIONS,
    MOST_FILE_BYTES,
    MOST_PICTURES,
    MOST_PIXELS,
    PICTURE_SECONDS,
    TABLE_SECONDS,
)

ORIENTATION = 0x0112  # in EXIF; from 5 on the picture lies on its side


def remake(source: str, target: str) -> dict[str, Any]:
    """Decode a picture and write it anew, upright and without anything that is no pixel: JPEG stays JPEG, the rest PNG.

    The answer is `kind` (jpeg or png) or `fault`, a key of problems.KINDS, with `detail`.
    """
    fault, kind, pixels = _opened(source, _picture)
    if fault:
        return fault
    quality: dict[str, Any] = {"quality": 95, "subsampling": 0} if kind == "jpeg" else {"compress_level": 4}
    pixels.save(target, kind, **quality)
    return {"kind": kind}


def mask(source: str, target: str, of: str, size: list[int]) -> dict[str, Any]:
    """Write the mask of the picture file `of` as a grey PNG of `size`: white may change.

    What is transparent in `source` may change; one that is opaque all over is read as white on black. The answer is
    `kind`, or `fault` with `detail` as for `remake`; `other_shape` where one is longer or wider than the other.
    """
    fault, __, found = _opened(source, _mask)
    if fault:
        return fault
    with Image.open(of, formats=FORMATS) as picture:
        width, height = picture.size[::-1] if picture.getexif().get(ORIENTATION, 1) > 4 else picture.size
    # One painted in a page may be smaller than a large picture; its sides are then rounded.
    if abs(found.width * height - found.height * width) > max(width, height):
        return {"fault": "other_shape", "detail": f"{found.width}x{found.height}, {width}x{height}"}
    found.resize((size[0], size[1]), Image.Resampling.BILINEAR).save(target, "png")
    return {"kind": "png"}


def _opened(source: str, made: Callable[[Image.Image], Image.Image]) -> tuple[dict[str, Any], str, Image.Image]:
    """A fault, or none and with it jpeg or png and what `made` makes of the picture."""
    blank = Image.new("L", (1, 1))
    if not Path(source).stat().st_size:
        return {"fault": "empty"}, "", blank
    try:
        with Image.open(source, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                return {"fault": "oversized", "detail": f"{width}x{height}"}, "", blank
            if min(width, height) < MIN_SIDE:
                return {"fault": "tiny", "detail": f"{width}x{height}"}, "", blank
            return {}, "jpeg" if picture.format == "JPEG" else "png", made(picture)
    except UnidentifiedImageError:
        return {"fault": "no_picture"}, "", blank
    except (MemoryError, Image.DecompressionBombError):
        return {"fault": "oversized"}, "", blank
    except Exception as error:  # a hostile file can make a decoder raise nearly anything
        return {"fault": "broken", "detail": " ".join(str(error).split())[:200]}, "", blank


def _mask(picture: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(picture)
    alpha = upright.convert("RGBA").getchannel("A")
    if alpha.getextrema() != (255, 255):
        return ImageChops.invert(alpha)
    return upright.convert("L")


def _picture(picture: Image.Image) -> Image.Image:
    picture.draft(None, (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))
    return _pixels(picture)


def _pixels(picture: Image.Image) -> Image.Image:
    """The picture as RGB, upright, no larger than is of use, and with no memory of its file."""
    small: Image.Image = picture.convert("RGBA") if picture.mode == "P" else picture
    factor = LONGEST_SIDE / min(small.size)
    if factor < 1:
        size = (max(1, round(small.width * factor)), max(1, round(small.height * factor)))
        small = small.resize(size, Image.Resampling.LANCZOS)
    else:
        small.load()
    upright = as_rgb(ImageOps.exif_transpose(small))[0]
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    return bare


def read(source: str, target: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Read a table into a file of one JSON list a line: the picture's name, its captions, its attributes.

    The answer is `rows`, or `fault` with `detail`. Rows that name no picture are passed over.
    """
    count = 0
    try:
        with Path(target).open("w", encoding="utf-8", newline="\n") as out:
            for row in read_table(Path(source), Asked(**asked).columns(), Problems()):
                count += 1
                if count > MOST_PICTURES:
                    return {"fault": "too_many", "detail": str(MOST_PICTURES)}
                split = row.attributes.get("split")
                if split is not None and split.lower() not in SPLIT_FOLDERS:
                    return {"fault": "bad_split", "detail": split[:40]}
                if len(row.texts) > MOST_CAPTIONS or any(len(text) > LONGEST_CAPTION for text in row.texts):
                    return {"fault": "long_caption", "detail": row.file_name[:200]}
                line = json.dumps([row.file_name, row.texts, row.attributes], ensure_ascii=False)
                out.write(line.encode("utf-8", "replace").decode("utf-8") + "\n")
    except UserError as error:
        return {"fault": "bad_table", "detail": str(error).replace(source, "").lstrip(":")}
    except MemoryError:
        return {"fault": "too_large"}
    except Exception as error:
        return {"fault": "bad_table", "detail": " ".join(str(error).split())[:200]}
    return {"rows": count}


def texts(source: str, target: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Read a list of texts into a file of one JSON list a line: number of the row, its texts, its other cells.

    The answer is `rows`, or `fault` with `detail` as for `read`.
    """
    count = 0
    try:
        with Path(target).open("w", encoding="utf-8", newline="\n") as out:
            for row in read_texts(Path(source), Asked(**asked).columns()):
                count += 1
                if count > MOST_ROWS:
                    return {"fault": "too_many", "detail": str(MOST_ROWS)}
                line = json.dumps(row, ensure_ascii=False)
                out.write(line.encode("utf-8", "replace").decode("utf-8") + "\n")
    except UserError as error:
        return {"fault": "bad_table", "detail": str(error).replace(source, "").lstrip(":")}
    except MemoryError:
        return {"fault": "too_large"}
    except Exception as error:
        return {"fault": "bad_table", "detail": " ".join(str(error).split())[:200]}
    return {"rows": count}


def main() -> None:
    """Answer until the input ends."""
    _limit_memory()
    doers: dict[str, tuple[Callable[..., dict[str, Any]], int]] = {
        "remake": (remake, PICTURE_SECONDS),
        "mask": (mask, PICTURE_SECONDS),
        "read": (read, TABLE_SECONDS),
        "texts": (texts, TABLE_SECONDS),
    }
    for line in sys.stdin:
        do, *given = json.loads(line)
        doer, seconds = doers[do]
        _limit_time(seconds)
        print(json.dumps(doer(*given)), flush=True)


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0]) if Path("/proc/self/statm").exists() else 0
    most = pages * resource.getpagesize() + DECODER_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE_BYTES, MOST_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


def _limit_time(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    main()
