"""Which address is which page? Every name here has its row in access.py."""

from __future__ import annotations

from django.contrib.auth import views as auth
from django.urls import include, path
from django.views.i18n import set_language

from bespoke.studio import batch_pages as batches
from bespoke.studio import edit_pages as edits
from bespoke.studio import health, pages
from bespoke.studio.api import openai, resources
from bespoke.studio.audit import pages as audit
from bespoke.studio.door.pages import Login
from bespoke.studio.policy import pages as policy
from bespoke.studio.previews import pages as previews

urlpatterns = [
    path("", pages.home, name="home"),
    path("login", Login.as_view(), name="login"),
    path("logout", auth.LogoutView.as_view(), name="logout"),
    path("language", set_language, name="set_language"),
    path("create", pages.create, name="create"),
    path("create/words", previews.words, name="words"),
    path("create/preview", previews.preview, name="preview"),
    path("lists", batches.batch_list, name="batches"),
    path("lists/<uuid:key>", batches.batch, name="batch"),
    path("lists/<uuid:key>/state", batches.batch_state, name="batch-state"),
    path("lists/<uuid:key>/cancel", batches.batch_cancel, name="batch-cancel"),
    path("lists/<uuid:key>/propose", batches.batch_propose, name="batch-propose"),
    path("lists/<uuid:key>/export", batches.batch_export, name="batch-export"),
    path("edit", edits.edit, name="edit"),
    path("jobs/<uuid:key>", pages.job, name="job"),
    path("jobs/<uuid:key>/result", pages.job_result, name="job-result"),
    path("jobs/<uuid:key>/original", edits.original, name="job-original"),
    path("jobs/<uuid:key>/mask", edits.mask, name="job-mask"),
    path("gallery", pages.gallery, name="gallery"),
    path("pictures/<uuid:key>", pages.picture, name="picture"),
    path("pictures/<uuid:key>.png", pages.picture_file, name="picture-file"),
    path("pictures/<uuid:key>/mask.png", edits.where, name="picture-mask"),
    path("pictures/<uuid:key>/variations", pages.picture_variations, name="picture-variations"),
    path("pictures/<uuid:key>/vary", pages.vary, name="vary"),
    path("models", pages.models, name="models"),
    path("models/<int:key>/register", pages.register, name="register"),
    path("", include("bespoke.studio.workshop.urls")),
    path("tokens", pages.tokens, name="tokens"),
    path("tokens/<int:key>/revoke", pages.revoke, name="revoke"),
    path("people", pages.people, name="people"),
    path("people/<int:key>", pages.person, name="person"),
    path("", include("bespoke.studio.review.urls")),
    path("", include("bespoke.studio.exports.urls")),
    path("", include("bespoke.studio.kpi.urls")),
    path("policy", policy.policy, name="policy"),
    path("policy/<int:key>/remove", policy.policy_remove, name="policy-remove"),
    path("audit", audit.audit, name="audit"),
    path("audit/export", audit.audit_export, name="audit-export"),
    path("audit/verify", audit.audit_verify, name="audit-verify"),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", health.metrics, name="metrics"),
    path("v1/", openai.api.urls),
    path("api/", resources.api.urls),
]
_handlers = (f"bespoke.studio.errors.{name}" for name in ("bad", "no", "none", "broken"))
handler400, handler403, handler404, handler500 = _handlers
