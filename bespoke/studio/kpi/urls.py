"""Which addresses belong to the figures? Every name has its row in access.py."""

from __future__ import annotations

from django.urls import path

from bespoke.studio.kpi import pages

urlpatterns = [
    path("kpi", pages.kpi, name="kpi"),
    path("kpi/export", pages.kpi_export, name="kpi-export"),
    path("kpi/rates", pages.kpi_rates, name="kpi-rates"),
]
