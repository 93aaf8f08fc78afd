"""Which addresses belong to exports? Every name has its row in access.py."""

from __future__ import annotations

from django.urls import path

from bespoke.studio.exports import pages

urlpatterns = [
    path("exports", pages.exports, name="exports"),
    path("exports/make", pages.export_make, name="export-make"),
]
