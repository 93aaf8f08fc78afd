"""What reaches the generator, and what has no way in?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bespoke.method.discriminator import Discriminator
from bespoke.method.generator import Generator
from bespoke.method.text_encoder import DualTextEmbedding, RealismHead, TextEmbedding

N, WIDTH = 4, 16
SIZES = {"image_size": 32, "embedding_width": WIDTH, "widths": (16, 16, 8)}


def text(seed: int) -> TextEmbedding:
    random = torch.Generator().manual_seed(seed)
    words = torch.randn(N, 5, WIDTH, generator=random)
    return TextEmbedding(torch.randn(N, WIDTH, generator=random), words, torch.ones(N, 5, dtype=torch.bool))


def what_matters(generator: Generator) -> set[str]:
    """What the pictures depend on, of everything that is said of a caption, and the balance."""
    generator.eval()
    noise = torch.randn(N, generator.num_noise, generator=torch.Generator().manual_seed(0))
    first, second, b = text(1), text(2), torch.full((N,), 0.3)

    @torch.no_grad()
    def drawn(realism: TextEmbedding, alignment: TextEmbedding, balance: Tensor) -> Tensor:
        pictures: Tensor = generator(noise, DualTextEmbedding(realism, alignment), balance).pictures
        return pictures

    usual = drawn(first, first, b)
    others = {
        "sentence": drawn(first._replace(sentence=second.sentence), first, b),
        "words": drawn(first._replace(words=second.words), first, b),
        "alignment sentence": drawn(first, first._replace(sentence=second.sentence), b),
        "alignment words": drawn(first, first._replace(words=second.words), b),
        "balance": drawn(first, first, 2 * b),
    }
    return {name for name, pictures in others.items() if not torch.equal(usual, pictures)}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"sentence", "words", "alignment sentence", "alignment words", "balance"}),
        ({"word_attention_size": 0}, {"sentence", "alignment sentence", "balance"}),
        ({"balance": False}, {"sentence", "words"}),
        ({"balance": False, "word_attention_size": 0}, {"sentence"}),
    ],
)
def test_words_and_the_alignment_embedding_can_be_left_out(settings: dict[str, int], expected: set[str]) -> None:
    torch.manual_seed(0)
    assert what_matters(Generator(**SIZES, **settings)) == expected  # type: ignore[arg-type]


def test_a_model_that_no_longer_learns_draws_with_a_part_of_the_finest_noise() -> None:
    torch.manual_seed(0)
    generator = Generator(**SIZES, grain=0.25).eval()
    given, b = DualTextEmbedding(text(1), text(1)), torch.zeros(N)
    noise = torch.randn(N, generator.num_noise)
    finest = generator.sizes[-1] ** 2

    @torch.no_grad()
    def apart(share: float) -> float:
        """How far pictures move where the finest noise is another, times `share`."""
        other = noise.clone()
        other[:, -finest:] *= 1 + share
        return float((generator(other, given, b).pictures - generator(noise, given, b).pictures).square().mean().sqrt())

    drawing = apart(0.01)
    for stage in generator.modules():  # the same statistics, as in drawing
        stage.training = isinstance(stage, Generator)
    assert drawing == pytest.approx(0.25 * apart(0.01), rel=0.1)


def test_without_a_balance_naturalness_does_not_ask_for_it() -> None:
    torch.manual_seed(0)
    low, high = torch.zeros(N), torch.ones(N)
    for balance in (True, False):
        discriminator = Discriminator(**SIZES, balance=balance)  # type: ignore[arg-type]
        for parameter in discriminator.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        seen = discriminator(torch.rand(N, 3, 32, 32))
        assert torch.equal(discriminator.naturalness(seen, low), discriminator.naturalness(seen, high)) != balance


def test_a_realism_head_reads_an_alignment_embedding_that_stays_as_it_is() -> None:
    torch.manual_seed(0)
    told = text(1)
    told.sentence.requires_grad_()
    told.words.requires_grad_()
    head = RealismHead(embedding_width=WIDTH)
    realism = head(told)
    assert (realism.sentence.shape, realism.words.shape) == (told.sentence.shape, told.words.shape)
    assert torch.equal(realism.mask, told.mask)
    (realism.sentence.square().sum() + realism.words.pow(3).sum()).backward()
    assert (told.sentence.grad, told.words.grad) == (None, None)
    assert all(parameter.grad is not None for parameter in head.parameters())
