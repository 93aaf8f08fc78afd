"""Which address is which page? Every name here has its row in access.py."""

from __future__ import annotations

from django.contrib.auth import views as auth
from django.urls import path
from django.views.i18n import set_language

from bespoke.studio import health, pages
from bespoke.studio.api import api

urlpatterns = [
    path("", pages.home, name="home"),
    path("login", auth.LoginView.as_view(template_name="studio/login.html"), name="login"),
    path("logout", auth.LogoutView.as_view(), name="logout"),
    path("language", set_language, name="set_language"),
    path("create", pages.create, name="create"),
    path("jobs/<uuid:key>", pages.job, name="job"),
    path("jobs/<uuid:key>/result", pages.job_result, name="job-result"),
    path("gallery", pages.gallery, name="gallery"),
    path("pictures/<uuid:key>", pages.picture, name="picture"),
    path("pictures/<uuid:key>.png", pages.picture_file, name="picture-file"),
    path("models", pages.models, name="models"),
    path("models/<int:key>/register", pages.register, name="register"),
    path("tokens", pages.tokens, name="tokens"),
    path("tokens/<int:key>/revoke", pages.revoke, name="revoke"),
    path("people", pages.people, name="people"),
    path("people/<int:key>", pages.person, name="person"),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", health.metrics, name="metrics"),
    path("v1/", api.urls),
]
_handlers = (f"bespoke.studio.errors.{name}" for name in ("bad", "no", "none", "broken"))
handler400, handler403, handler404, handler500 = _handlers
