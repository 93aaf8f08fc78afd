"""How does a run survive being killed? Checkpoints that are whole or not there at all.

RUN/checkpoints/ holds `step-00001234/` folders of three files: `state.safetensors` (tensors), `state.json` (all other
values) and `manifest.sha256`, which `sha256sum -c` understands. A folder is written under a hidden name, synced,
and only then renamed, so that a kill or a power cut at any moment leaves the earlier checkpoints as they were.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from torch import Tensor

from bespoke.errors import UserError
from bespoke.tensors import save_tensors

FORMAT = 1  # raised when what a checkpoint holds changes its meaning
STATE, VALUES, MANIFEST = "state.safetensors", "state.json", "manifest.sha256"

# A second checkpoint of the same step (resumed and stopped at once) becomes step-00001234.1: nothing is overwritten.
_NAME = re.compile(r"step-(\d{8,})(?:\.(\d+))?")
_SAVING, _DROPPING = ".saving-", ".dropping-"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What `load_latest` found. `notes` says, in plain words, which newer checkpoints were passed over and why."""

    step: int
    tensors: dict[str, Tensor]  # on the CPU
    values: dict[str, Any]
    path: Path
    notes: tuple[str, ...]


def save_checkpoint(folder: Path, *, step: int, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> Path:
    """Writes a checkpoint into `folder` (RUN/checkpoints) and returns its path; of the others the last whole one stays.

    `values` is what JSON can hold (tuples come back as lists). One process saves; the others of a run do not.
    Checkpoints of later steps are removed too: whoever saves step 100 has left a former step 150 behind.
    Raises FloatingPointError, before anything is written, if a tensor holds NaN or infinity, and UserError if the disk
    refuses; the earlier checkpoints are then as they were.
    """
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise FloatingPointError(f"{name} holds NaN or infinity at step {step}: not saved")
    text = json.dumps({"format": FORMAT, "step": step, "values": values}, allow_nan=False, indent=1)
    saving = folder / f"{_SAVING}{step:08d}"
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True)
            _sync_folder(folder.parent)
        _remove_leftovers(folder)
        saving.mkdir()
        _write_files(saving, _savable(tensors), text)
        path = _free_path(folder, step)
        saving.rename(path)
        _sync_folder(folder)
    except OSError as error:
        raise UserError(_refusal(folder, step, error)) from error
    finally:
        shutil.rmtree(saving, ignore_errors=True)
    _drop_others(folder, path)
    return path


def load_latest(folder: Path) -> Checkpoint | None:
    """The newest whole checkpoint of `folder` (RUN/checkpoints), or None where there never was one.

    Every byte is checked against the manifest. Raises UserError if there are checkpoints and none of them is whole.
    """
    try:
        found = _checkpoints(folder)
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({_reason(error)}); see to its permissions") from error
    notes: list[str] = []
    for path in reversed(found):
        try:
            step, tensors, values = _load(path)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            notes.append(f"{path.name} cannot be used ({_reason(error)})")
            continue
        passed_over = tuple(f"{folder}: {note}; going on from {path.name}" for note in notes)
        return Checkpoint(step=step, tensors=tensors, values=values, path=path, notes=passed_over)
    if not found:
        return None
    advice = "restore the folder from a backup, or train again with a new --out"
    raise UserError(f"{folder}: no checkpoint can be loaded: {'; '.join(notes)}; {advice}")


def _savable(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """safetensors wants dense tensors in plain order and no two that share memory (tied weights, say)."""
    savable: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        plain = tensor.detach().contiguous()
        address = plain.untyped_storage().data_ptr()
        savable[name] = plain.clone() if address in seen else plain
        seen.add(address)
    return savable


def _write_files(folder: Path, tensors: dict[str, Tensor], text: str) -> None:
    """Fills `folder` and forces it to the disk, the manifest last."""
    (folder / VALUES).write_text(text, encoding="utf-8", newline="\n")
    save_tensors(tensors, folder / STATE)
    lines = [f"{_digest(folder / name)}  {name}\n" for name in (STATE, VALUES)]
    (folder / MANIFEST).write_text("".join(lines), encoding="utf-8", newline="\n")
    for name in (STATE, VALUES, MANIFEST):
        _sync_file(folder / name)
    _sync_folder(folder)


def _sync_file(path: Path) -> None:
    with path.open("rb+") as file:  # Windows syncs only what it may write
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """A new name is safe from a power cut once its folder has been synced (Windows has no call for it)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load(path: Path) -> tuple[int, dict[str, Tensor], dict[str, Any]]:
    """Reads each file once, so that the bytes that were checked are the bytes that are used."""
    manifest = _manifest(path)
    content: dict[str, bytes] = {}
    for name in (VALUES, STATE):
        content[name] = (path / name).read_bytes()
        if hashlib.sha256(content[name]).hexdigest() != manifest[name]:
            raise ValueError(f"{name} is not what was saved")
    state = json.loads(content[VALUES])
    if not isinstance(state, dict):
        raise ValueError(f"{VALUES} is no JSON object")
    if state["format"] != FORMAT:
        raise ValueError(f"it has format {state['format']}, this version reads {FORMAT}")
    if not isinstance(state["values"], dict):
        raise ValueError(f"the values in {VALUES} are no JSON object")
    return state["step"], tensors_from_bytes(content[STATE]), state["values"]


def _manifest(path: Path) -> dict[str, str]:
    """SHA-256 in hexadecimal of each file."""
    return dict(line.split("  ", 1)[::-1] for line in (path / MANIFEST).read_text("utf-8").splitlines())


def _is_whole(path: Path) -> bool:
    try:
        manifest = _manifest(path)
        return all(_digest(path / name) == manifest[name] for name in (VALUES, STATE))
    except (OSError, ValueError, KeyError):
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checkpoints(folder: Path) -> list[Path]:
    """All that carry a checkpoint's name, oldest first."""
    if not folder.is_dir():
        return []
    named = [(match, path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    return [path for match, path in sorted(named, key=lambda pair: (int(pair[0][1]), int(pair[0][2] or 0)))]


def _free_path(folder: Path, step: int) -> Path:
    path, revision = folder / f"step-{step:08d}", 0
    while path.exists():
        revision += 1
        path = folder / f"step-{step:08d}.{revision}"
    return path


def _drop_others(folder: Path, newest: Path) -> None:
    """Keeps `newest` and the last whole one before it: two of which one is damaged would be one too few."""
    # A disk that refuses to forget now is asked again by the next save; this one is already safe.
    with contextlib.suppress(OSError):
        found = _checkpoints(folder)
        before = next((path for path in reversed(found[: found.index(newest)]) if _is_whole(path)), newest)
        for path in found:
            if path not in (newest, before):
                path.rename(folder / f"{_DROPPING}{path.name}")  # half removed it must not be taken for one
        _remove_leftovers(folder)


def _remove_leftovers(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name.startswith((_SAVING, _DROPPING)):
            shutil.rmtree(path, ignore_errors=True)


def _refusal(folder: Path, step: int, error: Exception) -> str:
    reason = _reason(error)
    full = os.strerror(errno.ENOSPC) in reason or os.strerror(errno.EDQUOT) in reason
    mend = "free some disk space" if full else "see to the disk and the folder's permissions"
    earlier: list[Path] = []
    with contextlib.suppress(OSError):
        earlier = _checkpoints(folder)
    then = f"go on from {earlier[-1].name} with --resume" if earlier else "start again"
    return f"{folder}: the checkpoint of step {step} could not be written ({reason}); {mend}, then {then}"


def _reason(error: Exception) -> str:
    """One line for people: `No space left on device`, not the class and number around it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {Path(error.filename).name}" if error.filename else error.strerror
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing from its manifest"
    return " ".join(str(error).split())
