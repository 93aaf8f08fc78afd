"""A studio of this process with an empty database, one that runs as users start it, and a model of four steps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bespoke.studio.home import DATABASE, HOME, STORAGE, URL, Home

ROOT = Path(__file__).parent.parent.parent
sys.path.append(str(ROOT / "benchmarks"))  # the drills, which a test runs too

from running_studio import Studio, Tables  # noqa: E402

NAME, PASSWORD = "ada", "a-long-pass-phrase-9"

# Django has one home in a process, and models can only be imported when it is set up.
_folder = tempfile.TemporaryDirectory(prefix="bespoke-studio-")
os.environ.pop(URL, None)
# An empty PostgreSQL database to use instead of SQLite, in the tests that need no running studio.
os.environ[DATABASE] = os.environ.get("BESPOKE_TEST_DATABASE", "")
# An object store to use instead of the disk, in the same way; its credentials come from the environment.
os.environ[STORAGE] = os.environ.get("BESPOKE_TEST_STORAGE", "")
os.environ |= {HOME: _folder.name, "DJANGO_SETTINGS_MODULE": "bespoke.studio.settings"}
Home(Path(_folder.name)).prepare()

import django  # noqa: E402
from django.conf import settings  # noqa: E402

settings.LOGGING_CONFIG = None  # the log of other tests is not ours
settings.ALLOWED_HOSTS.append("testserver")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402


@pytest.fixture(scope="session")
def _tables() -> Iterator[None]:
    call_command("migrate", interactive=False, verbosity=0)
    yield
    connection.close()


@pytest.fixture
def database(_tables: None) -> Iterator[None]:
    """The tables, empty; what a test writes is gone after it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def visitor(database: None) -> Callable[[str], Client]:
    """A browser of somebody who is logged in with this role; "" is a stranger."""
    from django.contrib.auth.models import User

    from bespoke.studio.access import set_role

    def come(role: str) -> Client:
        client = Client()
        if role:
            user, fresh = User.objects.get_or_create(username=role)
            if fresh:
                set_role(user, role)
            client.force_login(user)
        return client

    return come


@pytest.fixture
def version(database: None) -> Iterator[Any]:
    """Version 1 of a catalogue of three pictures, as an upload leaves it, made by the user `keeper`."""
    from django.contrib.auth.models import User
    from PIL import Image

    from bespoke.studio.workshop.models import Catalogue, Version
    from bespoke.studio.workshop.version_files import write_rows

    folder = settings.HOME.catalogues / "cups-v1"
    folder.mkdir()
    rows = []
    for number, color in enumerate(("red", "green", "blue"), 1):
        name = f"{number:06d}-{number:016x}.png"
        Image.new("RGB", (40, 40), color).save(folder / name)
        rows.append({"file_name": name, "texts": [f"a {color} cup"], "original_name": f"{color}.png"})
    made = Version.objects.create(
        catalogue=Catalogue.objects.create(name="Cups", slug="cups"),
        number=1,
        folder=folder.name,
        created_by=User.objects.create(username="keeper"),
        num_pictures=3,
        fingerprint=write_rows(folder, rows),
    )
    yield made
    for left in (settings.HOME.catalogues, settings.HOME.uploads, settings.HOME.reports):
        shutil.rmtree(left)
        left.mkdir()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four steps on the built-in catalogue."""
    from bespoke.cli import run
    from bespoke.data.sample import write_sample

    folder = tmp_path_factory.mktemp("runs")
    shop = write_sample(folder / "shop", 24, 32, seed=0)
    asked = ["train", str(shop), "--out", str(folder / "mugs"), "--preset", "test32", "--images", "64"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_CACHE", str(folder / "cache"))
        patch.setattr("bespoke.training.settle.NUM_PICTURES", 64)
        assert run([*asked, "--set", "training.batch_size=16"]) == 0
    return folder / "mugs"


@pytest.fixture
def models(trained: Path, database: None) -> Iterator[Path]:
    """The folder of models, with one in it that is registered."""
    from django.utils import timezone

    from bespoke.studio import registry
    from bespoke.studio.models import TrainedModel

    shutil.copytree(trained, settings.HOME.models / "mugs")
    registry.scan(settings.HOME.models)
    TrainedModel.objects.update(registered_at=timezone.now())
    yield settings.HOME.models
    shutil.rmtree(settings.HOME.models / "mugs")


def teach(run: Path) -> None:
    """Give the model of a run an editor of random weights, which changes something in some places."""
    from dataclasses import replace

    import torch

    from bespoke.networks import build_editor
    from bespoke.pipeline import Pipeline

    pipeline = Pipeline.from_pretrained(run)
    torch.manual_seed(0)
    editor = build_editor(pipeline.networks.settings)
    torch.nn.init.normal_(editor.to_colors.weight, std=0.6)
    pipeline.networks = replace(pipeline.networks, editor=editor.eval())
    pipeline.save_pretrained(run / "model")


@pytest.fixture(scope="session")
def _live(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """One running studio for all tests that need a real one, its model registered."""
    home = tmp_path_factory.mktemp("live") / "home"
    (home / "models").mkdir(parents=True)
    shutil.copytree(trained / "model", home / "models" / "mugs" / "model")
    teach(home / "models" / "mugs")
    studio = Studio(home, password=PASSWORD)
    studio.start()
    with Tables(home) as database:
        studio.wait(lambda: database.get("SELECT count(*) FROM studio_trainedmodel WHERE identity != ''") == 1)
        database.ask("UPDATE studio_trainedmodel SET registered_at = found_at")
    yield studio
    if studio.is_up("/health/live"):
        studio.stop()


@pytest.fixture
def live(_live: Studio) -> Studio:
    """The running studio, started again where a test has stopped it."""
    if not _live.is_up("/health/live"):
        _live.start()
    return _live


@pytest.fixture
def inside(live: Studio) -> Iterator[Tables]:
    """A look into its database."""
    with Tables(live.home) as database:
        yield database


@pytest.fixture(scope="session")
def _postgresql() -> Iterator[tuple[Path, str]]:
    """Where the programs and the socket of a PostgreSQL of our own are; skips where it is not installed."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb", path=os.pathsep.join([*map(str, places), os.environ.get("PATH", "")]))
    if found is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    programs = Path(found).parent
    # It refuses to run as root; then it runs as the user that its package made.
    user = "postgres" if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="bespoke-pg-") as folder:
        if user:
            shutil.chown(folder, user)
        data = f"{folder}/data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-A", "trust", "-U", "bespoke", "--no-sync"],
            check=True,
            capture_output=True,
            user=user,
            cwd=folder,
        )
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=user,
            cwd=folder,
        )
        ready = [programs / "pg_isready", "-q", "-h", folder]
        while subprocess.run(ready).returncode:
            assert server.poll() is None
            time.sleep(0.05)
        yield programs, folder
        server.terminate()
        server.wait(30)


@pytest.fixture
def postgresql(_postgresql: tuple[Path, str]) -> str:
    """The address of an empty PostgreSQL database."""
    programs, folder = _postgresql
    name = f"studio_{time.monotonic_ns()}"
    subprocess.run([programs / "createdb", "-h", folder, "-U", "bespoke", name], check=True)
    return f"postgresql://bespoke@/{name}?host={folder}"


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The environment of processes that share a database of their own."""
    Home(tmp_path / "home").prepare()
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    given = {HOME: str(tmp_path / "home"), DATABASE: "", "PYTHONPATH": path}
    if request.param == "postgresql":
        given[DATABASE] = request.getfixturevalue("postgresql")
    return dict(os.environ | given)


@pytest.fixture
def people(visitor: Callable[[str], Client]) -> dict[str, Any]:
    """Somebody of each role, who is called like it."""
    from django.contrib.auth.models import User

    from bespoke.studio.access import ROLES

    for role in ROLES:
        visitor(role)
    return {user.username: user for user in User.objects.filter(username__in=ROLES)}


@pytest.fixture
def model(people: dict[str, Any]) -> Any:
    """A model whose least alignment is 0.2, and whose training pictures nobody needs to look for."""
    from django.utils import timezone

    from bespoke.studio.models import TrainedModel
    from bespoke.studio.review import calibrations

    of = {"name": "mugs", "identity": "abc", "stamp": "1", "image_size": 32, "registered_at": timezone.now()}
    made = TrainedModel.objects.create(**of)
    calibrations.set_by_hand(made, people["administrator"], alignment=0.2, waived="licensed")
    return made
