"""What does a fresh studio need? An administrator, for there is no default password, and a model to draw with."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from getpass import getpass
from pathlib import Path

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from bespoke.errors import UserError
from bespoke.locate import BASES
from bespoke.studio import registry
from bespoke.studio.access import set_role
from bespoke.studio.audit import record
from bespoke.studio.models import BASE, TrainedModel

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


def offer_base(models: Path) -> None:
    """Put the model that comes with Bespoke into a studio that never had one, registered. Raises UserError.

    A copy, so that its weights stay as they are whatever becomes of the package.
    """
    if any(not place.name.startswith(".") for place in models.iterdir()) or TrainedModel.objects.exists():
        return
    part = models / f".{BASE}"
    try:
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(BASES / "products", part)
        part.rename(models / BASE)
    except OSError as error:
        raise UserError(f"{models}: cannot be written ({error.strerror}); free some disk space") from error
    registry.scan(models)
    with transaction.atomic():
        found = TrainedModel.objects.select_for_update().get(name=BASE)
        found.registered_at = timezone.now()
        found.save(update_fields=["registered_at"])
        record(None, "model.registered", found, name=BASE, identity=found.identity)


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
