from __future__ import annotations

import math
import re

import pytest
import torch

from bespoke.settings import LossSettings, TrainingSettings
from bespoke.training.alarms import ALARMS, alarms
from bespoke.training.monitor import caption_sensitivity, effective_rank, linear_cka, sign_accuracy


def test_sign_accuracy_counts_pairs() -> None:
    assert sign_accuracy(torch.tensor([1.0, 2.0]), torch.tensor([-1.0, 0.0, 0.5])) == 1
    assert sign_accuracy(torch.tensor([-1.0]), torch.tensor([1.0, 2.0])) == -1
    assert sign_accuracy(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0])) == 0
    assert sign_accuracy(torch.tensor([0.0, 2.0]), torch.tensor([1.0, -1.0])) == 0.5


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_effective_rank_of_equal_orthogonal_directions_is_their_number(rank: int) -> None:
    orthogonal, _ = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(rank)))
    assert effective_rank(torch.eye(20, 8)[:, :rank] @ orthogonal[:rank]) == pytest.approx(rank, rel=1e-6)


def test_effective_rank_is_the_exponential_of_the_entropy() -> None:
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert effective_rank(torch.diag(torch.tensor([3.0, 1.0]))) == pytest.approx(math.exp(entropy))
    assert effective_rank(100 * torch.diag(torch.tensor([3.0, 1.0]))) == pytest.approx(math.exp(entropy))


def test_effective_rank_of_a_collapsed_embedding() -> None:
    assert effective_rank(torch.tensor([[1.0, 2.0, 3.0]]).repeat(50, 1)) == pytest.approx(1, abs=1e-6)
    assert effective_rank(torch.zeros(5, 3)) == 0
    assert math.isnan(effective_rank(torch.tensor([[math.nan, 1.0]])))


def test_linear_cka_sees_through_rotation_scale_and_shift() -> None:
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(200, 6, generator=generator)
    rotation, _ = torch.linalg.qr(torch.randn(6, 6, generator=generator))
    assert linear_cka(embeddings, 7 * embeddings @ rotation + 3) == pytest.approx(1, abs=1e-6)


def test_linear_cka_of_one_shared_among_two_directions_each_has_a_closed_form() -> None:
    a, b, c = torch.tensor([[1.0, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])
    assert linear_cka(torch.stack([a, b], 1), torch.stack([a, c], 1)) == pytest.approx(0.5)
    assert linear_cka(a[:, None], b[:, None]) == 0
    assert linear_cka(torch.stack([a, b], 1), a[:, None]) == pytest.approx(1 / math.sqrt(2))


def test_linear_cka_with_an_embedding_that_says_the_same_of_all_texts_is_not_a_number() -> None:
    assert math.isnan(linear_cka(torch.full((10, 3), 0.1), torch.randn(10, 3)))


def test_caption_sensitivity_is_a_ratio_of_distances() -> None:
    zero = torch.zeros(3, 4)
    assert caption_sensitivity(zero, zero + 3, zero + 1) == 3  # 4 features each: distances 6 and 2
    assert caption_sensitivity(zero, zero, zero + 1) == 0
    assert caption_sensitivity(zero, zero + 1, zero) == math.inf
    assert math.isnan(caption_sensitivity(zero, zero, zero))


HEALTHY = {
    "sign_accuracy_train": 0.6,
    "sign_accuracy_validation": 0.55,
    "top1_fake": 0.3,
    "top1_validation": 0.25,
    "penalty_real": 0.1,
    "penalty_fake": 0.2,
    "caption_sensitivity": 0.9,
    "effective_rank_realism": 30.0,
    "effective_rank_alignment": 60.0,
    "cka": 0.4,
    "gradient_ratio": 0.4,
    "activation_growth": 1.5,
}
RINGING = {
    "discriminator overfits": {"sign_accuracy_train": 0.97, "sign_accuracy_validation": 0.41},
    "alignment head exploited": {"top1_fake": 0.7},
    "penalty unbalanced": {"penalty_fake": 1.2},
    "text ignored": {"caption_sensitivity": 0.05},
    "noise ignored": {"caption_sensitivity": math.inf},
    "realism embedding collapsed": {"effective_rank_realism": 4.9},
    "alignment embedding collapsed": {"effective_rank_alignment": 1.0},
    "embeddings have become one": {"cka": 0.99},
    "balance has lost its grip": {"gradient_ratio": 0.05},
    "activations grow": {"activation_growth": 11.0},
}


def test_a_healthy_run_is_silent() -> None:
    assert alarms(HEALTHY) == []
    assert alarms({}) == []


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
def test_each_alarm_rings_alone_for_its_own_trouble_and_gives_the_numbers(alarm) -> None:  # type: ignore[no-untyped-def]
    (message,) = alarms(HEALTHY | RINGING[alarm.name])
    assert message.split("{")[0].startswith(alarm.message.split("{")[0])
    assert "{" not in message
    assert "\n" not in message
    assert (
        alarms({name: number for name, number in (HEALTHY | RINGING[alarm.name]).items() if name not in alarm.needs})
        == []
    )


def test_numbers_just_inside_the_bounds_do_not_ring() -> None:
    edge = {
        "sign_accuracy_train": 0.95,
        "sign_accuracy_validation": 0.1,
        "top1_fake": 0.6,
        "penalty_fake": 1.0,
        "caption_sensitivity": 0.1,
        "effective_rank_realism": 5.0,
        "effective_rank_alignment": 5.0,
        "cka": 0.95,
        "gradient_ratio": 20.0,
        "activation_growth": 10.0,
    }
    assert alarms(HEALTHY | edge) == []
    assert alarms(HEALTHY | {"sign_accuracy_train": 1.0, "sign_accuracy_validation": 0.5}) == []
    assert alarms(HEALTHY | {"gradient_ratio": 0.1, "caption_sensitivity": 10.0}) == []


def test_a_number_that_is_none_is_an_alarm_of_its_own() -> None:
    (message,) = alarms(HEALTHY | {"caption_sensitivity": math.nan, "some loss": math.nan})
    assert message.startswith("caption_sensitivity is not a number")


def test_settings_named_in_the_advice_exist() -> None:
    fields = {"loss": LossSettings.model_fields, "training": TrainingSettings.model_fields}
    named = [pair for alarm in ALARMS for pair in re.findall(r"\b(loss|training)\.(\w+)", alarm.message)]
    assert len(named) >= 10
    assert [f"{part}.{field}" for part, field in named if field not in fields[part]] == []


def test_text_may_pull_hard_after_the_opening_but_not_without_end() -> None:
    assert alarms(HEALTHY | {"gradient_ratio": 10.5}) == []
    assert "25 times as hard" in alarms(HEALTHY | {"gradient_ratio": 25.0})[0]
