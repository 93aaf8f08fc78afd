"""Is nothing done twice, nothing lost, and nothing mixed up?"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bespoke.config import Config, resolve
from bespoke.data.store import PairStore
from bespoke.errors import UserError
from bespoke.experiments.bench import RESULTS, Bench, Measured, Train, claim_experiment, write_whole
from bespoke.pipeline import Pipeline
from bespoke.training.plan import Budget, Plan, write_plan


def untouched(plan: Plan, store: PairStore, run: Path) -> bool:
    pytest.fail("trained once more")


def done(found: Measured | None) -> Measured:
    assert found is not None
    return found


def same(one: Measured, other: Measured) -> bool:
    features = (torch.equal(one.features[key].pictures, other.features[key].pictures) for key in one.features)
    return one.rows == other.rows and one.features.keys() == other.features.keys() and all(features)


def test_a_model_is_made_once_goes_on_where_it_stopped_and_is_not_mixed_up(
    bench: Bench, stopping: Train, tmp_path: Path
) -> None:
    config = bench.plan.config
    longer = replace(bench, plan=bench.plan.model_copy(update={"budget": Budget(images=24)}))
    interrupted = replace(longer, out=tmp_path / "interrupted", train=stopping)
    assert interrupted.measured("dual-0", config) is None
    assert interrupted.read("dual-0", interrupted.plan) is None
    went_on = done(replace(interrupted, train=longer.train).measured("dual-0", config))
    once = done(longer.measured("dual-0", config))
    assert same(once, went_on)
    assert once.value("frechet", "patches", 0.5) is not None
    assert Pipeline.from_pretrained(bench.out / "dual-0")("a red mug", seed=0).images[0].size == (32, 32)

    # Finished, it is only read.
    finished = replace(longer, train=untouched)
    assert same(done(finished.measured("dual-0", config)), once)
    with pytest.raises(UserError, match="dual-0: made with budget.images=24, now 16 is asked for"):
        bench.measured("dual-0", config)
    other = resolve("test32", ["loss.kl=1"])
    with pytest.raises(UserError, match="dual-0: made with loss.kl=0.5, now 1.0 is asked for; .* name another --out"):
        finished.measured("dual-0", other)
    assert same(done(finished.measured("dual-0", _with_gate(config))), once)  # gates are no part of how it was made

    # Damaged or measured in another way, it is measured again, without a step of training.
    (bench.out / RESULTS / "dual-0.safetensors").write_bytes(b"cut off")
    assert finished.read("dual-0", longer.plan) is None
    assert same(done(longer.measured("dual-0", config)), once)
    elsewhere = replace(longer, asked=replace(longer.asked, seed=1))
    assert elsewhere.read("dual-0", longer.plan) is None


def test_numbers_that_are_cut_off_or_of_another_model_are_no_result(bench: Bench) -> None:
    config = bench.plan.config
    once = done(bench.measured("dual-0", config))
    file = bench.out / RESULTS / "dual-0.json"
    whole = file.read_text("utf-8")
    for rows in ([], [{"x": 1}], once.rows[1:]):
        file.write_text(json.dumps(json.loads(whole) | {"rows": rows}), "utf-8")
        assert bench.read("dual-0", bench.plan) is None

    # The numbers stay where the run was removed, but not where another model has taken its place.
    file.write_text(whole, "utf-8")
    run, aside = bench.out / "dual-0", bench.out / "aside"
    shutil.copytree(run, aside)
    pipeline = Pipeline.from_pretrained(run)
    next(pipeline.networks.generator.parameters()).data.add_(1)
    pipeline.save_pretrained(run / "model")
    assert bench.read("dual-0", bench.plan) is None
    shutil.rmtree(run)
    assert same(done(bench.read("dual-0", bench.plan)), once)
    aside.rename(run)
    assert same(done(bench.read("dual-0", bench.plan)), once)
    write_plan(run, bench.plan.model_copy(update={"budget": Budget(images=32)}))  # trained on
    with pytest.raises(UserError, match="dual-0: made with budget.images=32, now 16 is asked for"):
        bench.read("dual-0", bench.plan)


def _with_gate(config: Config) -> Config:
    return config.model_copy(update={"gates": config.gates.model_copy(update={"realism": 0.9})})


def test_a_half_trained_model_of_another_config_is_not_gone_on_with(bench: Bench) -> None:
    write_plan(bench.out / "dual-0", bench.plan)
    with pytest.raises(UserError, match="dual-0: made with seed=0, now 1 is asked for"):
        replace(bench, train=untouched).measured("dual-0", bench.plan.config.model_copy(update={"seed": 1}))


def test_a_folder_belongs_to_one_kind_of_experiment(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    claim_experiment(out, "compare")
    claim_experiment(out, "compare")
    with pytest.raises(UserError, match="out: belongs to another kind of experiment or version; name a new --out"):
        claim_experiment(out, "tune")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"photos: holds files of something else \(first: 1.png\)"):
        claim_experiment(tmp_path / "photos", "compare")
    with pytest.raises(UserError, match="1.png: cannot hold an experiment"):
        claim_experiment(tmp_path / "photos" / "1.png", "compare")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b.json", b"one")
    write_whole(tmp_path / "a" / "b.json", b"two")
    assert (tmp_path / "a" / "b.json").read_bytes() == b"two"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.json"]
    with pytest.raises(UserError, match="cannot be written"):
        write_whole(tmp_path / "a" / "b.json" / "c.json", b"")
