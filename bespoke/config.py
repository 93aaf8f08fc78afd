"""What can be set? The one config tree and the table of presets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import Field, ValidationError, model_validator

from bespoke.errors import UserError
from bespoke.settings import (
    BORROWED_WIDTH,
    EditSettings,
    GateSettings,
    LossSettings,
    ModelSettings,
    Settings,
    TrainingSettings,
)

DEFAULT_PRESET = "cpu64"

_SIZES = {"image_size", "generator_widths", "discriminator_widths"}  # what differs where a model grows

# What goes with a choice of embeddings, unless it is set as well: one key re-runs the comparison.
GOES_WITH: dict[str, dict[tuple[str, str], object]] = {
    "frozen": {("training", "contrast_first"): 0.2},
    "pretrained": {("model", "embedding_width"): BORROWED_WIDTH, ("model", "canonical_width"): 0},
}


class Config(Settings):
    """Everything that decides what a training run computes, and the gates that its model must pass."""

    preset: str = "cpu64"
    seed: int = Field(0, ge=-(2**63), lt=2**63)  # what PyTorch takes
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
    def _has_the_balance_that_it_is_trained_at(self) -> Config:
        if self.training.balance and not self.model.balance:
            raise ValueError(
                f"training.balance={self.training.balance}: with model.balance=false every picture is made at b = 0; "
                "set model.balance=true, or leave training.balance unset"
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
            model=ModelSettings(canonical_width=64, realism_start="alignment"),
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
                realism_start="alignment",
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
                realism_start="alignment",
            ),
            training=TrainingSettings(batch_size=128, ema_half_life=100_000, contrast_first=0.04),
        ),
        Config(
            preset="gpu256",  # its first stages are those of gpu64, which it can grow from
            model=ModelSettings(
                image_size=256,
                generator_widths=(512, 512, 384, 256, 128, 64),
                discriminator_widths=(512, 512, 384, 256, 128, 64),
                style_width=512,
                canonical_width=64,
                realism_start="alignment",
            ),
            loss=LossSettings(penalty_weight=8.0),  # grows with the number of pixels, as in StyleGAN2-ADA
            training=TrainingSettings(batch_size=64, ema_half_life=100_000, contrast_first=0.04),
        ),
        # The paper as far as it is known; what is not is filled in from its lineage, docs/method.md says with what.
        Config(
            preset="dte-faithful",
            model=ModelSettings(
                balance=False,
                latent_width=100,
                word_attention_size=0,
                generator_widths=(256, 256, 128, 64),
                discriminator_widths=(256, 256, 128, 64),
            ),
            loss=LossSettings(
                relativistic=False,
                naturalness=0.0,
                # Half of everything, so that the discriminator's terms are those of DF-GAN.
                conditional=0.5,
                mismatch=0.5,
                sentence=1.0,
                word=1.0,
                sentence_fake=0.5,
                word_fake=0.5,
                free_bits=0.0,
                balance_ratio=1.0,
                penalty="matching_aware",
                penalty_weight=2.0,
                penalty_every=1,
            ),
            training=TrainingSettings(
                generator_rate=1e-4,
                discriminator_rate=4e-4,
                text_rate=2e-4,
                beta1=0.0,
                beta2=0.9,
                augment=0.0,
                word_dropout=0.0,
                word_swaps=0.0,
            ),
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
    tree["training"]["ema_ramp"] = 0.05  # as it was measured; a longer memory has not been tried
    for section, key in _change(tree, overrides):
        if section not in ("editing", "training"):
            name = f"{section}.{key}" if section else key
            raise UserError(f"--set {name}: an editor goes with its model as it is; set editing.* or training.*")
    return _validated(tree)


def resolve_from(base: ModelSettings, num_pieces: int, preset: str | None, overrides: Sequence[str] = ()) -> Config:
    """The config of a run that starts from a base of these settings and so many pieces: the model is the base's.

    Or one that grows out of it: for larger pictures, with the base's widths and more after them.
    preset: unless given, one of the base's size. model.vocabulary_size bounds the new pieces; the result, all of them.
    Raises UserError as `resolve` does, and where the preset or an override asks for another model than the base.
    """
    own = [
        f"model.{key}={json.dumps(value)}"
        for key, value in base
        # Presets have grown a start; a base from before stays without.
        if key in ("canonical_width", "realism_start") or (key not in ("vocabulary_size", "grain") and not preset)
    ]
    config = resolve(preset or _preset_of_size(base), [*own, *overrides])
    free = {"vocabulary_size", "grain"} | (_SIZES if config.model.grows_out_of(base) else set())
    for key, value in base:
        asked = getattr(config.model, key)
        if key not in free and asked != value:
            source = f"--preset {preset}" if preset and asked == getattr(PRESETS[preset].model, key) else "--set"
            grown = ", or grows by widths after the base's own for larger pictures" if key in _SIZES else ""
            raise UserError(
                f"model.{key} is {json.dumps(value)} in the base and {json.dumps(asked)} by {source}; "
                f"a model keeps the form of its base{grown}: leave that out, or name another base"
            )
    if config.model.grows_out_of(base):
        config = _all_learn(config)
    bound = num_pieces + config.model.vocabulary_size
    return config.model_copy(update={"model": config.model.model_copy(update={"vocabulary_size": bound})})


def _all_learn(config: Config) -> Config:
    """The config with no stage of the discriminator fixed: in a grown one those nearest to the picture are new."""
    frozen = config.training.freeze_discriminator_stages
    if frozen:
        raise UserError(
            f"training.freeze_discriminator_stages={frozen}: the stages nearest to the picture are new where a model "
            "grows, and have everything to learn; leave that out"
        )
    training = config.training.model_copy(update={"freeze_discriminator_stages": 0})
    return config.model_copy(update={"training": training})


def _preset_of_size(model: ModelSettings) -> str:
    size = (model.image_size, model.generator_widths, model.discriminator_widths)
    for name, row in PRESETS.items():
        if (row.model.image_size, row.model.generator_widths, row.model.discriminator_widths) == size:
            return name
    return DEFAULT_PRESET


def _keys(tree: dict[str, Any]) -> list[str]:
    sections = {name: value for name, value in tree.items() if isinstance(value, dict)}
    return [*["seed"] * ("seed" in tree), *(f"{name}.{key}" for name, section in sections.items() for key in section)]
