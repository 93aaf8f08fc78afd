"""Which address is which page of the workshop? Every name here has its row in access.py."""

from __future__ import annotations

from django.urls import path

from bespoke.studio.workshop import catalogue_pages, model_pages, training_pages, upload_pages

urlpatterns = [
    path("catalogues", catalogue_pages.catalogues, name="catalogues"),
    path("catalogues/upload", upload_pages.upload, name="upload"),
    path("uploads/<uuid:key>", upload_pages.progress, name="upload-progress"),
    path("uploads/<uuid:key>/state", upload_pages.state, name="upload-state"),
    path("catalogues/<int:key>", catalogue_pages.version, name="version"),
    path("catalogues/<int:key>/state", catalogue_pages.state, name="version-state"),
    path("catalogues/<int:key>/check", catalogue_pages.check, name="version-check"),
    path("catalogues/<int:key>/pictures", catalogue_pages.pictures, name="version-pictures"),
    path("catalogues/<int:key>/picture", catalogue_pages.picture, name="version-picture"),
    path("catalogues/<int:key>/captions", catalogue_pages.captions, name="version-captions"),
    path("checks/<uuid:key>/report", catalogue_pages.report, name="check-report"),
    path("catalogues/<int:key>/train", training_pages.train, name="train"),
    path("trainings/<uuid:key>", training_pages.training, name="training"),
    path("trainings/<uuid:key>/state", training_pages.state, name="training-state"),
    path("trainings/<uuid:key>/sheet", training_pages.sheet, name="training-sheet"),
    path("trainings/<uuid:key>/stop", training_pages.stop, name="training-stop"),
    path("trainings/<uuid:key>/resume", training_pages.resume, name="training-resume"),
    path("models/compare", model_pages.compare, name="compare"),
    path("models/roll-back", model_pages.roll_back, name="roll-back"),
    path("models/<int:key>", model_pages.model, name="model"),
    path("models/<int:key>/state", model_pages.state, name="model-state"),
    path("models/<int:key>/evaluate", model_pages.evaluate, name="evaluate"),
    path("models/<int:key>/promote", model_pages.promote, name="promote"),
    path("models/<int:key>/audience", model_pages.audience, name="audience"),
    path("evaluations/<uuid:key>/report", model_pages.report, name="evaluation-report"),
    path("comparisons/<uuid:key>", model_pages.comparison, name="comparison"),
    path("comparisons/<uuid:key>/state", model_pages.comparison_state, name="comparison-state"),
]
