"""Who learns from what? The joint loss of dual text embeddings (arXiv 2502.01507, symbols in docs/method.md).

| step          | trains                            | holds fixed                       |
|---------------|-----------------------------------|-----------------------------------|
| discriminator | discriminator, alignment encoder  | generator, realism encoder        |
| generator     | generator, realism encoder        | discriminator, alignment encoder  |

In the opening of a training there is no generator's step, and the discriminator's is `contrastive_loss` alone.
Where `loss.projected` asks for one, a second discriminator (projected.py) learns by `relativistic` alone, and the
generator from it, too.

One sign convention: logits are high for real and for matching, every term is minimised.
Notation: x real picture, x_fake = G(z, y, b), y its caption, y_other a caption that does not fit, n naturalness,
a alignment, f = n + a. S_D reaches the adversarial terms as a constant: its only teacher is the contrast of real pairs
(weights that are 0 by default undo that, to measure what it brings: adversarial_leak, contrast_fake).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from bespoke.method.discriminator import Discriminator, PictureFeatures
from bespoke.method.text_encoder import TextEmbedding

Terms = dict[str, Tensor]

WORDS_AT_ONCE = 64  # of word_nce: their number is rounded up to a multiple of it


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """mu_n, mu_c, mu_m, lambda_s, lambda_w, their counterparts on generated pictures, and conditioning augmentation."""

    naturalness: float = 1.0
    conditional: float = 1.0
    mismatch: float = 0.5
    sentence: float = 1.0
    word: float = 0.5
    sentence_fake: float = 0.5
    word_fake: float = 0.25
    contrast_fake: float = 0.0
    adversarial_leak: float = 0.0
    kl: float = 0.5
    free_bits: float = 0.02
    balance_ratio: float = 2.0
    relativistic: bool = True


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """What both players look at: pictures of one step and the alignment embeddings of their captions."""

    matching: TextEmbedding  # S_D of y
    second: Tensor  # [N, E], sentence of another caption of the same picture
    other: Tensor  # [N, E], sentence of y_other
    caption_ids: Tensor  # [N], equal captions share an id
    balance: Tensor  # [N] in [0, 1], the same for the real and the fake of a pair


def discriminator_loss(
    discriminator: Discriminator, real: PictureFeatures, fake: PictureFeatures, pairs: Pairs, weights: LossWeights
) -> Terms:
    """L_D, by term: teaches the discriminator and, through the contrast of real pairs, the alignment encoder."""
    y, y_other = (leaked(sentence, weights.adversarial_leak) for sentence in (pairs.matching.sentence, pairs.other))
    n_real, n_fake = discriminator.naturalness(real, pairs.balance), discriminator.naturalness(fake, pairs.balance)
    a_real, a_fake = discriminator.alignment(real, y), discriminator.alignment(fake, y)
    a_other = discriminator.alignment(real, y_other)
    if weights.relativistic:
        rank, mismatch = relativistic, relativistic(a_real, a_other)  # n would cancel out
    else:
        rank, mismatch = hinge, hinge(n_real + a_real, n_real + a_other)
    terms = {
        "naturalness": weights.naturalness * rank(n_real, n_fake),
        "conditional": weights.conditional * rank(n_real + a_real, n_fake + a_fake),
        "mismatch": weights.mismatch * mismatch,
    } | contrastive_loss(real, pairs.matching, pairs.second, pairs.caption_ids, weights)
    if weights.contrast_fake:
        drawn = contrastive_loss(fake, pairs.matching, pairs.second, pairs.caption_ids, weights)
        terms |= {f"{name}_fake": weights.contrast_fake * term for name, term in drawn.items()}
    return terms


def contrastive_loss(
    real: PictureFeatures, text: TextEmbedding, second: Tensor, caption_ids: Tensor, weights: LossWeights
) -> Terms:
    """The contrast of real pictures with their text: the alignment encoder's only teacher.

    second: [N, E], sentences of another caption of the same pictures, as much a positive as the first.
    """
    both = [sentence_nce(real.embedding, sentence, caption_ids) for sentence in (text.sentence, second)]
    return {
        "sentence": weights.sentence * torch.stack(both).mean(),
        "word": weights.word * word_nce(real.regions, text, caption_ids),
    }


def generator_loss(
    discriminator: Discriminator,
    fake: PictureFeatures,
    real: PictureFeatures,
    pairs: Pairs,
    mean: Tensor,
    log_sigma: Tensor,
    weights: LossWeights,
) -> Terms:
    """L_G, by term: teaches the generator and, through the pictures and the KL, the realism encoder.

    real: features of the real pictures of the pairs, constants here; the hinge does not look at them. Nor does it have
    a mismatch term: a text that does not fit counts as a fake (Reed et al. 2016), which is the discriminator's to tell.
    """
    y, y_other = pairs.matching.detach(), pairs.other.detach()
    n, a = discriminator.naturalness(fake, pairs.balance), discriminator.alignment(fake, y.sentence)
    a_other = discriminator.alignment(fake, y_other)
    if weights.relativistic:
        n_real, a_real = discriminator.naturalness(real, pairs.balance), discriminator.alignment(real, y.sentence)
        realism, conditional = F.softplus(n_real - n), F.softplus(n_real + a_real - n - a)
    else:
        realism, conditional = -n, -(n + a)
    w = weights.balance_ratio ** (2 * pairs.balance - 1)  # w(b): what alignment weighs for a picture made at b
    mismatch = {"mismatch": weights.mismatch * (w * F.softplus(a_other - a)).mean()} if weights.relativistic else {}
    return {
        "naturalness": weights.naturalness * realism.mean(),
        "conditional": weights.conditional * (w * conditional).mean(),
        **mismatch,
        "sentence": weights.sentence_fake * sentence_nce(fake.embedding, y.sentence, pairs.caption_ids, w),
        "word": weights.word_fake * word_nce(fake.regions, y, pairs.caption_ids, w),
        "kl": weights.kl * condition_kl(mean, log_sigma, weights.free_bits),
    }


def leaked(sentence: Tensor, share: float) -> Tensor:
    """The same numbers, through which only `share` of a gradient goes on; none: a constant."""
    return torch.lerp(sentence.detach(), sentence, share) if share else sentence.detach()


def hinge(high: Tensor, low: Tensor) -> Tensor:
    """Hinge loss: `high` [N] wants to be above 1, `low` [N] below -1."""
    return (F.relu(1 - high) + F.relu(1 + low)).mean()


def relativistic(high: Tensor, low: Tensor) -> Tensor:
    """Bradley-Terry: row by row, `high` [N] wants to be above `low` [N]."""
    return F.softplus(low - high).mean()


def sentence_nce(
    embedding: Tensor, sentence: Tensor, caption_ids: Tensor, weight: Tensor | None = None, tau: float = 0.1
) -> Tensor:
    """Symmetric InfoNCE between pictures [N, E] and sentences [N, E]."""
    logits = embedding @ F.normalize(sentence, dim=1).T / tau
    return symmetric_cross_entropy(logits, caption_ids, weight)


def word_nce(
    regions: Tensor,
    text: TextEmbedding,
    caption_ids: Tensor,
    weight: Tensor | None = None,
    gammas: tuple[float, float, float] = (5.0, 5.0, 20.0),
) -> Tensor:
    """InfoNCE between regions of pictures [N, R, E] and words of captions (AttnGAN's DAMSM in XMC-GAN's form).

    Every word attends to the regions it resembles; the score of a picture and a caption is the log-mean-exp over the
    caption's words, so that long captions are not favoured. The products, most of the work, are computed in the
    precision of `regions`, all else in float32.
    """
    attend, pool, scale = gammas
    areas = F.normalize(regions, dim=2)
    words = F.normalize(text.words[text.mask], dim=1).to(areas.dtype)  # [W, E] of all captions
    # Every batch has another number of words, and for each oneDNN would keep programs of their own.
    num_words, words = len(words), F.pad(words, (0, 0, 0, -len(words) % WORDS_AT_ONCE))
    similar = (words @ areas.transpose(1, 2)).float()  # [N, W, R]
    share = (attend * similar).softmax(2)
    gram = areas @ areas.transpose(1, 2)  # [N, R, R]: the length of a context without building it
    length = ((share.to(areas.dtype) @ gram).float() * share).sum(2).clamp(min=1e-8).sqrt()
    relevance = similar.new_full((len(areas), *text.mask.shape), float("-inf"))  # [N, M, L]
    cosine = (share * similar).sum(2) / length  # [N, W], of a word and its context
    relevance[:, text.mask] = pool * cosine[:, :num_words]
    score = (relevance.logsumexp(2) - text.mask.sum(1).log()[None]) / pool  # [N, M]
    return symmetric_cross_entropy(scale * score, caption_ids, weight)


def symmetric_cross_entropy(logits: Tensor, caption_ids: Tensor, weight: Tensor | None = None) -> Tensor:
    """Rows and columns of [N, N] against the diagonal; the same caption elsewhere in the batch is no negative."""
    same = caption_ids[:, None] == caption_ids[None, :]
    logits = logits.masked_fill(same & ~torch.eye(len(same), dtype=torch.bool, device=same.device), float("-inf"))
    target = torch.arange(len(logits), device=logits.device)
    both = F.cross_entropy(logits, target, reduction="none") + F.cross_entropy(logits.T, target, reduction="none")
    return (both / 2 if weight is None else both / 2 * weight).mean()


def condition_kl(mean: Tensor, log_sigma: Tensor, free_bits: float) -> Tensor:
    """KL of the augmented condition from N(0, I), per dimension; what stays below free_bits costs nothing."""
    kl = 0.5 * (mean.square() + (2 * log_sigma).exp() - 1 - 2 * log_sigma).mean(0)
    return kl.clamp(min=free_bits).mean()


def finite_difference_penalty(
    discriminator: Discriminator,
    seen: PictureFeatures,
    near: PictureFeatures,
    sentence: Tensor,
    balance: Tensor,
    sigma: float,
) -> Tensor:
    """E |grad_x f|^2 by one more look instead of a second derivative: E (f(x + sigma e) - f(x))^2 / sigma^2, e normal.

    seen: features of x; near: of x + sigma e. No double backward, so it works under bfloat16.
    """
    step = score(discriminator, near, sentence, balance) - score(discriminator, seen, sentence, balance)
    return step.square().mean() / sigma**2


def exact_penalty(discriminator: Discriminator, pictures: Tensor, sentence: Tensor, balance: Tensor) -> Tensor:
    """R1 + R2 (Mescheder et al. 2018): E |grad_x f|^2, summed over pixels, by double backward."""
    pictures = pictures.detach().requires_grad_()
    with torch.autocast(pictures.device.type, enabled=False):
        total = score(discriminator, discriminator(pictures), sentence, balance).sum()
        (gradient,) = torch.autograd.grad(total, pictures, create_graph=True)
        return gradient.square().sum((1, 2, 3)).mean()


def matching_aware_penalty(discriminator: Discriminator, pictures: Tensor, sentence: Tensor, balance: Tensor) -> Tensor:
    """MA-GP (DF-GAN, Tao et al. 2022): E (|grad_x f|^2 + |grad_s f|^2)^3, for real pictures and their own sentences."""
    pictures, sentence = pictures.detach().requires_grad_(), sentence.detach().requires_grad_()
    with torch.autocast(pictures.device.type, enabled=False):
        total = score(discriminator, discriminator(pictures), sentence, balance).sum()
        by_picture, by_sentence = torch.autograd.grad(total, (pictures, sentence), create_graph=True)
        return (by_picture.square().sum((1, 2, 3)) + by_sentence.square().sum(1)).pow(3).mean()


def score(discriminator: Discriminator, seen: PictureFeatures, sentence: Tensor, balance: Tensor) -> Tensor:
    """f = n + a: [N]"""
    return discriminator.naturalness(seen, balance) + discriminator.alignment(seen, sentence)
