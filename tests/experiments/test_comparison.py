"""Does a difference count exactly when it should?"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from bespoke.data.store import PairStore
from bespoke.evaluation.examine import Examined
from bespoke.evaluation.metrics import diversity, frechet_distance, manifold
from bespoke.evaluation.questions import ask
from bespoke.evaluation.result import Features
from bespoke.evaluation.scores import kernel_statistic, pair_hits
from bespoke.evaluation.seeing import look_at
from bespoke.experiments.bench import Asked, Measured
from bespoke.experiments.comparison import Compared, compare

ASKED = Asked("validation", (0.5,), 50, 0)
KEY = ("patches", 0.5)


@pytest.fixture(scope="module")
def real(store: PairStore, judges: list[Examined]) -> Tensor:
    questions = ask(store, "validation", num_pictures=50, seed=0)
    return look_at(store, questions.index, [judges[0].taught])[0]


def seen(real: Tensor, features: Tensor, store: PairStore, judges: list[Examined]) -> Measured:
    """A model of which the judge saw these features, scored as an evaluation scores it."""
    questions = ask(store, "validation", num_pictures=50, seed=0)
    repeated = features[:20].unflatten(0, (2, 10))
    scores = {
        "frechet": frechet_distance(real, features),
        "kernel": kernel_statistic(real, features)(torch.arange(50)),
        "diversity": float(diversity(repeated).mean()),
        **{name: float(values.mean()) for name, values in manifold(real, features)._asdict().items()},
        **{name: float(hits.mean()) for name, (hits, _) in pair_hits(judges[0].taught, questions, features).items()},
    }
    rows = [
        {
            "metric": name,
            "judge": KEY[0],
            "balance": KEY[1],
            "generated": {"value": value},
            "real": {"value": 1.0},
            "training": None,
        }
        for name, value in scores.items()
    ]
    return Measured("model", rows, {KEY: Features(features, repeated)}, {})  # type: ignore[dict-item]


def spoiled(real: Tensor, how_much: float, seed: int) -> Tensor:
    noise = torch.randn(real.shape, generator=torch.Generator().manual_seed(seed))
    return real + how_much * real.std(0) * noise


@pytest.fixture
def compared(real: Tensor, store: PairStore, judges: list[Examined]):  # type: ignore[no-untyped-def]
    """Compares arms, each given by how much its features are spoiled, seed by seed."""

    def run(first: Sequence[float], second: Sequence[float]) -> dict[str, Compared]:
        arms = {
            name: [seen(real, spoiled(real, much, seed), store, judges) for seed, much in enumerate(each)]
            for name, each in (("first", first), ("second", second))
        }
        rows = compare(arms, store, judges, ASKED)
        assert all((row.difference is None) == (row.arm == "first") for row in rows)
        return {row.metric: row for row in rows if row.arm == "second"}

    return run


def test_pictures_further_from_real_ones_are_worse_by_every_set_score(compared) -> None:  # type: ignore[no-untyped-def]
    found = compared([0.2, 0.3], [3.0, 3.2])
    for metric in ("frechet", "precision", "coverage", "density"):
        assert found[metric].difference.outcome == "worse", metric
    assert found["diversity"].difference.outcome == "more"  # which is neither good nor bad
    assert found["frechet"].deviation == pytest.approx(
        abs(found["frechet"].values[0] - found["frechet"].values[1]) / 2**0.5
    )
    assert compared([3.0, 3.2], [0.2, 0.3])["frechet"].difference.outcome == "better"


def test_equal_arms_differ_by_nothing(compared) -> None:  # type: ignore[no-untyped-def]
    for row in compared([0.5, 0.5], [0.5, 0.5]).values():
        assert row.difference.interval[:3] == (0, 0, 0)
        assert row.difference.outcome == "none"


def test_what_another_seed_turns_around_does_not_count(compared) -> None:  # type: ignore[no-untyped-def]
    row = compared([0.5, 3.0], [4.0, 0.5])["frechet"]
    assert row.difference.deviation > abs(row.difference.interval.value)
    assert row.difference.outcome == "none"


def test_with_one_seed_nothing_counts(compared) -> None:  # type: ignore[no-untyped-def]
    row = compared([0.2], [3.0])["frechet"]
    assert row.difference.interval.low > 0
    assert (row.deviation, row.difference.deviation, row.difference.outcome) == (None, None, "one_seed")
