from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from bespoke.studio.audit import record
from bespoke.studio.audit.actions import ACTIONS
from bespoke.studio.audit.chain import Verdict, verify
from bespoke.studio.audit.models import AppendOnlyError, Entry, Head
from bespoke.studio.models import TrainedModel
from bespoke.studio.tables import csv_answer

Visitor = Callable[[str], Client]


@pytest.fixture
def log(database: None) -> None:
    """Six rows."""
    ada = User.objects.create_user("ada")
    for number in range(6):
        record(ada if number % 2 else None, "person.role", ada, role="viewer", note=f"赤 {number}")


def tamper(*changes: str) -> Verdict:
    """What `verify` finds after somebody with a hand in the database has been there."""
    with connection.cursor() as cursor:
        for change in changes:
            cursor.execute(change)
    return verify()


def test_rows_stand_one_after_the_other_and_hold(log: None) -> None:
    assert list(Entry.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]
    found = verify()
    assert (found.holding, found.bad, found.problem) == (6, None, "")
    assert found.seal == Head.objects.get().seal == Entry.objects.get(number=6).seal
    assert Entry.objects.get(number=2).told == {"role": "viewer", "note": "赤 1"}
    assert Entry.objects.get(number=2).subject == f"user {User.objects.get().pk}"


def test_an_empty_log_holds(database: None) -> None:
    assert verify() == Verdict(0, "", None, "")


@pytest.mark.parametrize(
    ("changes", "bad", "problem"),
    [
        (["UPDATE audit_entry SET details = '{}' WHERE number = 3"], 3, "altered"),
        (["UPDATE audit_entry SET actor_id = 999 WHERE number = 1"], 1, "altered"),
        (["UPDATE audit_entry SET actor_id = NULL WHERE number = 2"], 2, "altered"),
        (["UPDATE audit_entry SET at = '2026-01-01 00:00:00' WHERE number = 4"], 4, "altered"),
        (["UPDATE audit_entry SET action = 'login' WHERE number = 6"], 6, "altered"),
        (["UPDATE audit_entry SET subject = 'user 999' WHERE number = 5"], 5, "altered"),
        (["UPDATE audit_entry SET seal = '0' WHERE number = 5"], 5, "altered"),
        (["DELETE FROM audit_entry WHERE number = 1"], 1, "missing"),
        (["DELETE FROM audit_entry WHERE number = 4"], 4, "missing"),
        # Closed up behind what was deleted.
        (["DELETE FROM audit_entry WHERE number = 6", "UPDATE audit_head SET last = 5"], 5, "unknown end"),
        (
            ["DELETE FROM audit_entry WHERE number = 3", "UPDATE audit_entry SET number = 3 WHERE number = 6"],
            3,
            "altered",
        ),
        # Two rows change places.
        (
            [
                "UPDATE audit_entry SET number = 99 WHERE number = 2",
                "UPDATE audit_entry SET number = 2 WHERE number = 3",
                "UPDATE audit_entry SET number = 3 WHERE number = 99",
            ],
            2,
            "altered",
        ),
        (["DELETE FROM audit_entry WHERE number > 4"], 5, "cut off"),
        (["DELETE FROM audit_entry"], 1, "cut off"),
        (
            [
                "DELETE FROM audit_entry WHERE number > 4",
                "UPDATE audit_head SET last = 4, seal = (SELECT seal FROM audit_entry WHERE number = 4)",
            ],
            4,
            "unknown end",
        ),
        (["DELETE FROM audit_entry", "UPDATE audit_head SET last = 0, seal = '', own_seal = ''"], None, ""),
        (["DELETE FROM audit_head"], 6, "unknown end"),
    ],
)
def test_what_was_altered_is_named(log: None, changes: list[str], bad: int | None, problem: str) -> None:
    if not problem:  # a log that was emptied to the last trace is empty: only a seal kept elsewhere tells
        last = verify()
        tamper(*changes)
        assert verify({last.holding: last.seal})[2:] == (1, "cut off")
        return
    assert tamper(*changes)[2:] == (bad, problem)


def test_a_row_that_was_put_in_is_found(log: None) -> None:
    for number in (0, 7):
        with transaction.atomic():
            found = tamper(
                f"INSERT INTO audit_entry SELECT {number}, at, actor_id, action, subject, details, seal"
                " FROM audit_entry WHERE number = 6"
            )
            assert found.bad == (1 if number == 0 else 7)
            transaction.set_rollback(True)
    assert verify().bad is None


def test_the_next_row_does_not_make_good_an_end_that_was_cut_off(log: None) -> None:
    tamper(
        "DELETE FROM audit_entry WHERE number > 4",
        "UPDATE audit_head SET last = 4, seal = (SELECT seal FROM audit_entry WHERE number = 4)",
    )
    record(None, "login", "nobody known")
    assert verify()[2:] == (5, "altered")


def test_an_old_copy_put_back_is_found_by_a_seal_kept_elsewhere(log: None) -> None:
    old = Head.objects.values().get()
    record(None, "login", "nobody known")
    kept = verify()
    tamper("DELETE FROM audit_entry WHERE number = 7")
    Head.objects.update(**old)
    assert verify().bad is None
    assert verify({kept.holding: kept.seal})[2:] == (7, "cut off")
    record(None, "login", "nobody known")  # and a new row in the place of the old
    assert verify({kept.holding: kept.seal})[2:] == (7, "not as written down elsewhere")


def test_with_another_key_nothing_holds(log: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.AUDIT_KEY", b"another")
    assert verify().problem == "unknown end"


def test_rows_are_neither_changed_nor_deleted_through_the_models(log: None) -> None:
    entry = Entry.objects.get(number=1)
    rows = Entry.objects.filter(number=1)
    for change in (
        entry.save,
        entry.delete,
        rows.delete,
        lambda: rows.update(action="login"),
        lambda: Entry.objects.bulk_create([Entry(number=9)]),
        lambda: Entry.objects.bulk_update([entry], ["action"]),
        lambda: Entry.objects.create(number=9, at=timezone.now()),
        lambda: Entry.objects.update_or_create(number=1, defaults={"action": "login"}),
    ):
        with pytest.raises(AppendOnlyError):
            change()
    assert verify().holding == 6


def test_what_is_not_in_the_table_is_refused(database: None) -> None:
    with pytest.raises(AssertionError, match=r"nothing.done: not in bespoke/studio/audit/actions.py"):
        record(None, "nothing.done", "policy")
    with pytest.raises(AssertionError, match="a subject is a saved row or a text"):
        record(None, "login", "")
    with pytest.raises(ValueError, match="not JSON compliant"):
        record(None, "login", "policy", score=float("nan"))


@pytest.mark.usefixtures("_tables")
def test_a_deed_needs_a_transaction() -> None:
    with pytest.raises(transaction.TransactionManagementError, match="needs the transaction"):
        record(None, "login", "policy")


def test_a_deed_that_is_undone_leaves_no_row(log: None) -> None:
    with transaction.atomic():
        record(None, "login", "policy")
        transaction.set_rollback(True)
    assert verify()[:3:2] == (6, None)


def test_operators_are_told_by_a_command(log: None) -> None:
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert out.getvalue().startswith("6 rows hold; the last is 6:")
    known = out.getvalue().split()[-1]
    call_command("verify_audit", known=[known], stdout=out)
    with pytest.raises(CommandError, match="row 5: not as written down elsewhere; 4 rows before it hold"):
        call_command("verify_audit", known=["5:" + "0" * 64])
    with pytest.raises(CommandError, match="--known five: expected NUMBER:SEAL"):
        call_command("verify_audit", known=["five"])


# Pages.


def test_the_page_filters_and_goes_on_without_counting(log: None, visitor: Visitor) -> None:
    client = visitor("administrator")
    ada = User.objects.get(username="ada")
    for number in range(60):
        record(ada, "token.made", f"token {number}")

    def shown(**asked: object) -> list[int]:
        page = client.get("/audit", asked).content.decode()
        return [int(part.split("<")[0]) for part in page.split('class="number">')[1:]]

    assert shown() == list(range(66, 16, -1))
    assert shown(before=17) == list(range(16, 0, -1))
    assert shown(action="person.role") == [6, 5, 4, 3, 2, 1]
    assert shown(action="person.role", actor=ada.pk) == [6, 4, 2]
    assert shown(subject="token 59") == [66]
    today = timezone.now().date().isoformat()
    assert len(shown(since=today, until=today)) == 50
    assert shown(until="2020-01-01") == shown(since="2999-01-01") == []
    assert client.get("/audit", {"since": "soon"}).status_code == 422
    assert shown(before="²") == shown(before="-1") == shown(before="9" * 40) == shown()


def test_the_page_says_whether_the_log_holds(log: None, visitor: Visitor) -> None:
    client = visitor("administrator")
    assert "All 6 rows hold." in client.post("/audit/verify").content.decode()
    tamper("UPDATE audit_entry SET details = '{}' WHERE number = 3")
    assert "Row 3 was altered." in client.post("/audit/verify").content.decode()
    tamper("DELETE FROM audit_entry WHERE number = 2")
    assert "Row 2 is missing" in client.post("/audit/verify").content.decode()


def test_what_is_exported_can_be_checked_elsewhere(log: None, visitor: Visitor) -> None:
    client = visitor("administrator")
    lines = client.get("/audit/export", {"format": "jsonl"}).content.decode().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[1]["details"] == {"role": "viewer", "note": "赤 1"}
    assert (rows[0]["actor"], rows[1]["actor"]) == ("", "ada")
    assert verify({row["number"]: row["seal"] for row in rows}).bad is None
    answer = client.get("/audit/export", {"format": "csv", "actor": User.objects.get(username="ada").pk})
    assert answer["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbfnumber,at,")
    assert len(answer.content.splitlines()) == 4


def test_too_much_for_one_file_is_said(log: None, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bespoke.studio.audit.pages.MOST_EXPORTED", 5)
    answer = visitor("administrator").get("/audit/export")
    assert answer.status_code == 422
    assert "export them in parts" in answer.content.decode()


def test_no_cell_becomes_a_formula() -> None:
    content = csv_answer("a", ["x"], [["=1+1"], ["@cmd"], ["+a"], ["-b"], ["c"], [-1]]).content.decode("utf-8-sig")
    assert content.split() == ["x", "'=1+1", "'@cmd", "'+a", "'-b", "c", "-1"]


def test_deeds_of_the_studio_are_written_down(visitor: Visitor) -> None:
    client = visitor("administrator")
    me = User.objects.get(username="administrator")
    model = TrainedModel.objects.create(name="mugs", identity="abc", stamp="1", image_size=32)
    client.post(f"/models/{model.pk}/register", {"identity": "abc"})
    asked = {"key": "11111111-1111-4111-8111-111111111111", "model": model.pk, "text": "a red cup"}
    client.post("/create", asked | {"balance": "0.7", "num_images": "2", "seed": "", "best_of": "1"})
    client.post("/create", asked | {"balance": "0.7", "num_images": "2", "seed": "", "best_of": "1"})
    client.post(f"/models/{model.pk}/register", {"withdraw": "1"})
    client.post("/tokens", {"name": "shop"})
    client.post(f"/tokens/{me.tokens.get().pk}/revoke")
    password = "a-long-pass-phrase-9"
    client.post("/people", {"username": "bob", "password1": password, "password2": password, "role": "viewer"})
    bob = User.objects.get(username="bob")
    client.post(f"/people/{bob.pk}", {"role": "creator"})
    client.post(f"/people/{bob.pk}", {"role": ""})
    found = list(Entry.objects.order_by("number").values_list("action", "actor_id"))
    assert [action for action, _ in found] == [
        "model.registered",
        "order.made",
        "model.withdrawn",
        "token.made",
        "token.revoked",
        "person.added",
        "person.role",
        "person.role",
    ]
    assert {actor for _, actor in found} == {me.pk}
    assert "a red cup" not in "".join(Entry.objects.values_list("details", flat=True))
    assert verify().bad is None


def test_every_action_has_a_name_that_is_shown(log: None, visitor: Visitor) -> None:
    client = visitor("administrator")
    for action, label in ACTIONS.items():
        record(None, action, "policy")
        page = client.get("/audit", {"action": action}).content.decode()
        assert f"<b>{escape(label)}</b>" in page


# Several processes at once, on both databases.

WRITE = """
import os, sys; import django; django.setup()
from django.core.management import call_command
from django.db import connection, transaction
from bespoke.studio.audit import record
from bespoke.studio.audit.chain import verify
call_command("migrate", verbosity=0)
connection.close()
children = []
for child in range(4):
    if not (pid := os.fork()):
        code = 1
        try:
            for number in range(25):
                with transaction.atomic():
                    record(None, "login", f"process {child}", number=number)
                    if number % 5 == 4:
                        transaction.set_rollback(True)
            code = 0
        finally:
            os._exit(code)
    children.append(pid)
codes = [os.waitpid(pid, 0)[1] for pid in children]
found = verify()
print(sum(codes), found.holding, found.bad)
"""


def test_writers_at_the_same_time_stand_in_one_line(elsewhere: dict[str, str]) -> None:
    asked = [sys.executable, "-c", WRITE]
    ended = subprocess.run(asked, env=elsewhere, capture_output=True, text=True, timeout=300)
    assert ended.stdout.split() == ["0", "80", "None"], ended.stderr
