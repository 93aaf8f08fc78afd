"""How does a judge learn, and where is it kept? Taught once per catalogue, on real training pairs, then only read."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from bespoke.data.augment import NUM_DRAWS, augment
from bespoke.data.batches import Batch, PairBatches
from bespoke.data.captions import Tokenizer
from bespoke.data.levels import to_signed
from bespoke.data.made_once import make_once
from bespoke.data.store import PairStore, cache_folder
from bespoke.evaluation.half_taught import go_on, keep
from bespoke.evaluation.judge import Family, Judge
from bespoke.memory import keep_freed_memory
from bespoke.precision import autocast
from bespoke.tensors import save_tensors

FORMAT = 2  # goes up when judges of an earlier version must not be used any more
WEIGHTS, TOKENIZER = "judge.safetensors", "tokenizer.json"
VOCABULARY, LENGTH = 4096, 32  # tokens
BATCH = 64
PICTURES = 225_000  # shown while learning, at most; a large catalogue is seen in part
OFTEN, ENOUGH = 40, 75_000  # a smaller one so often each, but so many in all
RATE, DECAY = 2e-3, 0.05
TEMPERATURE = 0.07
AUGMENT = 0.3
KEEP_EVERY = 100  # steps, under half a minute on one core: what an interruption costs
SEED = 20_260  # of all judges; nothing else may use it

Progress = Callable[[int, int], None]  # pictures shown, and in all


class Taught(NamedTuple):
    """A judge that has learned, and what it reads captions with."""

    judge: Judge
    tokenizer: Tokenizer
    identity: str  # the first 12 digits of a hash over its weights
    known_classes: Tensor  # int64, those it was shown; it cannot name others


def judge_of(
    store: PairStore,
    family: Family,
    progress: Progress = lambda done, total: None,
    *,
    num_pictures: int | None = None,
    batch_size: int = BATCH,
) -> Taught:
    """The judge of a catalogue, in eval mode: read from the cache, and taught first if it is not there.

    Teaching that was interrupted goes on where it was, and makes the very judge that it would have made.

    num_pictures: shown while learning; by the size of the catalogue unless given.
    """
    num_pictures = num_pictures or num_shown(len(store.indices("train")))
    folder = cache_folder() / f"judge-{family}-{FORMAT}-{num_pictures}-{batch_size}-{store.fingerprint[:24]}"
    learning = folder.with_name(folder.name + ".learning")

    def write(part: Path) -> None:
        learning.mkdir(exist_ok=True)
        tokenizer = _tokenizer(store, learning / TOKENIZER)
        judge = teach(
            store,
            tokenizer,
            family,
            num_pictures=num_pictures,
            batch_size=batch_size,
            kept=learning / "state.safetensors",
            progress=progress,
        )
        tokenizer.save(part / TOKENIZER)
        save_tensors({name: value.contiguous() for name, value in judge.state_dict().items()}, part / WEIGHTS)

    make_once(folder, is_whole=(folder / WEIGHTS).is_file, write=write)
    shutil.rmtree(learning, ignore_errors=True)
    tokenizer = Tokenizer.load(folder / TOKENIZER)
    judge = _fresh(store, tokenizer, family)
    judge.load_state_dict(load_file(folder / WEIGHTS))
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    shown = torch.from_numpy(store.group[store.indices("train")].astype("int64")).unique()
    return Taught(judge.eval().requires_grad_(False), tokenizer, digest[:12], shown[shown >= 0])


def num_shown(num_training: int) -> int:
    """How many pictures a judge is shown while it learns, by how many a catalogue has for training."""
    return min(PICTURES, max(ENOUGH, OFTEN * num_training))


def _tokenizer(store: PairStore, file: Path) -> Tokenizer:
    """What a judge that is half taught reads captions with, else one made for them."""
    if not file.is_file():
        part = file.with_suffix(".part")
        captions = (caption for index in store.indices("train") for caption in store.captions(int(index)))
        Tokenizer.train(captions, VOCABULARY, LENGTH).save(part)
        part.replace(file)
    return Tokenizer.load(file)


def _fresh(store: PairStore, tokenizer: Tokenizer, family: Family) -> Judge:
    """A judge for a catalogue that has learned nothing yet; its weights are drawn from torch's global generator."""
    return Judge(
        family,
        vocabulary_size=tokenizer.vocabulary_size,
        length=tokenizer.length,
        pad_id=tokenizer.pad_id,
        num_classes=int(store.group.max()) + 1,
    )


def teach(
    store: PairStore,
    tokenizer: Tokenizer,
    family: Family,
    *,
    num_pictures: int,
    batch_size: int = BATCH,
    kept: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> Judge:
    """A judge that has seen `num_pictures` real training pictures with their captions, in eval mode.

    kept: a file that holds what it has learned so far, from which it goes on.
    A pure function of its arguments on one machine: torch's global generator is set for it and put back.
    """
    keep_freed_memory()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        judge = _fresh(store, tokenizer, family).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        batches = PairBatches(
            store, "train", tokenizer, seed=SEED, batch_size=batch_size, word_dropout=0.1, word_swaps=1.0
        )
        _learn(judge, batches, max(1, num_pictures // batch_size), kept, progress)
    return judge.eval().requires_grad_(False)


def _learn(judge: Judge, batches: PairBatches, steps: int, kept: Path | None, progress: Progress) -> None:
    optimizer = torch.optim.AdamW(judge.parameters(), RATE, weight_decay=DECAY, fused=True)
    draws = torch.Generator().manual_seed(SEED)
    done = go_on(kept, judge, optimizer, draws) if kept else 0
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps + 1)
    if done:
        schedule.load_state_dict(schedule.state_dict() | {"last_epoch": done - 1, "_step_count": done + 1})
        schedule.step()
    judge.train()
    for step in range(done, steps):
        loss = _loss(judge, batches.at(step), draws)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if kept and (step + 1) % KEEP_EVERY == 0:
            keep(kept, step + 1, judge, optimizer, draws)
        progress((step + 1) * batches.batch_size, steps * batches.batch_size)


def _loss(judge: Judge, batch: Batch, draws: torch.Generator) -> Tensor:
    """Contrast of pictures with both captions, and with captions of which one word was swapped; classes if any."""
    n = len(batch.pictures)
    flip = (torch.rand(n, generator=draws) < 0.5) & ~batch.sided
    shown = to_signed(batch.pictures)
    shown = augment(
        torch.where(flip[:, None, None, None], shown.flip(3), shown), torch.rand(n, NUM_DRAWS, generator=draws), AUGMENT
    )
    with autocast(shown.device):
        features = judge.features(shown)
        told = judge.place_captions(torch.cat([batch.captions, batch.other_captions, batch.mismatched]))
    pictures = judge.place_pictures(features)
    first, second, wrong = told.split(n)
    same = batch.caption_ids[:, None] == batch.caption_ids[None, :]
    hide = same & ~torch.eye(n, dtype=torch.bool)
    against = (pictures * wrong).sum(1, keepdim=True)  # the caption with a word swapped, where it has such a word
    target = torch.arange(n)
    terms = []
    for sentence in (first, second):
        fits = (pictures @ sentence.T).masked_fill(hide, float("-inf"))
        own = (pictures * sentence).sum(1, keepdim=True)
        terms += [
            F.cross_entropy(torch.cat([fits, against], 1) / TEMPERATURE, target),
            F.cross_entropy(fits.T / TEMPERATURE, target),
            # One rival among so many hardly counts, so it is also met alone.
            F.softplus((against - own) / TEMPERATURE).mean(),
        ]
    # A quarter each: what classes teach of shapes serves captions, too, and must not be drowned out.
    loss = torch.stack(terms).sum() / 4
    known = batch.groups >= 0
    if judge.num_classes > 1 and bool(known.any()):
        loss = loss + F.cross_entropy(judge.classify(features[known]), batch.groups[known], label_smoothing=0.1)
    return loss
