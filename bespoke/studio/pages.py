"""Which pages do people see? HTTP in, HTML out; the rules are elsewhere."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bespoke.studio import jobs
from bespoke.studio.access import may, roles_of, set_role
from bespoke.studio.audit import record
from bespoke.studio.edit_pages import initial_of, stored
from bespoke.studio.edit_pages import page as edit_page
from bespoke.studio.forms import CreateForm, EditForm, PersonForm, RoleForm, TokenForm
from bespoke.studio.models import Job, Picture, Token, TrainedModel
from bespoke.studio.policy.policy import BlockedError
from bespoke.studio.review import calibrations
from bespoke.studio.review.review import open_round, to_revise
from bespoke.studio.tokens import make_token, revoke_token

PICTURES_A_PAGE = 24
NAVIGATION = {
    "create": gettext_lazy("Create"),
    "edit": gettext_lazy("Edit"),
    "gallery": gettext_lazy("Gallery"),
    "review": gettext_lazy("Review"),
    "catalogues": gettext_lazy("Catalogues"),
    "models": gettext_lazy("Models"),
    "kpi": gettext_lazy("Figures"),
    "tokens": gettext_lazy("API"),
    "people": gettext_lazy("People"),
    "policy": gettext_lazy("Policy"),
    "audit": gettext_lazy("Audit"),
}
# Pages that belong to a place of the navigation.
PARTS = {"job": "create", "picture": "gallery"}
PARTS |= dict.fromkeys(("proposal", "review-decide", "gates", "gates-set", "exports", "recall"), "review")
PARTS |= {"kpi-rates": "kpi", "audit-verify": "audit"}
PARTS |= dict.fromkeys(("upload", "upload-progress", "version", "version-pictures", "train"), "catalogues")
PARTS |= dict.fromkeys(("training", "model", "compare", "comparison", "evaluate", "promote"), "models")


def frame(request: HttpRequest) -> dict[str, Any]:
    """What the frame around every page needs: where this user may go."""
    user = getattr(request, "user", None)
    here = request.resolver_match.url_name if request.resolver_match else ""
    places = {name: label for name, label in NAVIGATION.items() if user and may(user, name)}
    return {"places": places, "here": PARTS.get(here or "", here)}


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Where somebody starts who has just come in."""
    return redirect("create" if may(request.user, "create") else "gallery")


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """The form for new pictures."""
    if request.method != "POST":
        names = ("text", "balance", "seed", "best_of", "num_images", "model", "revises")
        given = {name: request.GET[name] for name in names if name in request.GET}
        form = CreateForm(request.user, initial=given)
        return _create_page(request, form, None)
    form = CreateForm(request.user, request.POST)
    if not form.is_valid():
        return _create_page(request, form, None, status=422)
    revised = form.cleaned_data.pop("revises")
    try:
        with transaction.atomic():
            job = jobs.enqueue(owner=request.user, **form.cleaned_data)
            if revised is not None:
                open_round(revised, job)
    except BlockedError as error:
        form.add_error("text", _("Our rules do not allow this: %(words)s") % {"words": ", ".join(error.words)})
        return _create_page(request, form, None, status=422)
    except jobs.QueueFullError:
        form.add_error(None, _("Too many orders are waiting. Try again in a minute."))
        return _create_page(request, form, None, status=429)
    return redirect("job", job.pk)


def _create_page(request: HttpRequest, form: CreateForm, job: Job | None, status: int = 200) -> HttpResponse:
    ready = TrainedModel.objects.open_to(request.user).exists()
    shown = {"form": form, "job": job, "ready": ready, "revised": to_revise(form["revises"].value())}
    return render(request, "studio/create.html", shown, status=status)


@require_GET
def job(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """What became of an order, beside the form that made it, ready for the next."""
    found = get_object_or_404(Job.objects.select_related("model", "edit"), pk=key)
    if hasattr(found, "edit"):
        return edit_page(request, EditForm(request.user, initial=initial_of(found.edit)), found)
    form = CreateForm(
        request.user,
        initial={
            "model": found.model_id,
            "text": found.text,
            "balance": found.balance,
            "num_images": found.num_images,
            "best_of": found.best_of,
        },
    )
    del form.fields["text"].widget.attrs["autofocus"]  # now the pictures are what matters
    return _create_page(request, form, found)


@require_GET
def job_result(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Only the part of the page that changes while an order waits."""
    found = get_object_or_404(Job.objects.select_related("model", "edit"), pk=key)
    return render(request, "studio/result.html", {"job": found})


@require_GET
def gallery(request: HttpRequest) -> HttpResponse:
    """All pictures, the newest first; `q` looks for words of their text."""
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:200]
    pictures = Picture.objects.filter(job__trial=False).select_related("job__model", "job__edit")
    for word in wanted.split()[:10]:
        pictures = pictures.filter(job__text__icontains=word)
    page = Paginator(pictures, PICTURES_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "studio/gallery.html", {"page": page, "wanted": wanted})


@require_GET
def picture(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """One picture and everything that is known of it."""
    found = get_object_or_404(Picture.objects.select_related("job__model", "job__owner", "job__edit"), pk=key)
    return render(request, "studio/picture.html", {"picture": found, "job": found.job})


@require_GET
def picture_file(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The PNG itself, with its mark; `download` saves it under a name."""
    found = get_object_or_404(Picture, pk=key)
    response = stored(found.file)
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="bespoke-{found.pk}.png"'
    return response


@require_GET
def models(request: HttpRequest) -> HttpResponse:
    """The models that were found, and which of them may be drawn with."""
    return render(request, "studio/models.html", {"models": TrainedModel.objects.order_by("name")})


@require_POST
@transaction.atomic
def register(request: HttpRequest, key: int) -> HttpResponse:
    """Let everybody draw with a model, or no longer."""
    model = get_object_or_404(TrainedModel, pk=key)
    if "withdraw" in request.POST:
        model.registered_at = model.registered_by = None
        done = "model.withdrawn"
    elif not model.problem and model.identity == request.POST.get("identity"):  # what the administrator saw
        model.registered_at, model.registered_by = timezone.now(), request.user
        done = "model.registered"
    else:
        messages.error(request, _("This model has changed meanwhile. Look again."))
        return redirect("models")
    model.save(update_fields=["registered_at", "registered_by"])
    record(request.user, done, model, name=model.name, identity=model.identity)
    if model.usable:
        calibrations.order(model, request.user)
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
    revoke_token(get_object_or_404(Token, pk=key, owner=request.user))
    return redirect("tokens")


@require_http_methods(["GET", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """Who may come in, and in which role."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            record(request.user, "person.added", form.save(), role=form.cleaned_data["role"])
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
            record(request.user, "person.role", user, role=role or "none")
    return redirect("people")
