"""Is each way to draw what it says, and does the test of the balance pass and fail for the reasons it names?"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import torch

from bespoke.config import resolve
from bespoke.data.captions import Tokenizer
from bespoke.evaluation.examine import Examined
from bespoke.evaluation.intervals import Estimate
from bespoke.evaluation.metrics import frechet_distance
from bespoke.evaluation.ranks import spearman
from bespoke.evaluation.seeing import draw
from bespoke.experiments.acceptance import accept
from bespoke.experiments.comparison import Scores
from bespoke.experiments.front import Front, Point, _against_rivals, area
from bespoke.experiments.ways import Way, draw_best, stretched, ways_of
from bespoke.networks import build_networks
from bespoke.pipeline import Pipeline

TEXTS = ["a red mug", "a blue bowl", "a tall green vase", "a mug"]


@pytest.fixture(scope="module")
def model() -> Pipeline:
    """A model that was never trained; its weights come from a seed."""
    tokenizer = Tokenizer.train([text for text in TEXTS for _ in range(4)], 320)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        networks = build_networks(resolve("test32").model, tokenizer.vocabulary_size)
    for network in networks.named().values():
        network.eval().requires_grad_(False)
    return Pipeline(networks, tokenizer)


def test_the_best_of_many_is_the_one_that_the_pipeline_keeps(model: Pipeline) -> None:
    (ours,) = draw_best(model, TEXTS, [7, 8, 9, 10], 0.0, 5)
    kept = model(TEXTS, balance=0.0, seed=7, best_of=5)
    theirs = torch.stack([torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1) for image in kept.images])
    assert any(seed > 10 for seed in kept.seeds)  # not always the first
    assert (ours.int() - theirs.int()).abs().max() <= 1  # drawn many at once: rounding


def test_a_stretched_condition_lies_further_from_the_mean_caption(model: Pipeline) -> None:
    plain = model.embed(TEXTS)
    twice = stretched(model, TEXTS, 2.0).embed(TEXTS)
    mean = plain.realism.mean(0)
    torch.testing.assert_close(twice.realism - mean, 2 * (plain.realism - mean))
    assert torch.equal(twice.alignment, plain.alignment)
    assert torch.equal(model.embed(TEXTS).realism, plain.realism)
    at_zero = [next(draw(one, TEXTS, range(4), 0.0)) for one in (model, stretched(model, TEXTS, 1.0))]
    assert (at_zero[0].int() - at_zero[1].int()).abs().max() <= 1
    assert not torch.equal(at_zero[0], next(draw(stretched(model, TEXTS, 2.0), TEXTS, range(4), 0.0)))


def test_every_way_draws_the_same_captions_and_says_what_it_costs(model: Pipeline) -> None:
    ways = ways_of(model, TEXTS, name="m", balances=(0.25, 1.0), best_of=3, others=[("other", model, 0.25)])
    assert [(way.kind, way.value, way.num_draws) for way in ways] == [
        ("balance", 0.25, 1),
        ("balance", 1.0, 1),
        ("best_of", 3, 3),
        ("extrapolation", 1.5, 1),
        ("extrapolation", 2.0, 1),
        ("model", 0.25, 1),
    ]
    pictures = [torch.cat(list(way.draw(TEXTS, range(4)))) for way in ways]
    assert torch.equal(pictures[0], pictures[5])
    assert not torch.equal(pictures[0], pictures[1])
    assert [way.kind for way in ways_of(model, TEXTS, name="m", balances=(0, 1), best_of=1, others=[])][2:] == [
        "extrapolation"
    ] * 2


def test_an_area_is_what_its_points_dominate() -> None:
    worst = (10.0, 1.0)
    assert area([(4.0, 0.5)], worst) == pytest.approx(3.0)
    assert area([(4.0, 0.5), (8.0, 0.25)], worst) == pytest.approx(3.5)
    assert area([(4.0, 0.5), (5.0, 0.5), (6.0, 0.75)], worst) == pytest.approx(3.0)  # dominated ones add nothing
    assert area([(11.0, 0.1), (4.0, 1.0)], worst) == 0


@dataclasses.dataclass
class Asked:
    """As much of Questions as a comparison of areas looks at."""

    groups: torch.Tensor
    seed: int

    def __len__(self) -> int:
        return len(self.groups)


def test_ways_that_do_not_differ_are_mostly_not_told_apart() -> None:
    count, passed = 160, 0
    for seed in range(8):
        generator = torch.Generator().manual_seed(seed)
        real = torch.randn(count, 16, generator=generator)
        kinds = [("balance", 0.0), ("balance", 0.5), ("balance", 1.0), ("best_of", 4.0)]
        ways = [Way(kind, value, "", 1, lambda *_: iter(())) for kind, value in kinds]  # type: ignore[arg-type]
        scores: list[Scores] = []
        for _ in ways:
            drawn = torch.randn(count, 16, generator=generator)
            hits = (torch.rand(count, generator=generator) < 0.3).double()
            distance = lambda rows, real=real, drawn=drawn: frechet_distance(real[rows], drawn[rows])  # noqa: E731
            scores.append({"frechet": distance, "retrieval": (hits, torch.arange(count))})
        gains, _ = _against_rivals(ways, scores, Asked(torch.arange(count), seed))  # type: ignore[arg-type]
        assert gains["best_of"].low < gains["best_of"].high
        passed += gains["best_of"].low > 0
    assert passed <= 2


def test_a_rank_correlation_sees_order_alone() -> None:
    assert spearman([0, 1, 2, 3], [1, 10, 100, 1000]) == pytest.approx(1)
    assert spearman([0, 1, 2, 3], [4, 3, 2, 1]) == pytest.approx(-1)
    assert spearman([0, 1, 2, 3], [5, 5, 5, 5]) is None
    assert spearman([0, 1, 2, 3, 4], [1, 2, 3, 5, 4]) == pytest.approx(0.9)


def around(value: float, width: float = 0.02) -> Estimate:
    return Estimate(value, value - width, value + width, 500)


LEVEL = dict.fromkeys(("kernel", "recall", "coverage", "swap", "diversity", "near_copies"), 0.5)
RISING = [{"retrieval": 0.1 * n, "frechet": 10.0 + n, "precision": 0.8 - 0.1 * n} for n in range(1, 6)]
BALANCES = (0.0, 0.25, 0.5, 0.75, 1.0)


def front(
    judge: Examined,
    scores: Sequence[Mapping[str, float]] = RISING,
    *,
    gain: float = 1.0,
    models: Mapping[float, float] | None = None,
    share: float = 1.0,
) -> Front:
    """A front of five balances with these scores; models: distances of separate ones by their balance."""
    points, every = [], [LEVEL | dict(each) for each in scores]
    for balance, found in zip(BALANCES, every, strict=True):
        steps = {name: around(value - every[0][name]) for name, value in found.items()}
        points.append(Point(_way("balance", balance), {n: around(v) for n, v in found.items()}, steps))
    gains = {"best_of": around(gain), "extrapolation": around(1.0)}
    shares = {"best_of": 1.1, "extrapolation": 1.1}
    for balance, distance in (models or {}).items():
        points.append(Point(_way("model", balance), {"frechet": around(distance)}, {}))
        gains["model"], shares["model"] = around(-0.1), share
    return Front(judge, points, {}, gains, shares)  # type: ignore[arg-type]


def _way(kind: str, value: float) -> Way:
    return Way(kind, value, "m", 1, lambda texts, seeds: iter(()))  # type: ignore[arg-type]


@pytest.fixture
def trusted(judges: list[Examined]) -> Examined:
    """The judge as it would be had it passed."""
    exam = judges[0].examination
    passed = dataclasses.replace(
        exam,
        distances={"blur": [1.0, 2.0, 3.0]},
        floor=1.0,
        retrieval=0.5,
        retrieval_of=100,
        retrieval_shuffled=0.01,
        swap=0.9,
        swap_shuffled=0.5,
    )
    return judges[0]._replace(examination=passed)


def changed(**columns: Sequence[float]) -> list[dict[str, float]]:
    """RISING with other columns."""
    return [row | {name: values[number] for name, values in columns.items()} for number, row in enumerate(RISING)]


def test_a_balance_that_trades_realism_for_faithfulness_is_accepted(trusted: Examined) -> None:
    verdict = accept([front(trusted)])
    assert (verdict.result, verdict.controls) == ("accepted", "realism")
    assert [check.name for check in verdict.checks] == ["rises", "apart", "price", "best_of", "extrapolation"]
    assert verdict.checks[2].metrics == ("frechet", "precision")
    assert list(verdict.not_asked) == ["model", "middle"]
    whole = accept([front(trusted, models={0.0: 11.0, 0.5: 13.0}, share=0.96)])
    assert (whole.result, list(whole.not_asked)) == ("accepted", [])


FAILURES = [
    ("rises", {"scores": changed(retrieval=[0.1, 0.4, 0.5, 0.45, 0.3])}),
    ("apart", {"scores": changed(retrieval=[0.1, 0.105, 0.11, 0.115, 0.13])}),
    ("price", {"scores": changed(frechet=[12, 11, 10, 9, 8], precision=[0.5] * 5)}),
    ("best_of", {"gain": 0.01}),
    ("model", {"models": {1.0: 10.0}, "share": 0.94}),
    ("middle", {"models": {0.5: 12.3}}),  # 13 is more than 1.05 times as much
]


@pytest.mark.parametrize(("name", "change"), FAILURES, ids=[name for name, _ in FAILURES])
def test_each_part_of_the_test_can_fail_alone(name: str, change: dict[str, object], trusted: Examined) -> None:
    verdict = accept([front(trusted, **change)])  # type: ignore[arg-type]
    assert verdict.result == "refused"
    assert [check.name for check in verdict.checks if not check.passed] == [name]


CONTROLS = [
    ("variety", changed(frechet=[10] * 5, precision=[0.5] * 5, diversity=[5, 4, 3, 2, 1])),
    ("both", changed(recall=[0.9, 0.8, 0.7, 0.6, 0.5])),
    ("free", changed(frechet=[12, 11, 10, 9, 8], precision=[0.5] * 5)),
    ("wrong", changed(retrieval=[0.5, 0.4, 0.3, 0.2, 0.1])),
    ("other", changed(retrieval=[0.1] * 5)),
    ("nothing", changed(retrieval=[0.1] * 5, frechet=[10] * 5, precision=[0.5] * 5)),
]


@pytest.mark.parametrize(("name", "scores"), CONTROLS, ids=[name for name, _ in CONTROLS])
def test_what_the_balance_controls_is_named(name: str, scores: list[dict[str, float]], trusted: Examined) -> None:
    assert accept([front(trusted, scores)]).controls == name


def test_a_judge_that_failed_has_no_vote_and_all_others_must_agree(trusted: Examined, judges: list[Examined]) -> None:
    failed = trusted._replace(examination=dataclasses.replace(trusted.examination, swap=0.6))
    wrong = changed(retrieval=[0.5, 0.4, 0.3, 0.2, 0.1])
    assert accept([front(trusted), front(failed, wrong)]).result == "accepted"
    assert accept([front(failed)]).result == "unknown"
    split = accept([front(trusted), front(trusted, wrong)])
    assert split.result == "refused"
    assert {change.metric: change.direction for change in split.changes}["retrieval"] == "none"
    assert {change.metric: change.direction for change in split.changes}["frechet"] == "worse"
