from __future__ import annotations

import pytest

from bespoke.config import PRESETS, Config, resolve, resolve_from
from bespoke.errors import UserError
from bespoke.settings import BORROWED_WIDTH, ModelSettings

GROWN = [
    "model.image_size=64",
    "model.generator_widths=[64,48,32,24]",
    "model.discriminator_widths=[64,48,32,16]",
]


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
            ["model.balance=false", "training.balance=0.5"],
            "^--set training.balance=0.5: with model.balance=false every picture is made at b = 0; set model.balance",
        ),
        (
            ["model.embeddings=frozen", "training.contrast_first=0"],
            "^--set training.contrast_first=0: .* such as training.contrast_first=0.2$",
        ),
        (
            ["model.embeddings=pretrained", "model.canonical_width=16"],
            "^--set model.canonical_width=16: .* have no words to start from; set model.canonical_width=0$",
        ),
        (["model.embeddings=[1]"], "^--set model.embeddings="),
        (
            ["model.word_attention_size=32"],
            "^--set model.word_attention_size=32: .* no stage of that size; choose one of 4, 8, 16, or 0 for none$",
        ),
        (["loss.adversarial_leak=1.5"], "^--set loss.adversarial_leak=1.5: "),
        (["loss.contrast_fake=-1"], "^--set loss.contrast_fake=-1: "),
        (["loss.penalty=none"], "^--set loss.penalty='none': "),
    ],
)
def test_values_that_do_not_go_together_are_told_with_what_to_set(overrides: list[str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        resolve("test32", overrides)


def test_the_model_of_a_base_goes_with_the_training_of_its_preset_unless_told_otherwise() -> None:
    small, large = PRESETS["test32"], PRESETS["gpu64"]
    config = resolve_from(large.model, 700, None, ["loss.kl=0.25"])
    assert (config.preset, config.training, config.loss.kl) == ("gpu64", large.training, 0.25)
    assert config.model == large.model.model_copy(update={"vocabulary_size": 700 + large.model.vocabulary_size})
    assert resolve_from(small.model, 700, "test32").training == small.training
    calm = large.model.model_copy(update={"grain": 0.25})  # that is for the catalogue of the base
    assert resolve_from(calm, 700, None).model.grain is None
    assert resolve_from(calm, 700, "gpu64", ["model.grain=0.5"]).model.grain == 0.5
    odd = ModelSettings(image_size=32, generator_widths=(8, 8, 8), discriminator_widths=(8, 8, 8))
    assert resolve_from(odd, 300, None).preset == "cpu64"
    frozen = small.model.model_copy(update={"embeddings": "frozen"})
    assert resolve_from(frozen, 300, None).training.contrast_first == 0.2


def test_a_model_grows_out_of_a_smaller_one_and_all_of_it_learns() -> None:
    base = PRESETS["gpu64"].model
    config = resolve_from(base, 700, "gpu256")
    assert config.model == PRESETS["gpu256"].model.model_copy(update={"vocabulary_size": 700 + base.vocabulary_size})
    assert config.training.freeze_discriminator_stages == 0  # what is nearest to the picture is new
    assert resolve_from(base, 700, None).training.freeze_discriminator_stages is None
    assert resolve_from(PRESETS["test32"].model, 700, None, GROWN).model.generator_widths == (64, 48, 32, 24)
    with pytest.raises(UserError, match="by --preset gpu64"):  # it does not shrink
        resolve_from(PRESETS["gpu256"].model, 700, "gpu64")


@pytest.mark.parametrize(
    ("preset", "overrides", "told"),
    [
        ("gpu64", [], "^model.image_size is 32 in the base and 64 by --preset gpu64; .* leave that out"),
        (
            None,
            ["model.image_size=64"],
            "^--set model.generator_widths: 3 widths go with 32x32 pictures, not with model.i",
        ),
        (
            None,
            ["model.generator_widths=[64,32,32]"],
            r"generator_widths is \[64, 48, 32\] in the base and \[64, 32, 32\]",
        ),
        (
            "gpu256",
            [],
            "^model.image_size is 32 in the base and 256 by .*, or grows by widths after the base's own for l",
        ),
        (None, [*GROWN, "training.freeze_discriminator_stages=1"], "where a model grows, and have everything to learn"),
        (None, [*GROWN, "model.style_width=32"], "^model.style_width is 64 in the base and 32 by --set; "),
        ("test32", ["model.embeddings=shared"], 'model.embeddings is "dual" in the base and "shared" by --set'),
        (None, ["training.freeze_discriminator_stages=4"], "the discriminator has 3 stages; set a number from 0 to 3$"),
    ],
)
def test_asking_for_another_model_than_the_base_is_told_with_both_values(
    preset: str | None, overrides: list[str], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        resolve_from(PRESETS["test32"].model, 300, preset, overrides)


@pytest.mark.parametrize(
    "override",
    [
        "training.batch_size=true",
        "loss.kl=false",
        "training.balance=true",
        "model.generator_widths=[64,48,true]",
        "seed=true",
    ],
)
def test_true_and_false_are_no_numbers(override: str) -> None:
    with pytest.raises(UserError, match="Input should be a valid (integer|number), unable to parse"):
        resolve("test32", [override])
    assert resolve("test32", ["model.balance=false", "training.augment_colors=true"]).training.augment_colors
