"""Does a run from a base begin where the base stands, keep what it should, and go on without it?"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from bespoke.config import Config, resolve, resolve_from
from bespoke.data.captions import Tokenizer
from bespoke.data.catalogue import Catalogue
from bespoke.data.front_end import front_end_of
from bespoke.data.sample import write_sample
from bespoke.data.store import PairStore, prepare
from bespoke.errors import UserError
from bespoke.networks import build_networks
from bespoke.pipeline import Pipeline
from bespoke.training.checkpoint import load_latest
from bespoke.training.loop import Report, train
from bespoke.training.plan import Base, Budget
from bespoke.training.transfer import take_over

BATCH, STEPS = 4, 3
SETTINGS = [f"training.batch_size={BATCH}", "training.log_every=1"]


@pytest.fixture(scope="module", autouse=True)
def _settle_quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bespoke.training.settle.NUM_PICTURES", 16)
        yield


def shop(folder: Path, product: str, language: str, size: int = 32) -> PairStore:
    catalogue = write_sample(folder / "catalogue", 12, size, seed=0, language=language, objects=(product,))
    return prepare(Catalogue.open(catalogue), size, folder / "cache")


@pytest.fixture(scope="module")
def mugs(tmp_path_factory: pytest.TempPathFactory) -> PairStore:
    return shop(tmp_path_factory.mktemp("mugs"), "mug", "en")


@pytest.fixture(scope="module")
def shirts(tmp_path_factory: pytest.TempPathFactory) -> PairStore:
    return shop(tmp_path_factory.mktemp("shirts"), "shirt", "both")


@pytest.fixture(scope="module")
def base(mugs: PairStore, tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A model of English captions of mugs that has room for all their words."""
    run = tmp_path_factory.mktemp("base")
    config = resolve("test32", [*SETTINGS, "model.vocabulary_size=2048"])
    assert train(config, mugs, run, Budget(images=STEPS * BATCH))
    return Base(location=str(run), identity=Pipeline.from_pretrained(run).identity)


@pytest.fixture(scope="module")
def model(base: Base) -> Pipeline:
    return Pipeline.from_pretrained(base.location)


def config_from(model: Pipeline, *overrides: str) -> Config:
    return resolve_from(model.networks.settings, model.tokenizer.vocabulary_size, None, [*SETTINGS, *overrides])


def stop_after_one_step(report: Report) -> None:
    if report.step == 1:
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture(scope="module")
def stopped(base: Base, model: Pipeline, shirts: PairStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run from the base, stopped after its first step: the checkpoint of step 0 is still there."""
    run = tmp_path_factory.mktemp("stopped")
    assert not train(config_from(model), shirts, run, Budget(images=STEPS * BATCH), base=base, tell=stop_after_one_step)
    return run


def training_captions(store: PairStore) -> list[str]:
    return [caption for index in store.indices("train") for caption in store.captions(int(index))]


def checkpoint_of(run: Path, step: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    folder = run / "checkpoints" / f"step-{step:08d}"
    return load_file(folder / "state.safetensors"), json.loads((folder / "state.json").read_text("utf-8"))["values"]


def moved(run: Path, model: Pipeline) -> set[str]:
    """Parts of the discriminator whose weights are no longer those of the base, in the newest checkpoint."""
    state = load_latest(run / "checkpoints")
    assert state is not None
    weights = model.networks.discriminator.state_dict().items()
    return {
        ".".join(key.split(".")[: 2 if key.startswith("stages") else 1])
        for key, value in weights
        if not torch.equal(state.tensors[f"network/discriminator/{key}"], value)
    }


def test_step_0_has_the_weights_of_the_base_and_draws_its_pictures(
    model: Pipeline, mugs: PairStore, stopped: Path
) -> None:
    tensors, values = checkpoint_of(stopped, 0)
    front_end = front_end_of(model.networks.settings, values["front_end"])
    networks = build_networks(model.networks.settings, front_end.vocabulary_size)
    for name, network in networks.named().items():
        for key, weight in model.networks.named()[name].state_dict().items():
            for kind in ("network", "average"):
                assert torch.equal(tensors[f"{kind}/{name}/{key}"][: len(weight)] if weight.dim() else weight, weight)
        start = f"average/{name}/"
        network.load_state_dict({k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)})
        network.eval().requires_grad_(False)
    captions = [caption for index in range(4) for caption in mugs.captions(index)]
    ours, theirs = Pipeline(networks, front_end)(captions, seed=0), model(captions, seed=0)
    assert [picture.image.tobytes() for picture in ours.pictures] == [p.image.tobytes() for p in theirs.pictures]
    assert ours.alignment == theirs.alignment
    assert front_end.vocabulary_size > model.tokenizer.vocabulary_size


def test_a_new_piece_begins_nearer_to_its_old_spelling_than_a_fresh_one(
    model: Pipeline, shirts: PairStore, stopped: Path
) -> None:
    front_end = front_end_of(model.networks.settings, checkpoint_of(stopped, 0)[1]["front_end"])
    assert isinstance(front_end, Tokenizer)
    captions = training_captions(shirts)
    before = model.embed(captions)

    def likeness(networks_of: Pipeline) -> Tensor:
        after = networks_of.embed(captions)
        return torch.stack([torch.cosine_similarity(a, b).mean() for a, b in zip(before, after, strict=True)])

    networks = build_networks(model.networks.settings, front_end.vocabulary_size)
    take_over(networks, front_end, model)
    taken = likeness(Pipeline(networks, front_end))
    for encoder in (networks.text_encoder.realism, networks.text_encoder.alignment):
        rows = encoder.token.weight.data  # type: ignore[union-attr]
        torch.nn.init.normal_(rows[model.tokenizer.vocabulary_size :], generator=torch.Generator().manual_seed(0))
    assert bool((taken > likeness(Pipeline(networks, front_end))).all())


def test_a_new_piece_says_of_colors_what_its_spelling_said(model: Pipeline, shirts: PairStore, stopped: Path) -> None:
    front_end = front_end_of(model.networks.settings, checkpoint_of(stopped, 0)[1]["front_end"])
    networks = build_networks(model.networks.settings, front_end.vocabulary_size)
    take_over(networks, front_end, model)
    captions = training_captions(shirts)
    (before, after) = (
        pipeline.networks.text_encoder.alignment.canonical(pipeline.tokenizer.encode(captions))  # type: ignore[union-attr, operator]
        for pipeline in (model, Pipeline(networks, front_end))
    )
    whole = (model.tokenizer.encode(captions)[:, -1] == 0) & (front_end.encode(captions)[:, -1] == 0)  # none is cut off
    assert whole.sum() > 5
    torch.testing.assert_close(after[whole], before[whole])


def test_words_of_another_language_are_read_after_the_base(model: Pipeline, shirts: PairStore, stopped: Path) -> None:
    pipeline = Pipeline.from_pretrained(stopped)
    captions = training_captions(shirts)
    japanese = [caption for caption in captions if not caption.isascii()]
    assert japanese
    assert [caption for caption in captions if pipeline.tokenizer.unknown(caption)] == []
    lengths = [(tokenizer.encode(japanese) != 0).sum(1) for tokenizer in (model.tokenizer, pipeline.tokenizer)]
    assert 2 * int(lengths[1].sum()) < int(lengths[0].sum())  # no longer byte by byte
    assert len({picture.tobytes() for picture in pipeline(japanese[:3], seed=0).images}) == 3


def test_a_run_goes_on_exactly_when_its_base_is_gone(
    base: Base, model: Pipeline, shirts: PairStore, stopped: Path, tmp_path: Path
) -> None:
    config, budget = config_from(model), Budget(images=STEPS * BATCH)
    told: list[Report] = []
    assert train(config, shirts, tmp_path / "whole", budget, base=base, tell=told.append)
    assert any(f"Starting from the model {base.identity}" in note for note in told[0].notes)
    gone = base.model_copy(update={"location": str(tmp_path / "gone")})
    shutil.copytree(stopped, tmp_path / "parts")
    assert train(config, shirts, tmp_path / "parts", budget, base=gone)
    states = [load_latest(tmp_path / run / "checkpoints") for run in ("whole", "parts")]
    whole, parts = (state.tensors for state in states if state)
    assert whole.keys() == parts.keys()
    assert [name for name, tensor in whole.items() if not torch.equal(tensor, parts[name])] == []
    assert f"trained from the model {base.identity} with Bespoke" in (tmp_path / "parts/MODEL_CARD.md").read_text(
        "utf-8"
    )
    with pytest.raises(UserError, match=rf"made with another base \({base.identity}, not none\)"):
        train(config, shirts, tmp_path / "parts", budget)  # as if from scratch


def test_what_is_frozen_stays_that_of_the_base_and_the_rest_learns(
    base: Base, model: Pipeline, shirts: PairStore, stopped: Path, tmp_path: Path
) -> None:
    parts = {"stem", "stages.0", "stages.1", "to_regions", "final", "basis", "naturalness_head", "balance_head"}
    parts |= {"alignment_picture", "alignment_text", "to_embedding", "canonical"}
    assert moved(stopped, model) == parts - {"stem"}
    for frozen, expected in ((0, parts), (3, parts - {"stem", "stages.0", "stages.1"})):
        config = config_from(model, f"training.freeze_discriminator_stages={frozen}")
        assert train(config, shirts, tmp_path / str(frozen), Budget(images=2 * BATCH), base=base)
        assert moved(tmp_path / str(frozen), model) == expected


def test_a_model_for_larger_pictures_grows_out_of_the_base(
    base: Base, model: Pipeline, mugs: PairStore, tmp_path: Path
) -> None:
    larger = shop(tmp_path, "mug", "en", size=64)
    config = config_from(
        model, "model.image_size=64", "model.generator_widths=[64,48,32,24]", "model.discriminator_widths=[64,48,32,16]"
    )
    assert train(config, larger, tmp_path / "run", Budget(images=2 * BATCH), base=base)
    assert Pipeline.from_pretrained(tmp_path / "run")("a red mug", seed=0).images[0].size == (64, 64)

    tensors, _ = checkpoint_of(tmp_path / "run", 0)
    theirs = {name: network.state_dict() for name, network in model.networks.named().items()}
    kept = {name: {key for key in keys if _equal(tensors, name, key, keys)} for name, keys in theirs.items()}
    lost = {name: {key.split(".")[0] for key in theirs[name].keys() - kept[name]} for name in kept}
    # A stage of the discriminator has another number now; the others are what touches the picture.
    assert lost == {
        "generator": {"last_film", "grow", "to_rgb"},
        "discriminator": {"stem", "stages"},
        "realism": set(),
        "alignment": set(),
    }
    for key, weight in theirs["discriminator"].items():
        if key.startswith("stages"):
            _, number, rest = key.split(".", 2)
            assert torch.equal(tensors[f"network/discriminator/stages.{int(number) + 1}.{rest}"], weight)
    last = load_latest(tmp_path / "run" / "checkpoints")
    assert last is not None
    for name in ("stem.weight", "stages.0.conv1.weight", "stages.2.conv2.weight", "final.weight"):
        first = tensors[f"network/discriminator/{name}"]
        assert not torch.equal(last.tensors[f"network/discriminator/{name}"], first)  # all of it learns


def _equal(tensors: dict[str, Tensor], network: str, key: str, weights: dict[str, Tensor]) -> bool:
    ours = tensors.get(f"network/{network}/{key}")
    return ours is not None and ours[: len(weights[key])].equal(weights[key]) if weights[key].dim() else True


def test_a_base_that_changed_or_went_before_the_first_step_is_told(
    base: Base, model: Pipeline, shirts: PairStore, tmp_path: Path
) -> None:
    begin = lambda base: train(config_from(model), shirts, tmp_path / "run", Budget(images=4), base=base)  # noqa: E731
    with pytest.raises(UserError, match="changed before the run had begun"):
        begin(base.model_copy(update={"identity": "0" * 12}))
    with pytest.raises(UserError, match="gone: no such folder"):
        begin(base.model_copy(update={"location": str(tmp_path / "gone")}))


def test_a_shared_encoder_is_taken_over_too(mugs: PairStore, shirts: PairStore, tmp_path: Path) -> None:
    shared = resolve("test32", [*SETTINGS, "model.embeddings=shared"])
    assert train(shared, mugs, tmp_path / "base", Budget(images=BATCH))
    model = Pipeline.from_pretrained(tmp_path / "base")
    base = Base(location=str(tmp_path / "base"), identity=model.identity)
    config = config_from(model)
    assert config.model.embeddings == "shared"
    assert train(config, shirts, tmp_path / "run", Budget(images=BATCH), base=base)
    assert Pipeline.from_pretrained(tmp_path / "run").networks.text_encoder.is_shared
