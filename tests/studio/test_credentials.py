from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image
from reviewing import at, proposed

from bespoke.errors import UserError
from bespoke.provenance import COMPOSITE, TRAINED_ALGORITHMIC_MEDIA, read_mark
from bespoke.studio.exports.credentials import ALGORITHM, CERTIFICATE, KEY, signed
from bespoke.studio.exports.exports import export
from bespoke.studio.models import Edit, TrainedModel
from bespoke.studio.review import states


def a_png() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for signing and the key, of an authority of our own."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")

    def run(*asked: str) -> None:
        subprocess.run(["openssl", *asked], cwd=tmp_path, check=True, capture_output=True)

    curve = ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out")
    run(*curve, "ca.key")
    run(*curve, "leaf.key")
    of_authority = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    run(
        "req",
        "-x509",
        "-new",
        "-key",
        "ca.key",
        "-days",
        "9",
        "-subj",
        "/O=Shop/CN=CA",
        *of_authority,
        "-out",
        "ca.pem",
    )
    run("req", "-new", "-key", "leaf.key", "-subj", "/O=Shop/CN=Pictures", "-out", "leaf.csr")
    uses = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
    uses += "extendedKeyUsage=critical,emailProtection\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    (tmp_path / "uses").write_text(uses, "ascii")
    asked = (
        "-in",
        "leaf.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "8",
        "-extfile",
        "uses",
    )
    run("x509", "-req", *asked, "-out", "leaf.pem")
    chain = tmp_path / "chain.pem"
    chain.write_bytes((tmp_path / "leaf.pem").read_bytes() + (tmp_path / "ca.pem").read_bytes())
    monkeypatch.setenv(CERTIFICATE, str(chain))
    monkeypatch.setenv(KEY, str(tmp_path / "leaf.key"))
    return chain


def read(content: bytes) -> dict[str, Any]:
    c2pa = pytest.importorskip("c2pa")
    with c2pa.Reader("image/png", io.BytesIO(content)) as reader:
        found: dict[str, Any] = json.loads(reader.json())
    return found


def test_an_export_carries_credentials_and_its_mark(
    certificate: Path, model: TrainedModel, people: dict[str, User], tmp_path: Path
) -> None:
    pytest.importorskip("c2pa")
    approved = at(proposed(model, people), states.APPROVED, people)
    made = export([approved.pk], people["reviewer"], "the shop")
    found = read(made.content)
    assert found["validation_state"] == "Valid"
    manifest = found["manifests"][found["active_manifest"]]
    told = {each["label"]: each["data"] for each in manifest["assertions"]}
    assert told["c2pa.actions.v2"]["actions"][0]["digitalSourceType"] == TRAINED_ALGORITHMIC_MEDIA
    assert told["org.bespoke.chain"]["picture"] == str(approved.picture_id)
    file = tmp_path / "picture.png"
    file.write_bytes(made.content)
    assert read_mark(file)["chain"]["picture"] == str(approved.picture_id)
    broken = bytearray(made.content)
    place = broken.rindex(b"IDAT") + 20
    broken[place] ^= 1
    assert read(bytes(broken))["validation_state"] == "Invalid"


def test_credentials_say_the_same_source_type_as_the_mark(certificate: Path) -> None:
    pytest.importorskip("c2pa")
    found = read(signed(a_png(), "a", {}, COMPOSITE))
    assert found["validation_state"] == "Valid"
    (told,) = [
        each["data"]["actions"]
        for each in found["manifests"][found["active_manifest"]]["assertions"]
        if each["label"] == "c2pa.actions.v2"
    ]
    assert [(action["action"], action["digitalSourceType"]) for action in told] == [("c2pa.created", COMPOSITE)]


def test_an_edit_names_the_picture_that_it_was_made_from_and_shows_it_to_nobody(
    certificate: Path, model: TrainedModel, people: dict[str, User]
) -> None:
    pytest.importorskip("c2pa")
    approved, sent = at(proposed(model, people), states.APPROVED, people), io.BytesIO()
    Image.effect_noise((300, 200), 90).convert("RGB").save(sent, "JPEG")
    kept = default_storage.save("sent.jpg", ContentFile(sent.getvalue()))
    Edit.objects.create(job=approved.picture.job, file=kept, sha256="abc", source="a cup", strength=0.7)
    found = read(export([approved.pk], people["reviewer"], "the shop").content)
    assert found["validation_state"] == "Valid"
    manifest = found["manifests"][found["active_manifest"]]
    (before,) = manifest["ingredients"]
    assert (before["title"], before["relationship"], before["format"]) == ("abc", "parentOf", "image/jpeg")
    assert "thumbnail" not in manifest
    assert "thumbnail" not in before
    told = {each["label"]: each["data"] for each in manifest["assertions"]}["c2pa.actions.v2"]["actions"]
    assert [action["action"] for action in told] == ["c2pa.opened", "c2pa.edited"]
    assert told[1]["digitalSourceType"] == COMPOSITE
    default_storage.delete(kept)
    with pytest.raises(UserError, match=r"what it was edited from, sent.*jpg, is gone; restore it from a backup"):
        export([approved.pk], people["reviewer"], "the shop")


def test_without_a_certificate_a_picture_stays_as_it_is() -> None:
    assert signed(a_png(), "a", {}, COMPOSITE) == a_png()


def test_a_certificate_that_cannot_sign_is_named(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("c2pa")
    certificate.write_text("no certificate", "ascii")
    with pytest.raises(ValueError, match=f"{CERTIFICATE}: cannot sign"):
        signed(a_png(), "a", {}, COMPOSITE)
    certificate.unlink()
    with pytest.raises(ValueError, match=f"{CERTIFICATE}=.*chain.pem: cannot be read"):
        signed(a_png(), "a", {}, COMPOSITE)
    monkeypatch.setenv(ALGORITHM, "md5")
    with pytest.raises(ValueError, match=f"{ALGORITHM}=md5: expected one of es256"):
        signed(a_png(), "a", {}, COMPOSITE)
    monkeypatch.delenv(KEY)
    with pytest.raises(ValueError, match=f"{KEY}: not set"):
        signed(a_png(), "a", {}, COMPOSITE)
