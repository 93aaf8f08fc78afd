"""From what did a picture come? Picture, request, model, run, catalogue version, source pictures."""

from __future__ import annotations

from typing import Any

from bespoke.studio.models import Edit, Picture
from bespoke.studio.origin import origin
from bespoke.studio.review.calibrations import training_picture, version_of
from bespoke.studio.review.gates import calibration_of
from bespoke.studio.review.models import Proposal
from bespoke.studio.workshop.models import Version


def source_of(picture: Picture) -> Version | None:
    """The catalogue version that the picture's model has learned from; None where nobody here knows."""
    if (version := version_of(picture.job.model)) is not None:
        return version
    calibration = calibration_of(picture)
    return calibration.version if calibration else None


def chain_of(proposal: Proposal) -> dict[str, Any]:
    """The chain as it is written into files: numbers, names and hashes, no persons."""
    picture, version = proposal.picture, source_of(proposal.picture)
    name, _, identity = picture.model_name.rpartition(" ")
    told: dict[str, Any] = {
        "picture": str(picture.pk),
        "request": str(proposal.round.request_id),
        "round": proposal.round.number,
        "run": name,
        "model": identity,
    }
    if version is not None:
        told |= {
            "catalogue": version.catalogue.name,
            "catalogue_version": version.number,
            "catalogue_fingerprint": version.fingerprint,
            "source_pictures": version.num_pictures,
        }
    if picture.job.varies_id is not None:
        told["variation_of"] = str(picture.job.varies_id)
    if (edit := Edit.objects.filter(job=picture.job_id).first()) is not None:
        told |= origin(edit)
    return told | {"nearest_sources": _nearest(proposal)}


def _nearest(proposal: Proposal) -> list[str]:
    calibration = calibration_of(proposal.picture)
    if calibration is None:
        return []
    files = (training_picture(calibration, near["index"]) for near in proposal.copied.get("nearest", []))
    return [file.name for file in files if file is not None]
