"""How does somebody come in? By name and password; who guesses is held back."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import ngettext

from bespoke.studio.audit import record
from bespoke.studio.door import throttle


class LoginForm(AuthenticationForm):
    """Name and password; `held_seconds` where the attempt came too soon."""

    held_seconds = 0

    def clean(self) -> dict[str, Any]:
        if not {"username", "password"} <= self.cleaned_data.keys():
            return dict(self.cleaned_data)
        name = str(self.cleaned_data["username"])
        try:
            attempt = throttle.knock(name, address_of(self.request))
        except throttle.TooManyError as error:
            self.held_seconds = error.seconds
            minutes = -(-error.seconds // 60)
            told = ngettext(
                "Too many attempts have failed. Come back in %(number)s minute.",
                "Too many attempts have failed. Come back in %(number)s minutes.",
                minutes,
            )
            raise ValidationError(told % {"number": minutes}, code="held") from error
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            with transaction.atomic():
                record(None, "login.failed", User.objects.filter(username=name).first() or "nobody known")
            raise
        throttle.succeed(attempt)
        return cleaned


def address_of(request: HttpRequest) -> str:
    """From where a request comes; the web server has put in what a proxy on this machine says."""
    return str(request.META.get("REMOTE_ADDR") or "unknown")[:45]


class Login(LoginView):
    """The page to log in at."""

    template_name = "studio/login.html"
    authentication_form = LoginForm

    def form_valid(self, form: LoginForm) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            record(form.get_user(), "login", form.get_user())
        return answer

    def form_invalid(self, form: LoginForm) -> HttpResponse:
        answer = super().form_invalid(form)
        if form.held_seconds:
            answer.status_code = 429
            answer["Retry-After"] = str(form.held_seconds)
        return answer
