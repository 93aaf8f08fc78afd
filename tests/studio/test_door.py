from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from bespoke.studio.audit.models import Entry
from bespoke.studio.door import throttle
from bespoke.studio.door.models import Attempt
from bespoke.studio.door.throttle import MOST_BY_ADDRESS, MOST_BY_NAME, MOST_TOGETHER, TooManyError, knock, succeed

PASSWORD = "a-long-pass-phrase-9"
Visitor = Callable[[str], Client]


@pytest.fixture
def ada(database: None) -> User:
    return User.objects.create_user("ada", password=PASSWORD)


def log_in(password: str, name: str = "ada", address: str = "192.0.2.1") -> object:
    return Client(REMOTE_ADDR=address).post("/login", {"username": name, "password": password})


def test_who_fails_too_often_waits_even_with_the_right_password(ada: User) -> None:
    for _ in range(MOST_TOGETHER):
        assert log_in("wrong").status_code == 200
    held = log_in(PASSWORD)
    assert held.status_code == 429
    assert 800 < int(held["Retry-After"]) <= 900
    assert "Come back in 15 minutes." in held.content.decode()
    assert log_in(PASSWORD, address="192.0.2.2").status_code == 302  # ada from her own desk
    Attempt.objects.update(at=timezone.now() - throttle.WINDOW + timedelta(seconds=30))
    assert "Come back in 1 minute." in log_in(PASSWORD).content.decode()
    Attempt.objects.update(at=timezone.now() - throttle.WINDOW)
    assert log_in(PASSWORD).status_code == 302


def test_success_forgets_what_failed_before(ada: User) -> None:
    for _ in range(3):
        for _ in range(MOST_TOGETHER - 1):
            log_in("wrong")
        assert log_in(PASSWORD).status_code == 302
    assert not Attempt.objects.exists()


def test_waiting_is_not_made_longer_by_trying(ada: User) -> None:
    for _ in range(MOST_TOGETHER + 3):
        log_in("wrong")
    assert Attempt.objects.count() == MOST_TOGETHER


def test_another_spelling_of_a_name_is_the_same_name(database: None) -> None:
    for name in ("ada", "ADA", "Ada", "ＡＤＡ", "aDa"):
        knock(name, "192.0.2.1")
    with pytest.raises(TooManyError):
        knock("ada", "192.0.2.1")


def test_one_address_cannot_try_many_names(database: None) -> None:
    for number in range(MOST_BY_ADDRESS):
        knock(f"person {number}", "192.0.2.1")
    with pytest.raises(TooManyError):
        knock("ada", "192.0.2.1")
    knock("ada", "192.0.2.2")


def test_many_addresses_cannot_try_one_name(database: None) -> None:
    for number in range(MOST_BY_NAME):
        knock("ada", f"192.0.2.{number}")
    with pytest.raises(TooManyError):
        knock("ada", "198.51.100.1")


def test_an_attempt_counts_before_its_password_is_looked_at(database: None) -> None:
    made = [knock("ada", "192.0.2.1") for _ in range(MOST_TOGETHER)]  # all at the same instant
    with pytest.raises(TooManyError):
        knock("ada", "192.0.2.1")
    succeed(made[0])
    assert not Attempt.objects.exists()


def test_a_form_that_is_not_filled_in_is_no_attempt(ada: User) -> None:
    assert log_in("").status_code == 200
    assert not Attempt.objects.exists()
    assert not Entry.objects.exists()


def test_logging_in_and_failing_are_written_down_without_what_was_typed(ada: User) -> None:
    log_in("wrong")
    log_in("typed into the wrong field", name="my-secret-password")
    log_in(PASSWORD)
    found = list(Entry.objects.order_by("number").values_list("action", "actor_id", "subject"))
    assert found == [
        ("login.failed", None, f"user {ada.pk}"),
        ("login.failed", None, "nobody known"),
        ("login", ada.pk, f"user {ada.pk}"),
    ]
    with connection.cursor() as cursor:
        for table in ("audit_entry", "door_attempt"):
            cursor.execute(f"SELECT * FROM {table}")
            assert "my-secret-password" not in repr(cursor.fetchall())
