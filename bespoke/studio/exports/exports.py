"""How is a file made of approved pictures? Checked, marked with where they come from, written down, handed out."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from PIL import Image

from bespoke.errors import UserError
from bespoke.provenance import mark
from bespoke.studio.access import roles_of
from bespoke.studio.audit import record
from bespoke.studio.exports.chain import chain_of, source_of
from bespoke.studio.exports.credentials import signed, signing
from bespoke.studio.exports.models import Export, Exported
from bespoke.studio.models import Batch, Edit, Picture
from bespoke.studio.origin import source_type
from bespoke.studio.policy.models import Rule
from bespoke.studio.policy.policy import BlockedError, judge
from bespoke.studio.review.models import Proposal
from bespoke.studio.review.states import APPROVED
from bespoke.studio.workshop.version_files import ORIGINAL, read_rows

MOST = 500  # pictures of one export


class NotApprovedError(Exception):
    """Among the pictures is one that is not, or no longer, approved."""


class Made(NamedTuple):
    """A file to hand out."""

    name: str
    content: bytes
    export: Export


def export(keys: Sequence[int], user: Any, purpose: str) -> Made:
    """A PNG of one proposal, or a zip of several with metadata.jsonl and their sources, and a row for each picture.

    Raises NotApprovedError, BlockedError, and UserError where a file is not what was drawn.
    """
    wanted = Proposal.objects.filter(pk__in=keys, state=APPROVED, picture__recalled=None)
    found = list(wanted.select_related("picture__job__model", "picture__job__owner", "round").order_by("pk"))
    if len(found) != len(set(keys)) or not 0 < len(found) <= MOST:
        raise NotApprovedError
    rules, roles = list(Rule.objects.all()), roles_of(user)
    lists = Batch.objects.in_bulk({proposal.picture.job.batch_id for proposal in found} - {None})
    cells = {key: batch.cells for key, batch in lists.items()}
    files, rows, said = [], [], []
    for proposal in found:
        findings = judge(proposal.picture.job.text, rules, roles)
        if findings.blocked:
            raise BlockedError(findings.blocked)
        disclaimers = [rule.sentence for rule in findings.disclaimers]
        said += [line for line in disclaimers if line not in said]
        content = _marked(proposal, " ".join(disclaimers))
        files.append((f"{proposal.picture_id}.png", content))
        job = proposal.picture.job
        rows.append(_row(proposal, content, disclaimers, cells.get(job.batch_id, {}).get(job.line, {})))
    single = len(found) == 1
    content = files[0][1] if single else _zip(files, rows, _sources(found), said)
    with transaction.atomic():
        # Asked again: one may have been recalled while the files were made.
        if len(Proposal.objects.select_for_update().filter(pk__in=keys, state=APPROVED)) != len(found):
            raise NotApprovedError
        made = Export.objects.create(
            at=timezone.now(), by=user, purpose=purpose, sha256=hashlib.sha256(content).hexdigest(), disclaimers=said
        )
        Exported.objects.bulk_create(
            [Exported(export=made, picture=p.picture, sha256=row["sha256"]) for p, row in zip(found, rows, strict=True)]
        )
        record(user, "export.made", made, pictures=len(found), sha256=made.sha256, purpose=purpose)
    return Made(f"bespoke-{made.pk}.{'png' if single else 'zip'}", content, made)


def _marked(proposal: Proposal, disclaimer: str) -> bytes:
    """The picture's file as it leaves."""
    picture, chain = proposal.picture, chain_of(proposal)
    kind = source_type(picture.job)
    with default_storage.open(picture.file) as stream:
        drawn = stream.read()
    if hashlib.sha256(drawn).hexdigest() != picture.sha256:
        raise UserError(f"picture {picture.pk}: the file is not what was drawn; restore it from a backup")
    with Image.open(io.BytesIO(drawn), formats=("PNG",)) as image, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "picture.png"
        mark(
            image.convert("RGB"),
            file,
            prompt=picture.job.text,
            seed=picture.seed,
            balance=picture.job.balance,
            model=picture.model_name,
            source_type=kind,
            chain=chain,
            terms=disclaimer,
        )
        return signed(file.read_bytes(), str(picture.pk), chain, kind, _before(picture) if signing() else None)


def _before(picture: Picture) -> bytes | None:
    """The picture that an edit has changed, as the studio keeps it. Raises UserError where it is gone."""
    edit = Edit.objects.filter(job=picture.job).first()
    if edit is None:
        return None
    try:
        with default_storage.open(edit.file) as stream:
            return bytes(stream.read())
    except FileNotFoundError as error:
        told = f"picture {picture.pk}: what it was edited from, {edit.file}, is gone; restore it from a backup"
        raise UserError(told) from error


def _row(proposal: Proposal, content: bytes, disclaimers: list[str], cells: dict[str, Any]) -> dict[str, Any]:
    """What metadata.jsonl says of a picture: flat, so that the export is itself a catalogue.

    cells: of the row in the list that it was ordered by, which come first and give way to what is ours.
    """
    picture, chain = proposal.picture, chain_of(proposal)
    told = {
        "file_name": f"{picture.pk}.png",
        "text": picture.job.text,
        "seed": picture.seed,
        "balance": picture.job.balance,
        "alignment": picture.alignment,
        "digital_source_type": source_type(picture.job),
        "sha256": hashlib.sha256(content).hexdigest(),
        "disclaimer": " ".join(disclaimers),
    }
    return cells | told | chain | {"nearest_sources": " ".join(chain["nearest_sources"])}


def _sources(found: Sequence[Proposal]) -> dict[str, str]:
    """For each catalogue version that models have learned from, the list of its pictures: name of the file, content."""
    versions = {version.pk: version for p in found if (version := source_of(p.picture)) is not None}
    lists = {}
    for version in versions.values():
        rows = ({"file_name": row["file_name"], ORIGINAL: row.get(ORIGINAL)} for row in read_rows(version.path))
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        lists[f"sources/{version.folder}.jsonl"] = lines
    return lists


def _zip(files: list[tuple[str, bytes]], rows: list[dict[str, Any]], sources: dict[str, str], said: list[str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(name, content)
        archive.writestr("metadata.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        for name, text in sources.items():
            archive.writestr(name, text)
        if said:
            archive.writestr("DISCLAIMERS.txt", "\n".join(said) + "\n")
    return stream.getvalue()
