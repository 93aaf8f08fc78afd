from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked, so that torch is loaded once for all")
def test_no_checkpoint_is_lost_by_killing_the_process_that_saves(tmp_path: Path) -> None:
    script = ROOT / "benchmarks" / "kill_checkpoints.py"
    options = ["--kills", "6", "--megabytes", "1", "--folder", str(tmp_path)]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, str(script), *options], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    at_calls = re.search(r"^(\d+) kills, one at each file system call of a save: 0 ", ended.stdout, re.MULTILINE)
    assert at_calls
    assert int(at_calls[1]) >= 15  # the files, the folder, the renames and the removals of a save
    assert "6 kills at random moments" in ended.stdout
    assert list(tmp_path.iterdir()) == []
