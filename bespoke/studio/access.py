"""Who may do what? One table of routes and roles; what is not in it, nobody may."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext_lazy as _

from bespoke.studio.api import error

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
    "words": MAKERS,
    "preview": MAKERS,
    "edit": MAKERS,
    "batches": MAKERS,
    "batch": ALL,
    "batch-state": ALL,
    "batch-cancel": MAKERS,  # one's own, unless an administrator asks
    "batch-propose": MAKERS,
    "batch-export": EDITORS,
    "job": ALL,
    "job-result": ALL,
    "job-original": ALL,
    "job-mask": ALL,
    "gallery": ALL,
    "picture": ALL,
    "picture-file": ALL,
    "picture-mask": ALL,
    "picture-variations": ALL,
    "vary": MAKERS,
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
    "v1:openapi-json": _by_token(ALL),
    "v1:openapi-view": ALL,
    "v1:generate": _by_token(MAKERS),
    "v1:edit": _by_token(MAKERS),
    "v1:models": _by_token(ALL),
    "api:openapi-json": _by_token(ALL),
    "api:openapi-view": ALL,
    "metrics": _by_token(ADMINISTRATORS),
}

# What programs call under /api/, by address and method, and the page that does the same: one rule is for both.
RESOURCES = {
    "catalogues GET": "catalogues",
    "catalogue GET": "version",
    "uploads GET": "catalogues",
    "uploads POST": "upload",
    "upload GET": "upload-progress",
    "version GET": "version",
    "version-check POST": "version-check",
    "version-report GET": "check-report",
    "version-pictures GET": "version-pictures",
    "version-picture GET": "version-picture",
    "version-captions POST": "version-captions",
    "trainings GET": "training",
    "trainings POST": "train",
    "training GET": "training",
    "training-sheet GET": "training-sheet",
    "training-stop POST": "training-stop",
    "training-resume POST": "training-resume",
    "models GET": "models",
    "model GET": "model",
    "model-register POST": "register",
    "model-withdraw POST": "register",
    "model-promote POST": "promote",
    "model-roll-back POST": "roll-back",
    "model-audience POST": "audience",
    "model-limits GET": "gates",
    "model-limits POST": "gates-set",
    "evaluations GET": "model",
    "evaluations POST": "evaluate",
    "evaluation-report GET": "evaluation-report",
    "comparisons POST": "compare",
    "comparison GET": "comparison",
    "jobs GET": "gallery",
    "jobs POST": "create",
    "job GET": "job",
    "job-cancel POST": "create",  # one's own, unless an administrator asks
    "previews POST": "preview",
    "words POST": "words",
    "lists GET": "batch",
    "lists POST": "batches",
    "list GET": "batch",
    "list-cancel POST": "batch-cancel",
    "pictures GET": "gallery",
    "picture GET": "picture",
    "picture-file GET": "picture-file",
    "picture-mask GET": "picture-mask",
    "picture-edit POST": "edit",
    "picture-vary POST": "vary",
    "picture-recall GET": "recall",
    "picture-recall POST": "recall",
    "reviews GET": "review",
    "reviews POST": "propose",
    "review GET": "proposal",
    "review-decide POST": "review-decide",
    "review-withdraw POST": "review-withdraw",
    "review-many POST": "review-many",
    "exports GET": "exports",
    "exports POST": "export-make",
    "policy GET": "policy",
    "policy POST": "policy",
    "policy-rule DELETE": "policy-remove",
    "kpi GET": "kpi",
    "kpi-prices GET": "kpi-rates",
    "kpi-prices POST": "kpi-rates",
    "audit GET": "audit",
    "audit-export GET": "audit-export",
    "audit-verify POST": "audit-verify",
}
ROUTES |= {f"api:{resource}": _by_token(ROUTES[page]) for resource, page in RESOURCES.items()}


def roles_of(user: Any) -> frozenset[str]:
    """The roles of a user; none for a stranger."""
    if not user.is_authenticated:
        return frozenset()
    if not hasattr(user, "_roles"):
        user._roles = frozenset(user.groups.values_list("name", flat=True)) & ROLES.keys()
    return frozenset(user._roles)


def rule_of(request: HttpRequest) -> Rule | None:
    """The rule of what a request calls; None where the table does not have it."""
    match = request.resolver_match
    name = match.view_name if match else ""
    return ROUTES.get(name) or ROUTES.get(f"{name} {request.method}")


def methods_of(request: HttpRequest) -> list[str]:
    """The methods by which programs call an address."""
    name = request.resolver_match.view_name if request.resolver_match else ""
    return [method for known, _space, method in (route.partition(" ") for route in ROUTES) if method and known == name]


def may(user: Any, route: str) -> bool:
    """Whether a user may call a route."""
    rule = ROUTES.get(route)
    return rule is not None and (rule.public or bool(rule.roles & roles_of(user)))


def set_role(user: Any, role: str) -> None:
    """Give a user this role and no other."""
    assert role in ROLES
    user.groups.set([Group.objects.get_or_create(name=role)[0]])


class Access(MiddlewareMixin):
    """The middleware that asks the table before any page is made. Routes for programs ask it in api/bearer.py."""

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponseBase | None:
        rule = rule_of(request)
        if rule is None:
            if methods := methods_of(request):
                told = f"{request.method}: not for this address; use {' or '.join(methods)}"
                return JsonResponse(error(405, told), status=405, headers={"Allow": ", ".join(methods)})
            raise PermissionDenied
        if rule.public or rule.token:
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not rule.roles & roles_of(request.user):
            raise PermissionDenied
        return None
