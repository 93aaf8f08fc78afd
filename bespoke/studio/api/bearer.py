"""Who calls? Whoever brings a token of a user whose role may call the route; descriptions open to sessions, too."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja.security import HttpBearer

from bespoke.studio.access import roles_of, rule_of
from bespoke.studio.api.errors import RefusedError
from bespoke.studio.tokens import user_of


class ByToken(HttpBearer):
    """Asks the table of access for the token's owner."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        user = user_of(request)
        if user is None:
            return None
        request.user = user
        rule = rule_of(request)
        if rule is None or not rule.roles & roles_of(user):
            raise RefusedError(403, "the role of this token's owner does not allow this", code="not_allowed")
        return user


def described(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Lets a page of documentation be read by whoever is logged in or brings a token."""

    @wraps(view)
    def guarded(request: HttpRequest, **given: Any) -> HttpResponse:
        if not request.user.is_authenticated and user_of(request) is None:
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
        return view(request, **given)

    return guarded
