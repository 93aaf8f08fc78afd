"""How do approved pictures leave for a program? As a file that is written down, like any export."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from bespoke.studio.api.errors import RefusedError, answers, files
from bespoke.studio.api.fields import Key, Text
from bespoke.studio.api.paging import Page, Paging, Part, cut
from bespoke.studio.exports import models as rows
from bespoke.studio.exports.exports import MOST, NotApprovedError, export
from bespoke.studio.tables import attachment

router = Router(tags=["exports"])
PNG, ZIP = "image/png", "application/zip"


class Exported(Schema):
    """One picture of an export."""

    picture: uuid.UUID = Field(alias="picture_id")
    sha256: str = Field(description="Of the file as it left.")


class Export(Schema):
    """One file that left."""

    id: uuid.UUID
    at: datetime
    by: str = Field(alias="by.username")
    purpose: str
    sha256: str
    disclaimers: list[str]
    pictures: list[Exported]

    @staticmethod
    def resolve_pictures(export: rows.Export) -> list[rows.Exported]:
        return sorted(export.pictures.all(), key=lambda exported: exported.pk)


class NewExport(Schema):
    """Which approved reviews, and where their pictures go."""

    reviews: list[Key] = Field(min_length=1, max_length=MOST)
    purpose: Text = Field(min_length=1, max_length=200)


@router.get("/exports", response=answers(Page[Export]), url_name="exports")
def list_exports(request: HttpRequest, which: Query[Paging]) -> Part:
    """The newest first."""
    return cut(rows.Export.objects.select_related("by").prefetch_related("pictures"), which, "-at", "-id")


@router.post("/exports", url_name="exports", openapi_extra=files(PNG, ZIP))
def make_export(request: HttpRequest, wanted: NewExport) -> HttpResponse:
    """A PNG of one, a zip of several. The header X-Export-ID has the key of the export."""
    if not (purpose := wanted.purpose.strip()):
        raise RefusedError(400, "purpose: empty; say where the pictures go", param="purpose")
    try:
        made = export(wanted.reviews, request.user, purpose)
    except NotApprovedError as error:
        told = "reviews: one is not, or no longer, approved, or its picture was recalled; read them again"
        raise RefusedError(409, told, param="reviews", code="not_approved") from error
    response = attachment(made.name, PNG if made.name.endswith(".png") else ZIP, made.content)
    response["X-Export-ID"] = str(made.export.pk)
    return response
