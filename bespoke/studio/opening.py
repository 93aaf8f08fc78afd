"""How do pictures and masks of strangers come into an order? Made anew by a decoder that may die at any of them."""

from __future__ import annotations

import atexit
import hashlib
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, NamedTuple

from django.core.files import File
from django.core.files.storage import default_storage
from django.db.models import Q
from django.utils.translation import gettext_lazy
from PIL import Image

from bespoke.studio.limits import MOST_PICTURE_BYTES
from bespoke.studio.models import Edit
from bespoke.studio.workshop.sandbox import Sandbox
from bespoke.studio.workshop.told import tell_problem

ORIGINALS = "originals"  # the folder in the storage for what was sent
PATIENCE_SECONDS = 20.0  # for the one decoder of this process

_OWN = {
    "tiny": gettext_lazy("too small: each side must have 16 pixels or more"),
    "heavy": gettext_lazy("too large: at most %(megabytes)d MB"),
    "other_shape": gettext_lazy("has another shape than the picture; give both the same width and height"),
}
_sandbox, _one_at_a_time = Sandbox(), Lock()  # the decoder stays: starting it takes longer than most pictures
atexit.register(_sandbox.__exit__)


class UnusableError(Exception):
    """A file that cannot be read or used, or a mask (`is_mask`) that does not go with its picture."""

    def __init__(self, kind: str, detail: str = "", *, is_mask: bool = False) -> None:
        super().__init__(f"{kind} {detail}".strip())
        self.kind, self.detail, self.is_mask = kind, detail, is_mask

    @property
    def told(self) -> str:
        """What is wrong, in the language of the request."""
        if self.kind not in _OWN:
            return tell_problem(self.kind, self.detail)
        told = str(_OWN[self.kind]) % {"megabytes": MOST_PICTURE_BYTES // 2**20}
        return f"{told} ({self.detail})" if self.detail else told


class BusyError(Exception):
    """So many pictures are sent that this one would wait too long."""


class Original(NamedTuple):
    """A picture to be edited and its mask, as names in the storage."""

    file: str
    sha256: str  # of the file that was sent, or drawn
    mask: str  # empty where all of it may change
    size: tuple[int, int]  # width, height of the picture in the storage


@contextmanager
def opened(picture: Any | Original, mask: Any = None) -> Iterator[Original]:
    """Take a picture (an uploaded file, or one that the storage has) and the uploaded `mask` for it into the storage.

    What was written for an order that then fails is taken away again. Raises UnusableError, BusyError.
    """
    made: list[str] = []
    try:
        with tempfile.TemporaryDirectory(prefix="bespoke-") as folder:
            yield _take_in(picture, mask, Path(folder), made)
    except BaseException:
        for name in made:
            default_storage.delete(name)
        raise


def discard_unless_used(original: Original) -> None:
    """Delete the files of an order that was sent twice and has become one job."""
    for name in (original.file, original.mask):
        used = Edit.objects.filter(Q(file=name) | Q(mask=name)).exists()
        if name.startswith(f"{ORIGINALS}/") and not used:
            default_storage.delete(name)


def of_storage(file: str, sha256: str) -> Original:
    """A picture that the storage has. Raises FileNotFoundError where it has lost it."""
    with default_storage.open(file) as stream, Image.open(stream, formats=("PNG", "JPEG")) as image:
        return Original(file, sha256, "", image.size)


def _take_in(picture: Any | Original, mask: Any, folder: Path, made: list[str]) -> Original:
    sent = folder / "sent"
    if isinstance(picture, Original):
        original = picture
        if mask is not None:
            with default_storage.open(picture.file) as stream:
                _write(stream, sent)
    else:
        digest = _write(picture, sent)
        kind = ask_decoder("remake", str(sent), str(folder / "made"))["kind"]
        with Image.open(folder / "made", formats=("PNG", "JPEG")) as image:
            size = image.size
        original = Original(_keep(folder / "made", "jpg" if kind == "jpeg" else "png", made), digest, "", size)
    if mask is None:
        return original
    _write(mask, folder / "sent-mask", is_mask=True)
    asked = [str(folder / name) for name in ("sent-mask", "mask", "sent")]
    ask_decoder("mask", *asked, list(original.size), is_mask=True)
    return original._replace(mask=_keep(folder / "mask", "png", made))


def _write(source: Any | BinaryIO, target: Path, *, is_mask: bool = False) -> str:
    """Copy what was sent; returns its SHA-256."""
    digest, left = hashlib.sha256(), MOST_PICTURE_BYTES
    with target.open("wb") as out:
        while part := source.read(2**20):
            left -= len(part)
            if left < 0:
                raise UnusableError("heavy", is_mask=is_mask)
            digest.update(part)
            out.write(part)
    return digest.hexdigest()


def ask_decoder(do: str, *given: Any, is_mask: bool = False) -> dict[str, Any]:
    """What the decoder answers (workshop/decoder.py). Raises UnusableError, BusyError."""
    if not _one_at_a_time.acquire(timeout=PATIENCE_SECONDS):
        raise BusyError
    try:
        answer = _sandbox.ask(do, *given)
    finally:
        _one_at_a_time.release()
    if "fault" in answer:
        raise UnusableError(answer["fault"], answer.get("detail", ""), is_mask=is_mask)
    return answer


def _keep(file: Path, suffix: str, made: list[str]) -> str:
    with file.open("rb") as stream:
        made.append(str(default_storage.save(f"{ORIGINALS}/{uuid.uuid4()}.{suffix}", File(stream))))
    return made[-1]
