"""What can be set? The one config tree and the table of presets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, ValidationError, model_validator

from bespoke.errors import UserError
from bespoke.precision import Precision

BORROWED_WIDTH = 384  # of the vectors of the encoder that embeddings=pretrained borrows (data/borrowed.py)

DEFAULT_PRESET = "cpu64"

# What goes with a choice of embeddings, unless it is set as well: one key re-runs the comparison.
GOES_WITH: dict[str, dict[tuple[str, str], object]] = {
    "frozen": {("training", "contrast_first"): 0.2},
    "pretrained": {("model", "embedding_width"): BORROWED_WIDTH, ("model", "canonical_width"): 0},
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
    canonical_width: NonNegativeInt = 0  # canonical directions that v(x) and S_D start from; 0: none
    word_attention_size: PositiveInt = 8  # picture side at which the generator looks at single words

    @model_validator(mode="after")
    def _takes_borrowed_vectors(self) -> ModelSettings:
        if self.embeddings == "pretrained" and self.embedding_width != BORROWED_WIDTH:
            raise ValueError(
                f"model.embedding_width={self.embedding_width}: the borrowed vectors of model.embeddings=pretrained "
                f"have {BORROWED_WIDTH} numbers; set model.embedding_width={BORROWED_WIDTH}"
            )
        if self.embeddings == "pretrained" and self.canonical_width:
            raise ValueError(
                f"model.canonical_width={self.canonical_width}: the borrowed vectors of model.embeddings=pretrained "
                "have no words to start from; set model.canonical_width=0"
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
    text_rate: float = Field(2e-3, gt=0)  # token vectors are met seldom and would lag behind at the other rates
    beta1: float = Field(0.5, ge=0, lt=1)  # Adam; without momentum generator and discriminator only chase each other
    beta2: float = Field(0.99, gt=0, lt=1)
    balance_zero: float = Field(0.5, ge=0, le=1)  # share of pictures made at b = 0, the paper's generator
    # Probability of each colour-safe transform; unless set, by the size of the catalogue (training/by_size.py).
    augment: float | None = Field(None, ge=0, le=1)
    word_dropout: float = Field(0.05, ge=0, le=1)  # share of tokens turned into <unk>
    word_swaps: float = Field(0.25, ge=0, le=1)  # share of mismatched captions made by swapping a word
    ema_half_life: PositiveInt = 10_000
    contrast_first: float = Field(0.0, ge=0, lt=1)  # share of the budget spent on the contrast of real pairs alone
    # Stages of the discriminator, from the picture on, that stay those of the base (Freeze-D, Mo et al. 2020); unless
    # set, by the size of the catalogue.
    freeze_discriminator_stages: NonNegativeInt | None = None
    log_every: PositiveInt = 50  # steps
    validation_every_minutes: float = Field(3.0, gt=0)
    checkpoint_every_minutes: float = Field(5.0, gt=0)
    precision: Precision = "auto"  # auto: bf16 where the hardware computes it


class EditSettings(_Settings):
    """How an editor is taught; weights of the terms in method/editor.py, symbols as in docs/editing.md."""

    rate: float = Field(2e-3, gt=0)
    critic_rate: float = Field(2e-4, gt=0)
    word_swaps: float = Field(0.9, ge=0, le=1)  # share of new texts made by swapping a word, not another picture's
    unchanged: float = Field(0.125, ge=0, lt=1)  # share of pictures that get the text they have
    no_source: float = Field(0.15, ge=0, le=1)  # share of pictures whose old text is kept from the editor
    pair: float = Field(5.0, ge=0)
    where: float = Field(1.0, ge=0)
    same: float = Field(5.0, ge=0)
    mismatch: float = Field(0.5, ge=0)
    sentence: float = Field(0.25, ge=0)
    direction: float = Field(0.5, ge=0)
    naturalness: float = Field(0.5, ge=0)
    area: float = Field(0.1, ge=0)


_Limit = Annotated[float, Field(ge=0, allow_inf_nan=False)]  # JSON has no infinity: it would come back as null


class GateSettings(_Settings):
    """What a model must reach before it is released. null: that gate is not asked. Meanings: docs/evaluation.md."""

    realism: _Limit | None = 0.5  # least precision, as a share of what real pictures get
    distance: _Limit | None = 10.0  # most times the Frechet distance that real pictures have from each other
    variety: _Limit | None = 0.5  # least coverage, as a share
    faithfulness: _Limit | None = 0.5  # least R@1, as a share
    copies: _Limit | None = 0.05  # most suspected copies of training pictures, as a share of the generated ones


class Config(_Settings):
    """Everything that decides what a training run computes, and the gates that its model must pass."""

    preset: str = "cpu64"
    seed: int = 0
    model: ModelSettings = ModelSettings()
    loss: LossSettings = LossSettings()
    training: TrainingSettings = TrainingSettings()
    gates: GateSettings = GateSettings()
    editing: EditSettings | None = None  # where it is set, the run teaches the editor of a finished model

    @model_validator(mode="after")
    def _edits_more_than_one_picture(self) -> Config:
        if self.editing is not None and self.training.batch_size < 4:
            raise ValueError(
                f"training.batch_size={self.training.batch_size}: an editor learns from pairs of twins and from real "
                "pictures at once; set 4 or more"
            )
        return self

    @model_validator(mode="after")
    def _learns_before_it_is_frozen(self) -> Config:
        if self.model.embeddings == "frozen" and not self.training.contrast_first:
            raise ValueError(
                "training.contrast_first=0: the encoder of model.embeddings=frozen learns only in the opening; set a "
                "share of the budget, such as training.contrast_first=0.2",
            )
        return self

    @model_validator(mode="after")
    def _freezes_stages_that_there_are(self) -> Config:
        frozen, stages = self.training.freeze_discriminator_stages, len(self.model.discriminator_widths)
        if frozen is not None and frozen > stages:
            raise ValueError(
                f"training.freeze_discriminator_stages={frozen}: the discriminator has {stages} stages; "
                f"set a number from 0 to {stages}"
            )
        return self


PRESETS: dict[str, Config] = {
    row.preset: row
    for row in (
        Config(
            preset="cpu64",
            model=ModelSettings(canonical_width=64),
            training=TrainingSettings(contrast_first=0.04),
        ),
        Config(
            preset="test32",
            model=ModelSettings(
                image_size=32,
                vocabulary_size=512,
                token_width=32,
                embedding_width=64,
                latent_width=16,
                condition_width=32,
                canonical_width=16,
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
                canonical_width=64,
            ),
            training=TrainingSettings(batch_size=128, ema_half_life=100_000, contrast_first=0.04),
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
    changed = _change(tree, overrides)
    for (section, key), fitting in GOES_WITH.get(str(tree["model"]["embeddings"]), {}).items():
        if (section, key) not in changed:
            tree[section][key] = fitting
    return _validated(tree)


def resolve_gates(config: Config, overrides: Sequence[str] = ()) -> GateSettings:
    """The gates of a run's config, changed by `gates.key=value` entries. Raises UserError as `resolve` does."""
    tree = config.model_dump(include={"gates"})
    _change(tree, overrides)
    return _validated(tree).gates


def _change(tree: dict[str, Any], overrides: Sequence[str]) -> set[tuple[str, str]]:
    """Put the values of `section.key=value` entries into the tree, and say which they were."""
    changed = set()
    for override in overrides:
        path, equals, value = override.partition("=")
        section, _, key = path.strip().rpartition(".")
        branch = tree.get(section) if section else tree
        if path.strip() == "editing":  # a section that a drawing run does not have
            branch = None
        if not equals or not isinstance(branch, dict) or key not in branch or isinstance(branch[key], dict):
            raise UserError(f"--set {override!r}: expected key=value with one of: {', '.join(_keys(tree))}")
        try:
            branch[key] = json.loads(value)
        except ValueError:
            branch[key] = value
        changed.add((section, key))
    return changed


def _validated(tree: dict[str, Any]) -> Config:
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "value_error":  # values that are fine by themselves do not go together
            raise UserError(f"--set {first['ctx']['error']}") from error
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(f"--set {where}={first['input']!r}: {first['msg']}; mend the value") from error


def resolve_editing(config: Config, overrides: Sequence[str] = ()) -> Config:
    """The config that teaches an editor to a model of this config; the model itself stays as it is.

    Raises UserError as `resolve` does, and for an entry of another section than editing and training.
    """
    tree = config.model_dump() | {"editing": EditSettings().model_dump()}
    # Half the run's: an editor gains more from steps than from pictures.
    tree["training"]["batch_size"] = max(4, config.training.batch_size // 2)
    for section, key in _change(tree, overrides):
        if section not in ("editing", "training"):
            name = f"{section}.{key}" if section else key
            raise UserError(f"--set {name}: an editor goes with its model as it is; set editing.* or training.*")
    return _validated(tree)


def resolve_from(base: ModelSettings, num_pieces: int, preset: str | None, overrides: Sequence[str] = ()) -> Config:
    """The config of a run that starts from a base of these settings and so many pieces: the model is the base's.

    preset: unless given, one of the base's size. model.vocabulary_size bounds the new pieces; the result, all of them.
    Raises UserError as `resolve` does, and where the preset or an override asks for another model than the base.
    """
    own = [
        f"model.{key}={json.dumps(value)}"
        for key, value in base
        # Presets have grown canonical directions; a base from before stays without.
        if key == "canonical_width" or (key != "vocabulary_size" and not preset)
    ]
    config = resolve(preset or _preset_of_size(base), [*own, *overrides])
    for key, value in base:
        asked = getattr(config.model, key)
        if key != "vocabulary_size" and asked != value:
            source = f"--preset {preset}" if preset and asked == getattr(PRESETS[preset].model, key) else "--set"
            raise UserError(
                f"model.{key} is {json.dumps(value)} in the base and {json.dumps(asked)} by {source}; "
                "a model keeps the form of its base: leave that out, or name another base"
            )
    bound = num_pieces + config.model.vocabulary_size
    return config.model_copy(update={"model": config.model.model_copy(update={"vocabulary_size": bound})})


def _preset_of_size(model: ModelSettings) -> str:
    size = (model.image_size, model.generator_widths, model.discriminator_widths)
    for name, row in PRESETS.items():
        if (row.model.image_size, row.model.generator_widths, row.model.discriminator_widths) == size:
            return name
    return DEFAULT_PRESET


def _keys(tree: dict[str, Any]) -> list[str]:
    sections = {name: value for name, value in tree.items() if isinstance(value, dict)}
    return [*["seed"] * ("seed" in tree), *(f"{name}.{key}" for name, section in sections.items() for key in section)]
