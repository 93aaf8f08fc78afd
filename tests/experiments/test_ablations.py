from __future__ import annotations

import pytest

from bespoke.config import PRESETS
from bespoke.errors import UserError
from bespoke.experiments.ablations import ABLATIONS, arm_configs, arms_named


@pytest.mark.parametrize("arm", ABLATIONS)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_arm_is_a_config_of_every_preset_and_differs_from_the_method(arm: str, preset: str) -> None:
    first, second = arm_configs(arm, preset, ["training.batch_size=4"], 2)
    assert first.training.batch_size == 4
    assert second == first.model_copy(update={"seed": 1})
    (method,) = arm_configs("dual", preset, ["training.batch_size=4"], 1)
    nothing_to_leave_out = arm == "no-opening" and not method.training.contrast_first
    assert (first == method) == (arm == "dual" or nothing_to_leave_out)
    assert ABLATIONS[arm].question


def test_seeds_are_counted_from_the_one_that_was_set() -> None:
    assert [config.seed for config in arm_configs("shared", "test32", ["seed=7"], 3)] == [7, 8, 9]


def test_arms_are_listed_by_name() -> None:
    assert arms_named("shared, dual") == ["shared", "dual"]
    for names, told in (
        ("dual,fancy", "--arms dual,fancy: no arm 'fancy'; choose of dual, shared, frozen"),
        ("dual", "--arms dual: expected two or more different arms"),
        ("dual,dual", "expected two or more different arms; name each once"),
        ("", "no arm ''"),
    ):
        with pytest.raises(UserError, match=told):
            arms_named(names)
