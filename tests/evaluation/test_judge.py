"""Are judges what metrics expect of them?"""

from __future__ import annotations

import pytest
import torch

from bespoke.evaluation.judge import FAMILIES, FEATURES, SHARED, Family, Judge


def judge_of(family: Family) -> Judge:
    torch.manual_seed(0)
    return Judge(family, vocabulary_size=300, length=4, pad_id=0, num_classes=3).eval()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", [32, 64])
def test_pictures_and_captions_meet_on_a_sphere(family: Family, size: int) -> None:
    judge = judge_of(family)
    with torch.no_grad():
        features = judge.features(torch.rand(2, 3, size, size) * 2 - 1)
        pictures, captions = judge.place_pictures(features), judge.place_captions(torch.tensor([[5, 6, 7, 0]]))
    assert features.shape == (2, FEATURES)
    assert pictures.shape == (2, SHARED)
    assert torch.cat([pictures, captions]).norm(dim=1).tolist() == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_is_seen_the_same_whatever_is_beside_it(family: Family) -> None:
    judge, pictures = judge_of(family), torch.rand(5, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        together, alone = judge.features(pictures), judge.features(pictures[3:4])
    torch.testing.assert_close(together[3:4], alone, rtol=1e-4, atol=1e-5)


def test_padding_says_nothing_and_the_order_of_words_something() -> None:
    judge = judge_of("residual")
    with torch.no_grad():
        judge.captions.place.normal_()
        short, other = (judge.place_captions(torch.tensor([ids])) for ids in ([5, 6, 7, 0], [7, 6, 5, 0]))
        judge.captions.token.weight[0] = 9.0
        padded = judge.place_captions(torch.tensor([[5, 6, 7, 0]]))
    torch.testing.assert_close(short, padded)
    assert not torch.allclose(short, other, atol=1e-3)


def test_a_caption_is_read_the_same_whatever_is_beside_it() -> None:
    judge = judge_of("residual")
    lengths = (3, 1, 4, 2, 4, 1, 3)  # more groups than one, and not in order
    captions = torch.tensor([[*range(5 + row, 5 + row + n), *[0] * (4 - n)] for row, n in enumerate(lengths)])
    with torch.no_grad():
        judge.captions.place.normal_()
        judge.captions.token.weight[0] = 9.0  # padding, were it read, would be heard
        together = judge.place_captions(captions)
        alone = torch.cat([judge.place_captions(caption[None]) for caption in captions])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    assert len(together.mul(1000).round().unique(dim=0)) == len(lengths)
