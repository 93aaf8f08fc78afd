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
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bespoke.studio import jobs, orders, registration, variations
from bespoke.studio.access import may, roles_of, set_role
from bespoke.studio.audit import record
from bespoke.studio.edit_pages import initial_of, stored
from bespoke.studio.edit_pages import page as edit_page
from bespoke.studio.forms import CreateForm, EditForm, PersonForm, RoleForm, TokenForm
from bespoke.studio.gallery import LONGEST_SEARCH, search
from bespoke.studio.models import Batch, Job, Picture, Token, TrainedModel
from bespoke.studio.people import ERASED
from bespoke.studio.policy.policy import BlockedError
from bespoke.studio.review.review import to_revise
from bespoke.studio.tokens import make_token, revoke_token

PICTURES_A_PAGE = 24
ORDERS_SHOWN = 12  # variations and edits of one picture
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
PARTS = {"picture": "gallery", "vary": "gallery"} | dict.fromkeys(("job", "preview", "batches", "batch"), "create")
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
        return create_page(request, form, None)
    form = CreateForm(request.user, request.POST)
    if not form.is_valid():
        return create_page(request, form, None, status=422)
    revised = form.cleaned_data.pop("revises")
    try:
        job = orders.draw(request.user, revises=revised, **form.cleaned_data)
    except BlockedError as error:
        form.add_error("text", _("Our rules do not allow this: %(words)s") % {"words": ", ".join(error.words)})
        return create_page(request, form, None, status=422)
    except jobs.QueueFullError:
        form.add_error(None, _("Too many orders are waiting. Try again in a minute."))
        return create_page(request, form, None, status=429)
    return redirect("job", job.pk)


def create_page(
    request: HttpRequest, form: CreateForm, job: Job | None, status: int = 200, preview: dict[str, Any] | None = None
) -> HttpResponse:
    """The page of a form, beside it what became of its order, in it what a preview shows."""
    models = list(TrainedModel.objects.open_to(request.user))
    shown = {"form": form, "job": job, "ready": bool(models), "revised": to_revise(form["revises"].value())}
    shown |= {"only_base": bool(models) and all(model.is_base for model in models)}
    return render(request, "studio/create.html", shown | (preview or {}), status=status)


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
    return create_page(request, form, found)


@require_GET
def job_result(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Only the part of the page that changes while an order waits."""
    found = get_object_or_404(Job.objects.select_related("model", "edit"), pk=key)
    return render(request, "studio/result.html", {"job": found})


@require_GET
def gallery(request: HttpRequest) -> HttpResponse:
    """All pictures, the newest first; `q` looks for words of their text, `list` for those of a list."""
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    pictures = search(wanted).select_related("job__owner", "proposal", "recalled")
    batch = Batch.objects.defer("rows").filter(pk=_uuid(request.GET.get("list", ""))).first()
    if batch is not None:
        pictures = pictures.filter(job__batch=batch).order_by("job__line", "number")
    page = Paginator(pictures, PICTURES_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "studio/gallery.html", {"page": page, "wanted": wanted, "batch": batch})


@require_GET
def picture(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """One picture and everything that is known of it."""
    found = get_object_or_404(_whole_pictures(), pk=key)
    recalled = getattr(found, "recalled", None)
    shown = {"picture": found, "job": found.job, "recalled": recalled, "key": uuid.uuid4()}
    shown |= {"may_vary": may(request.user, "vary") and recalled is None and not found.job.trial}
    shown |= {"edits": variations.edits_of(found)[:ORDERS_SHOWN]} | _varied(found)
    return render(request, "studio/picture.html", shown)


def _whole_pictures() -> Any:
    return Picture.objects.select_related("job__model", "job__owner", "job__edit", "job__varies", "job__batch").defer(
        "job__batch__rows"
    )


@require_GET
def picture_variations(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Only the part of a picture's page that changes while its variations wait."""
    found = get_object_or_404(Picture, pk=key)
    return render(request, "studio/variations.html", {"picture": found} | _varied(found))


def _varied(found: Picture) -> dict[str, Any]:
    orders = list(variations.orders_of(found)[:ORDERS_SHOWN])
    return {"variations": orders, "varying": any(order.open for order in orders)}


@require_POST
def vary(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Order variations of a picture: `by` other seeds or other balances."""
    found = get_object_or_404(_whole_pictures(), pk=key, recalled=None, job__trial=False)
    by = variations.other_balances if request.POST.get("by") == "balances" else variations.other_seeds
    try:
        by(found, request.user, _uuid(request.POST.get("key", "")) or uuid.uuid4())
    except variations.GoneError:
        messages.error(request, _("Its model has changed since, or is not open to you, so it cannot be drawn anew."))
    except BlockedError as error:
        messages.error(request, _("Our rules do not allow this: %(words)s") % {"words": ", ".join(error.words)})
    except jobs.QueueFullError:
        messages.error(request, _("Too many orders are waiting. Try again in a minute."))
    return redirect(f"{reverse('picture', args=[key])}#variations")


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


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
def register(request: HttpRequest, key: int) -> HttpResponse:
    """Let everybody draw with a model, or no longer."""
    model = get_object_or_404(TrainedModel, pk=key)
    try:
        if "withdraw" in request.POST:
            registration.withdraw(model, request.user)
        else:
            registration.register(model, request.user, request.POST.get("identity", ""))  # what they saw
    except registration.ChangedError:
        messages.error(request, _("This model has changed meanwhile. Look again."))
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
    for user in User.objects.exclude(username__startswith=ERASED).order_by("username").prefetch_related("groups"):
        role = next(iter(roles_of(user)), "") if user.is_active else ""
        rows.append((user, RoleForm(initial={"role": role}, auto_id=f"person-{user.pk}-%s")))
    return render(request, "studio/people.html", {"form": form, "rows": rows}, status=422 if form.errors else 200)


@require_POST
def person(request: HttpRequest, key: int) -> HttpResponse:
    """Give somebody another role, or shut the door: sessions and tokens end at once."""
    living = User.objects.exclude(username__startswith=ERASED)
    user, form = get_object_or_404(living, pk=key), RoleForm(request.POST)
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
