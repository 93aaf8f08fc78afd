"""Where does a studio keep its things? In one folder: models, pictures, database, secret key. Knows no Django."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from bespoke.errors import UserError

# How the launcher tells the web and the worker process what they serve.
HOME, DATABASE, STORAGE, URL, HOST, SOCKET = (
    f"BESPOKE_STUDIO_{name}" for name in ("HOME", "DATABASE", "STORAGE", "URL", "HOST", "SOCKET")
)


@dataclass(frozen=True)
class Home:
    """The folder of one studio."""

    folder: Path

    @property
    def models(self) -> Path:
        return self.folder / "models"

    @property
    def pictures(self) -> Path:
        """What was drawn or sent to be edited; empty where an object store has it."""
        return self.folder / "pictures"

    @property
    def catalogues(self) -> Path:
        """Versions of catalogues, each a folder that the command line reads, too."""
        return self.folder / "catalogues"

    @property
    def uploads(self) -> Path:
        """What was sent and not yet looked at; gone when it was."""
        return self.folder / "uploads"

    @property
    def reports(self) -> Path:
        """On catalogues and models, a folder each."""
        return self.folder / "reports"

    @property
    def cache(self) -> Path:
        """Decoded pictures and taught judges; made again where it is missing."""
        return self.folder / "cache"

    @property
    def database(self) -> Path:
        return self.folder / "studio.sqlite3"

    @property
    def turn(self) -> Path:
        """Of no content: whose turn it is to write to SQLite."""
        return self.folder / "turn"

    @property
    def secret_key(self) -> Path:
        return self.folder / "secret-key"

    @property
    def audit_key(self) -> Path:
        return self.folder / "audit-key"

    @classmethod
    def from_environment(cls) -> Home:
        """The home that the launcher chose. Raises UserError where nobody did."""
        if not (folder := os.environ.get(HOME)):
            raise UserError(f"{HOME} is not set; start the studio by `bespoke studio --home DIR`")
        return cls(Path(folder))

    def prepare(self) -> None:
        """Make what is missing: the folders, for this user alone, and two secret keys. Raises UserError."""
        try:
            kept = (self.models, self.pictures, self.catalogues, self.uploads, self.reports, self.cache)
            for folder in (self.folder, *kept):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for file in (self.secret_key, self.audit_key):
                if not file.exists():
                    write_key(file)
        except OSError as error:
            raise UserError(f"{self.folder}: cannot be written ({error.strerror}); name another --home") from error

    def read_key(self) -> str:
        """The key that signs sessions and links. Raises UserError where it is missing or others may read it."""
        return read_key(self.secret_key, "delete it, and a new one is made")


def read_key(file: Path, mend: str) -> str:
    """A key. Raises UserError where it is missing, others may read it, or it is none; `mend` says what to do then."""
    try:
        if os.name == "posix" and file.stat().st_mode & 0o077:
            raise UserError(f"{file}: other users may read it; run: chmod 600 {file}")
        key = file.read_text("ascii").strip()
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}); mend its permissions") from error
    if len(key) < 50:
        raise UserError(f"{file}: too short for a key; {mend}")
    return key


def write_key(file: Path) -> None:
    """Make a key: whole or not there; what another launcher wrote meanwhile stays."""
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
