from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from PIL import Image

from bespoke.data.catalogue import Catalogue as Folder
from bespoke.studio import jobs
from bespoke.studio.audit.models import Entry
from bespoke.studio.workshop import catalogues
from bespoke.studio.workshop.models import Catalogue, Check, Upload, Version
from bespoke.studio.workshop.version_files import METADATA, read_rows, write_rows

Visitor = Callable[[str], Client]


def png(color: str = "red") -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (40, 40), color).save(file, "PNG")
    file.seek(0)
    file.name = f"{color}.png"
    return file


def table(text: str = "file_name,text\nred.png,a red cup\n") -> io.BytesIO:
    file = io.BytesIO(text.encode())
    file.name = "captions.csv"
    return file


def names(version: Version) -> list[str]:
    return [row["file_name"] for row in read_rows(version.path)]


def part_of(upload: Upload, *colors: str, first: int = 1) -> tuple[Path, dict[str, Any]]:
    """A folder as the process of the intake leaves it."""
    part = settings.HOME.catalogues / f".part-{upload.pk}"
    part.mkdir()
    rows = []
    for number, color in enumerate(colors, first):
        (part / f"{number:06d}-{color}.png").write_bytes(png(color).getvalue())
        rows.append({"file_name": f"{number:06d}-{color}.png", "texts": [color], "original_name": color})
    write_rows(part, rows)
    return part, {"left_out": [], "num_left_out": 0, "fingerprint": "x"}


def begun(**told: Any) -> Upload:
    Upload.objects.create(owner=User.objects.get(username="keeper"), **told)
    upload = jobs.claim(Upload)
    assert upload is not None
    return upload


def test_what_was_sent_lies_under_numbers_until_it_is_looked_at(visitor: Visitor, version: Version) -> None:
    client = visitor("creator")
    asked = {"name": " New   cups ", "pictures": [png(), png("blue")], "table": table(), "skip_bad": "on"}
    answer = client.post("/catalogues/upload", asked)
    upload = Upload.objects.get()
    assert answer["Location"] == f"/uploads/{upload.pk}"
    assert (upload.name, upload.owner.username, upload.state) == ("New cups", "creator", "waiting")
    assert sorted(path.name for path in upload.path.iterdir()) == [
        "000001",
        "000002",
        "000003",
        "asked.json",
        "names.json",
    ]
    told = json.loads((upload.path / "names.json").read_text())
    assert sorted(told.values()) == ["blue.png", "captions.csv", "red.png"]
    assert json.loads((upload.path / "asked.json").read_text())["skip_bad"] is True
    assert "data-poll" in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "Cups"}, "There is a catalogue of this name"),
        ({"pictures": []}, "This field is required"),
        ({"template": "{color"}, "Names of columns in braces are expected"),
        ({"template": "{color}", "text_column": "text"}, "not a column of captions as well"),
    ],
)
def test_a_wrong_form_keeps_no_file(changed: dict[str, Any], told: str, visitor: Visitor, version: Version) -> None:
    asked = {"name": "Plates", "pictures": [png()], "table": table()} | changed
    answer = visitor("creator").post("/catalogues/upload", asked)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Upload.objects.exists()
    assert list(settings.HOME.uploads.iterdir()) == []


def test_a_file_that_is_too_large_is_told_and_nothing_stays(
    visitor: Visitor, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bespoke.studio.workshop.receiving.MOST_FILE_BYTES", 50)
    asked = {"name": "Plates", "pictures": [png()], "table": table()}
    answer = visitor("creator").post("/catalogues/upload", asked)
    assert answer.status_code == 413
    assert "red.png is too large" in answer.content.decode()
    assert list(settings.HOME.uploads.iterdir()) == []


def test_an_upload_without_the_form_s_token_is_refused(visitor: Visitor, version: Version) -> None:
    visitor("creator")
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="creator"))
    answer = client.post("/catalogues/upload", {"name": "Plates", "pictures": [png()], "table": table()})
    assert answer.status_code == 403
    assert list(settings.HOME.uploads.iterdir()) == []


def test_an_upload_becomes_a_catalogue_that_is_checked_and_recorded(version: Version) -> None:
    upload = begun(name="赤いお皿")
    made = catalogues.hand_in(upload, *part_of(upload, "red", "blue"))
    upload.refresh_from_db()
    assert (upload.state, upload.version) == ("done", made)
    assert (made.catalogue.slug, made.folder, made.number, made.num_pictures) == ("catalogue", "catalogue-v1", 1, 2)
    assert [item.texts for item in Folder.open(made.path)] == [("red",), ("blue",)]
    assert Check.objects.get().version == made
    assert Entry.objects.latest("number").action == "catalogue.uploaded"


def test_more_pictures_make_a_new_version_that_shares_the_old_ones(version: Version) -> None:
    upload = begun(name="Cups", catalogue=version.catalogue)
    made = catalogues.hand_in(upload, *part_of(upload, "white", first=4))
    assert (made.number, made.made_from, made.num_pictures) == (2, version, 4)
    assert names(made)[:3] == names(version)
    assert (made.path / names(version)[0]).samefile(version.path / names(version)[0])
    assert version.num_pictures == len(read_rows(version.path)) == 3


def test_a_name_that_was_taken_meanwhile_leaves_nothing(version: Version) -> None:
    upload = begun(name="Cups")
    with pytest.raises(catalogues.NameTakenError):
        catalogues.hand_in(upload, *part_of(upload, "red"))
    assert Catalogue.objects.count() == Version.objects.count() == 1


def test_who_has_lost_the_lease_of_an_upload_leaves_nothing(version: Version) -> None:
    upload = begun(name="Plates")
    Upload.objects.update(lease=None)
    with pytest.raises(jobs.LeaseLostError):
        catalogues.hand_in(upload, *part_of(upload, "red"))
    assert not Catalogue.objects.filter(name="Plates").exists()
    assert not (settings.HOME.catalogues / "plates-v1").exists()


def test_a_version_changes_in_place_until_it_was_trained_on(version: Version) -> None:
    user, first = version.created_by, names(version)[0]
    before = version.fingerprint
    same = catalogues.change(version, user, {first: ["a crimson cup"]}, frozenset())
    assert same == version
    assert same.fingerprint != before
    assert read_rows(version.path)[0]["texts"] == ["a crimson cup"]
    catalogues.freeze(version)
    frozen = (version.path / METADATA).read_bytes()
    made = catalogues.change(version, user, {first: ["a scarlet cup"]}, {names(version)[1]})
    assert (made.number, made.num_pictures) == (2, 2)
    assert (version.path / METADATA).read_bytes() == frozen
    assert read_rows(made.path)[0]["texts"] == ["a scarlet cup"]
    actions = Entry.objects.filter(action="catalogue.changed").order_by("number")
    assert [entry.told["new_version"] for entry in actions] == [False, True]
    assert not list(settings.HOME.catalogues.glob(".part-*"))


def test_an_older_version_stays_and_its_change_becomes_the_newest(version: Version) -> None:
    upload = begun(name="Cups", catalogue=version.catalogue)
    catalogues.hand_in(upload, *part_of(upload, "white", first=4))
    made = catalogues.change(version, version.created_by, {names(version)[0]: ["other"]}, frozenset())
    assert (made.number, made.num_pictures) == (3, 3)


def test_no_change_makes_no_version_and_no_row_of_the_log(version: Version) -> None:
    catalogues.freeze(version)
    assert catalogues.change(version, version.created_by, {names(version)[0]: ["a red cup"]}, frozenset()) == version
    assert catalogues.change(version, version.created_by, {"../../secret": ["x"]}, {"../../secret"}) == version
    assert Version.objects.count() == 1
    assert not Entry.objects.filter(action="catalogue.changed").exists()
    with pytest.raises(ValueError, match="without pictures"):
        catalogues.change(version, version.created_by, {}, frozenset(names(version)))


def test_the_same_pictures_and_captions_have_the_same_fingerprint(version: Version, tmp_path: Path) -> None:
    rows = read_rows(version.path)
    assert write_rows(tmp_path, rows) == version.fingerprint
    assert write_rows(tmp_path, [rows[0] | {"texts": ["b"]}, *rows[1:]]) != version.fingerprint


def test_captions_are_mended_in_the_page(visitor: Visitor, version: Version) -> None:
    client, first = visitor("creator"), names(version)[0]
    page = client.get(f"/catalogues/{version.pk}/pictures?q=red").content.decode()
    assert page.count("<textarea") == 1
    assert f'name="text:{first}"' in page
    answer = client.post(
        f"/catalogues/{version.pk}/captions",
        {"q": "red", "page": "1", f"text:{first}": "a crimson cup\n\n 真紅のカップ \na crimson cup"},
    )
    assert answer["Location"] == f"/catalogues/{version.pk}/pictures?q=red&page=1"
    assert read_rows(version.path)[0]["texts"] == ["a crimson cup", "真紅のカップ"]
    refused = client.post(f"/catalogues/{version.pk}/captions", {f"text:{first}": "x" * 1001}, follow=True)
    assert "Not saved" in refused.content.decode()
    assert len(read_rows(version.path)[0]["texts"]) == 2


def test_pictures_are_found_by_the_names_of_the_table_alone(visitor: Visitor, version: Version) -> None:
    client = visitor("viewer")
    address = f"/catalogues/{version.pk}/picture"
    answer = client.get(address, {"name": names(version)[0]})
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/png", "nosniff")
    for name in ("", METADATA, "../cups-v1/" + names(version)[0], "/etc/passwd", "\0"):
        assert client.get(address, {"name": name}).status_code == 404, name


def checked(version: Version) -> Check:
    """A report as the doctor leaves it."""
    check = Check.objects.create(owner=version.created_by, version=version, fingerprint=version.fingerprint)
    Check.objects.filter(pk=check.pk).update(state="done", verdict="not_yet", finished_at=timezone.now())
    check.path.mkdir()
    finding = {"kind": "small", "title": "Small pictures", "level": "warn", "count": 1}
    finding["groups"] = [[{"file_name": names(version)[1]}]]
    report = {"verdict_text": "Not yet", "reasons": [{"key": "too_few", "text": "Usable pictures: 3."}]}
    report |= {"advice": [{"key": "clean", "text": "--write FOLDER makes a copy"}], "findings": [finding]}
    (check.path / "report.json").write_text(json.dumps(report))
    (check.path / "report.html").write_text("<p>whole</p>")
    (check.path / "report.ja.json").write_text(json.dumps(report | {"verdict_text": "まだ学習できません"}))
    (check.path / "report.ja.html").write_text("<p>全体</p>")
    return check


def test_the_doctor_speaks_in_the_page_and_in_the_reader_s_language(visitor: Visitor, version: Version) -> None:
    client, check = visitor("viewer"), checked(version)
    page = client.get(f"/catalogues/{version.pk}").content.decode()
    assert "Not yet" in page
    assert "--write" not in page  # what only the command line can do is said in words of the page
    assert "?finding=small" in page
    found = client.get(f"/catalogues/{version.pk}/pictures?finding=small").content.decode()
    assert re.findall(r"picture\?name=([\w.-]+)", found) == [names(version)[1]]
    client.post("/language", {"language": "ja"})
    assert "まだ学習できません" in client.get(f"/catalogues/{version.pk}").content.decode()
    whole = client.get(f"/checks/{check.pk}/report")
    assert whole.content.decode() == "<p>全体</p>"
    policy = whole["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy


def test_a_report_of_other_captions_is_not_shown_and_a_new_one_can_be_asked_for(
    visitor: Visitor, version: Version
) -> None:
    client = visitor("creator")
    checked(version)
    Version.objects.update(fingerprint="other")
    assert "Let the doctor look" in client.get(f"/catalogues/{version.pk}").content.decode()
    for _ in range(2):
        client.post(f"/catalogues/{version.pk}/check")
    assert Check.objects.filter(fingerprint="other").count() == 1
    assert "data-poll" in client.get(f"/catalogues/{version.pk}/state").content.decode()


def test_what_killed_processes_left_is_swept_away_and_nothing_else(version: Version) -> None:
    waits = begun(name="Plates")
    places = [settings.HOME.uploads / name for name in ("dead", "young", str(waits.pk))]
    places += [settings.HOME.catalogues / ".part-dead", settings.HOME.reports / ".check-dead"]
    for place in places:
        place.mkdir()
        if place.name != "young":
            os.utime(place, (1, 1))
    catalogues.sweep()
    assert [place.name for place in places if place.exists()] == ["young", str(waits.pk)]
    assert version.path.exists()


def test_a_refused_upload_says_why(visitor: Visitor, version: Version) -> None:
    upload = begun(name="Plates")
    jobs.fail(upload, "refused", problems=[["no_picture", "<b>page.png", ""], ["bad_table", "a.csv", "no caption"]])
    page = visitor("viewer").get(f"/uploads/{upload.pk}").content.decode()
    assert "Nothing was kept." in page
    assert "&lt;b&gt;page.png" in page
    assert "not a JPEG, PNG or WebP picture" in page
    assert "cannot be read as a spreadsheet (no caption)" in page
