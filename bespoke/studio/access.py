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
REVIEWERS = Rule(frozenset({"reviewer", "administrator"}))
EDITORS = Rule(MAKERS.roles | REVIEWERS.roles)
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
    "edit": MAKERS,
    "job": ALL,
    "job-result": ALL,
    "job-original": ALL,
    "job-mask": ALL,
    "gallery": ALL,
    "picture": ALL,
    "picture-file": ALL,
    "picture-mask": ALL,
    "models": ALL,
    "register": ADMINISTRATORS,
    "catalogues": ALL,
    "upload": MAKERS,
    "upload-progress": ALL,
    "upload-state": ALL,
    "version": ALL,
    "version-state": ALL,
    "version-check": MAKERS,
    "version-pictures": ALL,
    "version-picture": ALL,
    "version-captions": MAKERS,
    "check-report": ALL,
    "train": MAKERS,
    "training": ALL,
    "training-state": ALL,
    "training-sheet": ALL,
    "training-stop": MAKERS,
    "training-resume": MAKERS,
    "model": ALL,
    "model-state": ALL,
    "evaluate": MAKERS,
    "evaluation-report": ALL,
    "compare": MAKERS,
    "comparison": ALL,
    "comparison-state": ALL,
    "promote": ADMINISTRATORS,
    "roll-back": ADMINISTRATORS,
    "audience": ADMINISTRATORS,
    "tokens": ALL,
    "revoke": ALL,  # one's own
    "people": ADMINISTRATORS,
    "person": ADMINISTRATORS,
    "review": ALL,
    "proposal": ALL,
    "propose": MAKERS,
    "review-decide": REVIEWERS,
    "review-many": REVIEWERS,
    "review-withdraw": MAKERS,
    "gates": ADMINISTRATORS,
    "gates-set": ADMINISTRATORS,
    "training-picture": ALL,
    "recall": ADMINISTRATORS,
    "recall-exports": ADMINISTRATORS,
    "exports": ALL,
    "export-make": EDITORS,
    "kpi": ALL,
    "kpi-export": ALL,
    "kpi-rates": ADMINISTRATORS,
    "policy": ADMINISTRATORS,
    "policy-remove": ADMINISTRATORS,
    "audit": ADMINISTRATORS,
    "audit-export": ADMINISTRATORS,
    "audit-verify": ADMINISTRATORS,
    "api:openapi-json": ALL,
    "api:openapi-view": ALL,
    "api:generate": _by_token(MAKERS),
    "api:edit": _by_token(MAKERS),
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
