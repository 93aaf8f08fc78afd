"""Where does an installed package keep its files? Found without importing it: weights are read, no code of it runs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from bespoke.errors import UserError


def package_folder(package: str, wanted: str, install: str) -> Path:
    """The folder of a package, by the name it is installed by. Raises UserError where it is missing.

    wanted: what for and what of it, as the error begins; install: the command that it ends with.
    """
    found = find_spec(package.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        raise UserError(f"{wanted} is not installed; run {install}")
    return Path(found.submodule_search_locations[0])
