"""Where does a studio keep its things? In one folder: models, pictures, database, secret key. Knows no Django."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from bespoke.errors import UserError

# How the launcher tells the web and the worker process what they serve.
HOME, DATABASE, URL, HOST = (f"BESPOKE_STUDIO_{name}" for name in ("HOME", "DATABASE", "URL", "HOST"))


@dataclass(frozen=True)
class Home:
    """The folder of one studio."""

    folder: Path

    @property
    def models(self) -> Path:
        return self.folder / "models"

    @property
    def pictures(self) -> Path:
        return self.folder / "pictures"

    @property
    def database(self) -> Path:
        return self.folder / "studio.sqlite3"

    @property
    def secret_key(self) -> Path:
        return self.folder / "secret-key"

    @classmethod
    def from_environment(cls) -> Home:
        """The home that the launcher chose. Raises UserError where nobody did."""
        if not (folder := os.environ.get(HOME)):
            raise UserError(f"{HOME} is not set; start the studio by `bespoke studio --home DIR`")
        return cls(Path(folder))

    def prepare(self) -> None:
        """Make what is missing: the folders, for this user alone, and a secret key. Raises UserError."""
        try:
            for folder in (self.folder, self.models, self.pictures):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.secret_key.exists():
                _write_key(self.secret_key)
        except OSError as error:
            raise UserError(f"{self.folder}: cannot be written ({error.strerror}); name another --home") from error

    def read_key(self) -> str:
        """The key that signs sessions and links. Raises UserError where it is missing or others may read it."""
        try:
            if os.name == "posix" and self.secret_key.stat().st_mode & 0o077:
                raise UserError(f"{self.secret_key}: other users may read it; run: chmod 600 {self.secret_key}")
            key = self.secret_key.read_text("ascii").strip()
        except OSError as error:
            raise UserError(f"{self.secret_key}: cannot be read ({error.strerror}); mend its permissions") from error
        if len(key) < 50:
            raise UserError(f"{self.secret_key}: too short for a key; delete it, and a new one is made")
        return key


def _write_key(file: Path) -> None:
    """Whole or not there; what another launcher wrote meanwhile stays."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_urlsafe(64))
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(fresh, file)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
