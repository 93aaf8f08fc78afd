"""How can others check who made a picture? By C2PA content credentials, signed with a certificate where there is one.

Signing is the last thing that happens to a file: whatever changes it afterwards breaks the signature. Nothing is asked
of other machines, so signatures carry no time stamp of an authority.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from bespoke.errors import UserError

CERTIFICATE, KEY, ALGORITHM = (f"BESPOKE_STUDIO_C2PA_{name}" for name in ("CERTIFICATE", "KEY", "ALGORITHM"))
PNG = b"\x89PNG"
BEFORE = "edited-from"  # name of the picture before an edit, within one manifest
ALGORITHMS = ("es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519")


def signing() -> bool:
    """Whether exports are signed."""
    return bool(os.environ.get(CERTIFICATE) or os.environ.get(KEY))


def signed(png: bytes, title: str, chain: dict[str, Any], source_type: str, edited_from: bytes | None = None) -> bytes:
    """A PNG with credentials, or as it is where no certificate is configured. Raises UserError where it cannot be.

    source_type: what it is in IPTC's words, as in its mark. edited_from: the PNG or JPEG that it was edited from, of
    which credentials hold the hash (a C2PA ingredient) and no thumbnail: it may not be for everybody's eyes.
    """
    if not signing():
        return png
    certificate, key = os.environ.get(CERTIFICATE), os.environ.get(KEY)
    if not certificate or not key:
        raise UserError(f"{KEY if certificate else CERTIFICATE}: not set; signing takes a certificate and its key")
    algorithm = os.environ.get(ALGORITHM) or "es256"
    if algorithm not in ALGORITHMS:
        raise UserError(f"{ALGORITHM}={algorithm}: expected one of {', '.join(ALGORITHMS)}")
    try:
        import c2pa
    except ImportError as error:
        raise UserError("signing needs one more package; run: pip install 'c2pa-python>=0.38'") from error
    asked = c2pa.C2paSignerInfo(algorithm.encode("ascii"), _read(certificate, CERTIFICATE), _read(key, KEY), None)
    out = io.BytesIO()
    try:
        manifest = _manifest(title, chain, source_type, edited=edited_from is not None)
        with (
            c2pa.Context.from_dict({"builder": {"thumbnail": {"enabled": False}}}) as context,
            c2pa.Signer.from_info(asked) as signer,
            c2pa.Builder(manifest, context) as builder,
        ):
            if edited_from is not None:
                kind = "image/png" if edited_from.startswith(PNG) else "image/jpeg"
                before = {"title": chain["edited_from"], "relationship": "parentOf", "label": BEFORE}
                builder.add_ingredient(before, kind, io.BytesIO(edited_from))
            builder.sign(signer, "image/png", io.BytesIO(png), out)
    except c2pa.C2paError as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{CERTIFICATE}: cannot sign ({reason}); give a certificate chain for signing, PEM") from error
    return out.getvalue()


def _manifest(title: str, chain: dict[str, Any], source_type: str, *, edited: bool) -> dict[str, Any]:
    actions: list[dict[str, Any]] = [{"action": "c2pa.created", "digitalSourceType": source_type}]
    if edited:
        opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": [BEFORE]}}
        actions = [opened, {"action": "c2pa.edited", "digitalSourceType": source_type}]
    return {
        "claim_generator_info": [{"name": "Bespoke"}],
        "title": title,
        "format": "image/png",
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": "org.bespoke.chain", "data": chain},
        ],
    }


def _read(place: str, variable: str) -> bytes:
    try:
        return Path(place).read_bytes()
    except OSError as error:
        raise UserError(f"{variable}={place}: cannot be read ({error.strerror}); give a PEM file") from error
