"""How do programs order pictures? As OpenAI's clients already do; `balance`, `seed` and `best_of` come on top."""

from __future__ import annotations

import asyncio
import base64
import time
from importlib.metadata import version
from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import override
from ninja import File, Form, NinjaAPI, Schema, UploadedFile
from ninja.errors import HttpError
from pydantic import Field

from bespoke.studio import jobs
from bespoke.studio.api import errors
from bespoke.studio.api.bearer import ByToken, described
from bespoke.studio.limits import (
    LARGEST_SEED,
    LONGEST_TEXT,
    MOST_CANDIDATES,
    MOST_IMAGES,
    USUAL_STRENGTH,
    text_problem,
)
from bespoke.studio.models import Edit, Job, TrainedModel
from bespoke.studio.opening import UnusableError, opened
from bespoke.studio.policy.policy import BlockedError

WAIT_SECONDS = 300.0  # for a job, before the caller is told to come back
FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 1.0  # every look is a query: who waits long looks rarely


api = NinjaAPI(
    title="Bespoke",
    version=version("bespoke"),
    description="Pictures from text, by the models of this studio. OpenAI's clients work as they are.",
    auth=ByToken(),
    urls_namespace="v1",
    docs_decorator=described,
)
errors.tell(api)


class Wanted(Schema):
    """What every order of pictures says."""

    n: int = Field(1, ge=1, le=MOST_IMAGES, description="How many pictures.")
    response_format: Literal["b64_json"] | None = Field("b64_json", description="PNG files in base64.")
    output_format: Literal["png"] | None = "png"
    seed: int | None = Field(None, ge=0, le=LARGEST_SEED, description="Of the first picture; the next has the next.")


class Order(Wanted):
    """What OpenAI's `images.generate` sends, and three fields of ours. Other fields of theirs are ignored."""

    model: str = Field(description="The name of a registered model, see /v1/models.")
    prompt: str = Field(max_length=LONGEST_TEXT, description="What to draw.")
    size: str | None = Field("auto", description="`auto`, or the model's own size such as `64x64`.")
    stream: Literal[False] | None = False
    balance: float = Field(
        0.5, ge=0, le=1, description="From 0 (most varied) to 1 (most alike); the text is shown best at 0.25 to 0.5."
    )
    best_of: int = Field(1, ge=1, le=MOST_CANDIDATES, description="Candidates a picture; the best match is kept.")


class Change(Wanted):
    """What OpenAI's `images.edit` sends, and three fields of ours. Other fields of theirs are ignored."""

    model: str = Field(description="The name of a registered model that was taught to edit, see /v1/models.")
    prompt: str = Field(max_length=LONGEST_TEXT, description="What the picture should show.")
    size: str | None = Field("auto", description="`auto`, or the picture's own size.")
    stream: Literal["false"] | None = None
    source: str = Field("", max_length=LONGEST_TEXT, description="What it shows now; else the model guesses.")
    strength: float = Field(USUAL_STRENGTH, ge=0, le=1, description="From 0 (as it is) to 1 (nothing is held back).")


class Image(Schema):
    """One picture; `b64_json` is a PNG that says how it was made."""

    b64_json: str
    id: str
    seed: int
    balance: float
    alignment: float


class Images(Schema):
    """All pictures of one order."""

    created: int
    data: list[Image]
    unknown_words: list[str] = Field(description="Words of the prompt that the model has never seen.")


class Model(Schema):
    """A registered model."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "bespoke"
    image_size: int
    identity: str = Field(description="Hash of the weights.")


class Models(Schema):
    """All registered models."""

    object: Literal["list"] = "list"
    data: list[Model]


@api.get("/models", response=errors.answers(Models), url_name="models", summary="List the models")
async def list_models(request: HttpRequest) -> Any:
    """The models that this user may draw with, the one that was promoted last first."""
    data = [
        Model(id=m.name, created=int(m.found_at.timestamp()), image_size=m.image_size, identity=m.identity)
        for m in await sync_to_async(lambda: list(TrainedModel.objects.open_to(request.user)))()
    ]
    return Models(data=data)


@api.post(
    "/images/generations",
    response=errors.answers(Images),
    url_name="generate",
    summary="Draw pictures",
)
async def generate(request: HttpRequest, order: Order) -> Any:
    """Draws pictures of one text and answers when they are done."""
    return await _result(await sync_to_async(_enqueue)(request.user, order))


@api.post(
    "/images/edits",
    response=errors.answers(Images),
    url_name="edit",
    summary="Change a picture by its text",
)
async def edit(
    request: HttpRequest,
    change: Form[Change],
    image: UploadedFile | None = File(None, description="JPEG, PNG or WebP."),  # noqa: B008 (how ninja has it)
    mask: UploadedFile | None = File(None, description="What is transparent may change; opaque: what is white."),  # noqa: B008
) -> Any:
    """Changes a picture where its text does, and answers when that is done."""
    image = image or request.FILES.get("image[]")  # so do OpenAI's clients call the first of several
    if image is None or len(request.FILES.getlist("image[]")) > 1:
        raise HttpError(400, "image: send one picture")
    return await _result(await sync_to_async(_enqueue_edit)(request.user, change, image, mask))


async def _result(job: Job) -> Images:
    """The pictures of a job when they are done. Raises HttpError where they are not."""
    deadline, pause = time.monotonic() + WAIT_SECONDS, FIRST_LOOK_SECONDS
    while job.open and time.monotonic() < deadline:
        await asyncio.sleep(pause)
        pause = min(1.3 * pause, LONGEST_PAUSE_SECONDS)
        await job.arefresh_from_db(fields=["state", "error", "finished_at", "unknown_words"])
    if job.open:
        raise HttpError(503, f"job {job.pk} still waits; its pictures will be in the gallery")
    if job.state == Job.State.FAILED:
        raise HttpError(500, f"job {job.pk}: {job.error}")
    return await sync_to_async(_images)(job)


def _model(user: Any, name: str, prompt: str) -> TrainedModel:
    if problem := text_problem(prompt):
        raise HttpError(400, f"prompt: {problem}")
    model: TrainedModel | None = TrainedModel.objects.open_to(user).filter(name=name).first()
    if model is None:
        raise HttpError(404, f"model {name!r}: not registered here; GET /v1/models lists those that are")
    return model


def _enqueue(user: Any, order: Order) -> Job:
    model = _model(user, order.model, order.prompt)
    size = f"{model.image_size}x{model.image_size}"
    if order.size not in (None, "auto", size):
        raise HttpError(400, f"size {order.size!r}: this model draws {size}; pass that, or auto, or leave it out")
    try:
        return jobs.enqueue(
            owner=user,
            model=model,
            text=order.prompt.strip(),
            num_images=order.n,
            balance=order.balance,
            seed=order.seed,
            best_of=order.best_of,
        )
    except BlockedError as error:
        raise _blocked(error) from error


def _enqueue_edit(user: Any, change: Change, image: UploadedFile, mask: UploadedFile | None) -> Job:
    model = _model(user, change.model, change.prompt)
    text, source = change.prompt.strip(), change.source.strip()
    if not model.edits:
        told = "not taught to edit; who trained it runs: bespoke train CATALOGUE --out RUN --edit"
        raise HttpError(400, f"model {model.name!r}: {told}")
    if source and (problem := text_problem(source)):
        raise HttpError(400, f"source: {problem}")
    if text == source:
        raise HttpError(400, "prompt: the same as source; change the words that should show")
    try:
        with opened(image, mask) as original, transaction.atomic():
            size = f"{original.size[0]}x{original.size[1]}"
            if change.size not in (None, "auto", size):
                raise HttpError(400, f"size {change.size!r}: this picture keeps its own, {size}; pass auto")
            files = {"file": original.file, "sha256": original.sha256, "mask": original.mask}
            return jobs.enqueue(
                owner=user,
                model=model,
                text=text,
                num_images=change.n,
                balance=0.0,
                seed=change.seed,
                best_of=1,
                edit=Edit(source=source, strength=change.strength, **files),
            )
    except UnusableError as error:
        with override("en"):
            raise HttpError(400, f"{'mask' if error.is_mask else 'image'}: {error.told}") from error
    except BlockedError as error:
        raise _blocked(error) from error


def _blocked(error: BlockedError) -> HttpError:
    return HttpError(400, f"prompt: this studio's rules do not allow {error}; write it without")


def _images(job: Job) -> Images:
    data = []
    for picture in job.pictures.order_by("number"):
        with default_storage.open(picture.file) as file:
            encoded = base64.b64encode(file.read()).decode("ascii")
        told = {"seed": picture.seed, "balance": job.balance, "alignment": picture.alignment}
        data.append(Image(b64_json=encoded, id=str(picture.pk), **told))
    assert job.finished_at is not None
    return Images(created=int(job.finished_at.timestamp()), data=data, unknown_words=job.unknown_words)
