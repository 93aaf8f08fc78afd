"""Does an edit do what the new text says, and nothing else? Success against preservation, as a curve over strength.

Neither end of the curve is worth anything: the picture as it was preserves all, a picture drawn anew may say all. Never
report one number of it without the other, nor a success beside one from another catalogue or judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from bespoke.data.item import Part
from bespoke.data.levels import to_levels, to_signed
from bespoke.data.split import LEAST
from bespoke.data.store import PairStore
from bespoke.editing import LEAST_MASK
from bespoke.errors import UserError
from bespoke.evaluation.examine import Examined
from bespoke.evaluation.intervals import Estimate, mean_estimate, share_estimate
from bespoke.evaluation.metrics import preference, ssim
from bespoke.evaluation.questions import ask
from bespoke.evaluation.seeing import AT_ONCE, draw, look, read
from bespoke.method.editor import USUAL_STRENGTH, change_of, compose, strengthened
from bespoke.pipeline import Pipeline
from bespoke.precision import autocast

STRENGTHS = (0.3, 0.5, 0.7, 0.9, 1.0)
SHOWN = 32  # edits in the report, the first of an order that nobody chose
INVERTED = 16  # pictures that are inverted; each takes INVERSION_STEPS drawings and as many ways back
INVERSION_STEPS = 100
FRAME = 8  # the background is taken to be the outer eighth of a picture: catalogues have no masks
Tell = Callable[[str, int, int], None]  # what is done, how much of it, of how much


class Way(NamedTuple):
    """One way to get from a picture and two texts to another picture."""

    name: str  # edit, identity, anew or inversion
    strength: float | None = None  # of an edit


class EditRow(NamedTuple):
    """One number of one way."""

    way: Way
    metric: str
    judge: str | None  # who says so; None where no judge is asked
    value: Estimate


class Edits(NamedTuple):
    """What was asked of a model, and what came out."""

    split: Part
    seed: int
    sources: list[str]
    texts: list[str]
    rows: list[EditRow]
    before: Tensor  # [n, 3, S, S] uint8, the first
    after: Tensor  # [n, 3, S, S] uint8, at the usual strength
    masks: Tensor  # [n, S, S] in [0, 1]

    def find(self, way: Way, metric: str) -> list[EditRow]:
        """The rows of a metric, one a judge."""
        return [row for row in self.rows if row.way == way and row.metric == metric]


def evaluate_edits(
    pipeline: Pipeline,
    store: PairStore,
    judges: Sequence[Examined],
    *,
    split: Part = "validation",
    num_pictures: int = 500,
    seed: int = 0,
    tell: Tell = lambda what, done, total: None,
) -> Edits:
    """Swap a colour, number or pattern word in a caption of each of up to `num_pictures` pictures, and edit them.

    Raises UserError where the model was not taught to edit, or too few captions have such a word.
    """
    if pipeline.networks.editor is None:
        raise UserError(
            "this model has not been taught to edit; teach it by `bespoke train CATALOGUE --out RUN --edit`"
        )
    questions = ask(store, split, num_pictures=num_pictures, seed=seed)
    kept = questions.swap_rows
    if len(kept) < LEAST:
        raise UserError(
            f"{store.manifest.catalogue}: {len(kept)} captions for {split} have a colour, number or pattern word, "
            f"{LEAST} are needed; choose another --split"
        )
    sources, texts = [questions.captions[row] for row in kept.tolist()], questions.swapped
    x = torch.from_numpy(store.take(questions.index[kept.numpy()]))
    seeds = list(range(seed, seed + len(x)))
    others = None if questions.others is None else questions.others[kept]
    groups, rows = questions.groups[kept], []
    taught = [judge.taught for judge in judges]
    told = [(read(judge, texts), read(judge, sources), read(judge, questions.captions)) for judge in taught]
    shown = {}
    for way, pictures in _ways(pipeline, x, texts, sources, seeds, tell):
        n = len(pictures)
        preserved = {
            "change": (pictures.float() - x[:n].float()).abs().mean((1, 2, 3)) / 255,
            "background": background_error(x[:n], pictures),
            "ssim": ssim(x[:n].float() / 255, pictures.float() / 255),
            "untouched": (pictures == x[:n]).all(1).double().mean((1, 2)),
        }
        for metric, values in preserved.items():
            rows.append(EditRow(way, metric, None, mean_estimate(values, groups[:n], seed=seed)))
        for judge, (new, old, captions) in zip(taught, told, strict=True):
            places = judge.judge.place_pictures(look(judge, pictures))
            hits = {"prefers_new": preference(places, new[:n], old[:n])}
            if others is not None:
                rivals = torch.einsum("ne,nke->nk", places, captions[others[:n]])
                hits["retrieval"] = ((places * new[:n]).sum(1) > rivals.max(1).values).double()
            for metric, values in hits.items():
                value = share_estimate(values, groups[:n], seed=seed)
                rows.append(EditRow(way, metric, judge.judge.family, value))
        shown[way] = pictures[:SHOWN]
    first = slice(SHOWN)
    _, masks = zip(*ask_editor(pipeline, x[first], texts[first], sources[first], seeds[first]), strict=True)
    usual, where = Way("edit", USUAL_STRENGTH), strengthened(torch.cat(masks)[:, 0], USUAL_STRENGTH)
    return Edits(split, seed, sources, texts, rows, x[first], shown[usual], where)


def _ways(
    pipeline: Pipeline, x: Tensor, texts: list[str], sources: list[str], seeds: list[int], tell: Tell
) -> Iterator[tuple[Way, Tensor]]:
    """Every way, and what it makes of pictures [N, 3, S, S] uint8: as many, or the first few where it is slow."""
    yield Way("identity"), x
    yield Way("anew"), torch.cat(list(draw(pipeline, texts, seeds, 0.5)))
    asked = list(_told(ask_editor(pipeline, x, texts, sources, seeds), len(x), tell))
    colors, masks = (torch.cat(parts) for parts in zip(*asked, strict=True))
    for strength in STRENGTHS:
        yield Way("edit", strength), changed(x, colors, masks, strength)
    few = slice(INVERTED)
    yield Way("inversion"), invert(pipeline, x[few], texts[few], sources[few], seeds[few], tell)


def _told(parts: Iterator[tuple[Tensor, Tensor]], total: int, tell: Tell) -> Iterator[tuple[Tensor, Tensor]]:
    done = 0
    for part in parts:
        yield part
        done += len(part[0])
        tell("edits", done, total)


@torch.no_grad()
def ask_editor(
    pipeline: Pipeline, x: Tensor, texts: Sequence[str], sources: Sequence[str], seeds: Sequence[int]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Colours [n, 12, S, S] and masks [n, 1, S, S] of pictures [N, 3, S, S] uint8 and their changes, in batches."""
    networks, device = pipeline.networks, pipeline.device
    assert networks.editor is not None
    for start in range(0, len(x), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        noise = _noise(pipeline, seeds[rows])
        new, old = (pipeline.tokenizer.encode(list(told[rows])).to(device) for told in (texts, sources))
        with autocast(device):
            change = change_of(networks.generator, networks.text_encoder, noise, new, old)
            made = networks.editor(to_signed(x[rows]).to(device), change)
        yield made.colors.float().cpu(), made.mask.float().cpu()


def changed(x: Tensor, colors: Tensor, masks: Tensor, strength: float) -> Tensor:
    """Pictures [N, 3, S, S] uint8 edited at a strength, as Pipeline.edit does it at their own size."""
    share = strengthened(masks, strength)
    share = torch.where(share < LEAST_MASK, 0.0, share)
    return torch.where(share > 0, to_levels(compose(to_signed(x), colors, share)), x)


def background_error(x: Tensor, edited: Tensor) -> Tensor:
    """[N]: mean difference in the outer eighth of pictures [N, 3, S, S] uint8, as a share of the range."""
    ring = max(1, x.shape[-1] // FRAME)
    outer = torch.ones(x.shape[-2:], dtype=torch.bool)
    outer[ring:-ring, ring:-ring] = False
    return (edited.float() - x.float()).abs().mean(1)[:, outer].mean(1) / 255


def invert(pipeline: Pipeline, x: Tensor, texts: list[str], sources: list[str], seeds: list[int], tell: Tell) -> Tensor:
    """The usual way without an editor: find the noise that draws the picture from its old text, then swap the text."""
    networks, device = pipeline.networks, pipeline.device
    noise = _noise(pipeline, seeds).requires_grad_()
    optimizer, target = torch.optim.Adam([noise], 0.05), to_signed(x).to(device)
    with torch.no_grad():
        old, new = (networks.text_encoder(pipeline.tokenizer.encode(told).to(device)) for told in (sources, texts))
    b = torch.zeros(len(x), device=device)
    for step in range(INVERSION_STEPS):
        with autocast(device):
            made = networks.generator(noise, old, b).pictures
        loss = (made - target).abs().mean() + 0.02 * noise.square().mean()  # noise is normal where pictures are real
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        tell("inversion", step + 1, INVERSION_STEPS)
    with torch.no_grad(), autocast(device):
        return to_levels(networks.generator(noise, new, b).pictures.cpu())


def _noise(pipeline: Pipeline, seeds: Sequence[int]) -> Tensor:
    num = pipeline.networks.generator.num_noise
    drawn = [torch.randn(1, num, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.cat(drawn).to(pipeline.device)
