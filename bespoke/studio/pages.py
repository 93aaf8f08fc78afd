"""Which pages do people see? HTTP in, HTML out; the rules are elsewhere."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bespoke.studio import jobs
from bespoke.studio.access import may, roles_of, set_role
from bespoke.studio.forms import CreateForm, PersonForm, RoleForm, TokenForm
from bespoke.studio.models import Job, Picture, Token, TrainedModel
from bespoke.studio.tokens import make_token

PICTURES_A_PAGE = 24
NAVIGATION = ("create", "gallery", "models", "tokens", "people")


def frame(request: HttpRequest) -> dict[str, Any]:
    """What the frame around every page needs: where this user may go."""
    user = getattr(request, "user", None)
    here = request.resolver_match.url_name if request.resolver_match else ""
    seen = {"job": "create", "picture": "gallery"}.get(here or "", here)
    return {"places": [name for name in NAVIGATION if user and may(user, name)], "here": seen}


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Where somebody starts who has just come in."""
    return redirect("create" if may(request.user, "create") else "gallery")


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """The form for new pictures."""
    if request.method != "POST":
        names = ("text", "balance", "seed", "best_of", "num_images", "model")
        form = CreateForm(initial={name: request.GET[name] for name in names if name in request.GET})
        return _create_page(request, form, None)
    form = CreateForm(request.POST)
    if not form.is_valid():
        return _create_page(request, form, None, status=422)
    try:
        job = jobs.enqueue(owner=request.user, **form.cleaned_data)
    except jobs.QueueFullError:
        form.add_error(None, _("Too many orders are waiting. Try again in a minute."))
        return _create_page(request, form, None, status=429)
    return redirect("job", job.pk)


def _create_page(request: HttpRequest, form: CreateForm, job: Job | None, status: int = 200) -> HttpResponse:
    ready = TrainedModel.objects.filter(registered_at__isnull=False, problem="").exists()
    return render(request, "studio/create.html", {"form": form, "job": job, "ready": ready}, status=status)


@require_GET
def job(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """What became of an order, beside the form that made it, ready for the next."""
    found = get_object_or_404(Job.objects.select_related("model"), pk=key)
    form = CreateForm(
        initial={
            "model": found.model_id,
            "text": found.text,
            "balance": found.balance,
            "num_images": found.num_images,
            "best_of": found.best_of,
        }
    )
    del form.fields["text"].widget.attrs["autofocus"]  # now the pictures are what matters
    return _create_page(request, form, found)


@require_GET
def job_result(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Only the part of the page that changes while an order waits."""
    found = get_object_or_404(Job.objects.select_related("model"), pk=key)
    return render(request, "studio/result.html", {"job": found})


@require_GET
def gallery(request: HttpRequest) -> HttpResponse:
    """All pictures, the newest first; `q` looks for words of their text."""
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:200]
    pictures = Picture.objects.select_related("job", "job__model")
    for word in wanted.split()[:10]:
        pictures = pictures.filter(job__text__icontains=word)
    page = Paginator(pictures, PICTURES_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "studio/gallery.html", {"page": page, "wanted": wanted})


@require_GET
def picture(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """One picture and everything that is known of it."""
    found = get_object_or_404(Picture.objects.select_related("job", "job__model", "job__owner"), pk=key)
    return render(request, "studio/picture.html", {"picture": found, "job": found.job})


@require_GET
def picture_file(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The PNG itself, with its mark; `download` saves it under a name."""
    found = get_object_or_404(Picture, pk=key)
    try:
        with default_storage.open(found.file) as file:
            response = HttpResponse(file.read(), content_type="image/png")
    except FileNotFoundError as error:
        raise Http404 from error
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="bespoke-{found.pk}.png"'
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


@require_GET
def models(request: HttpRequest) -> HttpResponse:
    """The models that were found, and which of them may be drawn with."""
    return render(request, "studio/models.html", {"models": TrainedModel.objects.order_by("name")})


@require_POST
def register(request: HttpRequest, key: int) -> HttpResponse:
    """Let everybody draw with a model, or no longer."""
    model = get_object_or_404(TrainedModel, pk=key)
    if "withdraw" in request.POST:
        model.registered_at = model.registered_by = None
    elif not model.problem and model.identity == request.POST.get("identity"):  # what the administrator saw
        model.registered_at, model.registered_by = timezone.now(), request.user
    else:
        messages.error(request, _("This model has changed meanwhile. Look again."))
    model.save(update_fields=["registered_at", "registered_by"])
    return redirect("models")


@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """One's own tokens; a new one is shown in the answer to this very request and never again."""
    form, fresh = TokenForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        fresh, form = make_token(request.user, form.cleaned_data["name"]), TokenForm()
    own = Token.objects.filter(owner=request.user)
    address = request.build_absolute_uri("/v1")
    return render(request, "studio/tokens.html", {"form": form, "fresh": fresh, "tokens": own, "address": address})


@require_POST
def revoke(request: HttpRequest, key: int) -> HttpResponse:
    """End a token of one's own."""
    get_object_or_404(Token, pk=key, owner=request.user).delete()
    return redirect("tokens")


@require_http_methods(["GET", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """Who may come in, and in which role."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
        return redirect("people")
    rows = []
    for user in User.objects.order_by("username").prefetch_related("groups"):
        role = next(iter(roles_of(user)), "") if user.is_active else ""
        rows.append((user, RoleForm(initial={"role": role}, auto_id=f"person-{user.pk}-%s")))
    return render(request, "studio/people.html", {"form": form, "rows": rows}, status=422 if form.errors else 200)


@require_POST
def person(request: HttpRequest, key: int) -> HttpResponse:
    """Give somebody another role, or shut the door: sessions and tokens end at once."""
    user, form = get_object_or_404(User, pk=key), RoleForm(request.POST)
    if user == request.user:
        messages.error(request, _("Your own role is for another administrator to change."))
    elif form.is_valid():
        role = form.cleaned_data["role"]
        with transaction.atomic():
            user.is_active = bool(role)
            user.save(update_fields=["is_active"])
            if role:
                set_role(user, role)
            else:
                user.groups.clear()
    return redirect("people")
