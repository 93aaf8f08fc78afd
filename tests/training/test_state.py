"""Which runs can go on with a checkpoint?"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from bespoke.config import resolve
from bespoke.data.caption_tokens import front_end_hash
from bespoke.data.captions import Tokenizer
from bespoke.data.catalogue import Catalogue
from bespoke.data.sample import write_sample
from bespoke.data.store import PairStore, prepare
from bespoke.errors import UserError
from bespoke.training.checkpoint import Checkpoint
from bespoke.training.state import ADDED, made_for, restore


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PairStore:
    folder = tmp_path_factory.mktemp("sample")
    return prepare(Catalogue.open(write_sample(folder / "catalogue", 12, 32, seed=0)), 32, folder / "cache")


def test_a_checkpoint_from_before_a_key_goes_with_a_config_that_leaves_it(store: PairStore) -> None:
    config, tokenizer = (
        resolve("test32", ["model.realism_start=fresh"]),
        Tokenizer.train(["a red mug"], 300, 32),
    )
    # As it was written down then: the config without those keys, and without what may change.
    tree = json.loads(config.model_dump_json(exclude={"gates"}, exclude_none=True))
    for key in ("validation_every_minutes", "checkpoint_every_minutes", "log_every"):
        del tree["training"][key]
    for section, keys in ADDED.items():
        for key in keys:
            tree[section].pop(key, None)
    told = json.dumps(tree, separators=(",", ":")) + store.fingerprint + front_end_hash(tokenizer)
    assert made_for(config, store, tokenizer, None).digest == hashlib.sha256(told.encode()).hexdigest()


def test_a_checkpoint_from_when_all_of_the_noise_was_drawn_with_goes_with_a_config_that_says_so(
    store: PairStore,
) -> None:
    tokenizer = Tokenizer.train(["a red mug"], 300, 32)
    before = resolve("test32", ["model.realism_start=fresh", "model.grain=1"])  # as config.json had it
    told = before.model_dump_json(
        exclude={
            "gates": True,
            "model": ADDED["model"].keys(),
            "loss": ADDED["loss"].keys(),
            "training": ADDED["training"].keys()
            | {"validation_every_minutes", "checkpoint_every_minutes", "log_every"},
        },
        exclude_none=True,
    )
    told += store.fingerprint + front_end_hash(tokenizer)
    assert made_for(before, store, tokenizer, None).digest == hashlib.sha256(told.encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        "model.balance=false",
        "model.grain=0.25",
        "loss.naturalness=0.5",
        "loss.contrast_fake=1",
        "loss.projected=0.2",
        "training.augment_colors=true",
    ],
)
def test_it_does_not_go_with_one_that_sets_it(store: PairStore, change: str) -> None:
    tokenizer = Tokenizer.train(["a red mug"], 300, 32)
    ours, theirs = (made_for(resolve("test32", changes), store, tokenizer, None).digest for changes in ([], [change]))
    assert ours != theirs


def checkpoint(**values: object) -> Checkpoint:
    return Checkpoint(step=4, tensors={}, values=values, path=Path("step-00000004"), notes=())


@pytest.mark.parametrize(
    ("part", "then", "told"),
    [
        ("catalogue", "0123", r"another catalogue \(other pictures, captions or attributes\); resume with the one"),
        (
            "config",
            ["loss.kl=0.125"],
            r"another config \(loss.kl was 0.125, now it is 0.5\); resume with the config",
        ),
        ("config", ["training.augment=0.5"], r"another config \(training.augment was 0.5, now it is unset\)"),
        ("config", ["loss.projected=0.5"], r"another config \(loss.projected was 0.5, now it is 0.0\)"),
        ("config", ["seed=7"], r"another config \(seed was 7, now it is 0\)"),
        ("base", "f151720bac82", r"another base \(f151720bac82, not none\)"),
        ("front_end", "0123", "another version of Bespoke"),
    ],
)
def test_a_refused_resume_says_what_is_another_one_now(
    store: PairStore, part: str, then: str | list[str], told: str
) -> None:
    tokenizer = Tokenizer.train(["a red mug"], 300, 32)
    now = made_for(resolve("test32"), store, tokenizer, None)
    if isinstance(then, list):
        then = made_for(resolve("test32", then), store, tokenizer, None).config
    before = now._replace(**{part: then})
    kept = checkpoint(made_for=before.digest, made_for_parts=before._asdict())
    with pytest.raises(UserError, match=f"step-00000004: made with {told}"):
        restore(kept, None, now)  # type: ignore[arg-type]


def test_a_checkpoint_that_holds_the_hash_alone_is_refused_in_general(store: PairStore) -> None:
    now = made_for(resolve("test32"), store, Tokenizer.train(["a red mug"], 300, 32), None)
    with pytest.raises(UserError, match="made with another catalogue, config or version"):
        restore(checkpoint(made_for="0123"), None, now)  # type: ignore[arg-type]
