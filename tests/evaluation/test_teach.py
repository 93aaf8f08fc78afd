"""Do judges learn from real pairs, the same each time, and only once?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest
import torch

from bespoke.data.captions import Tokenizer
from bespoke.data.catalogue import Catalogue
from bespoke.data.sample import write_sample
from bespoke.data.store import PairStore, prepare
from bespoke.errors import UserError
from bespoke.evaluation import teach as teach_module
from bespoke.evaluation.examine import (
    LEAST_SWAPS,
    STRENGTHS,
    Examination,
    Examined,
    blur,
    color_shift,
    examine,
    noise,
)
from bespoke.evaluation.questions import ask
from bespoke.evaluation.scores import pair_hits
from bespoke.evaluation.seeing import look_at
from bespoke.evaluation.teach import judge_of, num_shown, teach


@pytest.fixture
def shop(tmp_path: Path) -> PairStore:
    return prepare(Catalogue.open(str(write_sample(tmp_path / "shop", 24, 32, seed=0))), 32)


def test_teaching_twice_gives_the_same_judge_and_leaves_randomness_alone(shop: PairStore) -> None:
    tokenizer = Tokenizer.train((text for index in range(24) for text in shop.captions(index)), 320)
    before = torch.get_rng_state()
    first, second = (teach(shop, tokenizer, "residual", num_pictures=24, batch_size=12).state_dict() for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], second[name]) for name in first)
    third = teach(shop, tokenizer, "residual", num_pictures=12, batch_size=12).state_dict()
    assert not torch.equal(first["narrow.weight"], third["narrow.weight"])


def test_a_judge_is_taught_in_half_precision_where_the_hardware_has_it(
    shop: PairStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bespoke.precision.computes_bf16", lambda device: True)
    tokenizer = Tokenizer.train((text for index in range(24) for text in shop.captions(index)), 320)
    judge = teach(shop, tokenizer, "residual", num_pictures=12, batch_size=12)
    with torch.autocast("cpu", torch.bfloat16):
        assert judge.features(torch.zeros(1, 3, 32, 32)).dtype == torch.float32


def test_a_judge_is_taught_once_a_catalogue_and_then_read(shop: PairStore) -> None:
    shown: list[tuple[int, int]] = []
    tell = lambda done, total: shown.append((done, total))  # noqa: E731
    taught = judge_of(shop, "residual", tell, num_pictures=24, batch_size=12)
    assert shown == [(12, 24), (24, 24)]
    again = judge_of(shop, "residual", tell, num_pictures=24, batch_size=12)
    assert len(shown) == 2
    assert again.identity == taught.identity
    assert torch.equal(again.judge.narrow.weight, taught.judge.narrow.weight)
    assert judge_of(shop, "residual", tell, num_pictures=12, batch_size=12).identity != taught.identity


@pytest.mark.parametrize("damaged", [False, True])
def test_teaching_that_is_interrupted_goes_on_and_makes_the_same_judge(
    shop: PairStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    def stopping_at(last: int) -> Callable[[int, int], None]:
        def tell(done: int, total: int) -> None:
            shown.append(done)
            if done == last:
                raise KeyboardInterrupt

        return tell

    monkeypatch.setattr(teach_module, "KEEP_EVERY", 2)
    judged = partial(judge_of, shop, "residual", num_pictures=60, batch_size=12)  # in five steps
    monkeypatch.setenv("BESPOKE_CACHE", str(tmp_path / "other"))
    at_once = judged()
    monkeypatch.setenv("BESPOKE_CACHE", str(tmp_path / "cache"))
    shown: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        judged(stopping_at(60))
    (kept,) = (tmp_path / "cache").glob("*.learning/state.safetensors")
    if damaged:
        kept.write_bytes(kept.read_bytes()[:-100])
    shown.clear()
    taught = judged(stopping_at(0))
    assert shown[0] == (12 if damaged else 60)  # kept after the fourth step
    assert taught.identity == at_once.identity
    assert not kept.parent.exists()


def test_a_judge_that_the_disk_refuses_is_told_in_plain_words(
    shop: PairStore, files_no_longer_than: Callable[[int], AbstractContextManager[None]]
) -> None:
    refused = "bespoke-cache: no space left for the cache; free some or set BESPOKE_CACHE"
    with files_no_longer_than(200_000), pytest.raises(UserError, match=refused):
        judge_of(shop, "residual", num_pictures=12, batch_size=12)


def test_large_catalogues_are_shown_more_up_to_a_limit() -> None:
    assert [num_shown(n) for n in (24, 1_875, 3_000, 6_061, 100_000)] == [75_000, 75_000, 120_000, 225_000, 225_000]


def test_a_judge_that_has_learned_tells_true_captions_from_swapped_ones_on_new_pictures(boxes: PairStore) -> None:
    taught = judge_of(boxes, "residual", num_pictures=720, batch_size=24)  # in either precision that is enough
    questions = ask(boxes, "test", num_pictures=60, seed=0)
    (seen,) = look_at(boxes, questions.index, [taught])
    right, wrong = pair_hits(taught, questions, seen), pair_hits(taught, questions, seen.roll(1, 0))
    assert float(right["swap"][0].mean()) > 0.9  # guessing: 0.5
    assert float(right["swap"][0].mean()) > float(wrong["swap"][0].mean()) + 0.1  # what words alone give away
    assert set(taught.known_classes.tolist()) == {0, 1, 2}


def test_spoiling_is_stronger_at_each_step() -> None:
    pictures = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for spoil in (blur, noise, color_shift):
        changes = [float((spoil(pictures, strength) - pictures).abs().mean()) for strength in (0, *STRENGTHS)]
        assert changes == sorted(changes)
        assert changes[0] == pytest.approx(0, abs=1e-6)
        assert spoil(pictures, 4).shape == pictures.shape
        assert float(spoil(pictures, 4).abs().max()) <= 1


def exam(**changes: object) -> Examination:
    values = {
        "split": "test",
        "num_pictures": 100,
        "distances": {"blur": [1.0, 2.0, 3.0], "noise": [1.0, 2.0, 4.0]},
        "floor": 0.5,
        "retrieval": 0.2,
        "retrieval_of": 100,
        "retrieval_shuffled": 0.01,
        "swap": 0.85,
        "swap_shuffled": 0.5,
    }
    return Examination(**(values | changes))  # type: ignore[arg-type]


def test_a_judge_must_see_pictures_get_worse_and_further_than_other_real_ones() -> None:
    assert exam().sees
    assert not exam(distances={"blur": [1.0, 3.0, 2.0]}).sees
    assert not exam(distances={"blur": [0.0, 1.0, 2.0]}).sees
    assert not exam(floor=3.5).sees


def test_a_judge_must_find_captions_and_notice_swapped_words() -> None:
    assert exam().reads
    assert not exam(swap=0.79).reads
    assert not exam(swap_shuffled=0.8).reads
    assert not exam(retrieval=0.02).reads
    assert not exam(retrieval_shuffled=0.2).reads


def test_without_words_to_swap_captions_must_be_found_beyond_luck() -> None:
    unasked = partial(exam, swap=None, swap_shuffled=None)
    assert unasked().reads
    assert unasked().errors_beyond_luck == pytest.approx(0.19 / (0.2 * 0.8 / 100 + 0.01 * 0.99 / 100) ** 0.5)
    assert not unasked(num_pictures=50, retrieval=0.04).reads  # two of fifty, where guessing finds one in two
    assert not unasked(retrieval_shuffled=0.15).reads
    assert not unasked(retrieval_of=0, retrieval=0.0, retrieval_shuffled=0.0).reads
    assert unasked().answers("retrieval")
    assert not unasked().answers("swap")
    assert exam().answers("swap")


def test_a_few_swapped_words_prove_nothing(
    boxes: PairStore, judges: list[Examined], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert judges[0].examination.swap is not None
    monkeypatch.setattr("bespoke.evaluation.questions.swap_word", only_the_first())
    examined = examine(boxes, judges[0].taught, judges[0].training)
    assert (examined.swap, examined.swap_shuffled) == (None, None)


def only_the_first() -> Callable[[str, object], str | None]:
    """Swaps a word of the first captions that it is given, and finds none in the others."""
    left = iter(range(LEAST_SWAPS - 1))
    return lambda text, rng: None if next(left, None) is None else f"{text} instead"


def test_an_examination_is_kept_with_the_features_of_training_pictures(
    boxes: PairStore, judges: list[Examined]
) -> None:
    for judge in judges:
        assert judge.examination.split == "validation"
        assert judge.training_index.tolist() == boxes.indices("train").tolist()
        (again,) = look_at(boxes, boxes.indices("train"), [judge.taught])
        torch.testing.assert_close(judge.training, again)
