"""How does an operator answer somebody who asks about their data? By a file of all of it, or by erasing them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from bespoke.commands.screen import say
from bespoke.commands.studio import speaking_to
from bespoke.errors import UserError


def export_person(home: Path | None, name: str, file: Path, *, database: str | None) -> None:
    """Write what a studio holds on a person into a new file that only this user reads. Raises UserError."""
    if file.exists():
        raise UserError(f"{file}: exists already; name another file")
    with speaking_to(home, database):
        from django.core.serializers.json import DjangoJSONEncoder

        from bespoke.studio.people import find, told_of

        told = json.dumps(told_of(find(name)), cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(f"{told}\n")
    except OSError as error:
        raise UserError(f"{file}: cannot be written ({error.strerror}); name another file") from error
    say(f"{file}: everything that the studio holds on {name}.")


def erase_person(home: Path | None, name: str, *, yes: bool, database: str | None) -> None:
    """Erase a person for good. Raises UserError."""
    with speaking_to(home, database):
        from bespoke.studio.people import erase, find

        found = find(name)
        if not yes:
            raise UserError(f"{name}: erasing cannot be taken back; to go on, add --yes")
        pseudonym = erase(found)
    say(f"{name} is erased; what they did stays under '{pseudonym}'. Backups still hold the name.")
