"""How does the studio start from the command line? Where its packages are missing, one line says how to get them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from bespoke.commands.extras import EXTRAS
from bespoke.commands.screen import say
from bespoke.errors import UserError

DEFAULT_HOME = Path("bespoke-studio")


def studio(home: Path | None, *, host: str, port: int, database: str | None) -> None:
    """Run the studio until it is stopped. Raises UserError."""
    missing = [e for e in EXTRAS if e.name == "studio" and importlib.util.find_spec(e.module) is None]
    if missing:
        wanted = " ".join(f"'{extra.requirement}'" for extra in missing)
        raise UserError(f"the studio needs more packages; run: {sys.executable} -m pip install {wanted}")
    from bespoke.studio.serve import serve

    serve(home or DEFAULT_HOME, host=host, port=port, database=database, say=say)
