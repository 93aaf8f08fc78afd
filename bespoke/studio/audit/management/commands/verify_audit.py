"""Does the audit log still hold? For operators: exit code 0 where it does, 1 where it was altered."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bespoke.studio.audit.chain import verify
from bespoke.studio.audit.rotation import settle


class Command(BaseCommand):
    """`verify_audit [--known NUMBER:SEAL]`"""

    help = "Look through the whole audit log and name the first row that was altered."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--known",
            action="append",
            default=[],
            metavar="NUMBER:SEAL",
            help="a seal as the studio's log (logger bespoke.audit) or an export had it",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        known = {}
        for pair in options["known"]:
            number, _colon, seal = pair.partition(":")
            if not number.isdecimal() or len(seal) != 64:
                raise CommandError(f"--known {pair}: expected NUMBER:SEAL, as the studio's log has it")
            known[int(number)] = seal
        settle()
        found = verify(known)
        if found.bad is not None:
            raise CommandError(f"row {found.bad}: {found.problem}; {found.holding} rows before it hold")
        self.stdout.write(f"{found.holding} rows hold; the last is {found.holding}:{found.seal}")
