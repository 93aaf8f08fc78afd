"""Which values does each section of the config hold? Their meanings, ranges and what must go together."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

Precision = Literal["auto", "bf16", "fp32"]
BORROWED_WIDTH = 384  # of the vectors of the encoder that embeddings=pretrained borrows (data/borrowed.py)


class Settings(BaseModel):
    """A section that cannot be changed and knows all its keys."""

    # JSON has no infinity: it would come back as null.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _takes_no_boolean_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Python would, true is 1 to it; as words they are refused as any word in place of a number."""
        annotation = cls.model_fields[str(info.field_name)].annotation
        if bool in (annotation, *get_args(annotation)):
            return value
        if isinstance(value, list | tuple):
            return [_word(each) for each in value]
        return _word(value)


def _word(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


class ModelSettings(Settings):
    """Sizes of the networks. Widths are listed from the 4x4 stage upwards."""

    image_size: Literal[32, 64, 128, 256] = 64
    embeddings: Literal["dual", "head", "shared", "frozen", "pretrained"] = "dual"
    balance: bool = True  # whether S_D reaches the generator, weighted by b; else every b is b = 0
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
    # What S_G knows when drawing begins: nothing, or what S_D knows by then, as its copy, which then goes its own way.
    realism_start: Literal["fresh", "alignment"] = "fresh"
    word_attention_size: NonNegativeInt = 8  # picture side at which the generator looks at single words; 0: none
    # Of the finest stage's noise, what a finished model draws with; unless set, by how still the stillest parts of the
    # pictures are (training/by_catalogue.py). Training needs all of it, to match textures.
    grain: float | None = Field(None, ge=0, le=1)

    def grows_out_of(self, base: ModelSettings) -> bool:
        """Whether these are the sizes of `base` with further stages, for larger pictures."""
        num, ours, theirs = len(base.generator_widths), self.generator_widths, self.discriminator_widths
        return (
            self.image_size == base.image_size * 2 ** (len(ours) - num) > base.image_size
            and len(ours) == len(theirs)
            and ours[:num] == base.generator_widths
            and theirs[:num] == base.discriminator_widths
        )

    @model_validator(mode="after")
    def _has_a_width_for_every_size(self) -> ModelSettings:
        for key in ("generator_widths", "discriminator_widths"):
            num = len(getattr(self, key))
            if 4 * 2**num != self.image_size:
                raise ValueError(
                    f"model.{key}: {num} widths go with {4 * 2**num}x{4 * 2**num} pictures, not with "
                    f"model.image_size={self.image_size}; give one for every size from 4x4 up to half the picture's"
                )
        return self

    @model_validator(mode="after")
    def _looks_at_words_at_a_size_that_there_is(self) -> ModelSettings:
        sizes = [4 * 2**stage for stage in range(len(self.generator_widths))]
        if self.word_attention_size not in (0, *sizes):
            raise ValueError(
                f"model.word_attention_size={self.word_attention_size}: the generator has no stage of that size; "
                f"choose one of {', '.join(map(str, sizes))}, or 0 for none"
            )
        return self

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


class LossSettings(Settings):
    """Weights of the joint loss; symbols as in docs/method.md."""

    relativistic: bool = True  # RpGAN pairing; else the hinge
    naturalness: float = Field(1.0, ge=0)  # mu_n: pairing on n
    conditional: float = Field(1.0, ge=0)  # mu_c: pairing on n + a
    # mu_p: pairing on p, by eyes that are borrowed (method/projected.py); 0: none, and nothing has to be installed.
    projected: float = Field(0.0, ge=0)
    mismatch: float = Field(0.5, ge=0)  # mu_m: matched against mismatched captions
    sentence: float = Field(1.0, ge=0)  # lambda_s: sentence InfoNCE, real pairs
    word: float = Field(0.5, ge=0)  # lambda_w: word-region InfoNCE, real pairs
    sentence_fake: float = Field(0.5, ge=0)  # lambda_s'
    word_fake: float = Field(0.25, ge=0)  # lambda_w'
    # Of lambda_s and lambda_w, what the same contrast on generated pictures weighs in the discriminator's step.
    contrast_fake: float = Field(0.0, ge=0)
    adversarial_leak: float = Field(0.0, ge=0, le=1)  # share of the adversarial terms' gradient that reaches S_D
    kl: float = Field(0.5, ge=0)  # lambda_KL of conditioning augmentation
    free_bits: float = Field(0.02, ge=0)  # nats per condition dimension that cost nothing
    balance_ratio: float = Field(2.0, ge=1)  # rho: weight of alignment at b = 1 over b = 1/2
    # matching_aware: MA-GP of DF-GAN, on real pictures with their own text alone.
    penalty: Literal["finite_difference", "exact", "matching_aware"] = "finite_difference"
    penalty_weight: float = Field(0.5, ge=0)  # gamma
    penalty_every: PositiveInt = 4  # steps; the weight is multiplied by it
    penalty_sigma: float = Field(0.05, gt=0)  # of the noise that finite differences step along, in units of [-1, 1]


class TrainingSettings(Settings):
    """How the networks learn. Half-lives and ramps count pictures shown."""

    batch_size: PositiveInt = 32  # over all processes
    generator_rate: float = Field(3e-4, gt=0)
    discriminator_rate: float = Field(8e-4, gt=0)  # ahead of the generator, which else takes back every gain
    projected_rate: float = Field(4e-4, gt=0)
    text_rate: float = Field(2e-3, gt=0)  # token vectors are met seldom and would lag behind at the other rates
    beta1: float = Field(0.5, ge=0, lt=1)  # Adam; without momentum generator and discriminator only chase each other
    beta2: float = Field(0.99, gt=0, lt=1)
    balance_zero: float = Field(0.5, ge=0, le=1)  # share of pictures made at b = 0, the paper's generator
    balance: float | None = Field(None, ge=0, le=1)  # what all are made at instead, as the balance's rivals are
    # Probability of each colour-safe transform; unless set, by the size of the catalogue (training/by_catalogue.py).
    augment: float | None = Field(None, ge=0, le=1)
    augment_colors: bool = False  # whether hue, saturation and contrast change, too, which captions speak of
    word_dropout: float = Field(0.05, ge=0, le=1)  # share of tokens turned into <unk>
    word_swaps: float = Field(0.25, ge=0, le=1)  # share of mismatched captions made by swapping a word
    ema_half_life: PositiveInt = 10_000  # at most
    # Half-life as a share of the pictures shown so far; minutes from a base of like pictures want 0.4 (base-models.md).
    ema_ramp: PositiveFloat = 0.05
    contrast_first: float = Field(0.0, ge=0, lt=1)  # share of the budget spent on the contrast of real pairs alone
    # Stages of the discriminator, from the picture on, that stay those of the base (Freeze-D, Mo et al. 2020); unless
    # set, by the size of the catalogue.
    freeze_discriminator_stages: NonNegativeInt | None = None
    log_every: PositiveInt = 50  # steps
    validation_every_minutes: float = Field(3.0, gt=0)
    checkpoint_every_minutes: float = Field(5.0, gt=0)
    precision: Precision = "auto"  # auto: bf16 where the hardware computes it


class EditSettings(Settings):
    """How an editor is taught; weights of the terms in method/edit_loss.py, symbols as in docs/editing.md."""

    rate: float = Field(1e-3, gt=0)
    critic_rate: float = Field(2e-4, gt=0)
    word_swaps: float = Field(0.9, ge=0, le=1)  # share of new texts made by swapping a word, not another picture's
    unchanged: float = Field(0.125, ge=0, lt=1)  # share of pictures that get the text they have
    no_source: float = Field(0.15, ge=0, le=1)  # share of pictures whose old text is kept from the editor
    # Whether half of the pictures have no twin and are judged by a critic; unless set, where most are of no shot.
    critic: bool | None = None
    pair: float = Field(1.0, ge=0)
    page: float = Field(0.5, ge=0)
    mark: float = Field(1.0, ge=0)
    where: float = Field(1.0, ge=0)
    same: float = Field(5.0, ge=0)
    mismatch: float = Field(0.5, ge=0)
    sentence: float = Field(0.25, ge=0)
    direction: float = Field(0.5, ge=0)
    naturalness: float = Field(0.5, ge=0)
    area: float = Field(0.1, ge=0)


_Limit = Annotated[float, Field(ge=0)]


class GateSettings(Settings):
    """What a model must reach before it is released. null: that gate is not asked. Meanings: docs/evaluation.md."""

    realism: _Limit | None = 0.5  # least precision, as a share of what real pictures get
    distance: _Limit | None = 10.0  # most times the Frechet distance that real pictures have from each other
    variety: _Limit | None = 0.5  # least coverage, as a share
    faithfulness: _Limit | None = 0.5  # least R@1, as a share
    copies: _Limit | None = 0.05  # most suspected copies of training pictures, as a share of the generated ones
