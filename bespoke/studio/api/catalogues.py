"""What do programs do with catalogues? Read versions, what the doctor says and every caption, and mend them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import override
from ninja import Query, Router, Schema, Status
from pydantic import Field

from bespoke.studio.api.errors import RefusedError, answers, files
from bespoke.studio.api.fields import Text
from bespoke.studio.api.paging import Page, Paging, Part, cut, cut_list
from bespoke.studio.workshop import catalogues as rules
from bespoke.studio.workshop import checking
from bespoke.studio.workshop import models as rows
from bespoke.studio.workshop.catalogue_pages import picture_answer
from bespoke.studio.workshop.limits import LONGEST_CAPTION, MOST_CAPTIONS
from bespoke.studio.workshop.version_files import FILE, ORIGINAL, TEXTS
from bespoke.studio.workshop.version_pictures import LONGEST_SEARCH, search

router = Router(tags=["catalogues"])
Language = Literal["en", "ja"]
MOST_CHANGED = 1000  # pictures of one request


class Version(Schema):
    """One state of a catalogue; nothing in it changes any more once it is frozen."""

    id: int
    catalogue: int = Field(alias="catalogue_id")
    number: int
    created_at: datetime
    created_by: str = Field(alias="created_by.username")
    num_pictures: int
    fingerprint: str = Field(description="Hash of all names, captions, attributes and pictures.")
    frozen: bool
    verdict: str | None = Field(description="Of the doctor on it as it stands; null where there is none yet.")
    trainings: list[uuid.UUID]

    @staticmethod
    def resolve_frozen(version: rows.Version) -> bool:
        return version.frozen_at is not None

    @staticmethod
    def resolve_verdict(version: rows.Version) -> str | None:
        return version.report.verdict if version.report else None

    @staticmethod
    def resolve_trainings(version: rows.Version) -> list[uuid.UUID]:
        return list(version.trainings.order_by("created_at").values_list("pk", flat=True))


class Catalogue(Schema):
    """Pictures with captions under one name."""

    id: int
    name: str
    created_at: datetime
    newest: Version


class WholeCatalogue(Catalogue):
    """A catalogue and all its versions, the newest first."""

    versions: list[Version]

    @staticmethod
    def resolve_versions(catalogue: rows.Catalogue) -> list[rows.Version]:
        return list(catalogue.versions.select_related("created_by"))


class Captioned(Schema):
    """A picture of a version and what it is taught as."""

    number: int
    file: str = Field(description="Its name in the version.")
    original: str = Field(description="What its sender called it.")
    captions: list[str]
    attributes: dict[str, Any]


class Changes(Schema):
    """Captions to replace, and pictures to take out, by their file names."""

    captions: dict[Text, list[Text]] = Field({}, max_length=MOST_CHANGED)
    take_out: list[Text] = Field([], max_length=MOST_CHANGED)


class Which(Paging):
    """Which pictures of a version."""

    q: Text = Field("", max_length=LONGEST_SEARCH, description="Words that captions or names hold.")
    finding: Text = Field("", max_length=50, description="A kind of finding of the doctor's report.")


@router.get("/catalogues", response=answers(Page[Catalogue]), url_name="catalogues")
def list_catalogues(request: HttpRequest, which: Query[Paging]) -> Part:
    """All catalogues, the oldest first."""
    return cut(rows.Catalogue.objects.all(), which, "id")


@router.get("/catalogues/{int:key}", response=answers(WholeCatalogue), url_name="catalogue")
def read_catalogue(request: HttpRequest, key: int) -> rows.Catalogue:
    """One catalogue."""
    found: rows.Catalogue = get_object_or_404(rows.Catalogue, pk=key)
    return found


@router.get("/versions/{int:key}", response=answers(Version), url_name="version")
def read_version(request: HttpRequest, key: int) -> rows.Version:
    """One version."""
    return _found(key)


@router.post("/versions/{int:key}/check", response=answers(Version, 202), url_name="version-check")
def check_version(request: HttpRequest, key: int) -> Status:
    """Ask the doctor, unless it was asked of the version as it stands."""
    rules.ask_doctor(_found(key), request.user)
    return Status(202, _found(key))


@router.get("/versions/{int:key}/report", response=answers(dict[str, Any]), url_name="version-report")
def read_version_report(request: HttpRequest, key: int, language: Language = "en") -> dict[str, Any]:
    """The doctor's report, as `bespoke check` writes it."""
    with override(language):
        if not (data := checking.report(_found(key))):
            raise RefusedError(
                404, "no report on this version as it stands; POST .../check, and wait", code="not_found"
            )
    return data


@router.get("/versions/{int:key}/pictures", response=answers(Page[Captioned]), url_name="version-pictures")
def list_version_pictures(request: HttpRequest, key: int, which: Query[Which]) -> Part:
    """The pictures with their captions."""
    part = cut_list(search(_found(key), which.q, which.finding), which, lambda pair: int(pair[0]))
    own = (FILE, TEXTS, ORIGINAL)
    told = [
        {
            "number": number,
            "file": row[FILE],
            "original": row[ORIGINAL],
            "captions": row[TEXTS],
            "attributes": {name: value for name, value in row.items() if name not in own},
        }
        for number, row in part.items
    ]
    return part._replace(items=told)


@router.get(
    "/versions/{int:key}/pictures/{name}", url_name="version-picture", openapi_extra=files("image/png", "image/jpeg")
)
def read_version_picture(request: HttpRequest, key: int, name: str) -> HttpResponse:
    """The file of a picture, by its name in the version."""
    return picture_answer(_found(key), name)


@router.post("/versions/{int:key}/captions", response=answers(Version), url_name="version-captions")
def change_version(request: HttpRequest, key: int, changes: Changes) -> rows.Version:
    """Change captions and take pictures out. The answer has the changes: a new version where this one is frozen."""
    try:
        typed = {name: rules.captions_of("\n".join(lines)) for name, lines in changes.captions.items()}
        made = rules.change(_found(key), request.user, typed, frozenset(changes.take_out))
    except ValueError as error:
        told = f"up to {MOST_CAPTIONS} captions of up to {LONGEST_CAPTION} characters a picture; one picture must stay"
        raise RefusedError(400, f"captions: {told}", param="captions") from error
    return _found(made.pk)


def _found(key: int) -> rows.Version:
    found: rows.Version = get_object_or_404(rows.Version.objects.select_related("catalogue", "created_by"), pk=key)
    return found
