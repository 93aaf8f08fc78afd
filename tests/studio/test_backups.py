from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from bespoke.cli import run
from bespoke.errors import UserError
from bespoke.studio.backups import archive
from bespoke.studio.backups.making import backup
from bespoke.studio.backups.restoring import restore
from bespoke.studio.home import DATABASE, HOME

HERE = Path(__file__).parent
SET_UP = """
import hashlib, sys
import django; django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
"""
FILL = f"""{SET_UP}
call_command("migrate", interactive=False, verbosity=0)
from bespoke.studio.access import ROLES, set_role
from bespoke.studio.models import TrainedModel
from bespoke.studio.review import calibrations, states
people = {{role: User.objects.create(username=role) for role in ROLES}}
for role, user in people.items(): set_role(user, role)
model = TrainedModel.objects.create(
    name="mugs", identity="abc", stamp="1", image_size=32, registered_at=timezone.now())
calibrations.set_by_hand(model, people["administrator"], alignment=0.2, waived="licensed")
from reviewing import at, drawn, proposed
at(proposed(model, people), states.APPROVED, people)
"""
DRAW = f"""{FILL}
from bespoke.studio.audit import record
for color in range(100000):
    job = drawn(model, people["creator"], 0.3, 0.4, color=color % 256)
    with transaction.atomic(): record(people["creator"], "order.made", job)
    print(color, flush=True)
"""
LOOK = f"""{SET_UP}
import json
from django.core.files.storage import default_storage
from bespoke.studio.models import Job, Picture
from bespoke.studio.review.models import Proposal
call_command("verify_audit", stdout=sys.stderr)
for picture in Picture.objects.all():
    with default_storage.open(picture.file) as file:
        assert hashlib.sha256(file.read()).hexdigest() == picture.sha256, picture.file
for job in Job.objects.filter(state="done"): assert job.pictures.count() == job.num_images
print(json.dumps([Picture.objects.count(), list(Proposal.objects.values_list("state", flat=True))]))
"""


def python(code: str, given: dict[str, str]) -> subprocess.Popen[str]:
    path = os.pathsep.join([given["PYTHONPATH"], str(HERE)])
    asked = [sys.executable, "-c", code]
    return subprocess.Popen(asked, stdout=subprocess.PIPE, text=True, env={**given, "PYTHONPATH": path})


def told_by(code: str, given: dict[str, str]) -> str:
    with python(code, given) as process:
        assert process.stdout is not None
        said = process.stdout.read()
    assert process.returncode == 0
    return said


def _keep(home: Path, file: Path, url: str = "", *, models: bool = True) -> None:
    backup(home, file, url=url, storage="", models=models, say=print)


def _bring(home: Path, file: Path, url: str = "") -> None:
    restore(home, file, url=url, storage="", say=print)


@pytest.fixture
def database_elsewhere(request: pytest.FixtureRequest, elsewhere: dict[str, str]) -> str:
    """The address of an empty database of the same kind as that of `elsewhere`."""
    if not elsewhere[DATABASE]:
        return ""
    programs, folder = request.getfixturevalue("_postgresql")
    name = f"restored_{time.monotonic_ns()}"
    subprocess.run([programs / "createdb", "-h", folder, "-U", "bespoke", name], check=True)
    return f"postgresql://bespoke@/{name}?host={folder}"


def test_a_backup_that_was_made_while_a_worker_wrote_is_a_whole_studio_elsewhere(
    elsewhere: dict[str, str], database_elsewhere: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, file, other = Path(elsewhere[HOME]), tmp_path / "studio.tar", tmp_path / "other"
    with python(DRAW, elsewhere) as worker:
        assert worker.stdout is not None
        try:
            for _ in range(3):
                worker.stdout.readline()
            _keep(home, file, elsewhere[DATABASE])
            for _ in range(2):  # it goes on
                assert worker.stdout.readline()
        finally:
            worker.kill()
    _bring(other, file, database_elsewhere)
    given = {**elsewhere, HOME: str(other), DATABASE: database_elsewhere}
    pictures, states = json.loads(told_by(LOOK, given))
    assert pictures >= 1 + 3 * 2
    assert states == ["approved"]
    for name in archive.KEYS:
        assert (other / name).read_bytes() == (home / name).read_bytes()
        assert (other / name).stat().st_mode & 0o077 == 0
    for picture in (other / "pictures").rglob("*.png"):
        assert picture.read_bytes() == (home / picture.relative_to(other)).read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    assert "keep it as safe" in capsys.readouterr().out
    with pytest.raises(UserError, match="not empty"):
        _bring(other, file, database_elsewhere)


def test_a_postgresql_database_that_is_not_empty_is_left_alone(
    elsewhere: dict[str, str], tmp_path: Path, database_elsewhere: str
) -> None:
    told_by(FILL, elsewhere)
    url, file = elsewhere[DATABASE], tmp_path / "studio.tar"
    _keep(Path(elsewhere[HOME]), file, url)
    if url:
        with pytest.raises(UserError, match=r"--database: not empty"):
            _bring(tmp_path / "other", file, url)
        with pytest.raises(UserError, match="holds a PostgreSQL database"):
            _bring(tmp_path / "other", file)
    else:
        with pytest.raises(UserError, match=r"--database: cannot be used"):
            _bring(tmp_path / "other", file, "postgresql://nobody@/nothing?host=/nowhere")
    assert not (tmp_path / "other").exists()


@pytest.fixture(scope="session")
def _studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from bespoke.studio.home import Home

    folder = tmp_path_factory.mktemp("filled") / "home"
    Home(folder).prepare()
    given = {HOME: str(folder), DATABASE: "", "PYTHONPATH": str(HERE.parent.parent)}
    told_by(FILL, {**os.environ, **given})
    return folder


@pytest.fixture
def home(_studio: Path, tmp_path: Path) -> Path:
    """A small studio as it lies on the disk, with SQLite and two versions that share a picture."""
    folder = tmp_path / "home"
    shutil.copytree(_studio, folder)
    for version in ("cups-v1", "cups-v2"):
        (folder / "catalogues" / version).mkdir()
    (folder / "catalogues" / "cups-v1" / "赤.png").write_bytes(b"red" * 1000)
    os.link(folder / "catalogues/cups-v1/赤.png", folder / "catalogues/cups-v2/赤.png")
    (tmp_path / "runs" / "model").mkdir(parents=True)
    (tmp_path / "runs" / "model" / "weights.safetensors").write_bytes(b"weights")
    (folder / "models" / "mugs").symlink_to(tmp_path / "runs")
    (folder / "cache" / "judge").write_bytes(b"made again")
    return folder


@pytest.fixture
def file(home: Path, tmp_path: Path) -> Path:
    made = tmp_path / "studio.tar"
    _keep(home, made)
    return made


def _contents(folder: Path) -> dict[str, str]:
    names = [place for place in folder.rglob("*") if place.is_file()]
    return {str(n.relative_to(folder)): hashlib.sha256(n.read_bytes()).hexdigest() for n in names}


def test_all_but_the_cache_comes_back_and_links_to_models_become_models(home: Path, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()  # an empty folder will do
    _bring(other, file)
    before, after = _contents(home), _contents(other)
    weights = hashlib.sha256(b"weights").hexdigest()
    assert after.pop("models/mugs/model/weights.safetensors") == weights
    del before["cache/judge"], before["lock"], before["turn"], before["studio.sqlite3"], after["studio.sqlite3"]
    assert after == before
    first, second = (other / f"catalogues/cups-v{n}/赤.png" for n in (1, 2))
    assert first.stat().st_ino == second.stat().st_ino
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_models_can_be_left_out_and_the_restore_says_so(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _keep(home, tmp_path / "small.tar", models=False)
    _bring(tmp_path / "other", tmp_path / "small.tar")
    assert not (tmp_path / "other" / "models").exists()
    assert "It came without models" in capsys.readouterr().out


def _altered(file: Path, change: Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None]) -> Path:
    """A copy whose members went through `change`."""
    made = file.with_name("altered.tar")
    with tarfile.open(file) as source, tarfile.open(made, "w") as target:
        for info in source:
            stream = source.extractfile(info) if info.isreg() else None
            if (changed := change(info, stream.read() if stream else b"")) is not None:
                changed[0].size = len(changed[1])
                target.addfile(changed[0], BytesIO(changed[1]))
    return made


def _with_member(file: Path, name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Path:
    def change(info: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if info.name == "secret-key":
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            return info, b""
        return info, content

    return _altered(file, change)


def _head(file: Path, **told: object) -> Path:
    def change(info: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        return info, json.dumps({**json.loads(content), **told}).encode() if info.name == archive.FIRST else content

    return _altered(file, change)


def _key(content: bytes | None) -> Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None]:
    def change(info: tarfile.TarInfo, old: bytes) -> tuple[tarfile.TarInfo, bytes] | None:
        if info.name != "secret-key":
            return info, old
        return None if content is None else (info, content)

    return change


def _cut(file: Path, share: float) -> Path:
    made = file.with_name("cut.tar")
    made.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    return made


def _other(file: Path, content: bytes) -> Path:
    made = file.with_name("other.tar")
    made.write_bytes(content)
    return made


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda f: _altered(f, _key(b"x" * 86)), "'secret-key' is not as it was written"),
        (lambda f: _altered(f, _key(None)), "'secret-key' is not as it was written"),
        (lambda f: _with_member(f, "../secret-key"), "which no studio has"),
        (lambda f: _with_member(f, "/tmp/secret-key"), "which no studio has"),
        (lambda f: _with_member(f, "pictures/../../secret-key"), "which no studio has"),
        (lambda f: _with_member(f, "pictures\\..\\secret-key"), "which no studio has"),
        (lambda f: _with_member(f, "cache/secret-key"), "which no studio has"),
        (lambda f: _with_member(f, "pictures/a", tarfile.SYMTYPE, "/etc"), "is not a file"),
        (lambda f: _with_member(f, "pictures/a", tarfile.LNKTYPE, "/etc/passwd"), "is not a file"),
        (lambda f: _with_member(f, "pictures/a", tarfile.FIFOTYPE), "is not a file"),
        (lambda f: _with_member(f, "pictures/a", tarfile.DIRTYPE), "is not a file"),
        (lambda f: _head(f, format=2, bespoke="9.1"), r"made by a newer Bespoke \(9.1\)"),
        (lambda f: _head(f, migrations=["studio.0999_moon"]), "its tables are newer"),
        (lambda f: _cut(f, 0.02), "cut off"),
        (lambda f: _cut(f, 0.5), "cut off"),
        (lambda f: _cut(f, 0.97), "cut off"),
        (lambda f: _other(f, b""), "not a backup"),
        (lambda f: _other(f, b"a picture " * 100), "not a backup"),
        (lambda f: f.with_name("none.tar"), "no such file"),
    ],
)
def test_a_bad_backup_is_refused_and_leaves_nothing(
    file: Path, tmp_path: Path, spoil: Callable[[Path], Path], told: str
) -> None:
    spoiled, before = spoil(file), sorted(tmp_path.iterdir())
    with pytest.raises(UserError, match=told):
        _bring(tmp_path / "other", spoiled)
    assert sorted(tmp_path.iterdir()) == before


def test_wrong_places_are_refused(home: Path, file: Path, tmp_path: Path) -> None:
    for asked, told in (
        ((home, file), "exists already"),
        ((home, home / "models" / "backup.tar"), "lies in the studio itself"),
        ((tmp_path / "nothing", tmp_path / "a.tar"), "no such folder"),
        ((tmp_path / "runs", tmp_path / "a.tar"), "no studio"),
        ((home, tmp_path / "nowhere" / "a.tar"), "cannot be written"),
    ):
        with pytest.raises(UserError, match=told):
            _keep(*asked)
    before = _contents(home)
    with pytest.raises(UserError, match="not empty"):
        _bring(home, file)
    assert _contents(home) == before


def test_a_folder_in_which_a_studio_runs_says_so(home: Path, file: Path) -> None:
    import sqlite3

    with sqlite3.connect(home / "studio.sqlite3") as database:
        database.execute("INSERT INTO studio_worker (id, kind, seen_at) VALUES ('a', 'artist', datetime('now'))")
    database.close()
    with pytest.raises(UserError, match="a studio runs here"):
        _bring(home, file)


@pytest.mark.parametrize("asked", ["backup", "restore"])
def test_a_disk_without_room_leaves_nothing(asked: str, home: Path, file: Path, tmp_path: Path) -> None:
    """No file may get longer than 100 kB in that process, which stands for a full disk."""
    target = tmp_path / "again"
    given = [str(target), "--home", str(home)] if asked == "backup" else [str(file), "--home", str(target)]
    before = sorted(tmp_path.iterdir())
    done = subprocess.run(
        [sys.executable, "-m", "bespoke", "studio", asked, *given],
        capture_output=True,
        text=True,
        env={**os.environ, DATABASE: "", "PYTHONPATH": str(HERE.parent.parent)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "room" in done.stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "option", [("--home", "a"), ("--port", "9"), ("--host", "::1"), ("--database", "x"), ("--storage", "x")]
)
def test_options_before_the_command_are_not_silently_dropped(
    option: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["studio", *option, "backup", "b.tar"]) == 2
    assert "write them after backup" in capsys.readouterr().err


def test_an_operator_s_commands_need_no_settings_of_django(
    elsewhere: dict[str, str], database_elsewhere: str, tmp_path: Path
) -> None:
    home, other, file = Path(elsewhere[HOME]), tmp_path / "other", tmp_path / "a.tar"
    (home / "pictures" / "a").mkdir(parents=True, exist_ok=True)
    (home / "pictures" / "a" / "b.png").write_bytes(b"a picture")
    told_by(f"{SET_UP}call_command('migrate', interactive=False, verbosity=0)", elsewhere)
    given = {name: value for name, value in elsewhere.items() if name != "DJANGO_SETTINGS_MODULE"}
    for asked, folder, url in (("backup", home, elsewhere[DATABASE]), ("restore", other, database_elsewhere)):
        where = ["--home", folder, "--database", url, "--storage", ""]
        command = [sys.executable, "-m", "bespoke", "studio", asked, file, *where]
        done = subprocess.run(command, capture_output=True, text=True, env=given)
        assert (done.returncode, done.stderr) == (0, "")
    assert (other / "pictures" / "a" / "b.png").read_bytes() == b"a picture"
