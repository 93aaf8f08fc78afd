"""Is an evaluation fair, the same each time, and right where the answer is known?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bespoke.data.item import SPLITS
from bespoke.data.store import PairStore
from bespoke.errors import UserError
from bespoke.evaluation.evaluate import check_balances, evaluate
from bespoke.evaluation.examine import Examined
from bespoke.evaluation.floor import Floor
from bespoke.evaluation.intervals import Estimate
from bespoke.evaluation.judge import Judge
from bespoke.evaluation.metrics import kernel_distance, near_copies
from bespoke.evaluation.questions import RIVALS_IN_CLASS, ask
from bespoke.evaluation.result import Evaluation, Row
from bespoke.evaluation.scores import METRICS, OF_SETS, kernel_estimate, set_scores
from bespoke.evaluation.seeing import draw, look_at
from bespoke.pipeline import Pipeline

# Of the model, catalogue, judge and seed of this folder's conftest: a change here is a change of what users measure.
# Generated pictures first, then real ones. Shares may differ by two of the 60 pictures from one CPU to another.
GOLDEN = {
    "frechet": (0.00216208, 5.10925e-05),
    "kernel": (4.93011e-05, 9.38138e-08),
    "precision": (0.0, 1.0),
    "recall": (0.0, 1.0),
    "density": (0.0, 0.893333),
    "coverage": (0.0, 0.966667),
    "retrieval": (0.0166667, 0.0166667),
    "retrieval_in_class": (0.0909091, 0.0909091),
    "swap": (0.6, 0.583333),
    "class_accuracy": (0.333333, 0.333333),
    "diversity": (0.005822, 0.0144324),
    "near_copies": (0.0, 0.0),
}
SHARES = set(METRICS) - {"frechet", "kernel", "diversity"}


def test_pictures_drawn_together_are_those_of_the_pipeline(model: Pipeline, boxes: PairStore) -> None:
    texts = [boxes.captions(index)[0] for index in range(70)]
    together = torch.cat(list(draw(model, texts, list(range(5, 75)), 0.7)))
    for row in (0, 1, 66):
        alone = torch.from_numpy(np.asarray(model(texts[row], seed=5 + row, balance=0.7).images[0]).copy())
        assert int((together[row].permute(1, 2, 0).int() - alone.int()).abs().max()) <= 1


def test_questions_depend_on_the_seed_alone_and_have_one_right_answer(boxes: PairStore) -> None:
    questions, again, others = (ask(boxes, "test", num_pictures=55, seed=seed) for seed in (0, 0, 1))
    assert questions.captions == again.captions != others.captions
    assert questions.swapped == again.swapped
    assert set(questions.index.tolist()) <= set(boxes.indices("test").tolist())
    assert len({*questions.index.tolist()}) == 55
    assert questions.seeds == list(range(55))
    assert questions.others is not None
    for row, rivals in enumerate(questions.others.tolist()):
        assert questions.captions[row] in boxes.captions(int(questions.index[row]))
        assert questions.captions[row] not in {questions.captions[rival] for rival in rivals}
    for row, swapped in zip(questions.swap_rows.tolist(), questions.swapped, strict=True):
        assert len(set(questions.captions[row].split()) ^ set(swapped.split())) == 2


def test_rivals_of_the_same_class_are_of_that_class(boxes: PairStore) -> None:
    # The table has three classes of 40 training pictures each.
    questions = ask(boxes, "train", num_pictures=200, seed=0)
    assert len(questions.in_class_rows) == 120
    assert questions.in_class.shape == (120, RIVALS_IN_CLASS)
    for row, rivals in zip(questions.in_class_rows.tolist(), questions.in_class.tolist(), strict=True):
        assert {int(questions.classes[rival]) for rival in rivals} == {int(questions.classes[row])}
        assert questions.captions[row] not in {questions.captions[rival] for rival in rivals}
    assert not questions.by_class  # three classes are too few to draw from


def test_too_few_pictures_are_refused_with_what_to_do(boxes: PairStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="--num-pictures 49: expected 50 or more"):
        ask(boxes, "test", num_pictures=49, seed=0)
    few = {"train": 120, "validation": 0, "test": 12, "held-out": 12}
    monkeypatch.setattr(boxes, "indices", lambda split: np.arange(few[split]))
    with pytest.raises(UserError, match="no pictures for validation, at least 50 are needed.*train 120, validation 0"):
        ask(boxes, "validation", num_pictures=100, seed=0)
    with pytest.raises(UserError, match="12 pictures for test.*choose --split train"):
        ask(boxes, "test", num_pictures=100, seed=0)


@pytest.mark.parametrize("balance", [-0.1, 1.5, float("nan")])
def test_a_balance_out_of_range_is_refused(balance: float) -> None:
    with pytest.raises(UserError, match="expected a number from 0"):
        check_balances((0.5, balance))
    assert check_balances((1, 0.5, 0, 0.5)) == (0, 0.5, 1)


def test_the_kernel_estimate_is_the_kernel_distance_of_all_pictures() -> None:
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(80, 8, generator=generator), torch.randn(80, 8, generator=generator) + 0.3
    found = kernel_estimate(real, fake, torch.arange(80), seed=0)
    assert found.value == pytest.approx(kernel_distance(real, fake, generator=generator, num_subsets=1, subset_size=80))
    assert found.low < found.value < found.high


def test_pictures_of_one_distribution_are_nearer_than_those_of_two() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 90, 6, generator=generator)
    same = set_scores(first, second, torch.arange(90), seed=0)
    other = set_scores(first, 3 * second + 2, torch.arange(90), seed=0)
    assert other["frechet"].low > same["frechet"].high
    assert other["kernel"].low > same["kernel"].high
    assert other["coverage"].high < same["coverage"].low


def test_real_pictures_that_pose_as_generated_have_no_advantage(boxes: PairStore, judges: list[Examined]) -> None:
    questions = ask(boxes, "test", num_pictures=60, seed=0)
    (real,) = look_at(boxes, questions.index, [judges[0].taught])
    floor = Floor.measure(boxes, judges[0], questions, real)
    many = real[:10].expand(60, 10, -1)
    rows = floor.rows(0.5, questions, real, many, near_copies(judges[0].training, floor.usual, real))
    for row in rows:
        if row.metric in OF_SETS:  # half of the pictures themselves against the other half, as the floor
            assert row.generated_half == row.real
            assert row.advantage == 0
        elif row.advantage is not None:
            assert row.generated == row.real
            assert row.advantage == 0


def test_both_halves_of_the_floor_have_the_same_classes(boxes: PairStore, judges: list[Examined]) -> None:
    questions = ask(boxes, "test", num_pictures=60, seed=0)
    (real,) = look_at(boxes, questions.index, [judges[0].taught])
    floor = Floor.measure(boxes, judges[0], questions, real)
    assert sorted([*floor.first.tolist(), *floor.second.tolist()]) == list(range(60))
    assert questions.classes[floor.first].tolist() == questions.classes[floor.second].tolist()


def test_every_metric_is_there_for_every_judge_and_balance(evaluation: Evaluation) -> None:
    for balance in (0.0, 1.0):
        for metric in METRICS:
            rows = evaluation.find(metric, balance)
            assert [row.judge for row in rows] == ["residual", "patches"]
            for row in rows:
                assert (row.generated_half is not None) == (row.training is not None) == (metric in OF_SETS)
    assert evaluation.protocol.num_pictures == 60


def test_an_evaluation_can_be_had_again(
    model: Pipeline, boxes: PairStore, judges: list[Examined], evaluation: Evaluation
) -> None:
    again = evaluate(model, boxes, judges[:1], split="test", balances=(1.0,), seed=3)
    assert list(again.rows) == [row for row in evaluation.rows if row.judge == "residual" and row.balance == 1]
    assert torch.equal(again.pictures.generated[1.0], evaluation.pictures.generated[1.0])


def test_suspects_are_the_closest_pictures_and_can_be_drawn_again(
    model: Pipeline, boxes: PairStore, evaluation: Evaluation
) -> None:
    closeness = [suspect.closeness for suspect in evaluation.suspects]
    assert len(closeness) == 8
    assert closeness == sorted(closeness)
    first, names = evaluation.suspects[0], {boxes.name(int(index)) for index in boxes.indices("train")}
    assert first.training_picture in names
    again = next(draw(model, [first.caption], [first.seed], first.balance))
    assert torch.equal(again[0], evaluation.pictures.suspects[0])


def test_an_alarm_rings_when_generated_pictures_beat_real_ones(evaluation: Evaluation) -> None:
    ahead, even = Estimate(0.9, 0.85, 0.95, 60), Estimate(0.5, 0.4, 0.6, 60)
    rows = [Row("residual", 0.0, "swap", ahead, even, None, None, errors) for errors in (1.9, 2.1, None)]
    assert [row.advantage for row in replace(evaluation, rows=tuple(rows)).alarms] == [2.1]


def test_scores_of_a_fixed_model_do_not_move_unseen(
    model: Pipeline, boxes: PairStore, judges: list[Examined], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bespoke.precision.computes_bf16", lambda device: False)  # the same on every machine
    # A judge that learned nothing: learning would enlarge the differences between CPUs.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        judge = Judge("residual", vocabulary_size=4096, length=32, pad_id=0, num_classes=3).eval()
    taught = judges[0].taught._replace(judge=judge.requires_grad_(False))
    (training,) = look_at(boxes, boxes.indices("train"), [taught])
    fixed = judges[0]._replace(taught=taught, training=training)
    found = evaluate(model, boxes, [fixed], split="test", balances=(1.0,), seed=3)
    scores = {row.metric: (row.generated.value, row.real.value) for row in found.rows}
    assert set(scores) == set(GOLDEN)
    for metric, expected in GOLDEN.items():
        assert scores[metric] == pytest.approx(expected, rel=0.01, abs=0.035 if metric in SHARES else 1e-6), metric


def test_the_splits_of_the_catalogue_are_as_these_tests_expect(boxes: PairStore) -> None:
    assert [len(boxes.indices(split)) for split in SPLITS] == [120, 56, 60]
