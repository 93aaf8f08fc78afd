"""Does a training process hold only so much?"""

from __future__ import annotations

import subprocess
import sys

import pytest

SHOW = (
    "import os; from bespoke.training.workplace import find_workplace; find_workplace(); "
    "print(os.environ['ONEDNN_PRIMITIVE_CACHE_CAPACITY'])"
)


@pytest.mark.parametrize(("given", "kept"), [(None, "768"), ("32", "32")])
def test_one_dnn_keeps_few_shapes_unless_somebody_says_how_many(
    given: str | None, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    if given:
        monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", given)
    shown = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == kept
