from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client
from django.utils import timezone
from reviewing import drawn

from bespoke.errors import UserError
from bespoke.studio.access import set_role
from bespoke.studio.audit import record
from bespoke.studio.audit.chain import verify
from bespoke.studio.audit.models import Entry
from bespoke.studio.home import HOME
from bespoke.studio.models import Token, TrainedModel
from bespoke.studio.people import erase, find, told_of
from bespoke.studio.tokens import make_token, token_of


@pytest.fixture
def ada(visitor: Callable[[str], Client]) -> User:
    """A creator who has logged in, made a token and ordered a picture; beside an administrator."""
    visitor("administrator")
    user = User.objects.create_user("ada", "ada@example.com", "a-long-pass-phrase-9", first_name="Ada")
    set_role(user, "creator")
    Client().force_login(user)
    make_token(user, "shop")
    model = TrainedModel.objects.create(
        name="mugs", identity="abc", stamp="1", image_size=32, registered_at=timezone.now()
    )
    with transaction.atomic():
        record(user, "order.made", drawn(model, user, 0.3, 0.4))
    return user


def test_everything_that_points_to_a_person_is_told_without_secrets(ada: User) -> None:
    told = told_of(ada)
    tables = told["tables"]
    assert told["roles"] == ["creator"]
    assert tables["auth.user"][0]["email"] == "ada@example.com"
    assert [row["name"] for row in tables["studio.token"]] == ["shop"]
    assert len(tables["studio.job"]) == 1
    assert len(tables["studio.picture"]) == 2
    assert {row["action"] for row in tables["audit.entry"]} == {"token.made", "order.made"}
    assert len(tables["sessions.session"]) == 1
    written = json.dumps(told, default=str)
    assert ada.password not in written
    assert Token.objects.get().digest not in written


def test_what_others_did_is_not_told(ada: User, visitor: Callable[[str], Client]) -> None:
    other = User.objects.get(username="administrator")
    make_token(other, "secret-plan")
    assert "secret-plan" not in json.dumps(told_of(ada), default=str)


def test_an_erased_person_has_no_name_and_no_way_in(ada: User, visitor: Callable[[str], Client]) -> None:
    token = make_token(ada, "press")
    guest = Client()
    guest.force_login(ada)
    assert guest.get("/gallery").status_code == 200
    name = erase(ada)
    ada.refresh_from_db()
    assert name == ada.username == f"erased {ada.pk}"
    assert (ada.email, ada.first_name, ada.last_login, ada.is_active) == ("", "", None, False)
    assert not ada.has_usable_password()
    assert not ada.groups.exists()
    assert token_of(f"Bearer {token}") is None
    assert not Token.objects.filter(owner=ada).exists()
    assert guest.get("/gallery").status_code == 302
    assert all(each.get_decoded().get("_auth_user_id") != str(ada.pk) for each in Session.objects.all())
    assert not Client().login(username="ada", password="a-long-pass-phrase-9")


def test_erasing_keeps_every_row_and_the_log_holds(ada: User) -> None:
    before = list(Entry.objects.order_by("number").values())
    jobs = ada.jobs.count()
    erase(ada)
    after = list(Entry.objects.order_by("number").values())
    assert after[: len(before)] == before
    assert [row["action"] for row in after[len(before) :]] == ["person.erased"]
    assert after[-1]["subject"] == f"user {ada.pk}"
    assert "ada" not in after[-1]["details"]
    assert ada.jobs.count() == jobs
    assert verify().bad is None


def test_an_erased_person_cannot_be_let_in_again(ada: User, visitor: Callable[[str], Client]) -> None:
    administrator = visitor("administrator")
    erase(ada)
    assert f"erased {ada.pk}" not in administrator.get("/people").content.decode()
    assert administrator.post(f"/people/{ada.pk}", {"role": "creator"}).status_code == 404
    with pytest.raises(UserError, match="already"):
        erase(ada)


def test_the_last_administrator_stays(ada: User) -> None:
    with pytest.raises(UserError, match="last administrator"):
        erase(find("administrator"))
    set_role(ada, "administrator")
    assert erase(find("administrator")).startswith("erased ")


def test_an_unknown_name_is_one_line(database: None) -> None:
    with pytest.raises(UserError, match="nobody of that name"):
        find("nobody")


def bespoke(*asked: str, given: dict[str, str], home: Path | None = None) -> subprocess.CompletedProcess[str]:
    whole = [sys.executable, "-m", "bespoke", "studio", *asked, "--home", str(home or given[HOME])]
    return subprocess.run(whole, capture_output=True, text=True, env=given)


MAKE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", interactive=False, verbosity=0)
from django.contrib.auth.models import User
User.objects.create_user("ada", "ada@example.com", "a-long-pass-phrase-9")
"""
CHECK = """
import django; django.setup()
from django.core.management import call_command
call_command("verify_audit")
import sys
assert "torch" not in sys.modules  # takes seconds to load, and no operator's command draws anything
"""


def test_the_commands_answer_an_operator_on_both_databases(elsewhere: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "ada.json"
    early = bespoke("export-person", "ada", str(file), given=elsewhere)
    assert early.returncode == 2
    assert "start the studio once" in early.stderr
    nowhere = bespoke("export-person", "ada", str(file), given=elsewhere, home=tmp_path / "nowhere")
    assert nowhere.returncode == 2
    assert "no studio" in nowhere.stderr
    subprocess.run([sys.executable, "-c", MAKE], check=True, env=elsewhere)
    assert bespoke("export-person", "ada", str(file), given=elsewhere).returncode == 0
    assert json.loads(file.read_text("utf-8"))["tables"]["auth.user"][0]["email"] == "ada@example.com"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "exists already" in bespoke("export-person", "ada", str(file), given=elsewhere).stderr
    assert "--yes" in bespoke("erase-person", "ada", given=elsewhere).stderr
    assert "erased 1" in bespoke("erase-person", "ada", "--yes", given=elsewhere).stdout
    again = bespoke("erase-person", "ada", "--yes", given=elsewhere)
    assert again.returncode == 2
    assert "nobody of that name" in again.stderr
    checked = subprocess.run([sys.executable, "-c", CHECK], check=True, env=elsewhere, capture_output=True, text=True)
    assert checked.stdout.startswith("1 rows hold")
