"""Who is the first to come in? An administrator, named by whoever starts the studio; there is no default password."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from getpass import getpass

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from bespoke.errors import UserError
from bespoke.studio.access import set_role
from bespoke.studio.audit import record

NAME, PASSWORD = "BESPOKE_STUDIO_ADMIN", "BESPOKE_STUDIO_ADMIN_PASSWORD"


def ensure_administrator(say: Callable[[str], None]) -> None:
    """Make the first administrator where there is none. Raises UserError where nobody says who it is."""
    if User.objects.filter(is_active=True, groups__name="administrator").exists():
        return
    name, password = os.environ.get(NAME, ""), os.environ.get(PASSWORD, "")
    if name and password:
        problem = _make(name, password)
        if problem:
            raise UserError(f"{NAME}, {PASSWORD}: {problem}")
        return
    if not sys.stdin.isatty():
        raise UserError(f"no administrator yet: start the studio once in a terminal, or set {NAME} and {PASSWORD}")
    say("This studio has no administrator yet. Who will it be?")
    while True:
        name, password = input("Name: ").strip(), getpass("Password: ")
        problem = _make(name, password) if password == getpass("Once more: ") else "the two passwords differ"
        if not problem:
            return
        say(f"Not yet: {problem}")


def _make(name: str, password: str) -> str:
    """What is wrong with name and password; empty when the administrator is made."""
    user = User(username=name)
    try:
        User.username_validator(name)
        validate_password(password, user)
        user.set_password(password)
        user.full_clean()
    except ValidationError as error:
        return " ".join(error.messages)
    with transaction.atomic():
        user.save()
        set_role(user, "administrator")
        record(None, "person.added", user, role="administrator")
    return ""
