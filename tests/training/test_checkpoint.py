from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bespoke.errors import UserError
from bespoke.training.checkpoint import load_latest, save_checkpoint


def numbered(step: int, size: int = 1000) -> dict[str, Tensor]:
    return {"weights": torch.full((size,), float(step)), "count": torch.tensor(step)}


def save(folder: Path, step: int, size: int = 1000) -> Path:
    return save_checkpoint(folder, step=step, tensors=numbered(step, size), values={"step again": step})


def refusal(folder: Path, step: int, size: int = 1000) -> str:
    """What `save` says on refusing; empty if it succeeds."""
    try:
        save(folder, step, size)
    except UserError as error:
        return str(error)
    return ""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def loaded_step(folder: Path) -> int:
    """The step that loads, after a look at whether all of it belongs to that step."""
    checkpoint = load_latest(folder)
    assert checkpoint is not None
    assert checkpoint.notes == ()
    assert checkpoint.values == {"step again": checkpoint.step}
    assert int(checkpoint.tensors["count"]) == checkpoint.step
    assert bool((checkpoint.tensors["weights"] == checkpoint.step).all())
    return checkpoint.step


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path: Path) -> None:
    picture_like = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    tensors = {
        "float": torch.randn(3, 5),
        "half": torch.randn(7).bfloat16(),
        "double": torch.tensor(1 / 3, dtype=torch.float64),
        "flags": torch.tensor([True, False]),
        "count": torch.tensor(2**60),
        "bytes": torch.arange(256, dtype=torch.uint8),
        "empty": torch.zeros(0, 4),
        "channels last": picture_like,
        "tied": picture_like,
        "transposed": torch.randn(4, 6).t(),
        "gradient needed": torch.ones(2, requires_grad=True),
    }
    values: dict[str, Any] = {
        "half an emoji": "\ud83d",
        "rate": 0.1 + 0.2,
        "nothing": None,
        "list": [1, "\u82b1", {"deep": True}],
        "big": 2**70,
    }
    path = save_checkpoint(tmp_path / "run" / "checkpoints", step=1234, tensors=tensors, values=values)
    checkpoint = load_latest(tmp_path / "run" / "checkpoints")
    assert checkpoint is not None
    assert (checkpoint.step, checkpoint.path, checkpoint.values) == (1234, path, values)
    assert path.name == "step-00001234"
    assert checkpoint.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert checkpoint.tensors[name].dtype == tensor.dtype
        assert torch.equal(checkpoint.tensors[name], tensor)


def test_nothing_saved_yet_is_none(tmp_path: Path) -> None:
    assert load_latest(tmp_path / "not there") is None
    assert load_latest(tmp_path) is None


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for step in (9, 10, 100):
        save(tmp_path, step)
    assert names(tmp_path) == ["step-00000010", "step-00000100"]
    assert loaded_step(tmp_path) == 100


def test_the_manifest_is_what_sha256sum_writes(tmp_path: Path) -> None:
    path = save(tmp_path, 1)
    assert names(path) == ["manifest.sha256", "state.json", "state.safetensors"]
    lines = [
        f"{hashlib.sha256((path / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("state.safetensors", "state.json")
    ]
    assert (path / "manifest.sha256").read_text() == "".join(lines)


def test_all_files_are_as_open_to_the_team_as_the_umask_says(tmp_path: Path) -> None:
    path = save(tmp_path, 1)
    (tmp_path / "ordinary").touch()
    assert {file.stat().st_mode for file in path.iterdir()} == {(tmp_path / "ordinary").stat().st_mode}


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "emptied": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-2]),
    "one bit flipped": flip_a_bit,
    "not text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("file", ["state.safetensors", "state.json", "manifest.sha256"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before_with_a_note(
    tmp_path: Path, file: str, damage: Callable[[Path], object]
) -> None:
    save(tmp_path, 1)
    damage(save(tmp_path, 2) / file)
    checkpoint = load_latest(tmp_path)
    assert checkpoint is not None
    assert checkpoint.step == 1
    (note,) = checkpoint.notes
    assert re.fullmatch(rf"{tmp_path}: step-00000002 cannot be used \(.+\); going on from step-00000001", note)
    save(tmp_path, 3)
    assert names(tmp_path) == ["step-00000001", "step-00000003"]
    assert loaded_step(tmp_path) == 3


def test_when_none_is_whole_the_error_names_the_folder_and_each_reason(tmp_path: Path) -> None:
    paths = [save(tmp_path, step) for step in (1, 2)]
    (paths[0] / "state.safetensors").unlink()
    flip_a_bit(paths[1] / "state.json")
    with pytest.raises(UserError) as caught:
        load_latest(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}: no checkpoint can be loaded: ")
    assert "step-00000002 cannot be used (state.json is not what was saved)" in message
    assert "step-00000001 cannot be used (No such file or directory: state.safetensors)" in message
    assert "\n" not in message


@pytest.mark.parametrize("content", ["[1]", "3", "null", '{"format": 1, "step": 2, "values": [1]}'])
def test_a_checkpoint_that_is_whole_but_holds_something_else_gives_way_too(tmp_path: Path, content: str) -> None:
    save(tmp_path, 1)
    path = save(tmp_path, 2)
    (path / "state.json").write_text(content)
    lines = [
        f"{hashlib.sha256((path / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("state.safetensors", "state.json")
    ]
    (path / "manifest.sha256").write_text("".join(lines))
    checkpoint = load_latest(tmp_path)
    assert checkpoint is not None
    assert checkpoint.step == 1
    assert "JSON object" in checkpoint.notes[0]


def test_a_checkpoint_of_another_format_is_named_as_such(tmp_path: Path) -> None:
    path = save(tmp_path, 1)
    state = json.loads((path / "state.json").read_text())
    old = hashlib.sha256((path / "state.json").read_bytes()).hexdigest()
    (path / "state.json").write_text(json.dumps(state | {"format": 99}))
    new = hashlib.sha256((path / "state.json").read_bytes()).hexdigest()
    (path / "manifest.sha256").write_text((path / "manifest.sha256").read_text().replace(old, new))
    with pytest.raises(UserError, match="it has format 99, this version reads 1"):
        load_latest(tmp_path)


def test_leftovers_of_killed_saves_are_not_loaded_and_go_with_the_next_save(tmp_path: Path) -> None:
    save(tmp_path, 1)
    save(tmp_path, 2).rename(tmp_path / ".dropping-step-00000002")
    save(tmp_path, 3).rename(tmp_path / ".saving-00000003")
    assert loaded_step(tmp_path) == 1
    save(tmp_path, 4)
    assert names(tmp_path) == ["step-00000001", "step-00000004"]


def test_a_second_checkpoint_of_a_step_does_not_touch_the_first(tmp_path: Path) -> None:
    first = save(tmp_path, 5)
    before = {file.name: file.read_bytes() for file in first.iterdir()}
    for value in range(11):
        save_checkpoint(tmp_path, step=5, tensors={}, values={"value": value})
        if value == 0:
            assert {file.name: file.read_bytes() for file in first.iterdir()} == before
    checkpoint = load_latest(tmp_path)
    assert checkpoint is not None
    assert checkpoint.values == {"value": 10}
    assert len(names(tmp_path)) == 2


def test_saving_after_going_back_leaves_the_abandoned_steps_behind(tmp_path: Path) -> None:
    save(tmp_path, 100)
    save(tmp_path, 150)
    save(tmp_path, 120)
    assert names(tmp_path) == ["step-00000100", "step-00000120"]
    assert loaded_step(tmp_path) == 120


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_no_checkpoint_ever_holds_a_number_that_is_not_finite(tmp_path: Path, bad: float) -> None:
    save(tmp_path, 1)
    with pytest.raises(FloatingPointError, match="moments"):
        save_checkpoint(tmp_path, step=2, tensors=numbered(2) | {"moments": torch.tensor([1.0, bad])}, values={})
    with pytest.raises(ValueError, match="JSON"):
        save_checkpoint(tmp_path, step=2, tensors=numbered(2), values={"best": bad})
    assert names(tmp_path) == ["step-00000001"]


FileLimit = Callable[[int], AbstractContextManager[None]]


@pytest.mark.parametrize("num_bytes", [0, 1, 20, 40, 100, 165, 1000, 4095, 4096, 4097, 8000, 40_000])
def test_a_write_cut_short_by_the_system_leaves_the_earlier_checkpoint(
    tmp_path: Path, num_bytes: int, files_no_longer_than: FileLimit
) -> None:
    save(tmp_path, 1)
    with files_no_longer_than(num_bytes), pytest.raises(UserError) as caught:
        save(tmp_path, 2, size=10_000)
    assert re.fullmatch(
        rf"{tmp_path}: the checkpoint of step 2 could not be written \(.*File too large.*\); "
        r"see to the disk and the folder's permissions, then go on from step-00000001 with --resume",
        str(caught.value),
    )
    assert names(tmp_path) == ["step-00000001"]
    assert loaded_step(tmp_path) == 1


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 64 pages and 24 files."""
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", "size=256k,nr_inodes=24"]
    try:
        mounted = subprocess.run(["mount", *options, "tmpfs", str(disk)], capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("only root can mount a file system of its own")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def full_disk_saves(folder: Path, leave: Callable[[int], object]) -> int:
    """Saves step 2 with room for 0, 1, 2, ... more until it succeeds; returns how often it had to fail."""
    save(folder, 1, size=10_000)
    for room in range(40):
        leave(room)
        message = refusal(folder, 2, size=10_000)
        if not message:
            assert loaded_step(folder) == 2
            return room
        assert "No space left on device" in message
        assert "free some disk space, then go on from step-00000001 with --resume" in message
        assert "\n" not in message
        assert names(folder) == ["step-00000001"]
        assert loaded_step(folder) == 1
    raise AssertionError("never succeeded")


def test_on_a_disk_that_is_full_at_any_page_the_earlier_checkpoint_stays(tiny_disk: Path) -> None:
    def leave(pages: int) -> None:
        (tiny_disk / "other").unlink(missing_ok=True)
        space = os.statvfs(tiny_disk)
        (tiny_disk / "other").write_bytes(bytes((space.f_bavail - pages) * space.f_bsize))

    assert full_disk_saves(tiny_disk / "checkpoints", leave) > 8  # 40 kB of weights alone take ten pages


def test_on_a_disk_that_is_full_at_any_file_the_earlier_checkpoint_stays(tiny_disk: Path) -> None:
    def leave(files: int) -> None:
        for path in tiny_disk.glob("other*"):
            path.unlink()
        for number in range(os.statvfs(tiny_disk).f_ffree - files):
            (tiny_disk / f"other{number}").touch()

    assert full_disk_saves(tiny_disk / "checkpoints", leave) == 4  # a folder and three files


def test_an_io_error_at_any_sync_or_rename_leaves_a_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    fail_at = 0

    def failing(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == fail_at:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return function(*arguments)

        return call

    save(tmp_path, 1)
    save(tmp_path, 2)
    monkeypatch.setattr(os, "fsync", failing(os.fsync))
    monkeypatch.setattr(os, "rename", failing(os.rename))
    monkeypatch.setattr(os, "mkdir", failing(os.mkdir))
    refused = 0
    for fail_at in range(1, 100):
        calls = 0
        step = loaded_step(tmp_path) + 1
        if message := refusal(tmp_path, step):
            assert "Input/output error" in message
            assert loaded_step(tmp_path) in (step - 1, step)  # `step` where only the last sync failed
            refused += 1
        else:
            assert loaded_step(tmp_path) == step
        assert not [name for name in names(tmp_path) if name.startswith(".saving")]
        if calls < fail_at:
            break
    assert refused == 7  # making the folder, three files, the folder, its name, the folder above
    assert len(names(tmp_path)) == 2


def test_everything_is_on_the_disk_before_it_gets_its_name_and_the_name_before_others_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 1)
    save(tmp_path, 2)
    events: list[str] = []
    sync, rename = os.fsync, os.rename

    def recording_sync(descriptor: int) -> None:
        events.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        sync(descriptor)

    def recording_rename(source: Path, target: Path) -> None:
        events.append(f"rename to {Path(target).name}")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", recording_sync)
    monkeypatch.setattr(os, "rename", recording_rename)
    save(tmp_path, 3)
    assert events == [
        "sync state.safetensors",
        "sync state.json",
        "sync manifest.sha256",
        "sync .saving-00000003",
        "rename to step-00000003",
        f"sync {tmp_path.name}",
        "rename to .dropping-step-00000001",
    ]


def test_a_folder_that_cannot_be_made_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"Not a directory.* then start again"):
        save(tmp_path / "file" / "checkpoints", 1)
