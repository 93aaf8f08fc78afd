from __future__ import annotations

import pytest

from bespoke.config import BORROWED_WIDTH, Config, resolve
from bespoke.errors import UserError


@pytest.mark.parametrize(
    ("embeddings", "width", "opening"),
    [("dual", 64, 0), ("shared", 64, 0), ("frozen", 64, 0.2), ("pretrained", BORROWED_WIDTH, 0)],
)
def test_one_key_chooses_the_embeddings_and_what_goes_with_them(embeddings: str, width: int, opening: float) -> None:
    config = resolve("test32", [f"model.embeddings={embeddings}"])
    assert (config.model.embedding_width, config.training.contrast_first) == (width, opening)
    assert Config.model_validate_json(config.model_dump_json()) == config


def test_what_goes_with_a_choice_can_be_set_as_well() -> None:
    config = resolve("test32", ["training.contrast_first=0.5", "model.embeddings=frozen"])
    assert config.training.contrast_first == 0.5
    both = ["model.embeddings=pretrained", "model.embeddings=dual"]  # the last one counts
    assert resolve("test32", both) == resolve("test32")


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (
            ["model.embeddings=pretrained", "model.embedding_width=256"],
            "^--set model.embedding_width=256: .* have 384 numbers; set model.embedding_width=384$",
        ),
        (
            ["model.embeddings=frozen", "training.contrast_first=0"],
            "^--set training.contrast_first=0: .* such as training.contrast_first=0.2$",
        ),
        (["model.embeddings=[1]"], "^--set model.embeddings="),
    ],
)
def test_values_that_do_not_go_together_are_told_with_what_to_set(overrides: list[str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        resolve("test32", overrides)
