"""How do programs send catalogues? Files in one request, which become a version or a list of what is wrong."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from bespoke.studio.api.errors import RefusedError, answers
from bespoke.studio.api.fields import LARGEST_KEY, checked
from bespoke.studio.api.paging import Page, Paging, Part, cut
from bespoke.studio.workshop import uploading
from bespoke.studio.workshop.forms import UploadForm
from bespoke.studio.workshop.models import Catalogue
from bespoke.studio.workshop.models import Upload as Row
from bespoke.studio.workshop.told import tell_problem

router = Router(tags=["catalogues"])
_TEXT, _FILES = {"type": "string"}, {"type": "array", "items": {"type": "string", "format": "binary"}}
# Said here and read in the view: the request must not be read before its files have their place on the disk.
_FORM = {
    "name": {**_TEXT, "maxLength": 100, "description": "Of the new catalogue; or say what it adds to."},
    "adds_to": {"type": "integer", "description": "The key of the catalogue that gets more pictures."},
    "pictures": {**_FILES, "description": "JPEG, PNG or WebP files, or zips."},
    "table": {"type": "string", "format": "binary", "description": "CSV, Excel or JSONL; may be in the zip."},
    "skip_bad": {"type": "boolean", "description": "Leave out what cannot be used, in place of refusing everything."},
    "file_column": {**_TEXT, "maxLength": 100, "description": "Guessed unless told, as are the captions'."},
    "text_column": {**_TEXT, "maxLength": 100},
    "template": {**_TEXT, "maxLength": 300, "description": "A caption from several columns: {color} {type}."},
}
_BODY = {"type": "object", "properties": _FORM, "required": ["pictures"]}
_DESCRIBED = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _BODY}}}}


class Fault(Schema):
    """What is wrong with which file."""

    file: str
    told: str


class Upload(Schema):
    """Files on their way into a version."""

    id: uuid.UUID
    name: str
    created_at: datetime
    state: Literal["waiting", "running", "done", "failed"]
    error: str
    looked_at: int = Field(description="Files so far, while it is running.")
    files: int
    problems: list[Fault] = Field(description="Why it was refused, or what was left out; not all where there are many.")
    num_problems: int
    version: int | None = Field(alias="version_id", description="What it has become.")

    @staticmethod
    def resolve_looked_at(upload: Row) -> int:
        return uploading.progress(upload)[0]

    @staticmethod
    def resolve_files(upload: Row) -> int:
        return uploading.progress(upload)[1]

    @staticmethod
    def resolve_problems(upload: Row) -> list[dict[str, str]]:
        return [{"file": name, "told": tell_problem(kind, detail)} for kind, name, detail in upload.problems]


@router.get("/uploads", response=answers(Page[Upload]), url_name="uploads")
def list_uploads(request: HttpRequest, which: Query[Paging]) -> Part:
    """The newest first."""
    return cut(Row.objects.all(), which, "-created_at", "-id")


@router.post("/uploads", response=answers(Upload, 202), url_name="uploads", openapi_extra=_DESCRIBED)
def make_upload(request: HttpRequest) -> Status:
    """Send pictures with a table of captions, as a form with files; read the upload until it is done or failed."""
    with uploading.receiving(request) as receiver:
        adds_to = _catalogue(request.POST.get("adds_to", ""))
        form = UploadForm(adds_to, request.POST, request.FILES)
        try:
            return Status(202, uploading.accept(form, receiver, request.user, adds_to))
        except uploading.TooLargeError as error:
            raise RefusedError(413, f"{error}: too large; send less at a time, or smaller files") from error
        except uploading.DiskFullError as error:
            raise RefusedError(507, "the studio's disk is nearly full; ask an administrator") from error
        except uploading.InvalidError:
            checked(form)
            raise


@router.get("/uploads/{uuid:key}", response=answers(Upload), url_name="upload")
def read_upload(request: HttpRequest, key: uuid.UUID) -> Row:
    """One upload."""
    found: Row = get_object_or_404(Row, pk=key)
    return found


def _catalogue(text: str) -> Catalogue | None:
    if not text:
        return None
    known: QuerySet[Any] = Catalogue.objects.all()
    whole = text.isascii() and text.isdecimal() and len(text) < 19 and int(text) <= LARGEST_KEY
    if (found := known.filter(pk=int(text)).first() if whole else None) is None:
        raise RefusedError(404, "adds_to: no catalogue has this key; GET /api/catalogues lists them", param="adds_to")
    return found
