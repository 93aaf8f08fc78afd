"""What can be set? The one config tree and the table of presets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from bespoke.errors import UserError
from bespoke.precision import Precision

BORROWED_WIDTH = 384  # of the vectors of the encoder that embeddings=pretrained borrows (data/borrowed.py)

# What goes with a choice of embeddings, unless it is set as well: one key re-runs the comparison.
GOES_WITH: dict[str, dict[tuple[str, str], object]] = {
    "frozen": {("training", "contrast_first"): 0.2},
    "pretrained": {("model", "embedding_width"): BORROWED_WIDTH},
}


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelSettings(_Settings):
    """Sizes of the networks. Widths are listed from the 4x4 stage upwards."""

    image_size: Literal[32, 64, 128, 256] = 64
    embeddings: Literal["dual", "shared", "frozen", "pretrained"] = "dual"
    vocabulary_size: PositiveInt = 4096  # upper bound; a small catalogue ends up with fewer pieces
    caption_length: PositiveInt = 32  # tokens
    token_width: PositiveInt = 128
    embedding_width: PositiveInt = 256  # of S_G and S_D, sentence and words
    latent_width: PositiveInt = 64  # z
    condition_width: PositiveInt = 128  # conditioning augmentation
    style_width: PositiveInt = 256
    generator_widths: tuple[PositiveInt, ...] = (192, 128, 96, 48)
    discriminator_widths: tuple[PositiveInt, ...] = (192, 128, 96, 48)
    word_attention_size: PositiveInt = 8  # picture side at which the generator looks at single words

    @model_validator(mode="after")
    def _takes_borrowed_vectors(self) -> ModelSettings:
        if self.embeddings == "pretrained" and self.embedding_width != BORROWED_WIDTH:
            raise ValueError(
                f"model.embedding_width={self.embedding_width}: the borrowed vectors of model.embeddings=pretrained "
                f"have {BORROWED_WIDTH} numbers; set model.embedding_width={BORROWED_WIDTH}"
            )
        return self


class LossSettings(_Settings):
    """Weights of the joint loss; symbols as in docs/method.md."""

    relativistic: bool = True  # RpGAN pairing; else the hinge
    conditional: float = Field(1.0, ge=0)  # mu_c: pairing on n + a
    mismatch: float = Field(0.5, ge=0)  # mu_m: matched against mismatched captions
    sentence: float = Field(1.0, ge=0)  # lambda_s: sentence InfoNCE, real pairs
    word: float = Field(0.5, ge=0)  # lambda_w: word-region InfoNCE, real pairs
    sentence_fake: float = Field(0.5, ge=0)  # lambda_s'
    word_fake: float = Field(0.25, ge=0)  # lambda_w'
    kl: float = Field(0.5, ge=0)  # lambda_KL of conditioning augmentation
    free_bits: float = Field(0.02, ge=0)  # nats per condition dimension that cost nothing
    balance_ratio: float = Field(2.0, ge=1)  # rho: weight of alignment at b = 1 over b = 1/2
    penalty: Literal["finite_difference", "exact"] = "finite_difference"
    penalty_weight: float = Field(0.5, ge=0)  # gamma
    penalty_every: PositiveInt = 4  # steps; the weight is multiplied by it
    penalty_sigma: float = Field(0.05, gt=0)  # of the noise that finite differences step along, in units of [-1, 1]


class TrainingSettings(_Settings):
    """How the networks learn. Half-lives and ramps count pictures shown."""

    batch_size: PositiveInt = 32  # over all processes
    generator_rate: float = Field(3e-4, gt=0)
    discriminator_rate: float = Field(8e-4, gt=0)  # ahead of the generator, which else takes back every gain
    text_rate: float = Field(4e-4, gt=0)
    beta1: float = Field(0.5, ge=0, lt=1)  # Adam; without momentum generator and discriminator only chase each other
    beta2: float = Field(0.99, gt=0, lt=1)
    balance_zero: float = Field(0.5, ge=0, le=1)  # share of pictures made at b = 0, the paper's generator
    augment: float = Field(0.3, ge=0, le=1)  # probability of each colour-safe transform
    word_dropout: float = Field(0.05, ge=0, le=1)  # share of tokens turned into <unk>
    word_swaps: float = Field(0.25, ge=0, le=1)  # share of mismatched captions made by swapping a word
    ema_half_life: PositiveInt = 10_000
    contrast_first: float = Field(0.0, ge=0, lt=1)  # share of the budget spent on the contrast of real pairs alone
    log_every: PositiveInt = 50  # steps
    validation_every_minutes: float = Field(3.0, gt=0)
    checkpoint_every_minutes: float = Field(5.0, gt=0)
    precision: Precision = "auto"  # auto: bf16 where the hardware computes it


class Config(_Settings):
    """Everything that decides what a training run computes."""

    preset: str = "cpu64"
    seed: int = 0
    model: ModelSettings = ModelSettings()
    loss: LossSettings = LossSettings()
    training: TrainingSettings = TrainingSettings()

    @model_validator(mode="after")
    def _learns_before_it_is_frozen(self) -> Config:
        if self.model.embeddings == "frozen" and not self.training.contrast_first:
            raise ValueError(
                "training.contrast_first=0: the encoder of model.embeddings=frozen learns only in the opening; set a "
                "share of the budget, such as training.contrast_first=0.2",
            )
        return self


PRESETS: dict[str, Config] = {
    row.preset: row
    for row in (
        Config(preset="cpu64"),
        Config(
            preset="test32",
            model=ModelSettings(
                image_size=32,
                vocabulary_size=512,
                token_width=32,
                embedding_width=64,
                latent_width=16,
                condition_width=32,
                style_width=64,
                generator_widths=(64, 48, 32),
                discriminator_widths=(64, 48, 32),
            ),
            training=TrainingSettings(batch_size=8),
        ),
        Config(
            preset="gpu64",
            model=ModelSettings(
                generator_widths=(512, 512, 384, 256),
                discriminator_widths=(512, 512, 384, 256),
                style_width=512,
            ),
            training=TrainingSettings(batch_size=128, ema_half_life=100_000),
        ),
    )
}


def resolve(preset: str, overrides: Sequence[str] = ()) -> Config:
    """The config of a preset, changed by `section.key=value` (or `seed=value`) entries.

    Values are read as JSON where they are JSON, else as text. Raises UserError for an unknown preset or key, or for a
    value of the wrong type or out of range.
    """
    if preset not in PRESETS:
        raise UserError(f"preset {preset!r}: unknown; choose one of {', '.join(PRESETS)}")
    tree = PRESETS[preset].model_dump()
    changed = set()
    for override in overrides:
        path, equals, value = override.partition("=")
        section, _, key = path.strip().rpartition(".")
        branch = tree.get(section) if section else tree
        if not equals or not isinstance(branch, dict) or key not in branch or isinstance(branch[key], dict):
            raise UserError(f"--set {override!r}: expected key=value with one of: {', '.join(_keys(PRESETS[preset]))}")
        try:
            branch[key] = json.loads(value)
        except ValueError:
            branch[key] = value
        changed.add((section, key))
    for (section, key), fitting in GOES_WITH.get(str(tree["model"]["embeddings"]), {}).items():
        if (section, key) not in changed:
            tree[section][key] = fitting
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "value_error":  # values that are fine by themselves do not go together
            raise UserError(f"--set {first['ctx']['error']}") from error
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(f"--set {where}={first['input']!r}: {first['msg']}; mend the value") from error


def _keys(config: Config) -> list[str]:
    sections = {name: value for name, value in config.model_dump().items() if isinstance(value, dict)}
    return ["seed"] + [f"{name}.{key}" for name, section in sections.items() for key in section]
