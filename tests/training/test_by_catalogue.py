"""Does what is left open follow from the catalogue, and what is set stay as it is?"""

from __future__ import annotations

import pytest

from bespoke.config import Config, resolve, resolve_editing
from bespoke.training.by_catalogue import fitted


def chosen(num_pictures: int, *overrides: str, from_base: bool = False) -> tuple[float | None, int | None]:
    settings = fitted(resolve("cpu64", overrides), num_pictures, from_base=from_base).training
    return settings.augment, settings.freeze_discriminator_stages


@pytest.mark.parametrize(
    ("num_pictures", "augment"),
    [(1, 0.8), (300, 0.8), (550, 0.7), (1000, 0.6), (2236, 0.45), (5000, 0.3), (10**7, 0.3)],
)
def test_the_fewer_pictures_the_more_they_are_changed(num_pictures: int, augment: float) -> None:
    assert chosen(num_pictures)[0] == pytest.approx(augment, abs=0.011)


def test_from_a_base_a_small_catalogue_keeps_half_of_the_stages_fixed() -> None:
    assert [chosen(pictures, from_base=True)[1] for pictures in (100, 999, 1000)] == [2, 2, 0]
    assert chosen(100)[1] == 0


@pytest.mark.parametrize(
    ("contrast", "grain"), [(0.0, 0.25), (0.04, 0.25), (0.5, 0.25), (0.87, 0.63), (1.5, 1.0), (2.3, 1.0)]
)
def test_plain_grounds_are_drawn_with_less_noise(contrast: float, grain: float) -> None:
    assert fitted(resolve("cpu64"), 500, from_base=False, contrast=contrast).model.grain == grain
    told = resolve("cpu64", ["model.grain=0.1"])
    assert fitted(told, 500, from_base=False, contrast=contrast).model.grain == 0.1


def test_what_is_set_stays() -> None:
    set_ = ("training.augment=0", "training.freeze_discriminator_stages=3")
    assert chosen(100, *set_, from_base=True) == (0, 3)
    assert chosen(100_000, *set_, from_base=True) == (0, 3)


def test_nothing_else_is_touched_and_what_comes_out_is_a_config() -> None:
    config = resolve("test32")
    done = fitted(config, 500, from_base=True)
    assert Config.model_validate(done.model_dump()) == done
    open_ = {"augment": None, "freeze_discriminator_stages": None}
    assert done.model_copy(update={"training": done.training.model_copy(update=open_)}) == config


@pytest.mark.parametrize(
    ("num_of_shots", "overrides", "critic"),
    [
        (0, (), True),
        (49, (), True),
        (50, (), False),
        (100, (), False),
        (100, ("editing.critic=true",), True),
    ],
)
def test_a_critic_judges_edits_where_most_pictures_have_no_twin(
    num_of_shots: int, overrides: tuple[str, ...], critic: bool
) -> None:
    config = resolve_editing(resolve("test32"), overrides)
    done = fitted(config, 100, from_base=False, num_of_shots=num_of_shots)
    assert done.editing is not None
    assert done.editing.critic is critic
