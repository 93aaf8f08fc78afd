"""Which pages keep the lists?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from bespoke.studio.access import ROLES
from bespoke.studio.policy.forms import RuleForm
from bespoke.studio.policy.models import Rule
from bespoke.studio.policy.policy import add, remove


@require_http_methods(["GET", "POST"])
def policy(request: HttpRequest) -> HttpResponse:
    """The lists, and a form for another rule."""
    form = RuleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        add(request.user, **form.cleaned_data)
        return redirect("policy")
    rules = [(rule, [ROLES[role] for role in rule.roles if role in ROLES]) for rule in Rule.objects.all()]
    shown = {"form": form, "rules": rules}
    return render(request, "policy/policy.html", shown, status=422 if form.errors else 200)


@require_POST
def policy_remove(request: HttpRequest, key: int) -> HttpResponse:
    """Take a rule off."""
    remove(request.user, get_object_or_404(Rule, pk=key))
    return redirect("policy")
