"""Which parts of the page Create answer while somebody types? Unknown words, and a strip of previews.

A script asks for the part alone (header X-Part); without one, the button Preview brings the whole page with it.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bespoke.errors import UserError
from bespoke.studio import pages
from bespoke.studio.forms import CreateForm, TextForm
from bespoke.studio.policy.policy import BlockedError, look_at
from bespoke.studio.previews import asking
from bespoke.studio.previews.asking import AwayError, BusyError


@require_POST
def words(request: HttpRequest) -> HttpResponse:
    """Which words of a text the model has never seen, and which our rules do not like."""
    form = TextForm(request.user, request.POST)
    if not form.is_valid():  # half a text is no mistake
        return render(request, "studio/words.html")
    found = look_at(form.cleaned_data["text"], request.user)
    shown: dict[str, Any] = {"blocked": found.blocked, "warned": found.warned}
    try:
        answer = asking.ask(request.user, form.cleaned_data["model"], form.cleaned_data["text"])
    except (BusyError, AwayError):
        return render(request, "studio/words.html", shown, status=503)
    except UserError:  # the strip of previews says so
        return render(request, "studio/words.html", shown)
    return render(request, "studio/words.html", shown | {"unknown": answer["unknown"]})


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """The same text and seed with five balances. Nothing of it is kept."""
    form = TextForm(request.user, request.POST)
    shown, status = _drawn(request, form) if form.is_valid() else ({}, 422)
    if request.headers.get("X-Part"):
        return render(request, "studio/preview.html", shown, status=status)
    return pages.create_page(request, CreateForm(request.user, request.POST), None, status, shown)


def _drawn(request: HttpRequest, form: TextForm) -> tuple[dict[str, Any], int]:
    """What the strip shows, and the status of the answer."""
    asked = form.cleaned_data
    try:
        strip = asking.preview(request.user, asked["model"], asked["text"], asked["seed"])
    except BlockedError as error:
        return {"blocked": error.rules}, 422  # told below the text
    except BusyError:
        return {"told": _("Too many previews at once. Wait a moment and try again.")}, 429
    except AwayError:
        return {"told": _("Previews are away for a moment; orders are drawn all the same.")}, 503
    except UserError as error:
        return {"told": _("There is no preview of this model."), "why": str(error)}, 422
    pictures = [{"balance": f"{balance:.2f}", "png": png} for balance, png in strip.pictures]
    return {"pictures": pictures, "seed": strip.seed, "unknown": strip.unknown}, 200
