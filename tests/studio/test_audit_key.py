"""Another key for the audit log: each part of it is checked with its own, and no kill leaves it between two."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from bespoke.errors import UserError
from bespoke.studio.audit import keys, record
from bespoke.studio.audit.chain import ROTATED, Verdict, verify
from bespoke.studio.audit.models import Entry, Head
from bespoke.studio.audit.rotation import reload, rotate, settle
from bespoke.studio.backups.making import backup
from bespoke.studio.backups.restoring import restore
from bespoke.studio.home import DATABASE, HOME

Visitor = Callable[[str], Client]


@pytest.fixture
def folder(database: None) -> Iterator[Path]:
    """The home folder; its keys are as before when the test is over."""
    home: Path = settings.HOME.folder
    before = {file: file.read_bytes() for file in home.glob("audit-key*")}
    yield home
    for file in home.glob("*audit-key*"):
        file.unlink()
    for file, content in before.items():
        file.write_bytes(content)
        file.chmod(0o600)
    reload()


def log(num_rows: int) -> None:
    for number in range(num_rows):
        record(None, "login", "policy", number=number)


def tamper(change: str) -> Verdict:
    """What `verify` finds after somebody with a hand in the database has been there."""
    with connection.cursor() as cursor:
        cursor.execute(change)
    return verify()


def test_rows_before_and_after_hold_each_by_its_own_key(folder: Path) -> None:
    first = (folder / "audit-key").read_bytes()
    log(3)
    last = verify()
    made = rotate()
    assert (made.before, made.number, made.old) == (last, 4, "audit-key.1")
    assert (folder / "audit-key.1").read_bytes() == first != (folder / "audit-key").read_bytes()
    assert {file.stat().st_mode & 0o777 for file in folder.glob("audit-key*")} == {0o600}
    row = Entry.objects.get(action=ROTATED)
    assert (row.told["last"], row.told["last_seal"]) == (3, last.seal)
    assert verify({3: last.seal}) == Verdict(4, made.seal, None, "")
    log(2)
    rotate()
    log(1)
    assert verify()[::2] == (8, None)
    assert sorted(keys.old_files(folder)) == [1, 2]
    assert not (folder / "audit-key.next").exists()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE audit_entry SET details = '{}' WHERE number = 2", (2, "altered")),
        ("UPDATE audit_entry SET details = '{}' WHERE number = 5", (5, "altered")),
        ("UPDATE audit_entry SET details = '{}' WHERE number = 4", (4, "no key")),
        ("UPDATE audit_entry SET action = 'login' WHERE number = 4", (4, "altered")),
        ("UPDATE audit_entry SET action = 'audit.rotated' WHERE number = 5", (5, "no key")),
        ("DELETE FROM audit_entry WHERE number = 4", (4, "missing")),
        ("DELETE FROM audit_entry WHERE number > 3", (4, "cut off")),
    ],
)
def test_what_is_altered_in_any_part_is_named(change: str, found: tuple[int, str], folder: Path) -> None:
    log(3)
    rotate()
    log(1)
    assert tamper(change)[2:] == found


def test_who_has_the_old_key_alters_nothing_unseen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log(3)
    rotate()
    log(2)
    new, old = settings.AUDIT_KEY, settings.AUDIT_OLD_KEYS[1]
    kept = Head.objects.values().get()

    def forge(cut: int, *actions: str) -> Verdict:
        """The log, cut off before a row and gone on with the old key; its end as it was, as that cannot be forged."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM audit_entry WHERE number >= %s", [cut])
        before = Entry.objects.first()
        assert before is not None
        Head.objects.update(last=before.number, seal=before.seal)
        monkeypatch.setattr(settings, "AUDIT_KEY", old)
        from bespoke.studio.audit import chain

        monkeypatch.setattr(chain, "_holds", lambda head: True)
        for action in actions:
            record(None, action, "policy", key=keys.name_of(old))
        monkeypatch.undo()
        assert new == settings.AUDIT_KEY
        Head.objects.update(**kept)
        return verify()

    assert forge(5, ROTATED, "login")[2:] == (5, "no key")  # a key does not come back after its time
    assert forge(5, "login", "login")[2:] == (5, "altered")
    assert forge(2, "login", "login", "login", "login", "login").problem in ("altered", "cut off")


def test_a_key_that_is_gone_is_said(folder: Path, visitor: Visitor) -> None:
    log(3)
    rotate()
    log(1)
    (folder / "audit-key.1").unlink()
    reload()
    assert verify() == Verdict(0, "", 1, "no key")
    page = visitor("administrator").post("/audit/verify").content.decode()
    assert "Row 1 and those after it cannot be checked" in page


def test_a_log_that_did_not_hold_does_not_hold_afterwards(folder: Path) -> None:
    log(3)
    tamper("UPDATE audit_entry SET details = '{}' WHERE number = 2")
    assert rotate().before.bad == 2
    assert verify()[2:] == (2, "altered")


def test_an_end_that_was_altered_is_not_made_good_by_another_key(folder: Path) -> None:
    log(3)
    tamper("DELETE FROM audit_entry WHERE number > 2")
    tamper("UPDATE audit_head SET last = 2, seal = (SELECT seal FROM audit_entry WHERE number = 2)")
    assert rotate().before.problem == "unknown end"
    assert verify()[2:] == (3, "altered")


def test_an_old_key_that_others_may_read_is_refused(folder: Path) -> None:
    rotate()
    (folder / "audit-key.1").chmod(0o644)
    with pytest.raises(UserError, match=r"audit-key\.1: other users may read it; run: chmod 600"):
        reload()


def test_what_the_log_does_not_know_of_is_undone(folder: Path) -> None:
    log(1)
    present = (folder / "audit-key").read_bytes()
    keys.make_next(folder)
    settle()
    assert (folder / "audit-key").read_bytes() == present
    assert [file.name for file in folder.glob("audit-key*")] == ["audit-key"]


# Other processes, on both databases.

KILLED = """
import os, signal, sys, traceback; import django; django.setup()
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from bespoke.studio.audit import keys, record, rotation
from bespoke.studio.audit.chain import ROTATED, verify
from bespoke.studio.audit.models import Entry

call_command("migrate", verbosity=0)
with transaction.atomic():
    record(None, "login", "policy")
connection.close()

STEPS = ("rotate", "settle", "make_next", "write_key", "move_in", "drop_next", "alone", "_sync")

def rotate(line):
    seen = 0
    def look(frame, event, arg):
        nonlocal seen
        code = frame.f_code
        ours = code.co_filename.endswith(("audit/rotation.py", "audit/keys.py", "studio/home.py"))
        ours = ours and code.co_name in STEPS
        if not ours and not (code.co_name == "append" and code.co_filename.endswith("audit/chain.py")):
            return None
        if event == "line":
            seen += 1
            if seen == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return look
    rotation.reload()
    sys.settrace(look)
    rotation.rotate()

def look():
    rotation.reload()
    rotation.settle()
    assert verify().bad is None, verify()
    with transaction.atomic():
        record(None, "login", "policy")
    assert verify().bad is None, verify()
    changed = Entry.objects.filter(action=ROTATED).count()
    assert list(keys.old_files(settings.HOME.folder)) == list(range(1, changed + 1))
    assert not (settings.HOME.folder / keys.NEXT).exists()

def apart(do, *given):
    if not (pid := os.fork()):
        code = 1
        try:
            do(*given)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

line = 0
while True:
    line += 1
    ended = apart(rotate, line)
    assert ended in (0, -signal.SIGKILL), ended
    assert apart(look) == 0, line
    if ended == 0:
        break
rotated = Entry.objects.filter(action=ROTATED).count()
print(line, rotated, sorted(file.name for file in settings.HOME.folder.glob(".audit-key*")))
"""


def test_wherever_it_is_killed_the_next_who_comes_finishes_or_undoes_it(elsewhere: dict[str, str]) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED], env=elsewhere, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr[-3000:]
    kills, rotated, left = ended.stdout.split(" ", 2)
    assert int(kills) > 40
    assert 5 < int(rotated) < int(kills) - 5  # some were undone, some were finished
    assert left.strip() == "[]"


HOLD = "import django; django.setup(); print('here', flush=True); input()"


def test_a_studio_at_work_is_not_disturbed_and_a_backup_has_all_keys(elsewhere: dict[str, str], tmp_path: Path) -> None:
    home, url = Path(elsewhere[HOME]), elsewhere[DATABASE]

    def run(*asked: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", *asked], env=elsewhere, capture_output=True, text=True)

    asked = ("bespoke", "studio", "rotate-audit-key", "--home", str(home))
    assert run("django", "migrate", "--settings=bespoke.studio.settings").returncode == 0
    with subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=elsewhere | {"DJANGO_SETTINGS_MODULE": "bespoke.studio.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as studio:
        assert studio.stdout is not None
        studio.stdout.readline()
        refused = run(*asked)
        studio.communicate(b"\n")
    assert refused.returncode == 2
    assert "is at work here; stop it, wait until it has ended, and try again" in refused.stderr
    assert not (home / "audit-key.1").exists()
    made = run(*asked)
    assert made.returncode == 0, made.stderr
    assert "rows before it are checked with audit-key.1" in made.stdout
    backup(home, tmp_path / "studio.tar", url=url, storage="", models=True, say=print)
    if not url:
        restore(tmp_path / "other", tmp_path / "studio.tar", url="", storage="", say=print)
        for name in ("audit-key", "audit-key.1"):
            assert (tmp_path / "other" / name).read_bytes() == (home / name).read_bytes()
        given = elsewhere | {HOME: str(tmp_path / "other")}
        held = [sys.executable, "-m", "django", "verify_audit", "--settings=bespoke.studio.settings"]
        ended = subprocess.run(held, env=given, capture_output=True, text=True)
        assert ended.stdout.startswith("1 rows hold"), ended.stderr


def test_while_the_key_is_changed_nobody_starts_or_backs_up(tmp_path: Path) -> None:
    changing = keys.Use(tmp_path)
    with changing.alone(), pytest.raises(UserError, match="the audit log's key is being changed; wait until"):
        keys.Use(tmp_path)
    second = keys.Use(tmp_path)
    with pytest.raises(UserError, match="is at work here"), changing.alone():
        pass
    second.end()
    with changing.alone():
        pass
    changing.end()
    assert (tmp_path / keys.LOCK).stat().st_mode & 0o077 == 0
