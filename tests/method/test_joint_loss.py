"""Closed forms of the terms, and who learns from what."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bespoke.method.discriminator import Discriminator, PictureFeatures
from bespoke.method.generator import Generator
from bespoke.method.joint_loss import (
    LossWeights,
    Pairs,
    condition_kl,
    contrastive_loss,
    discriminator_loss,
    exact_penalty,
    finite_difference_penalty,
    generator_loss,
    matching_aware_penalty,
    score,
    sentence_nce,
    word_nce,
)
from bespoke.method.text_encoder import DualTextEmbedding, DualTextEncoder, TextEmbedding, TextEncoder

N, WIDTH = 6, 16


class Scene:
    """A small model and one batch, as both players meet it."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        encoder = lambda: TextEncoder(vocabulary_size=20, token_width=8, embedding_width=WIDTH)  # noqa: E731
        self.text = DualTextEncoder(encoder(), encoder())
        sizes = {"image_size": 32, "embedding_width": WIDTH, "widths": (32, 24, 16)}
        self.generator = Generator(**sizes, latent_width=8, condition_width=8, style_width=16, word_attention_size=8)
        self.discriminator = Discriminator(**sizes)
        self.tokens = torch.randint(3, 20, (N, 7))
        self.tokens[0, 4:] = 0
        self.pictures = torch.rand(N, 3, 32, 32) * 2 - 1
        self.balance = torch.linspace(0, 1, N)
        told = self.text.alignment(self.tokens)
        self.pairs = Pairs(
            matching=told,
            second=told.sentence,
            other=told.sentence.roll(1, 0),
            caption_ids=torch.arange(N),
            balance=self.balance,
        )
        noise = torch.randn(N, self.generator.num_noise)
        dual = DualTextEmbedding(self.text.realism(self.tokens), told.detach())
        self.made = self.generator(noise, dual, self.balance)

    def discriminator_terms(self, weights: LossWeights) -> dict[str, torch.Tensor]:
        real, fake = self.discriminator(self.pictures), self.discriminator(self.made.pictures.detach())
        return discriminator_loss(self.discriminator, real, fake, self.pairs, weights)

    def generator_terms(self, weights: LossWeights) -> dict[str, torch.Tensor]:
        fake, real = self.discriminator(self.made.pictures), self.discriminator(self.pictures)
        return generator_loss(self.discriminator, fake, real, self.pairs, self.made.mean, self.made.log_sigma, weights)


def learners(scene: Scene) -> set[str]:
    modules = {
        "generator": scene.generator,
        "discriminator": scene.discriminator,
        "realism": scene.text.realism,
        "alignment": scene.text.alignment,
    }
    return {name for name, module in modules.items() if any(p.grad is not None for p in module.parameters())}


@pytest.mark.parametrize("relativistic", [False, True])
def test_discriminator_step_leaves_generator_and_realism_untouched(relativistic: bool) -> None:
    scene = Scene()
    sum(scene.discriminator_terms(LossWeights(relativistic=relativistic)).values()).backward()
    assert learners(scene) == {"discriminator", "alignment"}


@pytest.mark.parametrize("relativistic", [False, True])
def test_generator_step_leaves_discriminator_and_alignment_untouched(relativistic: bool) -> None:
    scene = Scene()
    scene.discriminator.requires_grad_(False)
    sum(scene.generator_terms(LossWeights(relativistic=relativistic)).values()).backward()
    assert learners(scene) == {"generator", "realism"}


@pytest.mark.parametrize("term", ["naturalness", "conditional", "mismatch"])
def test_adversarial_terms_do_not_teach_the_alignment_encoder(term: str) -> None:
    scene = Scene()
    scene.discriminator_terms(LossWeights())[term].backward()
    assert learners(scene) == {"discriminator"}


@pytest.mark.parametrize("term", ["conditional", "mismatch"])
def test_a_leak_lets_its_share_of_the_adversarial_gradient_reach_the_alignment_encoder(term: str) -> None:
    slopes = []
    for leak in (1.0, 0.25):
        scene = Scene()
        terms = scene.discriminator_terms(LossWeights(adversarial_leak=leak))
        assert torch.equal(terms[term], scene.discriminator_terms(LossWeights())[term])
        terms[term].backward()
        assert learners(scene) == {"discriminator", "alignment"}
        slopes.append(scene.text.alignment.recur.weight_ih_l0.grad)  # type: ignore[union-attr]
    assert slopes[0].abs().max() > 0  # type: ignore[operator, union-attr]
    torch.testing.assert_close(slopes[1], slopes[0] / 4)  # type: ignore[operator]


def test_the_hinge_is_the_loss_of_df_gan() -> None:
    """max(0, 1 - f(x, y)) + max(0, 1 + f(x', y)) / 2 + max(0, 1 + f(x, y_other)) / 2; the generator's is -f(x', y)."""
    scene = Scene()
    weights = LossWeights(relativistic=False, naturalness=0, conditional=0.5, mismatch=0.5, sentence=0, word=0)
    y, y_other = scene.pairs.matching.sentence, scene.pairs.other
    real, fake = scene.discriminator(scene.pictures), scene.discriminator(scene.made.pictures)
    f = lambda seen, sentence: score(scene.discriminator, seen, sentence, scene.balance)  # noqa: E731
    real_loss, fake_loss = (1 - f(real, y)).relu(), (1 + f(fake, y)).relu()
    expected = (real_loss + fake_loss / 2 + (1 + f(real, y_other)).relu() / 2).mean()
    torch.testing.assert_close(sum(scene.discriminator_terms(weights).values()), expected)
    terms = scene.generator_terms(LossWeights(relativistic=False, balance_ratio=1, conditional=0.5))
    torch.testing.assert_close(terms["conditional"], -f(fake, y).mean() / 2)
    assert "mismatch" not in terms


def test_the_contrast_of_generated_pictures_is_a_share_of_that_of_real_ones() -> None:
    scene = Scene()
    plain, terms = (scene.discriminator_terms(LossWeights(contrast_fake=share)) for share in (0.0, 0.5))
    assert terms.keys() - plain.keys() == {"sentence_fake", "word_fake"}
    drawn = scene.discriminator(scene.made.pictures.detach())
    expected = contrastive_loss(drawn, scene.pairs.matching, scene.pairs.second, scene.pairs.caption_ids, LossWeights())
    for name, term in expected.items():
        torch.testing.assert_close(terms[f"{name}_fake"], term / 2)
    terms["sentence_fake"].backward()
    assert learners(scene) == {"discriminator", "alignment"}


@pytest.mark.parametrize("term", ["sentence", "word"])
def test_alignment_is_taught_by_the_contrast_of_real_pairs(term: str) -> None:
    scene = Scene()
    terms = contrastive_loss(
        scene.discriminator(scene.pictures),
        scene.pairs.matching,
        scene.pairs.matching.sentence,
        torch.arange(N),
        LossWeights(),
    )
    terms[term].backward()
    assert learners(scene) == {"discriminator", "alignment"}


def test_every_generator_term_reaches_the_realism_encoder() -> None:
    for term in Scene().generator_terms(LossWeights(free_bits=0.0)):
        scene = Scene()
        scene.discriminator.requires_grad_(False)
        scene.generator_terms(LossWeights(free_bits=0.0))[term].backward()
        assert "realism" in learners(scene), term


def test_naturalness_never_depends_on_captions() -> None:
    scene = Scene()
    seen = scene.discriminator(scene.pictures)
    first = scene.discriminator_terms(LossWeights())["naturalness"]
    scene.pairs = Pairs(
        matching=TextEmbedding(*(part.flip(0) for part in scene.pairs.matching)),
        second=scene.pairs.second.flip(0),
        other=scene.pairs.other.flip(0),
        caption_ids=scene.pairs.caption_ids,
        balance=scene.balance,
    )
    assert torch.equal(first, scene.discriminator_terms(LossWeights())["naturalness"])
    assert scene.discriminator.naturalness(seen, scene.balance).shape == (N,)


def test_sentence_nce_is_near_zero_for_one_hot_pairs_and_log_n_for_equal_ones() -> None:
    identity = torch.eye(4)
    assert sentence_nce(identity, identity, torch.arange(4), tau=0.01).item() == pytest.approx(0, abs=1e-6)
    same = torch.ones(4, 8)
    assert sentence_nce(same / 8**0.5, same, torch.arange(4)).item() == pytest.approx(math.log(4), rel=1e-5)


def test_a_repeated_caption_is_no_negative() -> None:
    embedding = torch.eye(4)
    sentence = torch.eye(4)
    sentence[1] = sentence[0]
    apart = sentence_nce(embedding, sentence, torch.arange(4))
    together = sentence_nce(embedding, sentence, torch.tensor([0, 0, 2, 3]))
    assert together < apart


def test_word_nce_is_low_where_every_word_has_its_region_and_log_n_where_all_are_equal() -> None:
    width = 8
    words = torch.eye(width)[torch.tensor([[0, 1], [2, 3], [4, 5]])]  # [3, 2, 8]
    text = TextEmbedding(words.mean(1), words, torch.ones(3, 2, dtype=torch.bool))
    assert word_nce(words.repeat(1, 8, 1), text, torch.arange(3), gammas=(20.0, 5.0, 20.0)).item() < 0.01
    regions = torch.ones(3, 16, width)
    assert word_nce(regions, text, torch.arange(3)).item() == pytest.approx(math.log(3), rel=1e-4)


def test_word_nce_does_not_depend_on_padding() -> None:
    torch.manual_seed(1)
    regions, words = torch.randn(3, 16, 8), torch.randn(3, 5, 8)
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 1, 0]], dtype=torch.bool)
    first = word_nce(regions, TextEmbedding(words.mean(1), words, mask), torch.arange(3))
    noisy = words.masked_fill(~mask[..., None], 7.0)
    second = word_nce(regions, TextEmbedding(words.mean(1), noisy, mask), torch.arange(3))
    assert torch.allclose(first, second)


def test_word_nce_computes_few_shapes_however_long_captions_are() -> None:
    """For every shape oneDNN keeps programs of its own: with one for every number of words memory grew for hours."""
    torch.manual_seed(4)

    def shapes(num_words: int) -> set[tuple[torch.Size, ...]]:
        met = set()

        class Noting(TorchDispatchMode):
            def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                if function.overloadpacket in (torch.ops.aten.mm, torch.ops.aten.bmm):
                    met.add(tuple(x.shape for x in args))
                return function(*args, **(kwargs or {}))

        regions, words = torch.randn(4, 16, 8, requires_grad=True), torch.randn(4, 32, 8, requires_grad=True)
        mask = (torch.arange(128) < num_words).view(32, 4).T
        with Noting():
            word_nce(regions, TextEmbedding(words.mean(1), words, mask), torch.arange(4)).backward()
        return met

    assert shapes(65)
    assert shapes(65) == shapes(77) == shapes(128)
    assert shapes(64) != shapes(65)


def test_word_nce_equals_attention_written_out() -> None:
    """Against the definition: contexts built one by one, log-mean-exp over words, both directions."""
    torch.manual_seed(2)
    n, length, num_regions, width = 3, 4, 5, 8
    regions, words = torch.randn(n, num_regions, width), torch.randn(n, length, width)
    scores = torch.empty(n, n)
    for i in range(n):
        for m in range(n):
            relevance = []
            for word in words[m]:
                cosine = torch.cosine_similarity(word[None], regions[i], dim=1)
                unit = torch.nn.functional.normalize(regions[i], dim=1)
                context = ((5 * cosine).softmax(0)[:, None] * unit).sum(0)
                relevance.append(torch.cosine_similarity(word, context, dim=0))
            scores[i, m] = (5 * torch.stack(relevance)).exp().mean().log() / 5
    target = torch.arange(n)
    cross = torch.nn.functional.cross_entropy
    expected = (cross(20 * scores, target) + cross(20 * scores.T, target)) / 2
    text = TextEmbedding(words.mean(1), words, torch.ones(n, length, dtype=torch.bool))
    assert word_nce(regions, text, target).item() == pytest.approx(expected.item(), rel=1e-4)


def test_word_nce_of_regions_in_half_precision_is_nearly_that_in_full() -> None:
    torch.manual_seed(3)
    regions, words = torch.randn(4, 16, 32), torch.randn(4, 5, 32)
    text = TextEmbedding(words.mean(1), words, torch.rand(4, 5) < 0.8)
    text.mask[:, 0] = True
    full = word_nce(regions, text, torch.arange(4))
    half = word_nce(regions.bfloat16(), text, torch.arange(4))
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(full.item(), rel=5e-3)


def test_condition_kl_is_that_of_two_gaussians() -> None:
    mean, log_sigma = torch.tensor([[0.5, -1.0]]), torch.tensor([[0.1, -0.3]])
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, log_sigma.exp()), normal(0.0, 1.0)).mean()
    assert condition_kl(mean, log_sigma, 0.0).item() == pytest.approx(expected.item(), rel=1e-5)
    assert condition_kl(torch.zeros(1, 2), torch.zeros(1, 2), 0.02).item() == pytest.approx(0.02)


def test_exact_penalty_is_the_squared_gradient() -> None:
    scene = Scene()
    sentence = scene.pairs.matching.sentence.detach()
    penalty = exact_penalty(scene.discriminator, scene.pictures, sentence, scene.balance)
    pictures = scene.pictures.clone().requires_grad_()
    total = score(scene.discriminator, scene.discriminator(pictures), sentence, scene.balance).sum()
    (by_hand,) = torch.autograd.grad(total, pictures)
    assert penalty.item() == pytest.approx(by_hand.square().sum((1, 2, 3)).mean().item(), rel=1e-4)


def test_matching_aware_penalty_is_the_third_power_of_both_squared_gradients() -> None:
    scene = Scene()
    pictures = scene.pictures.clone().requires_grad_()
    sentence = scene.pairs.matching.sentence.detach().requires_grad_()
    total = score(scene.discriminator, scene.discriminator(pictures), sentence, scene.balance).sum()
    by_picture, by_sentence = torch.autograd.grad(total, (pictures, sentence))
    expected = (by_picture.square().sum((1, 2, 3)) + by_sentence.square().sum(1)).pow(3).mean()
    penalty = matching_aware_penalty(scene.discriminator, scene.pictures, scene.pairs.matching.sentence, scene.balance)
    torch.testing.assert_close(penalty.detach(), expected)
    penalty.backward()
    assert learners(scene) == {"discriminator"}


def test_finite_differences_estimate_the_exact_penalty() -> None:
    scene = Scene()
    sentence = scene.pairs.matching.sentence.detach()
    exact = exact_penalty(scene.discriminator, scene.pictures, sentence, scene.balance).item()
    sigma, estimates = 0.01, []
    with torch.no_grad():
        seen = scene.discriminator(scene.pictures)
        for _ in range(60):
            near = scene.discriminator(scene.pictures + sigma * torch.randn_like(scene.pictures))
            estimates.append(
                finite_difference_penalty(scene.discriminator, seen, near, sentence, scene.balance, sigma).item()
            )
    assert sum(estimates) / len(estimates) == pytest.approx(exact, rel=0.25)


def test_alignment_weighs_more_the_higher_the_balance() -> None:
    scene = Scene()
    low, high = (
        Pairs(
            matching=scene.pairs.matching,
            second=scene.pairs.second,
            other=scene.pairs.other,
            caption_ids=scene.pairs.caption_ids,
            balance=torch.full((N,), b),
        )
        for b in (0.0, 1.0)
    )
    weights = LossWeights(balance_ratio=4.0)
    seen = scene.discriminator(scene.made.pictures)
    terms = [
        generator_loss(scene.discriminator, seen, seen, pairs, scene.made.mean, scene.made.log_sigma, weights)
        for pairs in (low, high)
    ]
    assert terms[1]["sentence"].item() == pytest.approx(16 * terms[0]["sentence"].item(), rel=1e-4)


def test_features_are_unit_vectors_of_the_named_shapes() -> None:
    scene = Scene()
    seen: PictureFeatures = scene.discriminator(scene.pictures)
    assert seen.embedding.shape == (N, WIDTH)
    assert torch.allclose(seen.embedding.norm(dim=1), torch.ones(N))
    assert seen.regions.shape == (N, 64, WIDTH)
