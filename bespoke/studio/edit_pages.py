"""Where do people change a picture by its text? A page with the picture to paint on, and the files it shows."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from bespoke.studio import jobs, orders
from bespoke.studio.forms import EditForm
from bespoke.studio.models import Edit, Job, Picture, TrainedModel
from bespoke.studio.opening import BusyError, UnusableError, of_storage
from bespoke.studio.policy.policy import BlockedError
from bespoke.studio.review.review import to_revise


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest) -> HttpResponse:
    """The form for an edit: of any picture, of one of the gallery (?picture=KEY), or once more (?again=KEY)."""
    if request.method != "POST":
        return page(request, EditForm(request.user, initial=_initial(request)))
    form = EditForm(request.user, request.POST, request.FILES)
    if not form.is_valid():
        return page(request, form, status=422)
    try:
        return redirect("job", _order(request.user, form.cleaned_data).pk)
    except UnusableError as error:
        form.add_error("mask" if error.is_mask else "image", error.told)
    except FileNotFoundError:
        form.add_error("image", _("This picture is no longer there. Choose another."))
    except BlockedError as error:
        form.add_error("text", _("Our rules do not allow this: %(words)s") % {"words": ", ".join(error.words)})
    except (jobs.QueueFullError, BusyError):
        form.add_error(None, _("Too many orders are waiting. Try again in a minute."))
        return page(request, form, status=429)
    return page(request, form, status=422)


def _order(user: Any, asked: dict[str, Any]) -> Job:
    revised, sent, known = asked.pop("revises"), asked.pop("image"), asked.pop("again")
    shown, mask = asked.pop("picture"), asked.pop("mask")
    if not sent:
        sent = of_storage(known.file, known.sha256) if known else of_storage(shown.file, shown.sha256)
    return orders.edit(user, sent, mask, revises=revised, **asked)


def _initial(request: HttpRequest) -> dict[str, Any]:
    given = {name: request.GET[name] for name in ("text", "revises") if name in request.GET}
    picture = _found(Picture.objects.select_related("job"), request.GET.get("picture", ""))
    known = _found(Edit.objects.select_related("job"), request.GET.get("again", ""))
    if known is not None:
        return initial_of(known) | given
    if picture is not None:
        text = picture.job.text
        return {"picture": picture.pk, "model": picture.job.model_id, "source": text, "text": text} | given
    return given


def initial_of(known: Edit) -> dict[str, Any]:
    """The form of an edit, filled in as it was."""
    job = known.job
    told = {"again": known.pk, "model": job.model_id, "text": job.text, "num_images": job.num_images}
    return told | {"source": known.source, "strength": known.strength}


def _found(among: Any, key: str) -> Any:
    try:
        return among.filter(pk=uuid.UUID(key)).first()
    except ValueError:
        return None


def page(request: HttpRequest, form: EditForm, job: Job | None = None, status: int = 200) -> HttpResponse:
    """The page of a form, beside it what became of its order."""
    known = _found(Edit.objects, str(form["again"].value() or ""))
    picture = _found(Picture.objects, str(form["picture"].value() or ""))
    shown: dict[str, Any] = {"form": form, "job": job, "revised": to_revise(form["revises"].value())}
    if known is not None:
        shown["original"] = reverse("job-original", args=[known.pk])
        shown["mask"] = reverse("job-mask", args=[known.pk]) if known.mask else ""
    elif picture is not None:
        shown["original"] = reverse("picture-file", args=[picture.pk])
    usable = TrainedModel.objects.open_to(request.user)
    shown |= {"ready": usable.filter(edits=True).exists(), "any": usable.exists()}
    return render(request, "studio/edit.html", shown, status=status)


@require_GET
def original(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The picture that an order changes."""
    return stored(get_object_or_404(Edit, pk=key).file)


@require_GET
def mask(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """What an order may change of its picture: white."""
    return stored(get_object_or_404(Edit, pk=key).mask)


@require_GET
def where(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Where an edit has changed its picture."""
    found = get_object_or_404(Picture.objects.exclude(job__edit=None), pk=key)
    return stored(found.mask_file)


def stored(name: str) -> HttpResponse:
    """A picture of the storage, which never changes. Raises Http404."""
    if not name:
        raise Http404
    try:
        with default_storage.open(name) as file:
            kind = "image/jpeg" if name.endswith(".jpg") else "image/png"
            response = HttpResponse(file.read(), content_type=kind)
    except FileNotFoundError as error:
        raise Http404 from error
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
