"""The studio as users start it: in its own processes, with the real client of OpenAI, and signals that kill."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import openai
import pytest
from PIL import Image

from bespoke.cli import run
from bespoke.pipeline import Pipeline
from bespoke.provenance import read_mark
from bespoke.studio.home import Home

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def token(inside: Any) -> str:
    return str(inside.make_token())


@pytest.fixture
def client(live: Any, token: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{live.address}/v1", api_key=token, max_retries=0, timeout=120)


def test_openai_s_client_draws_the_pipeline_s_pictures(client: openai.OpenAI, trained: Path, tmp_path: Path) -> None:
    assert [model.id for model in client.models.list()] == ["mugs"]
    asked = {"balance": 0.25, "seed": 7, "best_of": 2}
    answer = client.images.generate(model="mugs", prompt="a red zebra", n=2, size="auto", extra_body=asked)
    assert answer.data is not None
    assert answer.unknown_words == ["zebra"]
    wanted = Pipeline.from_pretrained(trained)("a red zebra", num_images=2, balance=0.25, seed=7, best_of=2)
    for made, expected in zip(answer.data, wanted.pictures, strict=True):
        file = tmp_path / "picture.png"
        file.write_bytes(base64.b64decode(made.b64_json or ""))
        told = read_mark(file)
        assert told["digital_source_type"].endswith("trainedAlgorithmicMedia")
        assert told["seed"] == expected.seed == made.seed
        assert made.alignment == expected.alignment


def test_openai_s_client_edits_as_the_pipeline_does(client: openai.OpenAI, live: Any) -> None:
    picture, encoded = Image.new("RGB", (48, 32), (200, 0, 0)), io.BytesIO()
    picture.save(encoded, "PNG")
    sent = ("cup.png", encoded.getvalue(), "image/png")
    asked = {"source": "a red cup", "strength": 0.8, "seed": 7}
    answer = client.images.edit(model="mugs", image=sent, prompt="a blue cup", n=2, extra_body=asked)
    assert answer.data is not None
    pipeline = Pipeline.from_pretrained(live.home / "models" / "mugs")
    wanted = pipeline.edit(picture, "a blue cup", source="a red cup", strength=0.8, num_images=2, seed=7)
    for made, expected in zip(answer.data, wanted.pictures, strict=True):
        with Image.open(io.BytesIO(base64.b64decode(made.b64_json or ""))) as image:
            assert image.tobytes() == expected.image.tobytes()
        assert (made.seed, made.alignment) == (expected.seed, expected.alignment)
    with pytest.raises(openai.BadRequestError, match="image: not a JPEG, PNG or WebP picture"):
        client.images.edit(model="mugs", image=("cup.png", b"<svg/>"), prompt="a blue cup")


def test_openai_s_client_understands_what_is_wrong(client: openai.OpenAI, live: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="size '1024x1024': this model draws 32x32"):
        client.images.generate(model="mugs", prompt="a cup", size="1024x1024")
    with pytest.raises(openai.NotFoundError, match="model 'cups': not registered here"):
        client.images.generate(model="cups", prompt="a cup")
    stranger = openai.OpenAI(base_url=f"{live.address}/v1", api_key="bsp_wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError, match="no valid token"):
        stranger.models.list()


def test_a_job_survives_kill_9_of_worker_and_server_and_has_one_result(live: Any, inside: Any) -> None:
    key = "00000000000040008000000000000001"
    # Long enough to be caught: 200 pictures are drawn for these ten.
    inside.ask(
        "INSERT INTO studio_job (id, created_at, owner_id, model_id, text, num_images, balance, seed, best_of, state,"
        " attempts, trial, error, unknown_words)"
        f" SELECT '{key}', '2026-01-01 00:00:00', 1, id, 'a cup', 10, 0.5, 3, 20, 'waiting', 0, 0, '', '[]'"
        " FROM studio_trainedmodel"
    )

    def state() -> tuple[Any, ...]:
        return tuple(inside.get(f"SELECT {what} FROM studio_job WHERE id = '{key}'") for what in ("state", "attempts"))

    def let_lease_run_out() -> None:
        inside.ask(
            f"UPDATE studio_job SET lease_until = '2026-01-01 00:00:00' WHERE id = '{key}' AND state = 'running'"
        )

    live.wait(lambda: state() == ("running", 1))
    first = live.worker()
    os.kill(first, signal.SIGKILL)
    live.wait(lambda: live.worker() not in (None, first))  # the launcher has started another
    let_lease_run_out()
    live.wait(lambda: state() == ("running", 2))
    second = live.worker()
    assert live.stop(signal.SIGKILL) == -signal.SIGKILL
    live.wait(lambda: not Path(f"/proc/{second}").exists() or state() != ("running", 2))
    let_lease_run_out()
    live.start()
    live.wait(lambda: state()[0] == "done")
    assert state()[1] in (2, 3)  # 2 where the orphan had just finished
    assert inside.get(f"SELECT count(*) FROM studio_picture WHERE job_id = '{key}'") == 10
    folder = live.home / "pictures" / "00000000-0000-4000-8000-000000000001"
    assert len(list(folder.iterdir())) == 10
    for file in folder.iterdir():
        found = inside.get(f"SELECT sha256 FROM studio_picture WHERE file = '{folder.name}/{file.name}'")
        assert hashlib.sha256(file.read_bytes()).hexdigest() == found


def test_it_tells_whether_it_is_well_and_counts_for_prometheus(live: Any, token: str) -> None:
    def get(path: str, bearer: str = "") -> tuple[int, str]:
        try:
            with urlopen(Request(live.address + path, headers={"Authorization": f"Bearer {bearer}"})) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, ""

    assert json.loads(get("/health/live")[1]) == {"status": "ok"}
    well = dict.fromkeys(("database", "disk", "storage", "worker"), True)
    assert json.loads(get("/health/ready")[1]) == {"status": "ok"} | well
    assert get("/metrics") == (401, "")
    told = get("/metrics", token)[1]
    assert "bespoke_workers_alive" in told
    assert 'bespoke_jobs{state="failed"} 0.0' in told
    assert get("/static/studio/studio.css")[0] == 200
    assert get("/static/ninja/swagger-ui-bundle.js")[0] == 200
    assert get("/static/../settings.py")[0] == get("/static/studio/../../settings.py")[0] == 404


@pytest.mark.parametrize("path", ["/static/studio/studio.css", "/login"])
def test_what_is_asked_for_on_one_connection_all_arrives(live: Any, path: str) -> None:
    where = urlsplit(live.address)
    ask = f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\n"
    with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
        # The next is there before the last is answered whole, as happens to a browser that reads faster than is sent.
        connection.sendall((f"{ask}\r\n" * 7 + f"{ask}Connection: close\r\n\r\n").encode())
        told = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", told) == [b"200"] * 8


def test_every_line_of_its_log_is_json_and_none_holds_a_secret(live: Any, token: str) -> None:
    lines = [json.loads(line) for line in live.log.read_text("utf-8").splitlines()]
    assert {"time", "level", "logger", "message"} <= set.intersection(*(set(line) for line in lines))
    asked = [line for line in lines if line["logger"] == "bespoke.request"]
    assert {"request", "method", "route", "status", "milliseconds"} <= asked[0].keys()
    for secret in (token, Home(live.home).read_key(), "a-long-pass-phrase-9"):
        assert secret not in live.log.read_text("utf-8")


def test_what_it_keeps_is_for_its_user_alone(live: Any) -> None:
    assert live.home.joinpath("secret-key").stat().st_mode & 0o777 == 0o600
    assert live.home.joinpath("studio.sqlite3").stat().st_mode & 0o077 == 0
    connection = sqlite3.connect(live.home / "studio.sqlite3")
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()
    assert mode == ("wal" if sqlite3.sqlite_version_info >= (3, 51, 3) else "delete")


def start(home: Path, *options: str, **given: str) -> tuple[int, str]:
    """The exit code and the standard error of a studio that cannot start."""
    env = os.environ | {"PYTHONPATH": str(ROOT)} | given
    asked = [sys.executable, "-m", "bespoke", "studio", "--home", str(home), *options]
    ended = subprocess.run(asked, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    return ended.returncode, ended.stderr


def test_it_does_not_start_without_an_administrator(tmp_path: Path) -> None:
    code, told = start(tmp_path / "home", "--port", "0")
    assert code == 2
    assert "no administrator yet: start the studio once in a terminal, or set BESPOKE_STUDIO_ADMIN" in told
    assert len(told.splitlines()) == 1
    code, told = start(
        tmp_path / "home", "--port", "0", BESPOKE_STUDIO_ADMIN="ada", BESPOKE_STUDIO_ADMIN_PASSWORD="short"
    )
    assert code == 2
    assert "This password is too short" in told


@pytest.mark.parametrize(
    ("options", "url", "told"),
    [
        (["--host", "0.0.0.0"], "", "--host 0.0.0.0: say by which address people reach it, BESPOKE_STUDIO_URL="),
        ([], "studio.example.com", "expected an address such as https://studio.example.com"),
    ],
)
def test_an_address_that_nobody_can_reach_is_refused(
    options: list[str],
    url: str,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BESPOKE_STUDIO_URL", url)
    assert run(["studio", "--home", str(tmp_path / "home"), *options]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_a_database_of_another_kind_is_refused_and_no_password_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    from bespoke.studio.settings import _database

    for url in ("mysql://ada:secret@x/y", "postgresql://ada:secret@x:port/y"):
        monkeypatch.setenv("BESPOKE_STUDIO_DATABASE", url)
        with pytest.raises(ValueError, match="expected postgresql://USER:PASSWORD@HOST/NAME") as refused:
            _database()
        assert "secret" not in str(refused.value)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    home.secret_key.chmod(0o644)
    with pytest.raises(ValueError, match="other users may read it; run: chmod 600"):
        home.read_key()


def test_two_studios_have_two_keys_and_one_keeps_its_own(tmp_path: Path) -> None:
    first, second = Home(tmp_path / "a"), Home(tmp_path / "b")
    for home in (first, second, first):
        home.prepare()
    assert first.read_key() != second.read_key()
    kept = first.read_key()
    first.prepare()
    assert first.read_key() == kept
    first.secret_key.write_text("short", "ascii")
    with pytest.raises(ValueError, match="too short for a key"):
        first.read_key()


def test_a_missing_extra_is_one_line_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from bespoke.commands.studio import studio

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"the studio needs more packages; run: .* -m pip install .*'django>=5.2,<6'"):
        studio(None, host="127.0.0.1", port=0, database=None, storage=None)


def test_the_first_administrator_is_asked_for_in_a_terminal(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.models import User

    from bespoke.studio.first import ensure_administrator

    said: list[str] = []
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("builtins.input", lambda _: "grace")
    typed = iter(["short", "short", "a-long-pass-phrase-9", "another", "a-long-pass-phrase-9", "a-long-pass-phrase-9"])
    monkeypatch.setattr("bespoke.studio.first.getpass", lambda _: next(typed))
    ensure_administrator(said.append)
    assert "too short" in said[1]
    assert "the two passwords differ" in said[2]
    assert [group.name for group in User.objects.get(username="grace").groups.all()] == ["administrator"]
    ensure_administrator(said.append)  # asks nothing more
    assert len(said) == 3


def test_it_stops_in_order_and_a_job_at_hand_goes_back(live: Any, inside: Any) -> None:
    inside.ask(
        "INSERT INTO studio_job (id, created_at, owner_id, model_id, text, num_images, balance, seed, best_of, state,"
        " attempts, trial, error, unknown_words)"
        " SELECT '00000000000040008000000000000002', '2026-01-01 00:00:00', 1, id,"
        " 'a cup', 10, 0.5, 3, 20, 'waiting', 0, 0, '', '[]' FROM studio_trainedmodel"
    )
    ask = "SELECT state FROM studio_job WHERE id = '00000000000040008000000000000002'"
    live.wait(lambda: inside.get(ask) == "running")
    worker = live.worker()
    assert live.stop(signal.SIGTERM) == 0
    assert not Path(f"/proc/{worker}").exists()
    assert inside.get(ask) == "waiting"
    assert "Traceback" not in live.log.read_text("utf-8")
    inside.ask("DELETE FROM studio_job WHERE id = '00000000000040008000000000000002'")


@pytest.mark.slow
def test_it_runs_on_postgresql(live: Any, postgresql: str, tmp_path: Path) -> None:
    studio = type(live)(tmp_path / "home", "--database", postgresql)
    studio.start()
    assert studio.is_up("/health/ready")
    assert not (tmp_path / "home" / "studio.sqlite3").exists()
    assert studio.stop(signal.SIGINT) == 0
