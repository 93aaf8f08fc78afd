"""What happens in one step? Pictures are made, the discriminator learns, the generator learns, the averages follow."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import Tensor, nn

from bespoke.config import Config
from bespoke.data.augment import NUM_COLOR_DRAWS, NUM_DRAWS, augment, recolor
from bespoke.data.batches import Batch
from bespoke.data.levels import to_signed
from bespoke.method.across import gather
from bespoke.method.discriminator import PictureFeatures
from bespoke.method.joint_loss import (
    LossWeights,
    Pairs,
    Terms,
    contrastive_loss,
    discriminator_loss,
    exact_penalty,
    finite_difference_penalty,
    generator_loss,
    matching_aware_penalty,
    relativistic,
)
from bespoke.method.projected import ProjectedDiscriminator
from bespoke.method.text_encoder import DualTextEmbedding, TextEmbedding
from bespoke.networks import Networks
from bespoke.precision import autocast
from bespoke.settings import LossSettings
from bespoke.training.ema import Ema
from bespoke.training.workplace import Workplace


class Diverged(ArithmeticError):
    """A loss or a gradient is no finite number; raised before the step that would spread it."""


class Draws(NamedTuple):
    """Everything random in a step: the N rows of one process, cut out of what was drawn for all of them."""

    noise: Tensor  # [N, num_noise]
    balance: Tensor  # [N] in [0, 1]
    flip: Tensor  # [N] bool
    augment_real: Tensor  # [N, NUM_DRAWS], and as many more columns as colours need where they change, too
    augment_fake: Tensor  # the same
    augment_again: Tensor  # the same, for the generator's look at the same fakes
    penalty_noise: Tensor  # [N, 2, 3, H, W]; [N, 0] where the step has no penalty
    chance: Tensor  # [N, 2] uniform in [0, 1), for edits: whether the text changes, whether the old text is known


def draw(config: Config, networks: Networks, key: tuple[int, ...], place: Workplace, *, penalised: bool) -> Draws:
    """The random numbers of one step: a pure function of `key`, the same for every number of processes."""
    settings, n, size = config.training, config.training.batch_size, config.model.image_size
    seed = int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:8], "little") >> 1
    generator = torch.Generator().manual_seed(seed)
    normal = lambda *shape: torch.randn(shape, generator=generator)  # noqa: E731
    uniform = lambda *shape: torch.rand(shape, generator=generator)  # noqa: E731
    drawn = Draws(
        noise=normal(n, networks.generator.num_noise),
        balance=torch.where(uniform(n) < (settings.balance_zero if config.model.balance else 1.0), 0.0, uniform(n)),
        flip=uniform(n) < 0.5,
        augment_real=uniform(n, NUM_DRAWS),
        augment_fake=uniform(n, NUM_DRAWS),
        augment_again=uniform(n, NUM_DRAWS),
        penalty_noise=normal(n, 2, 3, size, size) if penalised else torch.empty(n, 0),
        chance=uniform(n, 2),
    )
    if settings.balance is not None:
        drawn = drawn._replace(balance=torch.full((n,), settings.balance))
    if settings.augment_colors:
        looks = ("augment_real", "augment_fake", "augment_again")
        both = {look: torch.cat([getattr(drawn, look), uniform(n, NUM_COLOR_DRAWS)], 1) for look in looks}
        drawn = drawn._replace(**both)
    rows = slice(place.rank * n // place.world, (place.rank + 1) * n // place.world)
    return Draws(*(tensor[rows].to(place.device) for tensor in drawn))


@dataclass(frozen=True)
class Players:
    """The networks in training, their averages, and an optimizer for each, by the names of `learning`.

    A text encoder's optimizer steps after both losses have been differentiated: a shared encoder then learns from the
    sum of both, a separate one from exactly its own.
    """

    networks: Networks
    average: Ema
    optimizers: dict[str, torch.optim.Adam]
    projected: ProjectedDiscriminator | None = None  # helps in training and is no part of the model

    @classmethod
    def make(cls, networks: Networks, config: Config, projected: ProjectedDiscriminator | None = None) -> Players:
        settings = config.training
        learning = networks.named() | ({"projected": projected} if projected else {})
        optimizers = {
            # Without momentum, as Projected GAN has it.
            name: torch.optim.Adam(
                parameters, rate, (0.0 if name == "projected" else settings.beta1, settings.beta2), fused=True
            )
            for name, rate in _rates(config).items()
            if name in learning and (parameters := list(learning[name].parameters()))
        }
        followed = None if config.editing is None else {"editor"}  # all else stays the base's
        average = Ema(networks.named(), half_life_images=settings.ema_half_life, ramp=settings.ema_ramp, only=followed)
        return cls(networks, average, optimizers, projected)

    def learning(self) -> dict[str, nn.Module]:
        """Each network that is in training, by its name."""
        return self.networks.named() | ({"projected": self.projected} if self.projected else {})

    @property
    def averaged(self) -> Networks:
        """The averages, as a model."""
        return self.networks.with_modules(self.average.averaged)

    def settled(self) -> Networks:
        """A copy of the averages as they are."""
        return self.networks.with_modules({name: copy.deepcopy(net) for name, net in self.average.averaged.items()})

    def set_rates(self, config: Config, factor: float) -> None:
        """Every learning rate is its configured one times `factor`."""
        rates = _rates(config)
        for name, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = factor * rates[name]

    def learn(self, loss: Tensor, name: str, place: Workplace) -> None:
        """Differentiate `loss`; the network called `name` takes its step, text encoders keep their gradients."""
        loss.backward()
        self._step([name], place)

    def learn_text(self, place: Workplace) -> None:
        self._step([name for name in ("realism", "alignment") if name in self.optimizers], place)

    def _step(self, names: Iterable[str], place: Workplace) -> None:
        for name in names:
            parameters = [p for p in self.learning()[name].parameters() if p.grad is not None]
            if not parameters:
                continue
            place.average_gradients(parameters)
            if not torch.isfinite(nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])):
                raise Diverged(f"the gradient of {name} is not finite")
            self.optimizers[name].step()
            self.optimizers[name].zero_grad()


def _rates(config: Config) -> dict[str, float]:
    """Who learns, and at which rate."""
    settings = config.training
    if config.editing is not None:
        return {"editor": config.editing.rate, "discriminator": config.editing.critic_rate}
    return {
        "generator": settings.generator_rate,
        "discriminator": settings.discriminator_rate,
        "projected": settings.projected_rate,
        "realism": settings.text_rate,
        "alignment": settings.text_rate,
    }


def joint_step(players: Players, batch: Batch, draws: Draws, config: Config, place: Workplace) -> Terms:
    """Discriminator, generator and text encoders learn once; returns every term of both losses, detached.

    The fakes are made once and serve both players: the discriminator sees them detached, the generator's loss goes
    back through them and through the discriminator just updated. What it saw in the real pictures serves both, too: in
    the generator's loss it is a constant. A projected discriminator, where there is one, is shown the same and learns
    by itself; the generator's loss goes back through both. With many processes every one computes the loss of the
    whole global batch from gathered features, and gradients are averaged: the result is that of one process. Raises
    Diverged.
    """
    networks, weights = players.networks, loss_weights(config.loss)
    networks.text_encoder.requires_grad_(config.model.embeddings != "frozen")  # which learns in the opening alone
    real = mirrored(batch.pictures.to(place.device), draws.flip & ~batch.sided.to(place.device))
    captions, mismatched = batch.captions.to(place.device), batch.mismatched.to(place.device)

    text = _generators_text(players, captions)
    second = batch.other_captions.to(place.device)
    told = networks.text_encoder.alignment(torch.cat([captions, second, mismatched]))
    pairs = Pairs(
        matching=TextEmbedding(*(gather(part[: len(captions)]) for part in told)),
        second=gather(told.sentence[len(captions) : 2 * len(captions)]),
        other=gather(told.sentence[2 * len(captions) :]),
        caption_ids=gather(batch.caption_ids.to(place.device)),
        balance=gather(draws.balance),
    )
    with autocast(place.device, config.training.precision):
        fake = networks.generator(draws.noise, text, draws.balance)

    shown_real = changed(real, draws.augment_real, config)
    shown_fake = changed(fake.pictures.detach(), draws.augment_fake, config)
    terms_d, seen_real = _discriminator_terms(networks, shown_real, shown_fake, pairs, draws, config, place)
    players.learn(total(terms_d), "discriminator", place)
    projected = players.projected
    if projected is not None:
        with autocast(place.device, config.training.precision):
            p_real, p_fake = (gather(half) for half in projected(torch.cat([shown_real, shown_fake])).chunk(2))
        terms_d["projected"] = relativistic(p_real, p_fake)
        players.learn(terms_d["projected"], "projected", place)

    with fixed(networks.discriminator):
        with autocast(place.device, config.training.precision):
            shown_fake = changed(fake.pictures, draws.augment_again, config)
            seen_fake = gathered(networks.discriminator(shown_fake))
        # What it saw in the real pictures a moment ago still serves: here they only weigh the pairs.
        terms_g = generator_loss(
            networks.discriminator,
            seen_fake,
            seen_real,
            pairs,
            gather(fake.mean),
            gather(fake.log_sigma),
            weights,
        )
        if projected is not None:
            with fixed(projected), autocast(place.device, config.training.precision):
                p_fake = gather(projected(shown_fake))
            terms_g["projected"] = config.loss.projected * relativistic(p_fake, p_real.detach())
        players.learn(total(terms_g), "generator", place)
    players.learn_text(place)
    named = {f"discriminator/{name}": term for name, term in terms_d.items()}
    named |= {f"generator/{name}": term for name, term in terms_g.items()}
    return {name: term.detach() for name, term in named.items()}


def contrastive_step(players: Players, batch: Batch, draws: Draws, config: Config, place: Workplace) -> Terms:
    """Discriminator and alignment encoder learn the contrast of real pairs alone, before any picture is made."""
    networks = players.networks
    networks.text_encoder.requires_grad_(True)
    real = mirrored(batch.pictures.to(place.device), draws.flip & ~batch.sided.to(place.device))
    captions = batch.captions.to(place.device)
    told = networks.text_encoder.alignment(torch.cat([captions, batch.other_captions.to(place.device)]))
    with autocast(place.device, config.training.precision):
        seen = gathered(networks.discriminator(changed(real, draws.augment_real, config)))
    terms = contrastive_loss(
        seen,
        TextEmbedding(*(gather(part[: len(captions)]) for part in told)),
        gather(told.sentence[len(captions) :]),
        gather(batch.caption_ids.to(place.device)),
        loss_weights(config.loss),
    )
    players.learn(total(terms), "discriminator", place)
    players.learn_text(place)
    return {f"discriminator/{name}": term.detach() for name, term in terms.items()}


def _discriminator_terms(
    networks: Networks, real: Tensor, fake: Tensor, pairs: Pairs, draws: Draws, config: Config, place: Workplace
) -> tuple[Terms, PictureFeatures]:
    """L_D and, on steps that have it, the zero-centred penalty; real, fake: [N, 3, H, W] in [-1, 1].

    Also returns what was seen in the real pictures, detached.
    """
    discriminator, settings, n = networks.discriminator, config.loss, len(real)
    both = torch.cat([real, fake])
    with autocast(place.device, config.training.precision):
        seen = discriminator(both)
    seen_real = gathered(PictureFeatures(*(part[:n] for part in seen)))
    seen_fake = gathered(PictureFeatures(*(part[n:] for part in seen)))
    terms = discriminator_loss(discriminator, seen_real, seen_fake, pairs, loss_weights(settings))
    if draws.penalty_noise.numel():
        rows = slice(place.rank * n, (place.rank + 1) * n)
        sentence = pairs.matching.sentence.detach()[rows].repeat(2, 1)
        balance = pairs.balance[rows].repeat(2)
        if settings.penalty == "matching_aware":
            penalty = matching_aware_penalty(discriminator, real, sentence[:n], balance[:n])
        elif settings.penalty == "exact":
            penalty = exact_penalty(discriminator, both, sentence, balance)
        else:
            noise = settings.penalty_sigma * draws.penalty_noise.transpose(0, 1).flatten(0, 1)
            with autocast(place.device, config.training.precision):
                near = discriminator(both + noise)
            penalty = finite_difference_penalty(discriminator, seen, near, sentence, balance, settings.penalty_sigma)
        # R1 + R2 is the sum over real and fake, of which this is the mean; it stands for the steps without one.
        terms["penalty"] = settings.penalty_weight * settings.penalty_every * penalty
    return terms, PictureFeatures(*(part.detach() for part in seen_real))


def loss_weights(settings: LossSettings) -> LossWeights:
    """What joint_loss.py needs of the config."""
    return LossWeights(**{field.name: getattr(settings, field.name) for field in fields(LossWeights)})


def total(terms: Terms) -> Tensor:
    """The loss that terms add up to. Raises Diverged where it is not finite."""
    loss = torch.stack(list(terms.values())).sum()
    if not torch.isfinite(loss):
        raise Diverged("loss: " + ", ".join(f"{name} {term.item():.3g}" for name, term in terms.items()))
    return loss


def changed(pictures: Tensor, draws: Tensor, config: Config) -> Tensor:
    """Pictures [N, 3, H, W] as the discriminator is shown them; config: as by_catalogue.py fills it in."""
    assert config.training.augment is not None
    if config.training.augment_colors:
        pictures = recolor(pictures, draws[:, NUM_DRAWS:], config.training.augment)
    return augment(pictures, draws[:, :NUM_DRAWS], config.training.augment)


def mirrored(pictures: Tensor, flip: Tensor) -> Tensor:
    """[N, 3, H, W] uint8 -> float32 in [-1, 1], mirrored where `flip` says so."""
    upright = to_signed(pictures)
    return torch.where(flip[:, None, None, None], upright.flip(3), upright)


def _generators_text(players: Players, captions: Tensor) -> DualTextEmbedding:
    """What the generator reads: S_G as it learns; S_D from the moving average, so that its condition moves slowly."""
    text_encoder = players.networks.text_encoder
    if text_encoder.is_shared:
        text: DualTextEmbedding = text_encoder(captions)
        return text
    with torch.no_grad():
        slow: TextEmbedding = players.average.averaged["alignment"](captions)
    return DualTextEmbedding(text_encoder.read_realism(captions, slow), slow)


def gathered(seen: PictureFeatures) -> PictureFeatures:
    """What all processes have seen."""
    return PictureFeatures(*(gather(part) for part in seen))


@contextmanager
def fixed(module: nn.Module) -> Iterator[None]:
    """Gradients pass through `module` and leave nothing in it."""
    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]  # others are frozen
    module.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)
