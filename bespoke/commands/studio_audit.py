"""How does an operator give the audit log another key, when somebody may have seen the one it has?"""

from __future__ import annotations

from pathlib import Path

from bespoke.commands.screen import say
from bespoke.commands.studio import speaking_to


def rotate_audit_key(home: Path | None, *, database: str | None) -> None:
    """Seal the audit log with another key from now on; no studio may be at work. Raises UserError."""
    with speaking_to(home, database):
        from bespoke.studio.audit.rotation import rotate

        made = rotate()
    if made.before.bad is not None:
        say(f"The log did not hold before: row {made.before.bad}, {made.before.problem}. That stays to be seen.")
    say(f"Row {made.number} is the first that the new audit-key seals; rows before it are checked with {made.old}.")
    say(f"Keep its seal on another machine: {made.number}:{made.seal}")
