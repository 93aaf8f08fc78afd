"""What does somebody see when a page cannot be shown? A short page with an id that the log knows, and no internals."""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from bespoke.studio.api import ADDRESSES, error
from bespoke.studio.limits import RETRY_SECONDS
from bespoke.studio.storage import StorageError

LOG = logging.getLogger("bespoke.storage")


def _page(request: HttpRequest, status: int, title: str, told: str) -> HttpResponse:
    number = getattr(request, "id", "")
    if request.path.startswith(ADDRESSES):
        return JsonResponse(error(status, f"{title}. {told} (request {number})"), status=status)
    shown = {"title": title, "told": told, "number": number}
    # Where something broke, the frame is left out: it asks the database who looks.
    page = render_to_string("studio/error.html", shown, request if status < 500 else None)
    return HttpResponse(page, status=status)


def bad(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400"""
    return _page(request, 400, _("This request could not be read"), _("Go back and try again."))


def no(request: HttpRequest, exception: Any = None, reason: str = "") -> HttpResponse:
    """403, also for a form whose token is missing or old."""
    return _page(request, 403, _("Not allowed"), _("Your role does not allow this, or the page was open for too long."))


def none(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404"""
    return _page(request, 404, _("Not found"), _("There is nothing at this address."))


def broken(request: HttpRequest) -> HttpResponse:
    """500"""
    return _page(request, 500, _("Something broke"), _("It was our fault, not yours. The log knows more."))


class NoStorage(MiddlewareMixin):
    """The middleware that answers where the pictures' storage does not: 503, and what was asked has not been done."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, StorageError):
            return None
        LOG.error("no storage", extra={"request": getattr(request, "id", ""), "reason": str(exception)})
        told = _("Their storage does not answer. Try again in a minute.")
        response = _page(request, 503, _("Pictures cannot be reached"), told)
        response["Retry-After"] = RETRY_SECONDS
        response["X-Should-Retry"] = "false"  # an order by /v1 may be drawn already; OpenAI's client would order again
        return response
