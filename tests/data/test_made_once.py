from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bespoke.data.made_once import make_once
from bespoke.errors import UserError


def fill(part: Path) -> None:
    for name in ("a", "b"):
        (part / name).write_text(name)


def test_a_folder_appears_whole_and_is_not_made_twice(tmp_path: Path) -> None:
    folder, calls = tmp_path / "deep" / "cache", []

    def write(part: Path) -> None:
        calls.append(part)
        assert not folder.exists()
        fill(part)

    for _ in range(2):
        make_once(folder, folder.is_dir, write)
    assert len(calls) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b"]
    assert not calls[0].exists()


def test_what_a_failed_attempt_wrote_is_taken_away(tmp_path: Path) -> None:
    folder = tmp_path / "cache"

    def fail(part: Path) -> None:
        fill(part)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_once(folder, folder.is_dir, fail)
    assert [path.name for path in tmp_path.iterdir()] == ["cache.lock"]


def test_a_damaged_folder_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    make_once(folder, folder.is_dir, fill)
    (folder / "b").unlink()
    make_once(folder, (folder / "b").is_file, fill)
    assert (folder / "b").read_text() == "b"


def _killed_in_the_middle(folder: Path) -> None:
    def write(part: Path) -> None:
        (part / "a").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)

    make_once(folder, folder.is_dir, write)


def test_after_a_kill_in_the_middle_the_next_process_makes_it_whole(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    process = multiprocessing.get_context("fork").Process(target=_killed_in_the_middle, args=(folder,))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    assert not folder.exists()
    make_once(folder, folder.is_dir, fill)
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b"]
    assert not list(tmp_path.glob("*.part"))


def _slowly(folder: Path) -> None:
    def write(part: Path) -> None:
        with (folder.parent / "calls").open("a") as file:
            file.write("x")
        time.sleep(0.2)
        fill(part)

    make_once(folder, folder.is_dir, write)


def test_of_processes_that_ask_at_once_one_works_and_the_others_wait(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_slowly, args=(tmp_path / "cache",)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert (tmp_path / "calls").read_text() == "x"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    folder = tmp_path / "file" / "cache"
    with pytest.raises(UserError, match=r"file: cannot write the cache .*BESPOKE_CACHE"):
        make_once(folder, lambda: False, fill)


@pytest.mark.skipif(sys.platform != "linux", reason="a file system without folders of one's own")
def test_a_place_that_does_not_even_take_a_folder_is_named() -> None:
    with pytest.raises(UserError, match=r"/proc/c: cannot write the cache \(no such file or directory\)"):
        make_once(Path("/proc/c/cache"), lambda: False, fill)


FULL = """
import resource, sys
from pathlib import Path
from bespoke.data.made_once import make_once
from bespoke.errors import UserError

resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
folder = Path(sys.argv[1])
try:
    make_once(folder, folder.is_dir, lambda part: (part / "a").write_bytes(bytes(8192)) and None)
except UserError as error:
    print(error)
"""


def test_no_space_is_said_in_one_line_and_leaves_nothing_behind(tmp_path: Path) -> None:
    # A limit on file sizes fails the write as a full quota does, without filling a disk.
    command = [sys.executable, "-c", FULL, str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{tmp_path}: no space left for the cache; free some or set BESPOKE_CACHE\n"
    assert [path.name for path in tmp_path.iterdir()] == ["cache.lock"]
