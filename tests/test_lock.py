"""Do the lock files fit pyproject.toml, and can they be trusted and used anywhere?"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = ("requirements.lock", "requirements-dev.lock")


def pins(lock: str) -> dict[str, str]:
    """Name and the rest of the requirement, hashes included, of every package in a lock file."""
    lines = (ROOT / lock).read_text("utf-8").replace("\\\n", " ").splitlines()
    return {line.split("==")[0]: line for line in lines}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[>=<\[]", line)[0].lower().replace("_", "-") for line in requirements} - {"torch"}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_by_hash_and_comes_from_no_particular_host(lock: str) -> None:
    assert [line for line in pins(lock).values() if not re.match(r"[a-z0-9-]+==[^ ]+ .*--hash=sha256:", line)] == []
    assert "://" not in (ROOT / lock).read_text("utf-8")


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_can_replace_the_build_of_torch(lock: str) -> None:
    assert [name for name in pins(lock) if re.match(r"(torch|triton|nvidia.*|cuda.*)$", name)] == []


def test_every_dependency_is_locked() -> None:
    project, runtime = PROJECT["project"], pins("requirements.lock").keys()
    assert names(project["dependencies"]) - runtime == set()
    development = pins("requirements-dev.lock").keys()
    for group in (*project["optional-dependencies"].values(), *PROJECT["dependency-groups"].values()):
        assert names(group) - development == set()


def test_development_uses_the_same_releases() -> None:
    # Without the markers: development may need a package on platforms where its users do not.
    runtime, development = (
        {name: re.sub(r" ; .*?(?= --hash)", "", re.sub(r" +", " ", line)) for name, line in pins(lock).items()}
        for lock in LOCKS
    )
    assert {name for name, line in runtime.items() if development.get(name) != line} == set()
