"""Is the model still healthy? Numbers from the networks themselves, on pairs that were kept out of training.

None of them may be used to choose between models or to report quality: they come from the networks that are trained.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from bespoke.data.batches import Batch
from bespoke.data.levels import to_signed
from bespoke.method.joint_loss import LossWeights, Pairs, exact_penalty, generator_loss
from bespoke.method.text_encoder import DualTextEmbedding, TextEmbedding
from bespoke.networks import Networks
from bespoke.precision import autocast
from bespoke.training.monitor import caption_sensitivity, effective_rank, linear_cka, sign_accuracy

NUM_STEEP = 32  # pictures at which gradients are taken


@torch.no_grad()
def health(
    networks: Networks, train: Batch, held_out: Batch, weights: LossWeights, device: torch.device, *, seed: int = 0
) -> dict[str, float]:
    """The signals of alarms.ALARMS, measured on one batch of training pairs and one of pairs kept out.

    networks: the averaged ones. Fakes are drawn at b = 0.5 with noise of `seed`, so that successive numbers compare.
    """
    n, generator = len(held_out.captions), torch.Generator().manual_seed(seed)
    noise, other_noise = (
        torch.randn(n, networks.generator.num_noise, generator=generator).to(device) for _ in range(2)
    )
    captions, others = held_out.captions.to(device), held_out.mismatched.to(device)
    half = torch.full((n,), 0.5, device=device)
    with autocast(device):
        text = networks.text_encoder(captions)
        fake = networks.generator(noise, text, half).pictures
        # At b = 0 only the realism embedding speaks: does it still listen to the text?
        plain = networks.generator(noise, text, 0 * half).pictures
        by_caption = networks.generator(noise, networks.text_encoder(others), 0 * half).pictures
        by_noise = networks.generator(other_noise, text, 0 * half).pictures
        seen_fake = networks.discriminator(fake)
        seen_train = networks.discriminator(to_signed(train.pictures.to(device)))
        seen_held_out = networks.discriminator(to_signed(held_out.pictures.to(device)))
    natural = lambda seen: networks.discriminator.naturalness(seen, half[: len(seen.trunk)])  # noqa: E731
    pooled = lambda x: F.adaptive_avg_pool2d(x, 8).flatten(1)  # noqa: E731
    return {
        "sign_accuracy_train": sign_accuracy(natural(seen_train), natural(seen_fake)),
        "sign_accuracy_validation": sign_accuracy(natural(seen_held_out), natural(seen_fake)),
        "top1_validation": top1(seen_held_out.embedding, text.alignment.sentence, held_out.caption_ids),
        "top1_fake": top1(seen_fake.embedding, text.alignment.sentence, held_out.caption_ids),
        "caption_sensitivity": caption_sensitivity(pooled(plain), pooled(by_caption), pooled(by_noise)),
        "effective_rank_realism": effective_rank(text.realism.sentence),
        "effective_rank_alignment": effective_rank(text.alignment.sentence),
        "activation_growth": _activation_growth(networks, noise, text, half),
        **_steepness(networks, fake, held_out, text.alignment, weights),
    } | ({} if networks.text_encoder.is_shared else {"cka": linear_cka(text.realism.sentence, text.alignment.sentence)})


def top1(embedding: Tensor, sentence: Tensor, caption_ids: Tensor) -> float:
    """Share of pictures [N, E] whose own caption is the closest of the N; equal captions count as own."""
    nearest = (embedding @ F.normalize(sentence, dim=1).T).argmax(1).cpu()
    return float((caption_ids.cpu()[nearest] == caption_ids.cpu()).double().mean())


def _activation_growth(networks: Networks, noise: Tensor, text: DualTextEmbedding, balance: Tensor) -> float:
    """Root mean square of what the generator's last stage gives, over that of its first."""
    sizes: list[float] = []
    measure = lambda stage, args, x: sizes.append(float(x.float().square().mean().sqrt()))  # noqa: E731
    hooks = [stage.register_forward_hook(measure) for stage in networks.generator.stages]
    try:
        networks.generator(noise, text, balance)
    finally:
        for hook in hooks:
            hook.remove()
    return sizes[-1] / sizes[0]


@torch.enable_grad()
def _steepness(
    networks: Networks, fake: Tensor, held_out: Batch, told: TextEmbedding, weights: LossWeights
) -> dict[str, float]:
    """Squared gradient of the score at real and generated pictures, and how the generator's terms pull at the latter.

    gradient_ratio: norm of the pull of what compares pictures with text over the norm of naturalness' pull; absent
    where naturalness has no say.
    """
    discriminator, n = networks.discriminator, min(NUM_STEEP, len(fake))
    y = TextEmbedding(*(part[:n] for part in told))
    half = torch.full((n,), 0.5, device=fake.device)
    real, fake = to_signed(held_out.pictures[:n].to(fake.device)), fake[:n].detach().requires_grad_()
    pairs = Pairs(
        matching=y,
        second=y.sentence,
        other=y.sentence.roll(1, 0),
        caption_ids=held_out.caption_ids[:n].to(fake.device),
        balance=half,
    )
    none = torch.zeros(n, 1, device=fake.device)  # no conditioning augmentation: it does not pull at pictures
    terms = generator_loss(discriminator, discriminator(fake), discriminator(real), pairs, none, none, weights)
    by_text = torch.stack([terms[name] for name in ("mismatch", "sentence", "word") if name in terms]).sum()
    pull_of_text, pull = (
        float(torch.autograd.grad(term, fake, retain_graph=True)[0].norm()) for term in (by_text, terms["naturalness"])
    )
    return {
        "penalty_real": exact_penalty(discriminator, real, y.sentence, half).item(),
        "penalty_fake": exact_penalty(discriminator, fake, y.sentence, half).item(),
    } | ({"gradient_ratio": pull_of_text / pull} if pull else {})
