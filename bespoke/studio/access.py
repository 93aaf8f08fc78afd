"""Who may do what? One table of routes and roles; what is not in it, nobody may."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext_lazy as _

ROLES = {
    "viewer": _("Viewer"),
    "creator": _("Creator"),
    "reviewer": _("Reviewer"),
    "administrator": _("Administrator"),
}


class Rule(NamedTuple):
    """For whom a route is; `token` where programs call it, with a token and without a session."""

    roles: frozenset[str]
    public: bool = False
    token: bool = False


PUBLIC = Rule(frozenset(), public=True)
ALL = Rule(frozenset(ROLES))
MAKERS = Rule(frozenset({"creator", "administrator"}))
ADMINISTRATORS = Rule(frozenset({"administrator"}))


def _by_token(rule: Rule) -> Rule:
    return rule._replace(token=True)


ROUTES = {
    "login": PUBLIC,
    "logout": PUBLIC,
    "set_language": PUBLIC,
    "live": PUBLIC,
    "ready": PUBLIC,
    "home": ALL,
    "create": MAKERS,
    "job": ALL,
    "job-result": ALL,
    "gallery": ALL,
    "picture": ALL,
    "picture-file": ALL,
    "models": ALL,
    "register": ADMINISTRATORS,
    "tokens": ALL,
    "revoke": ALL,  # one's own
    "people": ADMINISTRATORS,
    "person": ADMINISTRATORS,
    "api:openapi-json": ALL,
    "api:openapi-view": ALL,
    "api:generate": _by_token(MAKERS),
    "api:models": _by_token(ALL),
    "metrics": _by_token(ADMINISTRATORS),
}


def roles_of(user: Any) -> frozenset[str]:
    """The roles of a user; none for a stranger."""
    if not user.is_authenticated:
        return frozenset()
    if not hasattr(user, "_roles"):
        user._roles = frozenset(user.groups.values_list("name", flat=True)) & ROLES.keys()
    return frozenset(user._roles)


def may(user: Any, route: str) -> bool:
    """Whether a user may call a route."""
    rule = ROUTES.get(route)
    return rule is not None and (rule.public or bool(rule.roles & roles_of(user)))


def set_role(user: Any, role: str) -> None:
    """Give a user this role and no other."""
    assert role in ROLES
    user.groups.set([Group.objects.get_or_create(name=role)[0]])


class Access(MiddlewareMixin):
    """The middleware that asks the table before any page is made. Routes for programs ask it in api.py."""

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponseBase | None:
        match = request.resolver_match
        rule = ROUTES.get(match.view_name if match else "")
        if rule is None:
            raise PermissionDenied
        if rule.public or rule.token:
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not rule.roles & roles_of(request.user):
            raise PermissionDenied
        return None
