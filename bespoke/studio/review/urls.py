"""Which addresses belong to the review? Every name has its row in access.py."""

from __future__ import annotations

from django.urls import path

from bespoke.studio.review import gate_pages, pages

urlpatterns = [
    path("review", pages.review, name="review"),
    path("review/propose", pages.propose_pictures, name="propose"),
    path("review/many", pages.review_many, name="review-many"),
    path("review/<int:key>", pages.proposal, name="proposal"),
    path("review/<int:key>/decide", pages.review_decide, name="review-decide"),
    path("review/<int:key>/withdraw", pages.review_withdraw, name="review-withdraw"),
    path("gates", gate_pages.gates, name="gates"),
    path("gates/<int:key>", gate_pages.gates_set, name="gates-set"),
    path("gates/<uuid:key>/training-picture", gate_pages.training_picture, name="training-picture"),
    path("pictures/<uuid:key>/recall", gate_pages.recall, name="recall"),
    path("pictures/<uuid:key>/recall.csv", gate_pages.recall_exports, name="recall-exports"),
]
