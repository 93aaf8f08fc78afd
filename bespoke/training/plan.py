"""What was a run started with? Its config.json, written once before the first step and read by --resume."""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt, ValidationError, model_validator

from bespoke.config import Config
from bespoke.data.columns import Columns
from bespoke.errors import UserError

CONFIG = "config.json"
_PART = ".config.json.part"
_LOCK = ".lock"
_CHECKPOINTS = "checkpoints"
# What set-up leaves of checkpoints: one of no step, or half of it.
_BEFORE_TRAINING = re.compile(r"step-0+|\.saving-\d+")


class Budget(BaseModel):
    """When training ends: after so many minutes of it, or so many pictures shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    minutes: PositiveFloat | None = None
    images: PositiveInt | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Budget:
        if (self.minutes is None) == (self.images is None):
            raise ValueError("expected minutes or images, one of the two")
        return self

    def share(self, seconds: float, images: int) -> float:
        """How much of it is spent, from 0 to 1 and above."""
        if self.images is not None:
            return images / self.images
        assert self.minutes is not None
        return seconds / (60 * self.minutes)


class Base(BaseModel):
    """The model that a run starts from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    location: str  # where it was; once training has begun, nobody looks there again
    identity: str  # of its weights, see Pipeline.identity
    editor: Base | None = None  # of one that is taught to edit: the model whose editor is taught on


class Plan(BaseModel):
    """Everything a run was asked for; with the catalogue it decides what comes out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    catalogue: str  # where it was, for people; what it held is in the checkpoints
    skip_bad: bool = False
    columns: Columns = Columns()
    base: Base | None = None
    budget: Budget
    config: Config


@contextmanager
def claimed(run: Path) -> Iterator[None]:
    """Keep other processes out of `run`, which is made, while something writes into it.

    The system lets go of the lock when the process ends, however it ends. Raises UserError where another process is at
    work there or the disk refuses.
    """
    try:
        run.mkdir(parents=True, exist_ok=True)
        lock = (run / _LOCK).open("w")
    except OSError as error:
        raise _refused(run, error) from error
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{run}: another process is training into it; wait until that has ended, or name another --out"
            ) from None
        yield


def check_free(run: Path) -> None:
    """Raise UserError unless a fresh run may be written to `run`.

    Nothing is there, or an empty folder, or only what the set-up of a run left in which no training has begun.
    """
    try:
        names = {path.name for path in run.iterdir()} - {_PART, _LOCK}
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f"{run}: not a folder to train into ({error.strerror}); name another --out") from error
    if _is_only_set_up(run, names):
        return
    if names & {CONFIG, _CHECKPOINTS}:
        raise UserError(f"{run}: already holds a run; pass --resume to go on with it, or name another --out")
    if names:
        raise UserError(f"{run}: holds files that are no run's (first: {min(names)}); name a new --out")


def forget_set_up(run: Path, claim: Path) -> None:
    """Take away what `check_free` found of a run in which no training had begun, so that it is not gone on from.

    Its checkpoint of no step follows from its config; its config.json stays until the new one replaces it. `claim`:
    the folder whose lock keeps other processes out.
    """
    if (run / _CHECKPOINTS).is_dir():
        with claimed(claim):
            check_free(run)  # by now it may have been trained
            try:
                shutil.rmtree(run / _CHECKPOINTS)
            except OSError as error:
                raise _refused(run, error) from error


def _is_only_set_up(run: Path, names: set[str]) -> bool:
    if CONFIG not in names or not names <= {CONFIG, _CHECKPOINTS, "tensorboard"}:
        return False
    try:
        read_plan(run)  # another program's config.json is none of ours to replace
        saved = [path.name for path in (run / _CHECKPOINTS).iterdir()] if _CHECKPOINTS in names else []
    except (UserError, OSError):
        return False
    return all(_BEFORE_TRAINING.fullmatch(name) for name in saved)


def write_plan(run: Path, plan: Plan) -> None:
    """Write config.json into `run`; it is whole or not there. Raises UserError where the disk refuses."""
    try:
        run.mkdir(parents=True, exist_ok=True)
        (run / _PART).write_text(plan.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (run / _PART).replace(run / CONFIG)
    except OSError as error:
        raise _refused(run, error) from error


def _refused(run: Path, error: OSError) -> UserError:
    return UserError(f"{run}: the run cannot be written ({error.strerror}); free some disk space or name another --out")


def read_plan(run: Path) -> Plan:
    """The plan of a run, finished or not. Raises UserError for what is not a run, or one of another version."""
    if not run.exists():
        raise UserError(f"{run}: no such run; leave out --resume to start it")
    file = run / CONFIG
    try:
        return Plan.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise UserError(
            f"{run}: not a run (no {CONFIG} in it); give the --out that training was started with"
        ) from None
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}); give the --out of a run") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"{where}: {first['msg']}" if where else first["msg"]
        raise UserError(
            f"{file}: damaged or of another version ({what}); resume it with that version, or train into a new --out"
        ) from error
