"""How does a worker edit? The picture of an order, changed by its text, one picture at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.core.files.storage import default_storage
from PIL import Image

from bespoke.errors import UserError
from bespoke.networks import weights_hash
from bespoke.pipeline import Pipeline
from bespoke.studio.models import Edit, Job
from bespoke.studio.origin import origin


class Made(NamedTuple):
    """A picture as a worker hands it in."""

    image: Image.Image
    seed: int
    alignment: float
    mask: Image.Image | None = None  # where an edit has changed it
    chain: dict[str, Any] | None = None  # from what it came


def edited(pipeline: Pipeline, job: Job, edit: Edit) -> Iterator[Made]:
    """The pictures of a job that edits; `edit` learns which words differ. Raises UserError."""
    if pipeline.networks.editor is None:
        raise UserError(f"model {job.model.name} was not taught to edit; run: bespoke train CATALOGUE --out RUN --edit")
    picture, mask = _read(edit.file), _read(edit.mask) if edit.mask else None
    # A model's identity says nothing of its editor.
    chain = origin(edit) | {"editor": weights_hash(pipeline.networks.editor)}
    for seed in range(job.seed, job.seed + job.num_images):
        asked: dict[str, Any] = {"source": edit.source or None, "strength": edit.strength, "mask": mask}
        made = pipeline.edit(picture, job.text, seed=seed, **asked)
        edit.new_words, edit.old_words = made.new_words, made.old_words
        one = made.pictures[0]
        yield Made(one.image, one.seed, one.alignment, one.mask, chain)


def _read(name: str) -> Image.Image:
    try:
        with default_storage.open(name) as stream, Image.open(stream, formats=("PNG", "JPEG")) as image:
            image.load()
            return image
    except FileNotFoundError as error:
        raise UserError(f"{name}: the picture to be edited is no longer in the storage; send it again") from error
